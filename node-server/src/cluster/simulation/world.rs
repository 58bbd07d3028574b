//! The nodes of a run: each has a disk, and a process while it is up.

use super::{
    super::{
        ClusterKey, ClusterOptions, Shelf,
        group::Node,
        identity::Identity,
        log::{LogFile, Writer, tell},
        member::Cluster,
        replica::Replica,
    },
    cut::{Replay, Survival},
    disk::SimulatedDisk,
    runtime::{Scope, draw, spawn, world_sleep},
    wire::{Network, NodeWire, address},
};
use crate::Name;
use redb::{BackendError, StorageBackend};
use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    ops::Bound,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};
use vectordoc::{
    Result,
    native::{DatabaseOptions, Disk, DiskFile},
};

const ELECTION_TIMEOUT: Duration = Duration::from_millis(500);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);
const JOIN_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest time that the log takes to write something, or to say that it has.
const LOG_MS_MAX: u64 = 12;
const DATA: &str = "data";
const LOG: &str = "data/.cluster/raft.redb";
const LOG_CACHE_BYTES: usize = 1024 * 1024;
/// What the cluster calls itself.
const CLUSTER: &str = "simulated";

/// What the database of all runs is called.
pub(super) fn name() -> Name {
    Name::parse("documents").expect("a name")
}

/// A cluster.
pub(super) struct World {
    pub(super) network: Arc<Network>,
    pub(super) machines: BTreeMap<Node, Machine>,
}

/// What a node runs on.
pub(super) struct Machine {
    disk: SimulatedDisk,
    /// What was on it when it was last started.
    before: Replay,
    pub(super) running: Option<Running>,
}

/// A process.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) cluster: Arc<Cluster>,
    pub(super) scope: Arc<Scope>,
    /// How many of the node there were before.
    pub(super) life: u64,
}

impl Running {
    /// Its replica of the database.
    pub(super) fn replica(&self) -> Option<Arc<Replica>> {
        self.cluster.replicas().into_iter().find(|replica| replica.name.db == name())
    }
}

impl World {
    /// So many nodes, which have found each other.
    pub(super) async fn of(nodes: Node) -> Self {
        let mut world = Self { network: Arc::default(), machines: BTreeMap::new() };
        for node in 1..=nodes {
            let (disk, before) = (SimulatedDisk::default(), Replay::default());
            world.machines.insert(node, Machine { disk, before, running: None });
            world.start(node, 0).await;
        }
        world
    }

    /// The nodes that are up.
    pub(super) fn running(&self) -> Vec<(Node, Running)> {
        let running = |(node, machine): (&Node, &Machine)| Some((*node, machine.running.clone()?));
        self.machines.iter().filter_map(running).collect()
    }

    /// The nodes that are not.
    pub(super) fn down(&self) -> Vec<Node> {
        let is_down = |(_, machine): &(&Node, &Machine)| machine.running.is_none();
        self.machines.iter().filter(is_down).map(|(node, _)| *node).collect()
    }

    /// Starts a node that is down.
    pub(super) async fn start(&mut self, node: Node, life: u64) {
        let machine = self.machines.get_mut(&node).expect("a node");
        assert!(machine.running.is_none(), "node {node} is up");
        self.network.note(("start", node));
        machine.before = Replay::of(&machine.disk);
        machine.disk.record();
        let (disk, network) = (machine.disk.clone(), Arc::clone(&self.network));
        let scope = Arc::new(Scope::default());
        let begun = scope.enter(|| spawn(begin(node, disk, network)));
        let cluster = begun.await.expect("no panic").unwrap_or_else(|error| {
            panic!("node {node} does not start: {error:?}");
        });
        self.network.attach(node, &cluster, &scope);
        machine.running = Some(Running { cluster, scope, life });
    }

    /// The power of a node fails, and takes some of what was not synced with it. Returns how many
    /// processes of it there were.
    pub(super) fn crash(&mut self, node: Node) {
        let machine = self.machines.get_mut(&node).expect("a node");
        let Some(running) = machine.running.take() else { return };
        let survival = draw(|rng| Survival::ALL[rng.usize(..Survival::ALL.len())]);
        self.network.note(("crash", node, format!("{survival:?}")));
        self.network.detach(node);
        let mut replay = std::mem::take(&mut machine.before);
        machine.disk.events().iter().for_each(|event| replay.take(event));
        let left = draw(|rng| replay.cut(survival, rng));
        machine.disk.cut_power();
        running.scope.kill();
        running.scope.resume();
        machine.disk = left;
    }

    /// Nothing can be written any more, so that all that runs can be dropped.
    pub(super) fn end(&self) {
        self.machines.values().for_each(|machine| machine.disk.cut_power());
        self.running().iter().for_each(|(_, running)| running.scope.kill());
    }
}

/// Begins what a node does.
async fn begin(node: Node, disk: SimulatedDisk, network: Arc<Network>) -> Result<Arc<Cluster>> {
    let backend = Backend(disk.open(Path::new(LOG)).expect("a file"));
    let database = redb::Builder::new()
        .set_cache_size(LOG_CACHE_BYTES)
        .create_with_backend(backend)
        .expect("the log opens");
    let (file, writer) = LogFile::over(database).expect("the log opens");
    spawn(write(writer));
    if Identity::stored(&file)?.is_none() {
        let place = (node == 1).then(|| (CLUSTER.to_owned(), node));
        Identity { name: format!("{node:032}"), place }.keep(&file).await?;
    }
    let options = DatabaseOptions {
        disk: Some(disk.share()),
        threads: Some(1),
        is_driven: true,
        ..DatabaseOptions::default()
    };
    let shelf = Arc::new(Shelf::new(Path::new(DATA), options, Arc::default()));
    let wire = Arc::new(NodeWire { node, network });
    Cluster::begin(&cluster_options(), shelf, file, wire, address(node)).await
}

fn cluster_options() -> ClusterOptions {
    static KEY: OnceLock<ClusterKey> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("key");
        std::fs::write(&path, ClusterKey::generate().expect("a key")).expect("a file");
        ClusterKey::read(&path).expect("a key")
    });
    ClusterOptions {
        key: key.clone(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        advertise: String::new(),
        join: vec![address(1)],
        url: String::new(),
        election_timeout: ELECTION_TIMEOUT,
        request_timeout: REQUEST_TIMEOUT,
        join_timeout: JOIN_TIMEOUT,
        gone_after: None,
        snapshot_bytes_per_second: None,
    }
}

/// Writes a log as its thread does, but for the time it takes.
async fn write(mut writer: Writer) {
    let pause = || world_sleep(draw(|rng| rng.u64(..LOG_MS_MAX)));
    while let Some(first) = writer.first().await {
        pause().await;
        let together = writer.gather(first);
        let written = writer.write(&together);
        pause().await;
        tell(together, written);
    }
}

/// A file of the simulated disk for redb.
#[derive(Debug)]
struct Backend(Box<dyn DiskFile>);

impl StorageBackend for Backend {
    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}
