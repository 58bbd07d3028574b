//! What Raft promises of its logs, looked at again and again.

use super::{
    super::{
        group::{Group, LogId, Node, PLACEMENT, Raft, Vote, encode},
        replica::Replica,
    },
    world::{Running, World},
};
use openraft::{LeaderId, ServerState, error::Fatal};
use std::{
    collections::{BTreeMap, BTreeSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    sync::{Arc, Weak},
};

type Leader = LeaderId<Node>;

/// What was seen of one member of a group.
#[derive(Default)]
struct Seen {
    /// Of the group of the placement there is none.
    replica: Weak<Replica>,
    vote: Option<Vote>,
    applied: u64,
}

/// What was seen of all groups.
#[derive(Default)]
pub(super) struct Watch {
    /// The entries that somebody has applied: who led, and a hash of all.
    agreed: BTreeMap<(Group, u64), (Leader, u64)>,
    /// How far each process was: which replica it had, the vote of that, and what it had applied.
    seen: BTreeMap<(Group, Node, u64), Seen>,
    /// The leaderships that were seen, and where the log of each ended then.
    pub(super) leaders: BTreeSet<(Group, Leader)>,
}

impl Watch {
    /// Looks at all nodes that are up.
    pub(super) fn look(&mut self, world: &World) {
        for (node, running) in world.running() {
            let groups: Vec<(Group, Option<Raft>)> = {
                let replicas = running.cluster.replicas();
                let replicas = replicas.into_iter().map(|replica| replica.group);
                let groups = [PLACEMENT].into_iter().chain(replicas);
                groups.map(|group| (group, running.cluster.raft(group))).collect()
            };
            for (group, raft) in groups {
                if let Some(raft) = raft {
                    self.look_at(node, group, &raft, &running);
                }
            }
        }
    }

    fn look_at(&mut self, node: Node, group: Group, raft: &Raft, running: &Running) {
        let metrics = raft.metrics();
        let metrics = metrics.borrow();
        let term = metrics.current_term;
        let applied = metrics.last_applied.map_or(0, |id| id.index);
        let leads = metrics.state == ServerState::Leader;
        let leader = LeaderId::new(term, node);
        let ready = metrics.last_applied.is_some_and(|id| id.leader_id == leader);
        let vote = metrics.vote;
        let end = metrics.last_log_index.unwrap_or(0);
        assert!(
            matches!(metrics.running_state, Ok(()) | Err(Fatal::Stopped)),
            "node {node} has failed in group {group}: {:?}",
            metrics.running_state
        );
        drop(metrics);
        if leads && ready {
            self.leaders.insert((group, leader));
            self.has_all(group, leader, end);
        }
        let key = (group, node, running.life);
        let replica =
            running.cluster.replica(group).map_or_else(Weak::new, |there| Arc::downgrade(&there));
        // Where the group has let go of the replica that was there, this is another.
        let is_same = |seen: &&Seen| seen.replica.ptr_eq(&replica);
        let (before, applied_before) = match self.seen.get(&key).filter(is_same) {
            Some(seen) => (seen.vote, seen.applied),
            None => (None, 0),
        };
        assert!(
            Some(vote) >= before,
            "node {node} went back in group {group} from vote {before:?} to {vote}"
        );
        assert!(
            applied >= applied_before,
            "node {node} went back from entry {applied_before} of group {group} to {applied}"
        );
        self.seen.insert(key, Seen { replica, vote: Some(vote), applied });
        if applied > applied_before {
            self.compare(node, group, applied_before + 1, applied, running);
        }
    }

    /// A leader has all that was agreed on under those before it.
    fn has_all(&self, group: Group, leader: Leader, end: u64) {
        let agreed = self.agreed.range((group, 0)..=(group, u64::MAX)).rev();
        let last = agreed.clone().find(|(_, (of, _))| *of < leader).map(|((_, index), _)| *index);
        assert!(
            last.unwrap_or(0) <= end,
            "the log of leader {leader} of group {group} ends at {end}, before {last:?}"
        );
    }

    /// What a node has applied is what others have.
    fn compare(&mut self, node: Node, group: Group, first: u64, last: u64, running: &Running) {
        let log = running.cluster.file.of(group);
        let entries = log.entries(first, last, usize::MAX).expect("the log can be read");
        for entry in entries {
            let LogId { leader_id, index } = entry.log_id;
            let mut hasher = DefaultHasher::new();
            encode(&entry).expect("an entry in bytes").hash(&mut hasher);
            let found = (leader_id, hasher.finish());
            let agreed = *self.agreed.entry((group, index)).or_insert(found);
            assert_eq!(agreed, found, "node {node} has another entry {index} of group {group}");
        }
    }
}
