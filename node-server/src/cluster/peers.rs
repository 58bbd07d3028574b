//! Connections to other nodes: a few to each, one request at a time on each.

use super::{
    group::Node,
    key::{Credentials, server_name},
    message::{self, Request, Response},
    placement::NodeInfo,
    runtime::timeout,
};
use futures_util::{FutureExt, future::BoxFuture};
use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use vectordoc::{Error, Result};

/// How long it may take to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a node may take over what may take long, such as an exact search of all it has.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(600);
/// Connections to one node that are kept when nobody uses them.
const IDLE_MAX: usize = 16;

/// A connection to another node, both of which have shown that they have the key.
pub(super) type Connection = Box<dyn Stream>;

/// Bytes both ways.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// What connects nodes.
pub(super) trait Wire: Send + Sync {
    /// Connects this node to the one at `address`.
    ///
    /// To ensure correctness, only nodes of this cluster may be connected to.
    fn connect(&self, address: String) -> BoxFuture<'_, io::Result<Connection>>;
}

/// TCP, on which both sides show that they have the key.
pub(super) struct TlsWire(TlsConnector);

impl TlsWire {
    pub(super) fn new(credentials: &Credentials) -> Self {
        Self(TlsConnector::from(Arc::clone(&credentials.client)))
    }
}

impl Wire for TlsWire {
    fn connect(&self, address: String) -> BoxFuture<'_, io::Result<Connection>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let name = server_name().map_err(io::Error::other)?;
            Ok(Box::new(self.0.connect(name, stream).await?) as Connection)
        })
    }
}

/// How to reach other nodes.
pub(super) struct Peers {
    wire: Arc<dyn Wire>,
    /// Where the nodes are, as far as this one knows.
    nodes: RwLock<BTreeMap<Node, NodeInfo>>,
    idle: Mutex<BTreeMap<String, Vec<Connection>>>,
}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum CallError {
    /// It was not sent.
    Unsent(io::Error),
    /// It was sent, and nobody knows what became of it.
    Unknown(io::Error),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsent(error) | Self::Unknown(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CallError {}

impl Peers {
    pub(super) fn new(wire: Arc<dyn Wire>) -> Arc<Self> {
        Arc::new(Self { wire, nodes: RwLock::default(), idle: Mutex::default() })
    }

    /// Where the nodes are from now on.
    pub(super) fn know(&self, nodes: BTreeMap<Node, NodeInfo>) {
        *self.nodes.write().unwrap_or_else(PoisonError::into_inner) = nodes;
    }

    /// Asks node `node`, waiting for the answer at most `patience`.
    pub(super) async fn ask(
        &self,
        node: Node,
        request: &Request,
        patience: Duration,
    ) -> Result<Response, CallError> {
        self.ask_at(&self.address(node)?, request, patience).await
    }

    /// The same, waiting for as long as what is asked may take.
    pub(super) async fn ask_at_length(
        &self,
        node: Node,
        request: &Request,
    ) -> Result<Response, CallError> {
        self.ask(node, request, ANSWER_TIMEOUT).await
    }

    fn address(&self, node: Node) -> Result<String, CallError> {
        let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
        let known = nodes.get(&node).map(|info| info.address.clone());
        known.ok_or_else(|| CallError::Unsent(io::Error::other(format!("no node {node} is known"))))
    }

    /// Asks the node at `address`.
    pub(super) async fn ask_at(
        &self,
        address: &str,
        request: &Request,
        patience: Duration,
    ) -> Result<Response, CallError> {
        let mut connection = match self.take_idle(address) {
            Some(connection) => connection,
            None => self.connect(address).await.map_err(CallError::Unsent)?,
        };
        let asked = timeout(patience, async {
            message::write(&mut connection, request).await?;
            message::read(&mut connection).await
        });
        let late = || io::Error::new(io::ErrorKind::TimedOut, format!("{address} does not answer"));
        let response = asked.await.unwrap_or_else(|_| Err(late())).map_err(CallError::Unknown)?;
        self.put_idle(address, connection);
        Ok(response)
    }

    /// A connection for one long exchange with node `node`.
    pub(super) async fn connection(&self, node: Node) -> Result<Connection, CallError> {
        self.connect(&self.address(node)?).await.map_err(CallError::Unsent)
    }

    async fn connect(&self, address: &str) -> io::Result<Connection> {
        let late = || io::Error::new(io::ErrorKind::TimedOut, format!("{address} does not answer"));
        let connecting = self.wire.connect(address.into());
        timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or_else(|_| Err(late()))
    }

    /// A connection that the other side has not closed.
    fn take_idle(&self, address: &str) -> Option<Connection> {
        loop {
            let mut connection = self.idle().get_mut(address)?.pop()?;
            // Nothing was asked, so nothing is there to be read but the end.
            let is_open = connection.read_u8().now_or_never().is_none();
            if is_open {
                return Some(connection);
            }
        }
    }

    fn put_idle(&self, address: &str, connection: Connection) {
        let mut idle = self.idle();
        let idle = idle.entry(address.into()).or_default();
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<Connection>>> {
        // Nothing that can panic runs under this lock.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallError {
    /// For who asked in the first place.
    pub(super) fn into_error(self, what: &str) -> Error {
        Error::unavailable(match self {
            Self::Unsent(error) => format!("{what}: {error}; nothing was done, try again"),
            Self::Unknown(error) => {
                format!(
                    "{what}: {error}; whether it was done is unknown, look before you try again"
                )
            }
        })
    }
}
