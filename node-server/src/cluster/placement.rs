//! Which nodes and databases a cluster has, and which node has a replica of what. Every node has it,
//! and it changes the same way on all of them.

use super::group::{Decision, Group, Node};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use vectordoc::{Error, Result, Schema};

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
    /// The group of its replicas.
    pub(super) group: Group,
    /// How many replicas it shall have.
    pub(super) replicas: usize,
    /// The nodes that shall have one.
    pub(super) nodes: BTreeSet<Node>,
    /// The nodes that begin its group; empty once that was begun.
    pub(super) founders: BTreeSet<Node>,
}

impl Placed {
    pub(super) fn schema(&self) -> Result<Schema> {
        Schema::from_json_str(&self.schema)
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
        /// How many replicas; as many as make sense when nobody said.
        replicas: Option<usize>,
        /// A node that shall have one.
        near: Node,
    },
    /// The group of a database was begun.
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
}

impl Change {
    /// Of a database called `name`.
    pub(super) fn create(name: &str, schema: &Schema, replicas: Option<usize>, near: Node) -> Self {
        let schema = Json::Object(schema.to_json()).to_string();
        Self::Create { name: name.into(), schema, replicas, near }
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
        for placed in placement.databases.values_mut() {
            placed.nodes.remove(&node);
        }
        placement
    }

    /// Whether a group was that of a database that is dropped by now. A number is given out once, so
    /// this stays so.
    pub(super) fn has_ended(&self, group: Group) -> bool {
        let is_placed = self.databases.values().any(|placed| placed.group == group);
        group <= self.last_group && group != super::group::PLACEMENT && !is_placed
    }

    fn try_apply(&mut self, change: Change) -> Result<Decision> {
        match change {
            Change::Join(info) => self.join(info),
            Change::Remove(node) => self.remove(node),
            Change::Create { name, schema, replicas, near } => {
                self.create(name, schema, replicas, near)
            }
            Change::Founded(group) => {
                let placed = self.databases.values_mut().find(|placed| placed.group == group);
                placed.into_iter().for_each(|placed| placed.founders.clear());
                Ok(Decision::Placed)
            }
            Change::Drop(name) => match self.databases.remove(&name) {
                Some(_) => Ok(Decision::Placed),
                None => Err(unknown(&name)),
            },
            Change::Scale { name, replicas } => self.scale(&name, replicas),
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
        self.fill();
        Ok(Decision::Joined(self.last_node))
    }

    fn remove(&mut self, node: Node) -> Result<Decision> {
        if !self.nodes.contains_key(&node) {
            return Err(Error::not_found(format!("the cluster has no node {node}")));
        }
        if self.nodes.len() == 1 {
            return Err(Error::conflict(format!("node {node} is the only one of the cluster")));
        }
        let only = |placed: &Placed| placed.nodes.len() == 1 && placed.nodes.contains(&node);
        if let Some((name, _)) = self.databases.iter().find(|(_, placed)| only(placed)) {
            return Err(Error::conflict(format!(
                "node {node} has the only replica of database {name}; drop that, or create it anew \
                 with more replicas, first"
            )));
        }
        *self = self.without(node);
        self.fill();
        Ok(Decision::Placed)
    }

    fn create(
        &mut self,
        name: String,
        schema: String,
        replicas: Option<usize>,
        near: Node,
    ) -> Result<Decision> {
        if let Some(there) = self.databases.get(&name) {
            let same = there.schema()?.expect_same(&Schema::from_json_str(&schema)?);
            same.map_err(|error| error.within(format!("database {name}")))?;
            return match replicas.filter(|replicas| *replicas != there.replicas) {
                None => Ok(Decision::Placed),
                Some(wanted) => Err(Error::conflict(format!(
                    "database {name}: there are {} replicas, the request says {wanted}",
                    there.replicas
                ))),
            };
        }
        let replicas = self.check_replicas(replicas)?;
        self.last_group += 1;
        let (group, nodes) = (self.last_group, self.choose(replicas, &BTreeSet::new(), near));
        let founders = nodes.clone();
        self.databases.insert(name, Placed { schema, group, replicas, nodes, founders });
        Ok(Decision::Placed)
    }

    fn scale(&mut self, name: &str, replicas: usize) -> Result<Decision> {
        let placed = self.databases.get(name).ok_or_else(|| unknown(name))?;
        if !placed.founders.is_empty() {
            return Err(Error::unavailable(format!(
                "database {name}: its replicas are just beginning; try again"
            )));
        }
        let replicas = self.check_replicas(Some(replicas))?;
        let kept = self.keep(replicas, &placed.nodes);
        let nodes = self.choose(replicas, &kept, 0);
        if let Some(placed) = self.databases.get_mut(name) {
            (placed.replicas, placed.nodes) = (replicas, nodes);
        }
        Ok(Decision::Placed)
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
    fn load(&self, node: Node) -> usize {
        self.databases.values().filter(|placed| placed.nodes.contains(&node)).count()
    }

    /// So many nodes: those in `kept`, `near`, and then those with the fewest replicas.
    fn choose(&self, count: usize, kept: &BTreeSet<Node>, near: Node) -> BTreeSet<Node> {
        let mut others: Vec<Node> =
            self.nodes.keys().copied().filter(|node| !kept.contains(node)).collect();
        others.sort_by_key(|node| (*node != near, self.load(*node), *node));
        let missing = count.saturating_sub(kept.len());
        kept.iter().copied().chain(others.into_iter().take(missing)).collect()
    }

    /// Gives databases the replicas they lack, as far as there are nodes.
    fn fill(&mut self) {
        let names: Vec<String> = self.databases.keys().cloned().collect();
        for name in names {
            let Some(placed) = self.databases.get(&name) else { continue };
            let nodes = self.choose(placed.replicas, &placed.nodes, 0);
            if let Some(placed) = self.databases.get_mut(&name) {
                placed.nodes = nodes;
            }
        }
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
        Change::Create { name: name.into(), schema: schema.into(), replicas, near: 2 }
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
    fn replicas_are_spread_and_those_of_a_removed_node_made_anew() {
        let mut placement = of_nodes(4);
        for name in ["a", "b", "c", "d"] {
            assert_eq!(placement.apply(create(name, Some(2))), Decision::Placed);
        }
        let of = |placement: &Placement, node| {
            placement.databases.values().filter(|placed| placed.nodes.contains(&node)).count()
        };
        assert!((1..=4).all(|node| of(&placement, node) >= 1), "{placement:?}");
        assert_eq!(placement.apply(Change::Remove(2)), Decision::Placed);
        assert!(placement.databases.values().all(|placed| placed.nodes.len() == 2));
        assert_eq!(of(&placement, 2), 0);
    }

    #[test]
    fn a_node_that_joins_gets_the_replicas_that_are_missing() {
        let mut placement = of_nodes(3);
        assert_eq!(placement.apply(create("a", Some(3))), Decision::Placed);
        assert_eq!(placement.apply(Change::Remove(1)), Decision::Placed);
        assert_eq!(placement.databases["a"].nodes, BTreeSet::from([2, 3]));
        assert_eq!(placement.apply(Change::Join(info(9))), Decision::Joined(4));
        assert_eq!(placement.databases["a"].nodes, BTreeSet::from([2, 3, 4]));
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
        assert_eq!(placement.databases["a"].nodes, BTreeSet::from([1, 2, 3]));
        assert_eq!(placement.apply(scale("a", 1)), Decision::Placed);
        // Node 2 has a replica of the other one.
        assert_eq!(placement.databases["a"].nodes, BTreeSet::from([1]));
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
