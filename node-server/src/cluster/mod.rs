//! Nodes that keep replicas of databases together, by Raft (openraft).
//!
//! There is one Raft group for the placement: which nodes and databases there are, and which node has
//! a replica of what; every node is in it. And there is one group for each shard of a database, of the
//! nodes that have a replica of it: an entry of its log is a group of our records, its state machine
//! is a database of one shard, a snapshot is what the store of one replica holds. Any node answers for
//! any database, by asking those that have the shards (`reach`). The logs and votes of all groups of a
//! node rest in one file beside the databases.
//!
//! **Invariant:** a shard is changed by entries of its log alone, and an entry's records are
//! applied only if the leader that prepared them is the leader that got them into the log.

mod archives;
mod balance;
mod door;
mod finding;
mod follow;
mod group;
mod holding;
mod identity;
mod joining;
mod key;
mod leftovers;
mod lobby;
mod log;
mod machine;
mod member;
mod message;
mod network;
mod options;
mod peers;
mod placement;
mod placement_machine;
mod placing;
mod reach;
mod replica;
mod runtime;
mod sending;
mod shard_name;
mod shelf;
#[cfg(test)]
mod simulation;
mod status;
mod transfer;
mod watching;

pub use key::ClusterKey;
pub(crate) use member::Cluster;
pub use options::ClusterOptions;
pub(crate) use shelf::Shelf;
pub(crate) use status::{ClusterView, DatabaseView, MoveView, NodeView, ReplicaView};
