//! What can be said about a server before it starts.

use crate::{Limits, fault};
use std::net::{SocketAddr, ToSocketAddrs};
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
    pub(crate) origins: Vec<String>,
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
            origins: Vec::new(),
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

    /// Allows an address that other machines can reach, although this build has neither keys nor
    /// TLS: whoever reaches it can read and write everything.
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

    /// Other bounds than the default ones.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
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

    /// The addresses to listen at, refused when other machines can reach them and nobody said
    /// that is wanted.
    pub(crate) fn addresses(&self) -> Result<Vec<SocketAddr>> {
        let resolved = (self.host.as_str(), self.port).to_socket_addrs();
        let addresses: Vec<SocketAddr> =
            resolved.map_err(|error| fault::os("cannot resolve", &self.host, &error))?.collect();
        if self.insecure || addresses.iter().all(|address| address.ip().is_loopback()) {
            return Ok(addresses);
        }
        Err(Error::invalid(format!(
            "{} can be reached from other machines, and this build has neither keys nor TLS; \
             listen at 127.0.0.1, or allow it with `insecure` (`--insecure` on the command line): \
             then whoever reaches the port can read and write everything",
            self.host
        )))
    }
}
