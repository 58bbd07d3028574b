//! What a node knows of the databases of its cluster, and where each is found.

use super::{group::Node, member::Cluster, placement::Placed};
use crate::Name;
use vectordoc::{Error, Result};

impl Cluster {
    /// Waits until this node's replica of `name` has everything that was acknowledged before this
    /// was called; at once when that is no database of this cluster. Blocks.
    pub(crate) fn catch_up(&self, name: &Name) -> Result<()> {
        let replica = self.replicas().into_iter().find(|replica| replica.name == *name);
        replica.map_or(Ok(()), |replica| self.handle.block_on(replica.catch_up()))
    }

    /// Why `name` is not on this node, if the cluster has it.
    pub(crate) fn why_not_here(&self, name: &Name) -> Option<Error> {
        let placement = self.placement();
        let placed = placement.databases.get(name.as_str())?;
        Some(if placed.nodes.contains(&self.node()) {
            Error::unavailable(format!("database {name} is just starting on this node; try again"))
        } else {
            self.elsewhere(name, placed)
        })
    }

    pub(super) fn elsewhere(&self, name: &Name, placed: &Placed) -> Error {
        let placement = self.placement();
        let url = |node: &Node| {
            let url = placement.nodes.get(node).map_or("", |info| &info.url);
            format!("node {node} ({url})")
        };
        let nodes: Vec<String> = placed.nodes.iter().map(url).collect();
        Error::unavailable(format!(
            "database {name} has no replica on node {}; ask {}",
            self.node(),
            nodes.join(" or ")
        ))
    }

    /// The names of all databases of the cluster.
    pub(crate) fn database_names(&self) -> Vec<Name> {
        let placement = self.placement();
        placement.databases.keys().filter_map(|name| Name::parse(name).ok()).collect()
    }

    /// How many replicas the database `name` shall have.
    pub(crate) fn replicas_of(&self, name: &str) -> Option<usize> {
        self.placement().databases.get(name).map(|placed| placed.replicas)
    }
}
