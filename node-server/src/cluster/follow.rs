//! A node makes true what is placed: it has the replicas it shall have, and those groups that it
//! leads have the members they shall have.

use super::{
    group::{Group, Node, PLACEMENT, Raft},
    leftovers::Leftovers,
    member::Cluster,
    message::{Request, Response},
    placement::{Change, PlacedShard, Placement, ShardAt},
    replica::Replica,
    runtime::{sleep, timeout},
};
use openraft::{ChangeMembers, EmptyNode, ServerState};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// How often to look at what there is to do.
const INTERVAL: Duration = Duration::from_millis(250);
/// How long one change of members may hold up others.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a node may take to say whether a group has this one.
const ASK_TIMEOUT: Duration = Duration::from_secs(1);
/// A replica whose log ends at most so many entries before its leader's can have a vote.
const LAG_MAX: u64 = 100;

/// Makes true what is placed, for ever.
pub(super) async fn follow(cluster: Arc<Cluster>) {
    let mut placements = cluster.placements();
    let mut leftovers = Leftovers::of(&cluster).await;
    start_left(&cluster).await;
    loop {
        tokio::select! {
            biased;
            changed = placements.changed() => if changed.is_err() { return },
            () = sleep(INTERVAL) => {}
        }
        placements.mark_unchanged();
        leave_if_removed(&cluster).await;
        let placement = cluster.placement();
        cluster.know(&placement);
        cluster.announce(&placement).await;
        if let Some(raft) = cluster.raft(PLACEMENT) {
            align(&raft, &placement.nodes.keys().copied().collect()).await;
        }
        hide_dropped(&cluster, &placement).await;
        stop_dropped(&cluster, &placement).await;
        // One of the same name as a dropped one takes its place, so it comes after that.
        start_missing(&cluster, &placement).await;
        leftovers.remove(&cluster, &placement).await;
        for replica in cluster.replicas() {
            if let Some(placed) = placed(&placement, &replica) {
                lead(&cluster, &replica, placed, &placement).await;
            }
        }
    }
}

/// Where the shard of a replica is placed; `None` once it is dropped.
fn placed<'a>(placement: &'a Placement, replica: &Replica) -> Option<&'a PlacedShard> {
    placement.shard(replica.group).map(|shard| shard.at)
}

/// Asks whether this node was removed, when nobody lets it know what is placed: a node that was down
/// meanwhile, or heard too little, would believe for ever that it is one of the cluster.
async fn leave_if_removed(cluster: &Cluster) {
    let placement = cluster.placement();
    let is_known = placement.removed.contains_key(&cluster.node());
    if !is_known
        && cluster.placement_leader().is_none()
        && has_not(cluster, &placement, PLACEMENT).await
    {
        cluster.leave();
    }
}

/// Hides what has not caught up, and what is placed on other nodes only: this one has it as long as its vote may be needed, and
/// hears nothing new of it at some time that it does not know of.
async fn hide_dropped(cluster: &Cluster, placement: &Placement) {
    for replica in cluster.replicas() {
        let is_here = placed(placement, &replica)
            .is_some_and(|placed| placed.nodes.contains(&cluster.node()));
        let is_hidden = !is_here || !replica.is_ready();
        if let Err(error) = cluster.set_hidden(&replica, is_hidden).await {
            tracing::error!(db = %replica.name.db, shard = replica.name.number, %error, "a replica cannot be hidden or shown");
        }
    }
}

/// Starts the replicas that are placed elsewhere by now, and whose groups have not let this node go:
/// they may need its vote for that. They are hidden.
async fn start_left(cluster: &Arc<Cluster>) {
    let placement = cluster.placement();
    for shard in placement.shards() {
        let is_elsewhere = !shard.at.nodes.contains(&cluster.node());
        if is_elsewhere && matches!(cluster.has_part(shard.at.group).await, Ok(true)) {
            start(cluster, shard).await;
        }
    }
}

/// Starts the replicas that this node shall have and has not.
async fn start_missing(cluster: &Arc<Cluster>, placement: &Placement) {
    for shard in placement.shards() {
        let is_here = shard.at.nodes.contains(&cluster.node());
        if is_here && cluster.replica(shard.at.group).is_none() {
            start(cluster, shard).await;
        }
    }
}

async fn start(cluster: &Arc<Cluster>, shard: ShardAt<'_>) {
    let group = shard.at.group;
    match cluster.start_replica(shard).await {
        Ok(()) => drop(cluster.groups().broken.remove(&group)),
        Err(error) => {
            tracing::error!(
                db = %shard.db, shard = shard.number, %error, "a replica cannot be started"
            );
            // Whoever asks for it hears why.
            cluster.groups().broken.insert(group, error);
        }
    }
}

/// Removes the replicas that this node shall not have any more.
async fn stop_dropped(cluster: &Arc<Cluster>, placement: &Placement) {
    for replica in cluster.replicas() {
        let is_dropped = match placed(placement, &replica) {
            None => true,
            // As long as it has a vote, it may be needed.
            Some(placed) => {
                !placed.nodes.contains(&cluster.node())
                    && is_let_go(cluster, &replica, placed, placement).await
            }
        };
        if is_dropped && let Err(error) = cluster.drop_replica(&replica).await {
            tracing::error!(db = %replica.name.db, shard = replica.name.number, %error, "a replica cannot be removed");
        }
    }
}

/// Whether the group of a replica goes on without this node, as it or its leader says.
async fn is_let_go(
    cluster: &Cluster,
    replica: &Replica,
    placed: &PlacedShard,
    placement: &Placement,
) -> bool {
    let Ok(raft) = replica.raft() else { return true };
    let (is_begun, is_out) = {
        let metrics = raft.metrics();
        let metrics = metrics.borrow();
        let (config, node) = (&metrics.membership_config, cluster.node());
        // What is not applied yet, the others may not have: they may need this node for that.
        let is_agreed = *config.log_id() <= metrics.last_applied;
        let is_member = config.membership().get_node(&node).is_some();
        (config.log_id().is_some(), is_agreed && !is_member)
    };
    if !is_begun && placed.founders.contains(&cluster.node()) {
        // The other founders begin with this one among them, so it takes part until they let it go.
        return false;
    }
    is_out || has_not(cluster, placement, replica.group).await
}

/// Whether another node says that `group` has this one no more.
async fn has_not(cluster: &Cluster, placement: &Placement, group: Group) -> bool {
    let (me, peers) = (cluster.node(), cluster.peers());
    let mut asked = JoinSet::new();
    for node in placement.nodes.keys().copied().filter(|node| *node != me) {
        let peers = Arc::clone(&peers);
        asked.spawn(async move {
            let answer = peers.ask(node, &Request::Has(group, me), ASK_TIMEOUT).await;
            matches!(answer, Ok(Response::Has(false)))
        });
    }
    while let Some(said) = asked.join_next().await {
        if matches!(said, Ok(true)) {
            return true;
        }
    }
    false
}

/// Begins the group of a replica, and lets it have the members it shall have, if it leads.
async fn lead(
    cluster: &Arc<Cluster>,
    replica: &Arc<Replica>,
    placed: &PlacedShard,
    placement: &Placement,
) {
    let Ok(raft) = replica.raft() else { return };
    if placed.founders.contains(&cluster.node()) {
        // Every founder begins with the same members, which is the same as if one had.
        if matches!(raft.is_initialized().await, Ok(false))
            && let Err(error) = raft.initialize(members(&placed.founders)).await
        {
            tracing::debug!(db = %replica.name.db, shard = replica.name.number, %error, "the group was begun already");
        }
        // Who is no node any more cannot say it, and leaves it to who leads next.
        let may_say = placement.nodes.contains_key(&cluster.node());
        if may_say && is_leader(raft) && is_heard(raft) {
            // Whoever leads next says it again if this is lost.
            let _ = timeout(CHANGE_TIMEOUT, cluster.place(Change::Founded(placed.group))).await;
        }
    }
    let arrived = placement.moving.as_ref().filter(|moving| moving.group == replica.group);
    if arrived.is_some_and(|moving| is_leader(raft) && has_vote(raft, moving.to)) {
        // Whoever leads next says it again if this is lost.
        let _ = timeout(CHANGE_TIMEOUT, cluster.place(Change::Moved(placed.group))).await;
        return;
    }
    align(raft, &placed.nodes).await;
}

/// Whether a node has a vote in a group, and nobody has one that is to lose it at this moment.
fn has_vote(raft: &Raft, node: Node) -> bool {
    let metrics = raft.metrics();
    let metrics = metrics.borrow();
    let config = &metrics.membership_config;
    let is_agreed = *config.log_id() <= metrics.last_applied;
    let is_simple = config.membership().get_joint_config().len() == 1;
    is_agreed && is_simple && config.voter_ids().any(|voter| voter == node)
}

fn members(nodes: &BTreeSet<Node>) -> std::collections::BTreeMap<Node, EmptyNode> {
    nodes.iter().map(|node| (*node, EmptyNode::new())).collect()
}

fn is_leader(raft: &Raft) -> bool {
    raft.metrics().borrow().state == ServerState::Leader
}

/// Whether something of this leadership is applied.
fn is_heard(raft: &Raft) -> bool {
    let metrics = raft.metrics();
    let metrics = metrics.borrow();
    let applied = metrics.last_applied.map(|id| id.leader_id);
    applied.is_some_and(|of| of.term == metrics.current_term && of.node_id == metrics.id)
}

/// Lets the group of `raft` have these members, if it leads: new ones get a vote once they have
/// caught up, and then those that shall not be in it lose theirs.
async fn align(raft: &Raft, wanted: &BTreeSet<Node>) {
    if !is_leader(raft) || !is_heard(raft) || wanted.is_empty() {
        return;
    }
    let Some(change) = next_change(raft, wanted) else { return };
    let changed = match change {
        Step::Learn(node) => {
            timeout(CHANGE_TIMEOUT, raft.add_learner(node, EmptyNode::new(), false)).await
        }
        Step::Change(change) => {
            timeout(CHANGE_TIMEOUT, raft.change_membership(change, false)).await
        }
    };
    match changed {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::info!(%error, "the members of a group are not changed yet"),
        Err(_) => tracing::info!("the members of a group change slowly"),
    }
}

enum Step {
    Learn(Node),
    Change(ChangeMembers<Node, EmptyNode>),
}

fn next_change(raft: &Raft, wanted: &BTreeSet<Node>) -> Option<Step> {
    let metrics = raft.metrics();
    let metrics = metrics.borrow();
    let membership = metrics.membership_config.membership();
    if !membership.voter_ids().any(|voter| voter == metrics.id) {
        // Whom the group lets go leaves the rest to who leads next.
        return None;
    }
    if membership.get_joint_config().len() > 1 {
        // One that was interrupted is brought to its end.
        return Some(Step::Change(ChangeMembers::ReplaceAllVoters(voters(wanted, membership))));
    }
    let known: BTreeSet<Node> = membership.nodes().map(|(node, _)| *node).collect();
    if let Some(new) = wanted.difference(&known).next() {
        return Some(Step::Learn(*new));
    }
    let has_vote: BTreeSet<Node> = membership.voter_ids().collect();
    if has_vote != *wanted {
        let replication = metrics.replication.as_ref()?;
        let end = metrics.last_log_index.unwrap_or(0);
        let is_caught_up = |node: &Node| {
            let matching = replication.get(node).and_then(|id| *id).map(|id| id.index);
            matching.is_some_and(|index| index + LAG_MAX >= end)
        };
        let is_ready = wanted.difference(&has_vote).all(is_caught_up);
        return is_ready.then(|| Step::Change(ChangeMembers::ReplaceAllVoters(wanted.clone())));
    }
    let left: BTreeSet<Node> = known.difference(wanted).copied().collect();
    (!left.is_empty()).then_some(Step::Change(ChangeMembers::RemoveNodes(left)))
}

/// Those wanted that the group knows.
fn voters(
    wanted: &BTreeSet<Node>,
    membership: &openraft::Membership<Node, EmptyNode>,
) -> BTreeSet<Node> {
    wanted.iter().copied().filter(|node| membership.get_node(node).is_some()).collect()
}
