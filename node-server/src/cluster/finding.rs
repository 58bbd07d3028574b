//! What a node knows of the databases of its cluster, and how it comes by each.

use super::{group::Group, member::Cluster, placement::Placed, reach::Reach, replica::Replica};
use crate::Name;
use std::sync::{Arc, PoisonError};
use vectordoc::{Database, Error, Result, native::ReadLevel};

/// A database that is reached by way of its shards, and the groups of those.
pub(super) struct Reached {
    groups: Vec<Group>,
    database: Database,
}

impl Cluster {
    /// Waits until this node's replica of all of `name` has everything that was acknowledged before
    /// this was called; at once when there is none. Blocks.
    pub(crate) fn catch_up(&self, name: &Name) -> Result<()> {
        let is_it = |replica: &Arc<Replica>| replica.name.is_whole() && replica.name.db == *name;
        let replica = self.replicas().into_iter().find(is_it);
        replica.map_or(Ok(()), |replica| self.handle.block_on(replica.catch_up()))
    }

    /// The database `name`, whichever nodes have its shards; `None` when the cluster has none of this
    /// name.
    pub(crate) fn reach(&self, name: &Name) -> Result<Option<Database>> {
        let placement = self.placement();
        let Some(placed) = placement.databases.get(name.as_str()) else { return Ok(None) };
        if placement.removed.contains_key(&self.node()) {
            return Err(self.outside(name));
        }
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        reached.retain(|known, _| placement.databases.contains_key(known.as_str()));
        let groups = placed.groups();
        if let Some(known) = reached.get(name).filter(|known| known.groups == groups) {
            return Ok(Some(known.database.clone()));
        }
        let database = self.database_of(name, placed)?;
        let known = Reached { groups, database: database.clone() };
        reached.insert(name.clone(), known);
        Ok(Some(database))
    }

    fn database_of(&self, name: &Name, placed: &Placed) -> Result<Database> {
        let of = placed.shards.len();
        let shards = placed.shards.iter().enumerate().map(|(number, shard)| {
            let name = super::shard_name::ShardName { db: name.clone(), number, of };
            (name, shard.group)
        });
        let cluster = self.myself().as_ref().map(Arc::downgrade).unwrap_or_default();
        let reach = Arc::new(Reach::new(cluster, shards.collect()));
        Ok(Database::spread_over(&placed.schema()?, reach))
    }

    /// Why a node that was removed answers nothing.
    fn outside(&self, name: &Name) -> Error {
        let placement = self.placement();
        let urls: Vec<&str> = placement.nodes.values().map(|info| info.url.as_str()).collect();
        Error::unavailable(format!(
            "node {} was removed from the cluster that has database {name}; ask another: {}",
            self.node(),
            urls.join(" or ")
        ))
    }

    /// The replica of this node that can answer questions to a shard.
    pub(super) fn ready_replica(&self, group: Group) -> Result<Arc<Replica>> {
        let replica = self.replica(group).filter(|replica| replica.is_ready());
        replica.ok_or_else(|| {
            let broken = self.groups().broken.get(&group).cloned();
            let node = self.node();
            match broken {
                Some(error) => error.within(format!("node {node}")),
                None => Error::unavailable(format!("node {node} has no such replica yet")),
            }
        })
    }

    /// Answers questions to the replica of this node.
    pub(super) async fn answer_questions(
        &self,
        group: Group,
        questions: Vec<Vec<u8>>,
        level: ReadLevel,
    ) -> Result<Vec<Vec<u8>>> {
        let replica = self.ready_replica(group)?;
        if level == ReadLevel::Linearizable {
            replica.catch_up().await?;
        }
        let _permit = self.answering.acquire().await;
        super::runtime::blocking(move || {
            let database = replica.database()?;
            questions.iter().map(|question| database.answer(question)).collect()
        })
        .await
    }

    /// The names of all databases of the cluster.
    pub(crate) fn database_names(&self) -> Vec<Name> {
        let placement = self.placement();
        placement.databases.keys().filter_map(|name| Name::parse(name).ok()).collect()
    }

    /// How many replicas each shard of the database `name` shall have.
    pub(crate) fn replicas_of(&self, name: &str) -> Option<usize> {
        self.placement().databases.get(name).map(|placed| placed.replicas)
    }
}
