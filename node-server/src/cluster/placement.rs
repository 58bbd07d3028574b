//! Which nodes and databases a cluster has, and which node has a replica of what. Every node has it,
//! and it changes the same way on all of them.

use super::{
    group::{Decision, Group, Node},
    shard_name::ShardName,
};
use crate::Name;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use vectordoc::{Error, Result, Schema, limits::SHARDS_MAX};

/// Nodes of one cluster: each is in the group of the placement, whose leader sends to all.
pub(super) const NODES_MAX: usize = 15;
/// Replicas of one database.
pub(super) const REPLICAS_MAX: usize = 7;
/// Replicas of a database whose creator does not say, if there are as many nodes.
pub(super) const REPLICAS_DEFAULT: usize = 3;

/// The state that the nodes agree on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Placement {
    pub(super) nodes: BTreeMap<Node, NodeInfo>,
    pub(super) databases: BTreeMap<String, Placed>,
    /// Nodes that were removed: groups may still need their votes to let them go.
    pub(super) removed: BTreeMap<Node, NodeInfo>,
    /// The one replica that is on its way.
    pub(super) moving: Option<Move>,
    /// The numbers that were given out last; none is given out twice.
    last_node: Node,
    last_group: Group,
}

/// A node as others know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NodeInfo {
    /// What it called itself when its data directory was made.
    pub(super) identity: String,
    /// Where other nodes reach it.
    pub(super) address: String,
    /// Where clients reach it.
    pub(super) url: String,
}

/// A database and where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Placed {
    /// As clients write it; a text, as what is agreed on has to be the same bytes everywhere.
    schema: String,
    /// How many replicas each shard shall have.
    pub(super) replicas: usize,
    /// In their order; how many there are stays so.
    pub(super) shards: Vec<PlacedShard>,
}

/// A shard and where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PlacedShard {
    /// The group of its replicas.
    pub(super) group: Group,
    /// The nodes that shall have one.
    pub(super) nodes: BTreeSet<Node>,
    /// The nodes that begin its group; empty once that was begun.
    pub(super) founders: BTreeSet<Node>,
}

/// A replica that a node is to get, and perhaps another is to have no more once it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Move {
    /// The group whose replica it is.
    pub(super) group: Group,
    /// The node that has it now, unless one is made that was missing.
    pub(super) from: Option<Node>,
    /// The node that gets it.
    pub(super) to: Node,
}

/// A shard of a placement, and whose it is.
#[derive(Clone, Copy)]
pub(super) struct ShardAt<'a> {
    /// The name of the database.
    pub(super) db: &'a str,
    pub(super) placed: &'a Placed,
    /// Which of its shards it is.
    pub(super) number: usize,
    pub(super) at: &'a PlacedShard,
}

impl ShardAt<'_> {
    pub(super) fn name(&self) -> Result<ShardName> {
        let (number, of) = (self.number, self.placed.shards.len());
        Ok(ShardName { db: Name::parse(self.db)?, number, of })
    }
}

impl Placed {
    pub(super) fn schema(&self) -> Result<Schema> {
        Schema::from_json_str(&self.schema)
    }

    /// The groups of its shards.
    pub(super) fn groups(&self) -> Vec<Group> {
        self.shards.iter().map(|shard| shard.group).collect()
    }

    /// Whether a shard of it has not begun.
    fn is_beginning(&self) -> bool {
        self.shards.iter().any(|shard| !shard.founders.is_empty())
    }
}

/// What may happen to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Change {
    /// A node is there, or is somewhere else than before.
    Join(NodeInfo),
    /// A node is gone for good: its replicas are made anew on others, where there are any.
    Remove(Node),
    /// A database is to be there.
    Create {
        /// Its name.
        name: String,
        /// As clients write it, in JSON.
        schema: String,
        /// How many shards; one when nobody said.
        shards: Option<usize>,
        /// How many replicas; as many as make sense when nobody said.
        replicas: Option<usize>,
        /// A node that shall have one rather than another that has as many.
        near: Node,
    },
    /// The group of a shard was begun.
    Founded(Group),
    /// A database is to be gone.
    Drop(String),
    /// A database is to have another number of replicas.
    Scale {
        /// Its name.
        name: String,
        /// How many.
        replicas: usize,
    },
    /// A replica is to be on another node.
    Move(Move),
    /// It is there, and has a vote.
    Moved(Group),
    /// It does not get there, and stays where it was.
    GiveUp(Group),
}

impl Change {
    /// Of a database called `name`.
    pub(super) fn create(
        name: &str,
        schema: &Schema,
        shards: Option<usize>,
        replicas: Option<usize>,
        near: Node,
    ) -> Self {
        let schema = Json::Object(schema.to_json()).to_string();
        Self::Create { name: name.into(), schema, shards, replicas, near }
    }
}

impl Placement {
    /// Makes a change, or says why not.
    pub(super) fn apply(&mut self, change: Change) -> Decision {
        match self.try_apply(change) {
            Ok(decision) => decision,
            Err(error) => Decision::Refused(error.kind().code().into(), error.message().into()),
        }
    }

    /// The same where `node` was removed.
    pub(super) fn without(&self, node: Node) -> Self {
        let mut placement = self.clone();
        placement.removed.extend(placement.nodes.remove(&node).map(|info| (node, info)));
        for shard in placement.shards_mut() {
            shard.nodes.remove(&node);
        }
        match &mut placement.moving {
            // What it was to get stays where it is, and what it was to give comes from others.
            Some(moving) if moving.to == node => placement.moving = None,
            Some(moving) if moving.from == Some(node) => moving.from = None,
            _ => {}
        }
        placement
    }

    /// All shards of all databases.
    pub(super) fn shards(&self) -> impl Iterator<Item = ShardAt<'_>> {
        self.databases.iter().flat_map(|(db, placed)| {
            let shards = placed.shards.iter().enumerate();
            shards.map(move |(number, at)| ShardAt { db, placed, number, at })
        })
    }

    /// The shard of a group.
    pub(super) fn shard(&self, group: Group) -> Option<ShardAt<'_>> {
        self.shards().find(|shard| shard.at.group == group)
    }

    fn shards_mut(&mut self) -> impl Iterator<Item = &mut PlacedShard> {
        self.databases.values_mut().flat_map(|placed| &mut placed.shards)
    }

    fn shard_mut(&mut self, group: Group) -> Option<&mut PlacedShard> {
        self.shards_mut().find(|shard| shard.group == group)
    }

    /// Whether a group was that of a database that is dropped by now. A number is given out once, so
    /// this stays so.
    pub(super) fn has_ended(&self, group: Group) -> bool {
        let is_placed = self.shard(group).is_some();
        group <= self.last_group && group != super::group::PLACEMENT && !is_placed
    }

    fn try_apply(&mut self, change: Change) -> Result<Decision> {
        match change {
            Change::Join(info) => self.join(info),
            Change::Remove(node) => self.remove(node),
            Change::Create { name, schema, shards, replicas, near } => {
                self.create(name, schema, shards, replicas, near)
            }
            Change::Founded(group) => {
                self.shard_mut(group).into_iter().for_each(|shard| shard.founders.clear());
                Ok(Decision::Placed)
            }
            Change::Drop(name) => match self.databases.remove(&name) {
                Some(placed) => {
                    self.moving.take_if(|moving| placed.groups().contains(&moving.group));
                    Ok(Decision::Placed)
                }
                None => Err(unknown(&name)),
            },
            Change::Scale { name, replicas } => self.scale(&name, replicas),
            Change::Move(moving) => self.begin_move(moving),
            Change::Moved(group) => {
                if let Some(moving) = self.moving.take_if(|moving| moving.group == group)
                    && let (Some(shard), Some(from)) = (self.shard_mut(group), moving.from)
                {
                    shard.nodes.remove(&from);
                }
                Ok(Decision::Placed)
            }
            Change::GiveUp(group) => {
                if let Some(moving) = self.moving.take_if(|moving| moving.group == group)
                    && let Some(shard) = self.shard_mut(group)
                {
                    shard.nodes.remove(&moving.to);
                }
                Ok(Decision::Placed)
            }
        }
    }

    fn join(&mut self, info: NodeInfo) -> Result<Decision> {
        let known = self.nodes.iter_mut().find(|(_, known)| known.identity == info.identity);
        if let Some((node, known)) = known {
            *known = info;
            return Ok(Decision::Joined(*node));
        }
        if self.nodes.len() >= NODES_MAX {
            return Err(Error::limit_exceeded(format!(
                "the cluster has {NODES_MAX} nodes, which is the limit; remove one first"
            )));
        }
        self.last_node += 1;
        self.nodes.insert(self.last_node, info);
        Ok(Decision::Joined(self.last_node))
    }

    fn remove(&mut self, node: Node) -> Result<Decision> {
        if !self.nodes.contains_key(&node) {
            return Err(Error::not_found(format!("the cluster has no node {node}")));
        }
        if self.nodes.len() == 1 {
            return Err(Error::conflict(format!("node {node} is the only one of the cluster")));
        }
        let only = |shard: &ShardAt<'_>| {
            let moving = self.moving.as_ref().filter(|moving| moving.group == shard.at.group);
            let is_arriving = |there: &&Node| moving.is_some_and(|moving| moving.to == **there);
            let have: Vec<_> = shard.at.nodes.iter().filter(|there| !is_arriving(there)).collect();
            have == [&node]
        };
        if let Some(shard) = self.shards().find(only) {
            let name = shard.name()?;
            return Err(Error::conflict(format!(
                "node {node} has the only replica of {name}; give the database more replicas \
                 first (`vectordoc scale`), or drop it"
            )));
        }
        *self = self.without(node);
        Ok(Decision::Placed)
    }

    fn begin_move(&mut self, moving: Move) -> Result<Decision> {
        let Move { group, from, to } = &moving;
        let is_node = self.nodes.contains_key(to);
        let is_free = self.moving.is_none();
        let shard = self.shard_mut(*group).filter(|shard| {
            let has_from = from.is_none_or(|from| shard.nodes.contains(&from));
            has_from && !shard.nodes.contains(to) && shard.founders.is_empty()
        });
        let Some(shard) = shard.filter(|_| is_node && is_free) else {
            return Err(Error::conflict("the replica is not to be moved as things are now"));
        };
        shard.nodes.insert(*to);
        self.moving = Some(moving);
        Ok(Decision::Placed)
    }

    fn create(
        &mut self,
        name: String,
        schema: String,
        shards: Option<usize>,
        replicas: Option<usize>,
        near: Node,
    ) -> Result<Decision> {
        if let Some(there) = self.databases.get(&name) {
            let same = there.schema()?.expect_same(&Schema::from_json_str(&schema)?);
            same.map_err(|error| error.within(format!("database {name}")))?;
            let other = |what, there, wanted| {
                Error::conflict(format!(
                    "database {name}: there are {there} {what}, the request says {wanted}"
                ))
            };
            let is_same = |wanted: Option<usize>, there| wanted.is_none_or(|w| w == there);
            return match (shards, replicas) {
                (Some(wanted), _) if wanted != there.shards.len() => {
                    Err(other("shards", there.shards.len(), wanted))
                }
                (_, wanted) if is_same(wanted, there.replicas) => Ok(Decision::Placed),
                (_, wanted) => Err(other("replicas", there.replicas, wanted.unwrap_or(0))),
            };
        }
        let shards = self.check_shards(shards)?;
        let replicas = self.check_replicas(replicas)?;
        self.databases.insert(name.clone(), Placed { schema, replicas, shards: Vec::new() });
        for _ in 0..shards {
            self.last_group += 1;
            let (group, nodes) = (self.last_group, self.choose(replicas, &BTreeSet::new(), near));
            let shard = PlacedShard { group, founders: nodes.clone(), nodes };
            let placed = self.databases.get_mut(&name);
            placed.into_iter().for_each(|placed| placed.shards.push(shard.clone()));
        }
        Ok(Decision::Placed)
    }

    fn scale(&mut self, name: &str, replicas: usize) -> Result<Decision> {
        let placed = self.databases.get(name).ok_or_else(|| unknown(name))?;
        if placed.is_beginning() {
            return Err(Error::unavailable(format!(
                "database {name}: its replicas are just beginning; try again"
            )));
        }
        let is_moving = self.moving.as_ref().is_some_and(|m| placed.groups().contains(&m.group));
        if is_moving {
            return Err(Error::unavailable(format!(
                "database {name}: one of its replicas is just moving; try again"
            )));
        }
        let replicas = self.check_replicas(Some(replicas))?;
        for number in 0..placed.shards.len() {
            let there = &self.databases[name].shards[number].nodes;
            let kept = self.keep(replicas, there);
            let nodes = self.choose(replicas, &kept, 0);
            if let Some(placed) = self.databases.get_mut(name) {
                (placed.replicas, placed.shards[number].nodes) = (replicas, nodes);
            }
        }
        Ok(Decision::Placed)
    }

    fn check_shards(&self, shards: Option<usize>) -> Result<usize> {
        let shards = shards.unwrap_or(1);
        if shards == 0 {
            return Err(Error::invalid("a database has at least 1 shard"));
        }
        if shards > SHARDS_MAX {
            return Err(Error::limit_exceeded(format!(
                "number of shards is {shards}, the limit is {SHARDS_MAX}"
            )));
        }
        Ok(shards)
    }

    fn check_replicas(&self, replicas: Option<usize>) -> Result<usize> {
        let nodes = self.nodes.len();
        match replicas {
            None => Ok(REPLICAS_DEFAULT.min(nodes)),
            Some(0) => Err(Error::invalid("replicas: a database has at least 1")),
            Some(replicas) if replicas > REPLICAS_MAX => Err(Error::limit_exceeded(format!(
                "replicas is {replicas}, the limit is {REPLICAS_MAX}"
            ))),
            Some(replicas) if replicas > nodes => Err(Error::invalid(format!(
                "replicas is {replicas}, and the cluster has {nodes} nodes; each has one replica at \
                 most, so let more nodes join first"
            ))),
            Some(replicas) => Ok(replicas),
        }
    }

    /// As many of the nodes in `there`, and no more: those with the fewest replicas.
    fn keep(&self, count: usize, there: &BTreeSet<Node>) -> BTreeSet<Node> {
        let mut there: Vec<Node> = there.iter().copied().collect();
        there.sort_by_key(|node| (self.load(*node), *node));
        there.into_iter().take(count).collect()
    }

    /// How many replicas a node has.
    pub(super) fn load(&self, node: Node) -> usize {
        self.shards().filter(|shard| shard.at.nodes.contains(&node)).count()
    }

    /// So many nodes: those in `kept`, and then those with the fewest replicas, `near` before others.
    fn choose(&self, count: usize, kept: &BTreeSet<Node>, near: Node) -> BTreeSet<Node> {
        let mut others: Vec<Node> =
            self.nodes.keys().copied().filter(|node| !kept.contains(node)).collect();
        others.sort_by_key(|node| (self.load(*node), *node != near, *node));
        let missing = count.saturating_sub(kept.len());
        kept.iter().copied().chain(others.into_iter().take(missing)).collect()
    }
}

fn unknown(name: &str) -> Error {
    Error::not_found(format!("there is no database {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(identity: u64) -> NodeInfo {
        let identity = identity.to_string();
        NodeInfo { address: format!("{identity}:1"), url: String::new(), identity }
    }

    fn create(name: &str, replicas: Option<usize>) -> Change {
        let schema = r#"{"id": "u64", "embedding": {"vector": 2}}"#;
        let (name, schema) = (name.into(), schema.into());
        Change::Create { name, schema, shards: None, replicas, near: 2 }
    }

    fn nodes_of(placement: &Placement, name: &str) -> BTreeSet<Node> {
        placement.databases[name].shards[0].nodes.clone()
    }

    fn of_nodes(count: u64) -> Placement {
        let mut placement = Placement::default();
        for node in 1..=count {
            assert_eq!(placement.apply(Change::Join(info(node))), Decision::Joined(node));
        }
        placement
    }

    #[test]
    fn a_node_that_comes_back_has_its_number() {
        let mut placement = of_nodes(3);
        let moved = NodeInfo { address: "elsewhere:1".into(), ..info(2) };
        assert_eq!(placement.apply(Change::Join(moved)), Decision::Joined(2));
        assert_eq!((placement.nodes.len(), &*placement.nodes[&2].address), (3, "elsewhere:1"));
    }

    #[test]
    fn shards_are_spread_so_that_nodes_have_equally_many() {
        let mut placement = of_nodes(3);
        let schema = r#"{"id": "u64", "embedding": {"vector": 2}}"#.to_owned();
        let create = |shards| Change::Create {
            name: "a".into(),
            schema: schema.clone(),
            shards: Some(shards),
            replicas: Some(2),
            near: 2,
        };
        assert_eq!(placement.apply(create(6)), Decision::Placed);
        assert_eq!((1..=3).map(|node| placement.load(node)).collect::<Vec<_>>(), [4, 4, 4]);
        assert!(placement.shards().all(|shard| shard.at.nodes.len() == 2));
        assert_eq!(placement.databases["a"].groups(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(placement.apply(create(6)), Decision::Placed);
        let other = placement.apply(create(5));
        assert!(matches!(other, Decision::Refused(code, _) if code == "conflict"));
    }

    #[test]
    fn a_replica_moves_only_once_it_has_arrived() {
        let mut placement = of_nodes(3);
        assert_eq!(placement.apply(create("a", Some(1))), Decision::Placed);
        let moving = Move { group: 1, from: Some(2), to: 3 };
        let early = placement.apply(Change::Move(moving.clone()));
        assert!(matches!(early, Decision::Refused(code, _) if code == "conflict"));
        assert_eq!(placement.apply(Change::Founded(1)), Decision::Placed);
        assert_eq!(placement.apply(Change::Move(moving.clone())), Decision::Placed);
        assert_eq!(nodes_of(&placement, "a"), BTreeSet::from([2, 3]));
        let second = placement.apply(Change::Move(Move { to: 1, ..moving.clone() }));
        assert!(matches!(second, Decision::Refused(code, _) if code == "conflict"));
        // The one that has it stays until the other has it.
        let early = placement.apply(Change::Remove(2));
        assert!(matches!(early, Decision::Refused(code, _) if code == "conflict"));
        assert_eq!(placement.apply(Change::GiveUp(1)), Decision::Placed);
        assert_eq!(nodes_of(&placement, "a"), BTreeSet::from([2]));
        assert_eq!(placement.apply(Change::Move(moving)), Decision::Placed);
        assert_eq!(placement.apply(Change::Moved(1)), Decision::Placed);
        assert_eq!(nodes_of(&placement, "a"), BTreeSet::from([3]));
        assert_eq!(placement.moving, None);
    }

    #[test]
    fn a_database_gets_more_replicas_and_fewer() {
        let mut placement = of_nodes(3);
        assert_eq!(placement.apply(create("a", Some(1))), Decision::Placed);
        assert_eq!(placement.apply(create("b", Some(1))), Decision::Placed);
        let scale = |name: &str, replicas| Change::Scale { name: name.into(), replicas };
        let early = placement.apply(scale("a", 2));
        assert!(matches!(early, Decision::Refused(code, _) if code == "unavailable"));
        for group in [1, 2] {
            assert_eq!(placement.apply(Change::Founded(group)), Decision::Placed);
        }
        assert_eq!(placement.apply(scale("a", 3)), Decision::Placed);
        assert_eq!(nodes_of(&placement, "a"), BTreeSet::from([1, 2, 3]));
        assert_eq!(placement.apply(scale("a", 1)), Decision::Placed);
        // Node 1 has the replica of the other one.
        assert_eq!(nodes_of(&placement, "b"), BTreeSet::from([1]));
        assert_eq!(nodes_of(&placement, "a"), BTreeSet::from([2]));
        assert_eq!(placement.databases["a"].replicas, 1);
        for (name, replicas, code) in
            [("a", 4, "invalid"), ("a", 0, "invalid"), ("c", 1, "not_found")]
        {
            let refused = placement.apply(scale(name, replicas));
            assert!(matches!(refused, Decision::Refused(said, _) if said == code));
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let mut placement = of_nodes(2);
        let code = |decision| match decision {
            Decision::Refused(code, _) => code,
            other => format!("{other:?}"),
        };
        assert_eq!(code(placement.apply(create("a", Some(3)))), "invalid");
        assert_eq!(code(placement.apply(create("a", Some(0)))), "invalid");
        assert_eq!(code(placement.apply(create("a", Some(REPLICAS_MAX + 1)))), "limit_exceeded");
        assert_eq!(code(placement.apply(Change::Remove(7))), "not_found");
        assert_eq!(placement.apply(create("a", Some(1))), Decision::Placed);
        assert_eq!(code(placement.apply(Change::Remove(2))), "conflict");
        assert_eq!(code(placement.apply(create("a", Some(2)))), "conflict");
        assert_eq!(code(placement.apply(Change::Drop("b".into()))), "not_found");
    }
}
