//! What a shard's worker tells those who follow: up to which record there is something to read, and
//! when there is more. Nobody who follows slowly keeps the worker waiting, as it hands over nothing
//! but the news that there is something.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// The changes of one shard.
pub(super) struct Feed {
    /// Of the stream of records, which another database of the same documents does not share.
    pub(super) identity: u64,
    /// The same of a replicated shard, whose stream is that of all replicas; 0 of any other.
    shared: AtomicU64,
    /// The last record that is applied, and durable where the shard has a store.
    published: AtomicU64,
    /// Records after this one stay, however many there are: somebody is going to read them.
    pinned: AtomicU64,
    /// The records of a shard that rests nowhere.
    kept: Mutex<VecDeque<(u64, Arc<[u8]>)>>,
    announcer: Arc<Announcer>,
}

impl Feed {
    pub(super) fn new(identity: u64, published: u64, announcer: &Arc<Announcer>) -> Self {
        let published = AtomicU64::new(published);
        let (pinned, announcer) = (AtomicU64::new(u64::MAX), Arc::clone(announcer));
        let shared = AtomicU64::new(0);
        Self { identity, shared, published, pinned, kept: Mutex::default(), announcer }
    }

    /// It is a part of the stream `identity` from now on, which other replicas have too.
    pub(super) fn share(&self, identity: u64) {
        self.shared.store(identity, Ordering::Release);
    }

    /// Of the stream as those know it who follow.
    pub(super) fn stream(&self) -> u64 {
        match self.shared.load(Ordering::Acquire) {
            0 => self.identity,
            shared => shared,
        }
    }

    /// Whether other replicas have the same stream.
    pub(super) fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Acquire) != 0
    }

    /// The last record that may be read.
    pub(super) fn published(&self) -> u64 {
        self.published.load(Ordering::SeqCst)
    }

    /// Keeps the records after the last one that may be read now, and says which that is. In one
    /// order with [`publish`](Self::publish) and [`pinned`](Self::pinned), so that a worker which
    /// does not see the pin yet has published all that it drops.
    pub(super) fn pin(&self) -> u64 {
        self.pinned.store(0, Ordering::SeqCst);
        let published = self.published();
        self.pin_after(published);
        published
    }

    /// Keeps the records after this one; none for anybody's sake if it is the greatest number.
    pub(super) fn pin_after(&self, number: u64) {
        self.pinned.store(number, Ordering::SeqCst);
    }

    /// Records up to this one are not kept for anybody's sake.
    pub(super) fn pinned(&self) -> u64 {
        self.pinned.load(Ordering::SeqCst)
    }

    /// Records up to this one may be read.
    pub(super) fn publish(&self, number: u64) {
        if self.published.swap(number, Ordering::SeqCst) != number {
            self.announcer.announce();
        }
    }

    /// Indexes have followed what changed, so that a search may find something else.
    pub(super) fn indexed(&self) {
        self.announcer.announce();
    }

    /// Keeps a record in memory.
    pub(super) fn keep(&self, number: u64, record: Vec<u8>) {
        self.kept().push_back((number, record.into()));
    }

    /// Drops the records up to this one.
    pub(super) fn forget(&self, cut: u64) {
        let mut kept = self.kept();
        while kept.front().is_some_and(|(number, _)| *number <= cut) {
            kept.pop_front();
        }
    }

    /// At most `count` of the records kept in memory, from `first` on.
    pub(super) fn kept_from(&self, first: u64, count: usize) -> Vec<Arc<[u8]>> {
        let kept = self.kept();
        let start = kept.partition_point(|(number, _)| *number < first);
        let is_there = kept.get(start).is_some_and(|(number, _)| *number == first);
        let records = kept.range(start..).take(if is_there { count } else { 0 });
        records.map(|(_, record)| Arc::clone(record)).collect()
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<(u64, Arc<[u8]>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number that no other stream of records has.
pub(super) fn new_identity() -> u64 {
    RandomState::new().build_hasher().finish()
}

type Listener = Arc<dyn Fn() + Send + Sync>;

/// Says that a database changed.
#[derive(Default)]
pub(super) struct Announcer {
    /// Announcements so far.
    count: Mutex<u64>,
    changed: Condvar,
    /// By number of the subscription.
    listeners: Mutex<BTreeMap<u64, Listener>>,
    subscriptions: AtomicU64,
}

impl Announcer {
    /// Something changed, or the database was closed.
    pub(super) fn announce(&self) {
        *self.count() += 1;
        self.changed.notify_all();
        // Called without the lock, so that a listener may end its own subscription.
        let listeners: Vec<Listener> = self.listeners().values().cloned().collect();
        listeners.iter().for_each(|listener| listener());
    }

    /// How often something changed so far.
    pub(super) fn announcements(&self) -> u64 {
        *self.count()
    }

    /// Waits until more was announced than `seen`; false when the time is over before.
    pub(super) fn wait(&self, seen: u64, until: Instant) -> bool {
        let time = until.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout_while(self.count(), time, |count| *count == seen);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Whether somebody listens.
    pub(super) fn is_heard(&self) -> bool {
        !self.listeners().is_empty()
    }

    pub(super) fn subscribe(self: &Arc<Self>, listener: Listener) -> Subscription {
        let number = self.subscriptions.fetch_add(1, Ordering::Relaxed);
        self.listeners().insert(number, listener);
        let _listening = Listening { number, announcer: Arc::clone(self) };
        Subscription { _until: Until::Here { _listening } }
    }

    fn count(&self) -> MutexGuard<'_, u64> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listeners(&self) -> MutexGuard<'_, BTreeMap<u64, Listener>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A listener that is called as long as this lives: see
/// [`Database::on_change`](super::Database::on_change).
#[must_use = "the listener is called no more once this is dropped"]
pub struct Subscription {
    _until: Until,
}

enum Until {
    /// What changes is here.
    Here { _listening: Listening },
    /// What changes is elsewhere, and this goes there.
    Elsewhere { _following: Box<dyn Send + Sync> },
}

struct Listening {
    number: u64,
    announcer: Arc<Announcer>,
}

impl Subscription {
    /// To what others say, until this is dropped.
    pub(super) fn elsewhere(following: Box<dyn Send + Sync>) -> Self {
        Self { _until: Until::Elsewhere { _following: following } }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.announcer.listeners().remove(&self.number);
    }
}
