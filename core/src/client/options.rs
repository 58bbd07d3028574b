//! What can be said about a connection before it is made.

use super::{Connection, pool::Pool, trust::Trust, way::Way};
use crate::{Error, Result};
use std::{fmt, time::Duration};

/// How long a request may take, connecting again included, unless that is said.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long a request is made again, unless that is said.
const RETRY_FOR: Duration = Duration::from_secs(20);
/// Sockets, unless that is said: more help when answers are long.
const SOCKETS: usize = 1;
/// The most sockets of one client.
const SOCKETS_MAX: usize = 1_024;

/// How to make a [`Connection`].
#[derive(Clone)]
#[must_use = "nothing happens until it connects"]
pub struct ConnectionBuilder {
    urls: Vec<String>,
    key: Option<String>,
    sockets: usize,
    timeout: Duration,
    retry_for: Duration,
    trust: Trust,
}

/// Without the key.
impl fmt::Debug for ConnectionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { urls, sockets, timeout, retry_for, .. } = self;
        let mut shown = f.debug_struct("ConnectionBuilder");
        shown.field("urls", urls).field("sockets", sockets).field("timeout", timeout);
        shown.field("retry_for", retry_for).finish_non_exhaustive()
    }
}

impl ConnectionBuilder {
    pub(super) fn new(url: String) -> Self {
        Self {
            urls: vec![url],
            key: None,
            sockets: SOCKETS,
            timeout: TIMEOUT,
            retry_for: RETRY_FOR,
            trust: Trust::System,
        }
    }

    /// Another address of the same service, to be used in turn and when others do not answer.
    pub fn or_at(mut self, url: impl Into<String>) -> Self {
        self.urls.push(url.into());
        self
    }

    /// The API key to show to a server that asks for one.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// How many sockets there may be, 1 unless set. The next one is opened when all there are have
    /// requests under way; where the server takes no more, those there are carry on.
    pub fn sockets(mut self, sockets: usize) -> Self {
        self.sockets = sockets;
        self
    }

    /// How long a request may take until it fails as `unavailable`, waiting for a place and
    /// connecting again included; 60 s unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long a request is made again that was not done, or may be done twice, when the server is
    /// `busy`, `unavailable` or gone; 20 s unless set, zero for never.
    pub fn retry_for(mut self, time: Duration) -> Self {
        self.retry_for = time;
        self
    }

    /// Believes servers at `wss://` whose certificates come from these authorities, one or more
    /// certificates in PEM, and no others. Unless set, those that the system trusts are believed.
    pub fn trust_only(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.trust = Trust::Only(pem.into());
        self
    }

    /// Opens the first socket.
    pub async fn connect(self) -> Result<Connection> {
        if !(1..=SOCKETS_MAX).contains(&self.sockets) {
            return Err(Error::invalid(format!(
                "a connection has 1 to {SOCKETS_MAX} sockets, not {}",
                self.sockets
            )));
        }
        let way = Way::new(&self.urls, self.key.as_deref(), &self.trust)?;
        Connection::start(Pool::new(way, self.sockets), self.timeout, self.retry_for).await
    }
}
