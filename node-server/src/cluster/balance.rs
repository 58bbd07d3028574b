//! Replicas move so that every shard has as many as it shall have, on nodes that are there, and nodes
//! have equally many: one at a time, and each is where it was until it has arrived.

use super::{
    group::{Group, Node},
    member::Cluster,
    message::{Inspection, Response},
    placement::{Change, Move, Placement, ShardAt},
    runtime::{sleep, timeout},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{task::JoinSet, time::Instant};

/// How often to look.
const INTERVAL: Duration = Duration::from_millis(500);
/// How long a node may take to say that it is there.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// A node that is to get a replica and is not there for so long does not get it.
const GIVE_UP_AFTER: Duration = Duration::from_secs(30);
/// How long a move may take to be agreed on.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(5);

impl Placement {
    /// What to move next, where the nodes `up` are there and the nodes `gone` have not been for long.
    pub(super) fn next_move(&self, up: &BTreeSet<Node>, gone: &BTreeSet<Node>) -> Option<Move> {
        if self.moving.is_some() {
            return None;
        }
        let movable = || self.shards().filter(|shard| can_move(shard, up));
        let missing = movable()
            .filter(|shard| shard.at.nodes.len() < shard.placed.replicas)
            .find_map(|shard| self.to_another(shard, None, up));
        let left = || {
            movable().find_map(|shard| {
                let from = shard.at.nodes.intersection(gone).next()?;
                self.to_another(shard, Some(*from), up)
            })
        };
        // One that is away for a moment would make the others have too many.
        let is_settled = || self.nodes.keys().all(|node| up.contains(node) || gone.contains(node));
        let balancing = || is_settled().then(|| self.balancing(up)).flatten();
        missing.or_else(left).or_else(balancing)
    }

    /// To the node with the fewest replicas that has none of this shard.
    fn to_another(
        &self,
        shard: ShardAt<'_>,
        from: Option<Node>,
        up: &BTreeSet<Node>,
    ) -> Option<Move> {
        let free = up.difference(&shard.at.nodes).copied();
        let to = free.min_by_key(|node| (self.load(*node), *node))?;
        Some(Move { group: shard.at.group, from, to })
    }

    /// From a node with many replicas to one that has at least two fewer.
    fn balancing(&self, up: &BTreeSet<Node>) -> Option<Move> {
        let mut loads: Vec<(usize, Node)> = up.iter().map(|n| (self.load(*n), *n)).collect();
        loads.sort_unstable();
        for (many, from) in loads.iter().rev() {
            for (_, to) in loads.iter().take_while(|(few, _)| few + 2 <= *many) {
                let moves = |shard: &ShardAt<'_>| {
                    can_move(shard, up)
                        && shard.at.nodes.contains(from)
                        && !shard.at.nodes.contains(to)
                };
                if let Some(shard) = self.shards().find(moves) {
                    return Some(Move { group: shard.at.group, from: Some(*from), to: *to });
                }
            }
        }
        None
    }
}

/// Whether a majority of its replicas is there to agree on the move.
fn can_move(shard: &ShardAt<'_>, up: &BTreeSet<Node>) -> bool {
    let nodes = &shard.at.nodes;
    shard.at.founders.is_empty() && 2 * nodes.intersection(up).count() > nodes.len()
}

/// Moves replicas as long as this node decides on the placement, for ever.
pub(super) async fn balance(cluster: Arc<Cluster>) {
    let mut heard = BTreeMap::new();
    loop {
        sleep(INTERVAL).await;
        if cluster.placement_leader() != Some(cluster.node()) {
            heard.clear();
            continue;
        }
        let placement = cluster.placement();
        let up = up(&cluster, &placement).await;
        let now = Instant::now();
        heard.retain(|node, _| placement.nodes.contains_key(node));
        for node in placement.nodes.keys() {
            let last = heard.entry(*node).or_insert(now);
            if up.contains(node) {
                *last = now;
            }
        }
        if let Some(change) = next_change(&cluster, &placement, &up, &heard) {
            if let Change::Move(moving) = &change
                && !cluster.has_nothing_of(moving.group, moving.to).await
            {
                continue;
            }
            tracing::info!(?change, "replicas move");
            match timeout(CHANGE_TIMEOUT, cluster.place(change)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::info!(%error, "a replica does not move yet"),
                Err(_) => tracing::info!("a move is agreed on slowly"),
            }
        }
    }
}

fn next_change(
    cluster: &Cluster,
    placement: &Placement,
    up: &BTreeSet<Node>,
    heard: &BTreeMap<Node, Instant>,
) -> Option<Change> {
    let silent = |node: &Node| heard.get(node).map_or(Duration::ZERO, Instant::elapsed);
    if let Some(moving) = &placement.moving {
        return (silent(&moving.to) > GIVE_UP_AFTER).then_some(Change::GiveUp(moving.group));
    }
    let gone = placement.nodes.keys().copied();
    let gone = gone.filter(|node| cluster.gone_after.is_some_and(|after| silent(node) > after));
    placement.next_move(up, &gone.collect()).map(Change::Move)
}

impl Cluster {
    /// Whether a node has no replica of a group: one that it is about to remove would be taken for the
    /// new one, and then be gone.
    async fn has_nothing_of(&self, group: Group, node: Node) -> bool {
        let inspected = self.inspect(node, group, Inspection::State, PING_TIMEOUT).await;
        matches!(inspected, Ok(Response::NotLeader(_)))
    }
}

/// The nodes that answer.
async fn up(cluster: &Arc<Cluster>, placement: &Placement) -> BTreeSet<Node> {
    let mut asked = JoinSet::new();
    for node in placement.nodes.keys().copied() {
        let ping = cluster.is_up(node);
        asked.spawn(async move { (node, timeout(PING_TIMEOUT, ping).await.unwrap_or(false)) });
    }
    let said = asked.join_all().await;
    said.into_iter().filter_map(|(node, is_up)| is_up.then_some(node)).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::placement::NodeInfo, *};
    use vectordoc::{Error, Result, Schema};

    fn cluster_of(nodes: u64) -> Placement {
        let mut placement = Placement::default();
        (1..=nodes).for_each(|node| join(&mut placement, node));
        placement
    }

    fn join(placement: &mut Placement, node: u64) {
        let (identity, address) = (node.to_string(), format!("{node}:1"));
        placement.apply(Change::Join(NodeInfo { identity, address, url: String::new() }));
    }

    fn create(placement: &mut Placement, shards: usize, replicas: usize) -> Result<()> {
        let schema = Schema::from_json_str(r#"{"id": "u64", "embedding": {"vector": 2}}"#)?;
        placement.apply(Change::create("a", &schema, Some(shards), Some(replicas), 1));
        let groups = placement.databases["a"].groups();
        groups.into_iter().for_each(|group| drop(placement.apply(Change::Founded(group))));
        Ok(())
    }

    /// Makes all moves there are to make, and says how many.
    fn settle(
        placement: &mut Placement,
        up: &BTreeSet<Node>,
        gone: &BTreeSet<Node>,
    ) -> Result<usize> {
        const MOVES_MAX: usize = 100;
        for moves in 0..MOVES_MAX {
            let Some(moving) = placement.next_move(up, gone) else { return Ok(moves) };
            let group = moving.group;
            placement.apply(Change::Move(moving));
            assert_eq!(placement.next_move(up, gone), None, "one at a time");
            placement.apply(Change::Moved(group));
        }
        Err(Error::internal("replicas move for ever"))
    }

    fn loads(placement: &Placement) -> Vec<usize> {
        placement.nodes.keys().map(|node| placement.load(*node)).collect()
    }

    #[test]
    fn a_node_that_joins_gets_its_share_by_the_fewest_moves() -> Result<()> {
        let mut placement = cluster_of(3);
        create(&mut placement, 6, 2)?;
        assert_eq!(settle(&mut placement, &BTreeSet::from([1, 2, 3]), &BTreeSet::new())?, 0);
        join(&mut placement, 4);
        assert_eq!(settle(&mut placement, &BTreeSet::from([1, 2, 3, 4]), &BTreeSet::new())?, 3);
        assert_eq!(loads(&placement), [3, 3, 3, 3]);
        assert!(placement.shards().all(|shard| shard.at.nodes.len() == 2));
        Ok(())
    }

    #[test]
    fn replicas_of_a_node_that_was_removed_or_is_gone_are_made_anew() -> Result<()> {
        let mut placement = cluster_of(4);
        create(&mut placement, 4, 3)?;
        let up = BTreeSet::from([1, 2, 3]);
        let mut without = placement.clone();
        without.apply(Change::Remove(4));
        assert_eq!(settle(&mut without, &up, &BTreeSet::new())?, 3);
        assert_eq!(loads(&without), [4, 4, 4]);
        // One that is away for a moment keeps what it has.
        assert_eq!(settle(&mut placement, &up, &BTreeSet::new())?, 0);
        assert_eq!(settle(&mut placement, &up, &BTreeSet::from([4]))?, 3);
        assert_eq!(loads(&placement), [4, 4, 4, 0]);
        Ok(())
    }

    #[test]
    fn what_has_no_majority_does_not_move() -> Result<()> {
        let mut placement = cluster_of(3);
        create(&mut placement, 1, 2)?;
        let nodes = placement.shards().next().map(|shard| shard.at.nodes.clone());
        let gone: BTreeSet<Node> = nodes.into_iter().flatten().take(1).collect();
        let up: BTreeSet<Node> = (1..=3).filter(|node| !gone.contains(node)).collect();
        assert_eq!(placement.next_move(&up, &gone), None);
        Ok(())
    }
}
