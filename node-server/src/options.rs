//! What can be said about a server before it starts.

use crate::{Limits, fault, folders::Folder, keys::Keyring, limits::SLOW_AFTER_DEFAULT, tls::Tls};
use std::{
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
    time::Duration,
};
use vectordoc::{Error, Result};

/// Where and how to serve. The default is port 7700 of this machine, for this machine.
///
/// ```
/// use vectordoc_server::ServeOptions;
///
/// let options = ServeOptions::default().port(0).name("products");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ServeOptions {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) name: Option<String>,
    pub(crate) shards: Option<usize>,
    pub(crate) insecure: bool,
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    pub(crate) origins: Vec<String>,
    pub(crate) console: bool,
    pub(crate) folders: Vec<Folder>,
    pub(crate) slow_after: Option<Duration>,
    pub(crate) limits: Limits,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 7700,
            name: None,
            shards: None,
            insecure: false,
            tls: None,
            origins: Vec::new(),
            console: true,
            folders: Vec::new(),
            slow_after: Some(SLOW_AFTER_DEFAULT),
            limits: Limits::default(),
        }
    }
}

impl ServeOptions {
    /// The address or name to listen at; `127.0.0.1` unless given. One that other machines can
    /// reach is refused unless [`insecure`](Self::insecure).
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// The port; 7700 unless given, 0 for any that is free.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The name a database served by [`Serve::serve`](crate::Serve::serve) has for clients; its
    /// document type's `NAME` unless given.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The shards a database served by [`Serve::serve`](crate::Serve::serve) has, which must have
    /// been created with as many; for [`Server::open`](crate::Server::open), those of new databases
    /// whose creator does not say.
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = Some(shards);
        self
    }

    /// Speaks TLS with the chain of certificates in one PEM file, the server's own first, and the
    /// private key in the other. They are read again when they change.
    pub fn tls(mut self, chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.tls = Some((chain.into(), key.into()));
        self
    }

    /// Allows an address that other machines can reach without keys or without TLS: whoever
    /// reaches it can read and write everything, or listen to those who do.
    pub fn insecure(mut self, insecure: bool) -> Self {
        self.insecure = insecure;
        self
    }

    /// Lets web pages of `origin`, such as `https://example.org`, connect. Pages of this machine
    /// always may, others never.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Whether there is a web console at `/`; there is unless told otherwise. Its pages may connect
    /// where the address is one that the server is surely meant by: over TLS, or by number.
    pub fn console(mut self, console: bool) -> Self {
        self.console = console;
        self
    }

    /// Serves the files of a folder as they are, to anyone and without a key, below `path`, such as
    /// `/demo`: its `index.html` is found at `/demo/`.
    pub fn folder(mut self, path: impl Into<String>, files: impl Into<PathBuf>) -> Self {
        self.folders.push(Folder { path: path.into(), files: files.into() });
        self
    }

    /// Warns of a request that works for so long, with what it asked for; 1 second unless given, never
    /// for `None`. The time it waits for its turn is not counted.
    pub fn slow_after(mut self, time: Option<Duration>) -> Self {
        self.slow_after = time;
        self
    }

    /// Other bounds than the default ones.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What clients' URLs begin with.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "wss" } else { "ws" }
    }

    /// What the URLs of the console begin with, where there is one.
    pub(crate) fn console_scheme(&self) -> Option<&'static str> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.console.then_some(scheme)
    }

    /// The certificate to show, if one is named.
    pub(crate) fn load_tls(&self) -> Result<Option<Tls>> {
        let Some((chain, key)) = &self.tls else { return Ok(None) };
        if [chain, key].iter().any(|path| path.as_os_str().is_empty()) {
            return Err(Error::invalid(
                "TLS takes both files, the chain of certificates (`--tls-cert`) and its private \
                 key (`--tls-key`), and one of them is not named",
            ));
        }
        Tls::load(chain, key).map(Some)
    }

    /// Refuses what is said about one database where the databases come from elsewhere: an option
    /// that has no effect is a mistake.
    pub(crate) fn expect_no_database(&self) -> Result<()> {
        let given = match (&self.name, self.shards) {
            (None, None) => return Ok(()),
            (Some(_), _) => "name",
            (None, Some(_)) => "shards",
        };
        Err(Error::invalid(format!(
            "the option `{given}` is about the one database of `Serve::serve`; the databases of a \
             catalog have their own"
        )))
    }

    /// Refuses folders that cannot be served.
    pub(crate) fn check_folders(&self) -> Result<()> {
        self.folders.iter().try_for_each(Folder::check)
    }

    /// The addresses to listen at, refused when other machines can reach them unprotected and
    /// nobody said that is wanted.
    pub(crate) fn addresses(&self, keyring: &Keyring) -> Result<Vec<SocketAddr>> {
        let resolved = (self.host.as_str(), self.port).to_socket_addrs();
        let addresses: Vec<SocketAddr> =
            resolved.map_err(|error| fault::os("cannot resolve", &self.host, &error))?.collect();
        if self.insecure || addresses.iter().all(|address| address.ip().is_loopback()) {
            return Ok(addresses);
        }
        let missing = match (keyring.is_empty(), self.tls.is_none()) {
            (false, false) => return Ok(addresses),
            (true, false) => "there is no key (`vectordoc key create` makes one)",
            (false, true) => "there is no TLS (`--tls-cert` and `--tls-key`)",
            (true, true) => {
                "there is neither a key (`vectordoc key create` makes one) nor TLS (`--tls-cert` \
                 and `--tls-key`)"
            }
        };
        Err(Error::invalid(format!(
            "{} can be reached from other machines, and {missing}; add what is missing, listen at \
             127.0.0.1, or allow it with `insecure` (`--insecure` on the command line)",
            self.host
        )))
    }
}
