//! A network in memory. As with TCP, bytes of one connection come in their order or not at all: what
//! is sent into a cut waits there and arrives late, when who sent it has asked again on another
//! connection, so that messages overtake and repeat each other. Some are also repeated by themselves.

use super::{
    super::{
        door::serve,
        group::Node,
        member::Cluster,
        peers::{Connection, Wire},
    },
    runtime::{Scope, draw, happens, now_ms, spawn, world_sleep},
};
use futures_util::future::BoxFuture;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque, hash_map::DefaultHasher},
    fmt::Debug,
    future::pending,
    hash::{Hash, Hasher},
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

/// What waits in a cut is sent again after so long, and after twice that, up to the last.
const RESEND_MS: u64 = 20;
const RESEND_MS_MAX: u64 = 640;
/// After so many times a connection is given up.
const RESENDS_MAX: u32 = 12;
/// Longest time after which something is repeated.
const REPEAT_MS_MAX: u64 = 1_500;

/// The network between the nodes of one run.
#[derive(Default)]
pub(super) struct Network(Mutex<State>);

#[derive(Default)]
struct State {
    /// Ways from one node to another on which nothing arrives.
    cut: BTreeSet<(Node, Node)>,
    nodes: BTreeMap<Node, (Arc<Cluster>, Arc<Scope>)>,
    weather: Weather,
    events: DefaultHasher,
    messages: u64,
}

/// What the network is like for a while.
#[derive(Clone, Copy, Default)]
pub(super) struct Weather {
    /// Longest time that bytes take, beside one millisecond.
    pub(super) delay_ms: u64,
    /// How many messages in a thousand take their connection with them.
    pub(super) broken: u32,
    /// How many in a thousand come twice.
    pub(super) repeated: u32,
}

impl Network {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets others reach a node.
    pub(super) fn attach(&self, node: Node, cluster: &Arc<Cluster>, scope: &Arc<Scope>) {
        self.state().nodes.insert(node, (Arc::clone(cluster), Arc::clone(scope)));
    }

    pub(super) fn detach(&self, node: Node) {
        self.state().nodes.remove(&node);
    }

    pub(super) fn cut(&self, ways: impl IntoIterator<Item = (Node, Node)>) {
        self.state().cut.extend(ways);
    }

    pub(super) fn heal(&self) {
        self.state().cut.clear();
    }

    pub(super) fn set_weather(&self, weather: Weather) {
        self.state().weather = weather;
    }

    fn is_cut(&self, from: Node, to: Node) -> bool {
        self.state().cut.contains(&(from, to))
    }

    fn delay(&self) -> u64 {
        let max = self.state().weather.delay_ms;
        1 + draw(|rng| rng.u64(..=max))
    }

    /// Something happened that is the same in every run of the same seed.
    pub(super) fn note(&self, what: impl Hash + Debug) {
        let now = now_ms();
        tracing::trace!(now, ?what, "noted");
        (now, what).hash(&mut self.state().events);
    }

    /// A hash over everything that was noted, and how many messages arrived.
    pub(super) fn summary(&self) -> (u64, u64) {
        let state = self.state();
        (state.events.finish(), state.messages)
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// The network as a node has it.
pub(super) struct NodeWire {
    pub(super) node: Node,
    pub(super) network: Arc<Network>,
}

/// Where a node listens.
pub(super) fn address(node: Node) -> String {
    format!("node-{node}")
}

fn node_at(address: &str) -> Option<Node> {
    address.strip_prefix("node-")?.parse().ok()
}

impl Wire for NodeWire {
    fn connect(&self, address: String) -> BoxFuture<'_, io::Result<Connection>> {
        Box::pin(async move {
            let (from, network) = (self.node, &self.network);
            let to = node_at(&address).ok_or(io::ErrorKind::AddrNotAvailable)?;
            world_sleep(network.delay()).await;
            if network.is_cut(from, to) || network.is_cut(to, from) {
                return pending().await;
            }
            let (here, there) = connection(network, from, to);
            network.serve(to, there)?;
            Ok(Box::new(here) as Connection)
        })
    }
}

impl Network {
    /// Lets a node answer on a connection.
    fn serve(&self, node: Node, stream: End) -> io::Result<()> {
        let place = self.state().nodes.get(&node).cloned();
        let (cluster, scope) = place.ok_or(io::ErrorKind::ConnectionRefused)?;
        scope.enter(|| {
            spawn(async move {
                // How it ends the other side finds out.
                let _ = serve(stream, &cluster).await;
            })
        });
        Ok(())
    }

    /// Lets a message come once more, of which nobody waits for the answer.
    fn repeat(self: &Arc<Self>, to: Node, message: Vec<u8>) {
        let network = Arc::clone(self);
        tokio::spawn(async move {
            world_sleep(draw(|rng| rng.u64(..REPEAT_MS_MAX))).await;
            let input = Pipe::default();
            input.push(&message);
            input.end();
            let (unheard, _) = unbounded_channel();
            let stream = End { input: Arc::new(input), output: unheard, outgoing: Vec::new() };
            // A node that is down hears nothing.
            let _ = network.serve(to, stream);
        });
    }
}

fn connection(network: &Arc<Network>, from: Node, to: Node) -> (End, End) {
    let (here, there) = (Arc::new(Pipe::default()), Arc::new(Pipe::default()));
    let (to_there, going) = unbounded_channel();
    let (to_here, coming) = unbounded_channel();
    let way = |from, to, is_asking| Way { network: Arc::clone(network), from, to, is_asking };
    tokio::spawn(way(from, to, true).carry(going, Arc::clone(&there)));
    tokio::spawn(way(to, from, false).carry(coming, Arc::clone(&here)));
    let end = |input, output| End { input, output, outgoing: Vec::new() };
    (end(here, to_there), end(there, to_here))
}

/// One way of a connection.
struct Way {
    network: Arc<Network>,
    from: Node,
    to: Node,
    /// It carries requests.
    is_asking: bool,
}

impl Way {
    async fn carry(self, mut sent: UnboundedReceiver<Vec<u8>>, pipe: Arc<Pipe>) {
        while let Some(message) = sent.recv().await {
            if !self.deliver(message, &pipe).await {
                break;
            }
        }
        world_sleep(self.network.delay()).await;
        pipe.end();
    }

    /// False when the connection is no more.
    async fn deliver(&self, message: Vec<u8>, pipe: &Pipe) -> bool {
        let (network, from, to) = (&self.network, self.from, self.to);
        world_sleep(network.delay()).await;
        let mut resend_ms = RESEND_MS;
        let mut resends = 0;
        while network.is_cut(from, to) {
            if resends == RESENDS_MAX {
                return false;
            }
            resends += 1;
            world_sleep(resend_ms).await;
            resend_ms = (2 * resend_ms).min(RESEND_MS_MAX);
        }
        let weather = network.state().weather;
        if happens(weather.broken) {
            return false;
        }
        network.state().messages += 1;
        network.note((from, to, message.len(), hash(&message)));
        pipe.push(&message);
        if self.is_asking && is_of_raft(&message) && happens(weather.repeated) {
            network.repeat(to, message);
        }
        true
    }
}

/// Whether Raft bears that a message comes twice, as TCP sees to it that others do not.
fn is_of_raft(message: &[u8]) -> bool {
    /// Bytes of its length.
    const LENGTH_BYTES: usize = 4;
    /// A map of one key in CBOR, and how long that key is.
    const BEGINNINGS: [&[u8]; 2] = [b"\xa1\x66Append", b"\xa1\x64Vote"];
    let body = message.get(LENGTH_BYTES..).unwrap_or_default();
    BEGINNINGS.iter().any(|beginning| body.starts_with(beginning))
}

/// Bytes that have arrived.
#[derive(Default)]
struct Pipe(Mutex<Arrived>);

#[derive(Default)]
struct Arrived {
    bytes: VecDeque<u8>,
    is_ended: bool,
    reader: Option<Waker>,
}

impl Pipe {
    fn arrived(&self) -> MutexGuard<'_, Arrived> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, bytes: &[u8]) {
        let mut arrived = self.arrived();
        arrived.bytes.extend(bytes);
        arrived.reader.take().into_iter().for_each(Waker::wake);
    }

    fn end(&self) {
        let mut arrived = self.arrived();
        arrived.is_ended = true;
        arrived.reader.take().into_iter().for_each(Waker::wake);
    }
}

/// A connection as one side has it.
struct End {
    input: Arc<Pipe>,
    output: UnboundedSender<Vec<u8>>,
    /// Not flushed yet.
    outgoing: Vec<u8>,
}

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut arrived = self.input.arrived();
        if arrived.bytes.is_empty() && !arrived.is_ended {
            arrived.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let count = buffer.remaining().min(arrived.bytes.len());
        let bytes: Vec<u8> = arrived.bytes.drain(..count).collect();
        buffer.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for End {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.outgoing.extend(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let message = std::mem::take(&mut self.outgoing);
        if message.is_empty() || self.output.send(message).is_ok() {
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}
