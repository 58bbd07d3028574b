//! How a cluster is: what operators look at.

use super::{
    group::Node,
    member::Cluster,
    message::{Inspection, Request, Response},
    placement::{Move, PlacedShard},
    replica::Replica,
    runtime::timeout,
    sending::Progress,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};
use tokio::task::JoinSet;
use vectordoc::{Error, Result};

/// How long one node may take to say how it is.
const STATE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long it may take to read all of a database.
const DOCUMENTS_TIMEOUT: Duration = Duration::from_secs(600);

/// A cluster, seen by one of its nodes.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ClusterView {
    /// Which one it is.
    pub(crate) cluster: String,
    /// The node that says it.
    pub(crate) node: Node,
    /// In order of their numbers.
    pub(crate) nodes: Vec<NodeView>,
    /// In order of their names.
    pub(crate) databases: Vec<DatabaseView>,
    /// Replicas on their way from one node to another: one at most.
    pub(crate) moves: Vec<MoveView>,
}

/// A replica that moves.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MoveView {
    /// The database whose it is.
    pub(crate) db: String,
    /// The shard of it, from 0 on.
    pub(crate) shard: usize,
    /// The node that has it now; none when one is made that was missing.
    pub(crate) from: Option<Node>,
    /// The node that gets it.
    pub(crate) to: Node,
    /// Entries of its store that were sent.
    pub(crate) done: u64,
    /// Of so many; 0 while none are sent, as at the beginning and when the log is enough.
    pub(crate) total: u64,
}

/// A node.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct NodeView {
    /// Its number.
    pub(crate) node: Node,
    /// Where other nodes reach it.
    pub(crate) address: String,
    /// Where clients reach it.
    pub(crate) url: String,
    /// Whether it answers.
    pub(crate) is_up: bool,
    /// Whether it leads the group that decides on nodes and databases.
    pub(crate) is_leader: bool,
    /// How many replicas of shards it shall have.
    pub(crate) replicas: usize,
}

/// A database.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DatabaseView {
    /// Its name.
    pub(crate) db: String,
    /// How many shards it has.
    pub(crate) shards: usize,
    /// How many replicas each of them shall have.
    pub(crate) replicas_wanted: usize,
    /// Those they have, in order of the shards and of their nodes.
    pub(crate) replicas: Vec<ReplicaView>,
}

/// A replica, as its node says.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ReplicaView {
    /// The shard it is of, from 0 on.
    pub(crate) shard: usize,
    /// The node that has it.
    pub(crate) node: Node,
    /// `leader`, `follower`, `learner`, `candidate`, `starting` or `down`.
    pub(crate) role: String,
    /// The leadership it knows of.
    pub(crate) term: u64,
    /// The last entry of its log that it applied.
    pub(crate) applied: u64,
    /// Documents it has.
    pub(crate) documents: u64,
    /// The number of the last record.
    pub(crate) record: u64,
    /// Of all documents, if that was asked for: equal where the records are.
    pub(crate) hash: Option<String>,
}

/// A replica, and what its node sends of it to others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Inspected {
    pub(super) view: ReplicaView,
    pub(super) sending: BTreeMap<Node, Progress>,
}

impl ReplicaView {
    fn without(shard: usize, node: Node, role: &str) -> Self {
        Self { shard, node, role: role.into(), ..Self::default() }
    }

    /// How `replica` is on this node. Blocks.
    pub(super) fn of(node: Node, replica: &Replica, inspection: Inspection) -> Result<Self> {
        let shard = replica.name.number;
        let Ok(raft) = replica.raft() else { return Ok(Self::without(shard, node, "starting")) };
        let database = replica.database()?;
        let hash = match inspection {
            Inspection::State => None,
            Inspection::Documents => Some(format!("{:016x}", database.ground_hash()?)),
        };
        let metrics = raft.metrics();
        let metrics = metrics.borrow();
        let stats = database.stats();
        Ok(Self {
            shard,
            node,
            role: match &metrics.running_state {
                Ok(()) => format!("{:?}", metrics.state).to_lowercase(),
                Err(_) => "failed".into(),
            },
            term: metrics.current_term,
            applied: metrics.last_applied.map_or(0, |id| id.index),
            documents: stats.documents,
            record: stats.record_number,
            hash,
        })
    }
}

impl Cluster {
    /// How the cluster is. Blocks.
    pub(crate) fn view_blocking(&self, with_hashes: bool) -> Result<ClusterView> {
        self.handle.block_on(self.view(with_hashes))
    }

    /// How the cluster is; with a hash of every replica, if those are wanted.
    pub(crate) async fn view(&self, with_hashes: bool) -> Result<ClusterView> {
        let placement = self.placement();
        let inspection = if with_hashes { Inspection::Documents } else { Inspection::State };
        let leader = self.placement_leader();
        let mut up = JoinSet::new();
        for node in placement.nodes.keys().copied() {
            let ping = self.is_up(node);
            up.spawn(async move { (node, timeout(STATE_TIMEOUT, ping).await.unwrap_or(false)) });
        }
        let up = up.join_all().await;
        let nodes = placement.nodes.iter().map(|(node, info)| NodeView {
            node: *node,
            address: info.address.clone(),
            url: info.url.clone(),
            is_up: up.contains(&(*node, true)),
            is_leader: leader == Some(*node),
            replicas: placement.load(*node),
        });
        let mut databases = Vec::new();
        let mut moves = Vec::new();
        for (name, placed) in &placement.databases {
            let mut replicas = Vec::new();
            for (number, shard) in placed.shards.iter().enumerate() {
                let of_shard = self.view_replicas(number, shard, inspection).await;
                let moving = placement.moving.iter().filter(|moving| moving.group == shard.group);
                moves.extend(moving.map(|moving| view_move(name, number, moving, &of_shard)));
                replicas.extend(of_shard.into_iter().map(|inspected| inspected.view));
            }
            databases.push(DatabaseView {
                db: name.clone(),
                shards: placed.shards.len(),
                replicas_wanted: placed.replicas,
                replicas,
            });
        }
        let cluster = self.name().to_owned();
        Ok(ClusterView { cluster, node: self.node(), nodes: nodes.collect(), databases, moves })
    }

    async fn view_replicas(
        &self,
        number: usize,
        shard: &PlacedShard,
        inspection: Inspection,
    ) -> Vec<Inspected> {
        let patience = match inspection {
            Inspection::State => STATE_TIMEOUT,
            Inspection::Documents => DOCUMENTS_TIMEOUT,
        };
        let mut views = JoinSet::new();
        for node in shard.nodes.iter().copied() {
            let inspected = self.inspect(node, shard.group, inspection, patience);
            let without = move |role| Inspected {
                view: ReplicaView::without(number, node, role),
                sending: BTreeMap::new(),
            };
            views.spawn(async move {
                match timeout(patience, inspected).await {
                    Ok(Ok(Response::Inspected(inspected))) => inspected,
                    Ok(Ok(Response::NotLeader(_))) => without("starting"),
                    Ok(Ok(_)) => without("failed"),
                    Ok(Err(_)) | Err(_) => without("down"),
                }
            });
        }
        let mut views = views.join_all().await;
        views.sort_by_key(|inspected| inspected.view.node);
        views
    }

    pub(super) fn inspect(
        &self,
        node: Node,
        group: u64,
        inspection: Inspection,
        patience: Duration,
    ) -> impl Future<Output = Result<Response>> + Send + use<> {
        let request = Request::Inspect(group, inspection);
        let here = (node == self.node()).then(|| self.myself());
        let peers = self.peers();
        async move {
            match here {
                Some(Some(cluster)) => Ok(cluster.answer(request).await),
                Some(None) => Err(Error::closed("the node is stopping")),
                None => peers
                    .ask(node, &request, patience)
                    .await
                    .map_err(|error| error.into_error("looking at a replica")),
            }
        }
    }

    pub(super) fn is_up(&self, node: Node) -> impl Future<Output = bool> + Send + use<> {
        let is_here = node == self.node();
        let peers = self.peers();
        async move {
            let request = Request::ReadIndex(super::group::PLACEMENT);
            is_here || peers.ask(node, &request, STATE_TIMEOUT).await.is_ok()
        }
    }
}

fn view_move(db: &str, shard: usize, moving: &Move, replicas: &[Inspected]) -> MoveView {
    let sent = replicas.iter().find_map(|replica| replica.sending.get(&moving.to));
    let Progress { done, total } = sent.copied().unwrap_or_default();
    MoveView { db: db.into(), shard, from: moving.from, to: moving.to, done, total }
}
