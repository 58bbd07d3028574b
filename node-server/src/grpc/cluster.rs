//! Calls about the cluster a server is in.

use super::{messages as proto, params::Params, rpc::Ask, value::number};
use crate::{
    cluster::{ClusterView, DatabaseView, MoveView, NodeView, ReplicaView},
    operation::Answer,
};
use vectordoc::Result;

impl Ask for proto::ClusterStatusRequest {
    const RPC: &'static str = "ClusterStatus";
    const METHOD: &'static str = "cluster.status";
    type Response = proto::ClusterStatusResponse;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.flag("hashes", self.hashes);
        Ok(())
    }

    fn response(answer: Answer) -> Option<proto::ClusterStatusResponse> {
        let Answer::Cluster(view) = answer else { return None };
        let ClusterView { cluster, node, nodes, databases, moves } = view;
        Some(proto::ClusterStatusResponse {
            cluster,
            node,
            nodes: nodes.into_iter().map(node_of).collect(),
            databases: databases.into_iter().map(database_of).collect(),
            moves: moves.into_iter().map(move_of).collect(),
        })
    }
}

impl Ask for proto::RemoveNodeRequest {
    const RPC: &'static str = "RemoveNode";
    const METHOD: &'static str = "cluster.remove";
    type Response = proto::RemoveNodeResponse;

    fn write(&self, params: &mut Params) -> Result<()> {
        params.give("node").uint(self.node);
        Ok(())
    }

    fn response(answer: Answer) -> Option<proto::RemoveNodeResponse> {
        matches!(answer, Answer::Removed { .. }).then_some(proto::RemoveNodeResponse {})
    }
}

fn node_of(view: NodeView) -> proto::ClusterNode {
    let NodeView { node, address, url, is_up, is_leader, replicas } = view;
    proto::ClusterNode { node, address, url, is_up, is_leader, replicas: number(replicas) }
}

fn database_of(view: DatabaseView) -> proto::ClusterDatabase {
    let DatabaseView { db, shards, replicas_wanted, replicas } = view;
    let (shards, replicas_wanted) = (number(shards), number(replicas_wanted));
    let replicas = replicas.into_iter().map(replica_of).collect();
    proto::ClusterDatabase { db, shards, replicas_wanted, replicas }
}

fn replica_of(view: ReplicaView) -> proto::ClusterReplica {
    let ReplicaView { shard, node, role, term, applied, documents, record, hash } = view;
    let shard = number(shard);
    proto::ClusterReplica { shard, node, role, term, applied, documents, record, hash }
}

fn move_of(view: MoveView) -> proto::ClusterMove {
    let MoveView { db, shard, from, to, done, total } = view;
    proto::ClusterMove { db, shard: number(shard), from, to, done, total }
}
