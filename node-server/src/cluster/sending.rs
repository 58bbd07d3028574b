//! Snapshots on their way to other nodes: how far they are, and how fast they may be.

use super::group::{Group, Node};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    num::NonZeroU64,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// How far a snapshot is that is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Entries of the store that were sent.
    pub(super) done: u64,
    /// Of so many.
    pub(super) total: u64,
}

/// Those that this node sends.
pub(super) struct Sending {
    /// Bytes a second of each.
    rate: Option<NonZeroU64>,
    under_way: Mutex<BTreeMap<(Group, Node), Progress>>,
}

impl Sending {
    pub(super) fn new(rate: Option<NonZeroU64>) -> Arc<Self> {
        Arc::new(Self { rate, under_way: Mutex::default() })
    }

    /// One begins; it is under way until what is returned is dropped.
    pub(super) fn begin(self: &Arc<Self>, group: Group, to: Node) -> Departure {
        self.under_way().insert((group, to), Progress::default());
        let began = Instant::now();
        Departure { sending: Arc::clone(self), group, to, began, bytes: 0 }
    }

    /// Those of a group, by the nodes they go to.
    pub(super) fn of(&self, group: Group) -> BTreeMap<Node, Progress> {
        let under_way = self.under_way();
        let of_group = under_way.range((group, Node::MIN)..=(group, Node::MAX));
        of_group.map(|((_, to), progress)| (*to, *progress)).collect()
    }

    fn under_way(&self) -> MutexGuard<'_, BTreeMap<(Group, Node), Progress>> {
        // Nothing that can panic runs under this lock.
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A snapshot on its way.
pub(super) struct Departure {
    sending: Arc<Sending>,
    group: Group,
    to: Node,
    began: Instant,
    bytes: u64,
}

impl Departure {
    /// So many more bytes left; returns once the next may.
    pub(super) async fn sent(&mut self, bytes: usize, (done, total): (u64, u64)) {
        self.sending.under_way().insert((self.group, self.to), Progress { done, total });
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if let Some(rate) = self.sending.rate {
            let due_ms = u128::from(self.bytes) * 1_000 / u128::from(rate.get());
            let due = Duration::from_millis(u64::try_from(due_ms).unwrap_or(u64::MAX));
            sleep_until(self.began + due).await;
        }
    }
}

impl Drop for Departure {
    fn drop(&mut self) {
        self.sending.under_way().remove(&(self.group, self.to));
    }
}
