//! What rests of databases that were dropped while this node was down.

use super::{
    group::Group, machine::group_of, member::Cluster, placement::Placement, runtime::blocking,
    shard_name::ShardName,
};
use std::{collections::BTreeMap, sync::Arc};
use vectordoc::{Error, Result};

/// What the data directory had when the node started and nothing has claimed since.
pub(super) struct Leftovers(BTreeMap<ShardName, Option<Group>>);

impl Leftovers {
    /// All that is there.
    pub(super) async fn of(cluster: &Cluster) -> Self {
        let shelf = Arc::clone(cluster.shelf());
        let found = blocking(move || shelf.resting()).await;
        let found = found.unwrap_or_else(|error| {
            tracing::warn!(%error, "what rests of dropped databases stays");
            Vec::new()
        });
        Self(found.into_iter().map(|name| (name, None)).collect())
    }

    /// Removes what is of databases that are dropped, as far as is known by now. A node that has just
    /// started may know of fewer databases than there are: only a group that it knows to have ended is
    /// gone for good.
    pub(super) async fn remove(&mut self, cluster: &Cluster, placement: &Placement) {
        if self.0.is_empty() || cluster.placement_leader().is_none() {
            return;
        }
        let replicas = cluster.replicas();
        self.0.retain(|name, _| !replicas.iter().any(|replica| replica.name == *name));
        let is_placed =
            |name: &ShardName| placement.shards().any(|s| s.name().as_ref() == Ok(name));
        for name in self.0.keys().filter(|name| !is_placed(name)).cloned().collect::<Vec<_>>() {
            let done = match self.0.get(&name).copied().flatten() {
                Some(group) if placement.has_ended(group) => {
                    tracing::info!(db = %name.db, shard = name.number, "removed what was dropped");
                    remove(cluster, &name, group).await.map(|()| None)
                }
                Some(group) => Ok(Some(group)),
                None => look(cluster, &name).await,
            };
            match done {
                Ok(Some(group)) => drop(self.0.insert(name, Some(group))),
                Ok(None) => drop(self.0.remove(&name)),
                Err(error) => {
                    tracing::warn!(db = %name.db, %error, "what was dropped cannot be removed");
                    self.0.remove(&name);
                }
            }
        }
    }
}

/// The group of which it was a replica; `None` when it was of none, and is nobody's to remove.
async fn look(cluster: &Cluster, name: &ShardName) -> Result<Option<Group>> {
    let (shelf, name) = (Arc::clone(cluster.shelf()), name.clone());
    blocking(move || {
        let Some(database) = shelf.stored(&name)? else { return Ok(None) };
        let group = group_of(&database);
        database.close()?;
        group
    })
    .await
}

async fn remove(cluster: &Cluster, name: &ShardName, group: Group) -> Result<()> {
    let (shelf, name) = (Arc::clone(cluster.shelf()), name.clone());
    blocking(move || shelf.remove(&name)).await?;
    let forgotten = cluster.file.forget(group).await;
    forgotten.map_err(|error| Error::unavailable(error.to_string()))
}
