//! How a cluster is: what operators look at.

use super::{
    group::Node,
    member::Cluster,
    message::{Inspection, Request, Response},
    placement::Placed,
    replica::Replica,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::{task::JoinSet, time::timeout};
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
}

/// A database.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DatabaseView {
    /// Its name.
    pub(crate) db: String,
    /// How many replicas it shall have.
    pub(crate) replicas_wanted: usize,
    /// Those it has, in order of their nodes.
    pub(crate) replicas: Vec<ReplicaView>,
}

/// A replica, as its node says.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ReplicaView {
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

impl ReplicaView {
    fn without(node: Node, role: &str) -> Self {
        Self { node, role: role.into(), ..Self::default() }
    }

    /// How `replica` is on this node. Blocks.
    pub(super) fn of(node: Node, replica: &Replica, inspection: Inspection) -> Result<Self> {
        let Ok(raft) = replica.raft() else { return Ok(Self::without(node, "starting")) };
        let database = replica.database()?;
        let hash = match inspection {
            Inspection::State => None,
            Inspection::Documents => Some(format!("{:016x}", database.ground_hash()?)),
        };
        let metrics = raft.metrics();
        let metrics = metrics.borrow();
        let stats = database.stats();
        Ok(Self {
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
        });
        let mut databases = Vec::new();
        for (name, placed) in &placement.databases {
            databases.push(DatabaseView {
                db: name.clone(),
                replicas_wanted: placed.replicas,
                replicas: self.view_replicas(placed, inspection).await,
            });
        }
        let cluster = self.name().to_owned();
        Ok(ClusterView { cluster, node: self.node(), nodes: nodes.collect(), databases })
    }

    async fn view_replicas(&self, placed: &Placed, inspection: Inspection) -> Vec<ReplicaView> {
        let patience = match inspection {
            Inspection::State => STATE_TIMEOUT,
            Inspection::Documents => DOCUMENTS_TIMEOUT,
        };
        let mut views = JoinSet::new();
        for node in placed.nodes.iter().copied() {
            let inspected = self.inspect(node, placed.group, inspection, patience);
            views.spawn(async move {
                match timeout(patience, inspected).await {
                    Ok(Ok(Response::Inspected(view))) => view,
                    Ok(Ok(Response::NotLeader(_))) => ReplicaView::without(node, "starting"),
                    Ok(Ok(_)) => ReplicaView::without(node, "failed"),
                    Ok(Err(_)) | Err(_) => ReplicaView::without(node, "down"),
                }
            });
        }
        let mut views = views.join_all().await;
        views.sort_by_key(|view| view.node);
        views
    }

    fn inspect(
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

    fn is_up(&self, node: Node) -> impl Future<Output = bool> + Send + use<> {
        let is_here = node == self.node();
        let peers = self.peers();
        async move {
            let request = Request::ReadIndex(super::group::PLACEMENT);
            is_here || peers.ask(node, &request, STATE_TIMEOUT).await.is_ok()
        }
    }
}
