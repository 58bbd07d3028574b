//! A node of a cluster: the groups it is in, and what it does for its clients.

use super::{
    ClusterOptions, Shelf,
    balance::balance,
    door::accept,
    finding::Reached,
    follow::follow,
    group::{Group, Node, PLACEMENT, Raft},
    identity::Identity,
    joining::{info, settle},
    log::LogFile,
    network::Network,
    peers::{Peers, TlsWire, Wire},
    placement::{NodeInfo, Placement},
    placement_machine::PlacementMachine,
    replica::Replica,
    runtime::{blocking, spawn},
    sending::Sending,
};
use crate::{Name, fault};
use openraft::{Config, SnapshotPolicy};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    runtime::Handle,
    sync::{Semaphore, watch},
    task::{AbortHandle, JoinHandle},
};
use tokio_rustls::TlsAcceptor;
use vectordoc::{Error, Result};

/// A leader says so many times that it lives while others may hear nothing of it.
const HEARTBEATS: u64 = 4;
/// Entries after which a state machine is stored, so that the log may be cut.
const ENTRIES_MAX: u64 = 5_000;
/// Entries that stay in the log although they are stored, for who was away shortly.
const ENTRIES_KEPT: u64 = 64;
/// How long to wait for news before looking again.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// One node.
pub(crate) struct Cluster {
    node: Node,
    name: String,
    pub(super) info: NodeInfo,
    pub(super) election_timeout: Duration,
    /// How long a request waits for a majority.
    pub(super) request_timeout: Duration,
    /// How long a node may not answer before its replicas are made anew on others.
    pub(super) gone_after: Option<Duration>,
    peers: Arc<Peers>,
    pub(super) sending: Arc<Sending>,
    pub(super) file: Arc<LogFile>,
    shelf: Arc<Shelf>,
    pub(super) handle: Handle,
    placements: watch::Receiver<Arc<Placement>>,
    groups: Mutex<Groups>,
    /// The databases that were asked for, by way of their shards.
    pub(super) reached: Mutex<BTreeMap<Name, Reached>>,
    /// The right to answer what other nodes ask, which takes the processor.
    pub(super) answering: Semaphore,
    /// It heard that it was removed, which its own copy of the placement need not say.
    is_removed: AtomicBool,
    /// What goes on as long as the node does.
    tasks: Mutex<Vec<AbortHandle>>,
    myself: Weak<Self>,
}

/// The groups that this node is in.
#[derive(Default)]
pub(super) struct Groups {
    placement: Option<Raft>,
    pub(super) replicas: BTreeMap<Group, Arc<Replica>>,
    /// Why replicas that are to be here could not be started.
    pub(super) broken: BTreeMap<Group, Error>,
}

impl Cluster {
    /// Starts the node whose databases are on `shelf`, and lets it join or go on.
    pub(crate) async fn start(options: &ClusterOptions, shelf: Shelf) -> Result<Arc<Self>> {
        let credentials = options.key.credentials()?;
        let shelf = Arc::new(shelf);
        let file = blocking({
            let shelf = Arc::clone(&shelf);
            move || LogFile::open(&shelf.directory()?.join("raft.redb"))
        })
        .await?;
        let failed = |error| fault::os("cannot listen for other nodes at", options.listen, &error);
        let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
        let listens = listener.local_addr().map_err(failed)?.to_string();
        let wire = Arc::new(TlsWire::new(&credentials));
        let cluster = Self::begin(options, shelf, file, wire, listens).await?;
        let tls = TlsAcceptor::from(credentials.server);
        cluster.keep(spawn(accept(listener, tls, Arc::clone(&cluster))));
        Ok(cluster)
    }

    /// The same, once there is a file of logs, a way to other nodes, and a place at which it listens,
    /// or is about to.
    pub(super) async fn begin(
        options: &ClusterOptions,
        shelf: Arc<Shelf>,
        file: Arc<LogFile>,
        wire: Arc<dyn Wire>,
        listens: String,
    ) -> Result<Arc<Self>> {
        let named = Arc::clone(&shelf);
        blocking(move || named.keep_names()).await?;
        let identity = Identity::of(&file).await?;
        let info = info(options, &identity, listens);
        let peers = Peers::new(wire);
        let identity = settle(options, identity, &info, &peers, &shelf, &file).await?;
        let Some((name, node)) = identity.place else {
            return Err(Error::internal("a node without a cluster"));
        };
        let (news, placements) = watch::channel(Arc::default());
        let cluster = Arc::new_cyclic(|myself| Self {
            node,
            name,
            info,
            election_timeout: options.election_timeout,
            request_timeout: options.request_timeout,
            gone_after: options.gone_after,
            peers,
            sending: Sending::new(options.snapshot_bytes_per_second),
            file: Arc::clone(&file),
            shelf,
            handle: Handle::current(),
            placements,
            groups: Mutex::default(),
            reached: Mutex::default(),
            answering: Semaphore::new(thread::available_parallelism().map_or(1, Into::into)),
            is_removed: AtomicBool::new(false),
            tasks: Mutex::default(),
            myself: Weak::clone(myself),
        });
        cluster.start_placement(news).await?;
        cluster.begin_if_first().await?;
        cluster.keep(spawn(follow(Arc::clone(&cluster))));
        cluster.keep(spawn(balance(Arc::clone(&cluster))));
        tracing::info!(
            node,
            cluster = cluster.name,
            address = cluster.info.address,
            "in a cluster"
        );
        Ok(cluster)
    }

    async fn start_placement(&self, news: watch::Sender<Arc<Placement>>) -> Result<()> {
        let file = Arc::clone(&self.file);
        let opened = blocking(move || {
            PlacementMachine::open(&file, news).map_err(|error| Error::corrupt(error.to_string()))
        });
        let machine = opened.await?;
        self.know(&self.placement());
        let (network, log) = (self.network(PLACEMENT), self.file.of(PLACEMENT));
        let raft =
            Raft::new(self.node, config(PLACEMENT, self.election_timeout)?, network, log, machine)
                .await;
        self.groups().placement = Some(raft.map_err(|error| broken(&error))?);
        Ok(())
    }

    pub(super) fn network(&self, group: Group) -> Network {
        Network { group, peers: Arc::clone(&self.peers), sending: Arc::clone(&self.sending) }
    }

    fn keep(&self, task: JoinHandle<()>) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task.abort_handle());
    }

    pub(super) fn groups(&self) -> MutexGuard<'_, Groups> {
        // Nothing that can panic runs under this lock.
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where other nodes reach this one.
    pub(crate) fn address(&self) -> &str {
        &self.info.address
    }

    /// The number of this node.
    pub(super) fn node(&self) -> Node {
        self.node
    }

    /// Which cluster it is in.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn peers(&self) -> Arc<Peers> {
        Arc::clone(&self.peers)
    }

    pub(super) fn shelf(&self) -> &Arc<Shelf> {
        &self.shelf
    }

    pub(super) fn myself(&self) -> Option<Arc<Self>> {
        self.myself.upgrade()
    }

    /// What is placed, as far as this node knows. One that was removed hears no more of it, and knows
    /// only that nothing is placed on it.
    pub(super) fn placement(&self) -> Arc<Placement> {
        let placement = Arc::clone(&self.placements.borrow());
        match self.is_removed.load(Ordering::Relaxed) {
            true => Arc::new(placement.without(self.node)),
            false => placement,
        }
    }

    /// It heard that it was removed.
    pub(super) fn leave(&self) {
        if !self.is_removed.swap(true, Ordering::Relaxed) {
            tracing::warn!(node = self.node, cluster = self.name, "removed from the cluster");
        }
    }

    pub(super) fn placements(&self) -> watch::Receiver<Arc<Placement>> {
        self.placements.clone()
    }

    /// The node that decides on nodes and databases, as far as this one knows.
    pub(super) fn placement_leader(&self) -> Option<Node> {
        self.groups().placement.as_ref()?.metrics().borrow().current_leader
    }

    /// Knows where the nodes are.
    pub(super) fn know(&self, placement: &Placement) {
        if !placement.nodes.is_empty() {
            let mut nodes = placement.removed.clone();
            nodes.extend(placement.nodes.clone());
            self.peers.know(nodes);
        }
    }

    /// The member of a group that is on this node.
    pub(super) fn raft(&self, group: Group) -> Option<Raft> {
        let groups = self.groups();
        match group {
            PLACEMENT => groups.placement.clone(),
            group => groups.replicas.get(&group)?.raft().ok().cloned(),
        }
    }

    pub(super) fn placement_raft(&self) -> Result<Raft> {
        self.raft(PLACEMENT).ok_or_else(|| Error::unavailable("the node is stopping"))
    }

    /// The replica of a group's database that is on this node.
    pub(super) fn replica(&self, group: Group) -> Option<Arc<Replica>> {
        self.groups().replicas.get(&group).cloned()
    }

    pub(super) fn replicas(&self) -> Vec<Arc<Replica>> {
        self.groups().replicas.values().cloned().collect()
    }

    /// Ends all groups and closes their databases.
    pub(crate) async fn stop(&self) {
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.iter().for_each(AbortHandle::abort);
        for replica in self.replicas() {
            if let Err(error) = self.stop_replica(&replica).await {
                tracing::warn!(%error, "a replica did not end");
            }
        }
        let placement = self.groups().placement.take();
        if let Some(placement) = placement
            && let Err(error) = placement.shutdown().await
        {
            tracing::warn!(%error, "the placement did not end cleanly");
        }
    }

    /// Ends the node. Blocks.
    pub(crate) fn stop_blocking(&self) {
        self.handle.block_on(self.stop());
    }
}

pub(super) fn config(group: Group, election_timeout: Duration) -> Result<Arc<Config>> {
    let election_ms = u64::try_from(election_timeout.as_millis()).unwrap_or(u64::MAX);
    let config = Config {
        cluster_name: format!("vectordoc-{group}"),
        heartbeat_interval: (election_ms / HEARTBEATS).max(1),
        election_timeout_min: election_ms,
        election_timeout_max: election_ms.saturating_add(election_ms / 2),
        snapshot_policy: SnapshotPolicy::LogsSinceLast(ENTRIES_MAX),
        max_in_snapshot_log_to_keep: ENTRIES_KEPT,
        ..Config::default()
    };
    config.validate().map(Arc::new).map_err(|error| Error::internal(error.to_string()))
}

pub(super) fn broken(error: &dyn std::fmt::Display) -> Error {
    Error::unavailable(format!("the cluster: {error}"))
}

pub(super) fn no_leader() -> Error {
    Error::unavailable("no majority of the nodes answers; nothing was decided, try again")
}
