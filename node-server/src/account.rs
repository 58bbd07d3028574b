//! What a connection has of the server: its turn at work, and answers that it has not taken yet.
//!
//! An answer takes memory from when it is made until its bytes are on their way to the client, so who
//! asks and does not read could fill a server with answers. Each connection has an [`Account`] of
//! those bytes, and all of them one [`Ledger`]. A request is run only while the account of its
//! connection has room; otherwise it waits, and whatever else its connection asks waits behind it.
//! Nothing that others need is held meanwhile.
//!
//! **Invariant:** the bytes of a connection are at most `unread_bytes_max` and what was at work when
//! they reached that, and those of all connections at most twice `unread_all_bytes_max` and writes:
//! beyond that bound only answers are made that are no longer than the equal share of a connection.

use crate::{Limits, limits::PIECE_BYTES, work::Work};
use axum::body::Bytes;
use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use vectordoc::{Error, Result};

/// The unread answers of all connections.
pub(crate) struct Ledger {
    bytes_max: usize,
    per_connection_bytes_max: usize,
    /// What a connection may have when there is no room for all.
    share_bytes: usize,
    bytes: AtomicUsize,
    /// Told when there is room again.
    freed: Notify,
}

impl Ledger {
    /// As the limits say.
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            bytes_max: limits.unread_all_bytes_max,
            per_connection_bytes_max: limits.unread_bytes_max,
            share_bytes: limits.unread_all_bytes_max / limits.connections_max.max(1),
            bytes: AtomicUsize::new(0),
            freed: Notify::new(),
        })
    }

    /// Bytes of all answers that are not taken yet.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    fn is_full(&self) -> bool {
        self.bytes() >= self.bytes_max
    }
}

/// What one connection has.
pub(crate) struct Account {
    ledger: Arc<Ledger>,
    bytes: AtomicUsize,
    /// Told when there is room again.
    freed: Notify,
    /// Changes whenever the peer takes something.
    taken: AtomicU64,
    /// For each kind of work, who of this connection waits for it next.
    turns: [Semaphore; Work::ALL.len()],
    /// Its requests that wait for this work or do it.
    asked: [AtomicUsize; Work::ALL.len()],
}

impl Account {
    /// Of a new connection.
    pub(crate) fn new(ledger: &Arc<Ledger>) -> Arc<Self> {
        Arc::new(Self {
            ledger: Arc::clone(ledger),
            bytes: AtomicUsize::new(0),
            freed: Notify::new(),
            taken: AtomicU64::new(0),
            turns: Work::ALL.map(|_| Semaphore::new(1)),
            asked: Work::ALL.map(|_| AtomicUsize::new(0)),
        })
    }

    /// Counts a request that waits for this work, or does it, until what is returned is dropped.
    pub(crate) fn ask(self: &Arc<Self>, work: Work) -> Asked {
        self.asked[work as usize].fetch_add(1, Ordering::Relaxed);
        Asked { account: Arc::clone(self), work }
    }

    /// Waits until the next one who waits for this work is whoever asks: one request of a
    /// connection is in the line of all, so that many requests of one do not delay those of others.
    pub(crate) async fn turn(&self, work: Work) -> Result<SemaphorePermit<'_>> {
        let turn = self.turns[work as usize].acquire().await;
        turn.map_err(|_| Error::internal("a connection has no turns"))
    }

    /// Whether one more answer may be made.
    pub(crate) fn has_room(&self) -> bool {
        let bytes = self.bytes.load(Ordering::Relaxed);
        let has_share = bytes <= self.ledger.share_bytes || !self.ledger.is_full();
        bytes < self.ledger.per_connection_bytes_max && has_share
    }

    /// Waits until one more answer may be made.
    pub(crate) async fn until_room(&self) {
        loop {
            // They are told also what happens before they are waited for.
            let (freed, any_freed) = (self.freed.notified(), self.ledger.freed.notified());
            if self.has_room() {
                return;
            }
            tokio::select! {
                () = freed => {}
                () = any_freed => {}
            }
        }
    }

    /// `busy` for an answer of so many bytes that there is no room for.
    pub(crate) fn check(&self, bytes: usize) -> Result<()> {
        let Ledger { bytes_max, share_bytes, .. } = *self.ledger;
        if bytes <= share_bytes || self.ledger.bytes().saturating_add(bytes) <= bytes_max {
            return Ok(());
        }
        Err(Error::busy(format!(
            "the answer has {bytes} bytes, and answers that clients have not read yet take most of \
             the {bytes_max} there are for them (limits.unread_all_bytes_max); try again, or ask \
             for less"
        )))
    }

    /// An answer, which counts until the last of it is gone.
    pub(crate) fn hold(self: &Arc<Self>, answer: Vec<u8>) -> Bytes {
        let bytes = answer.capacity();
        self.keep(answer, bytes)
    }

    /// The same for bytes that are shared already.
    pub(crate) fn hold_shared(self: &Arc<Self>, answer: Bytes) -> Bytes {
        let bytes = answer.len();
        self.keep(answer, bytes)
    }

    fn keep(self: &Arc<Self>, answer: impl AsRef<[u8]> + Send + 'static, bytes: usize) -> Bytes {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.ledger.bytes.fetch_add(bytes, Ordering::Relaxed);
        Bytes::from_owner(Unread { answer, bytes, account: Arc::clone(self) })
    }

    /// Notes that the peer took a part of an answer.
    pub(crate) fn took(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    /// What has changed when this is asked again, unless the peer takes nothing; `None` when there is
    /// nothing for it to take.
    pub(crate) fn progress(&self) -> Option<u64> {
        let is_idle = self.bytes.load(Ordering::Relaxed) == 0;
        (!is_idle).then(|| self.taken.load(Ordering::Relaxed))
    }

    fn release(&self, bytes: usize) {
        self.took();
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        let all = self.ledger.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.freed.notify_waiters();
        let bytes_max = self.ledger.bytes_max;
        if all >= bytes_max && all - bytes < bytes_max {
            self.ledger.freed.notify_waiters();
        }
    }
}

/// A request that waits to be done, or is.
pub(crate) struct Asked {
    account: Arc<Account>,
    work: Work,
}

impl Asked {
    /// Whether its connection has no other at this work.
    pub(crate) fn is_only(&self) -> bool {
        self.account.asked[self.work as usize].load(Ordering::Relaxed) == 1
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.account.asked[self.work as usize].fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer that counts as not taken.
struct Unread<A> {
    answer: A,
    bytes: usize,
    account: Arc<Account>,
}

impl<A: AsRef<[u8]>> AsRef<[u8]> for Unread<A> {
    fn as_ref(&self) -> &[u8] {
        self.answer.as_ref()
    }
}

impl<A> Drop for Unread<A> {
    fn drop(&mut self) {
        self.account.release(self.bytes);
    }
}

/// The next part of an answer that is handed to a connection.
pub(crate) fn next_piece(answer: &mut Bytes) -> Bytes {
    answer.split_to(answer.len().min(PIECE_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn ledger(own: usize, all: usize) -> Arc<Ledger> {
        let limits = Limits {
            unread_bytes_max: own,
            unread_all_bytes_max: all,
            connections_max: 10,
            ..Limits::default()
        };
        Ledger::new(&limits)
    }

    #[test]
    fn a_connection_waits_until_it_has_taken_something() {
        let ledger = ledger(100, 1_000);
        let (account, other) = (Account::new(&ledger), Account::new(&ledger));
        assert_eq!(account.progress(), None);
        let held = [account.hold(vec![0; 60]), account.hold(vec![0; 60])];
        assert!(!account.has_room() && other.has_room());
        let mut waiting = Box::pin(account.until_room());
        assert!(waiting.as_mut().now_or_never().is_none());
        let before = account.progress();
        let [mut first, second] = held;
        let (part, rest) = (first.split_to(10), first);
        drop(part);
        assert!(account.until_room().now_or_never().is_none(), "a part of it is there");
        drop(rest);
        assert!(waiting.now_or_never().is_some());
        assert_ne!(account.progress(), before);
        drop(second);
        assert_eq!((ledger.bytes(), account.progress()), (0, None));
    }

    #[test]
    fn who_reads_is_served_when_others_have_all_the_room() {
        let ledger = ledger(1_000, 1_000);
        let (bad, good) = (Account::new(&ledger), Account::new(&ledger));
        let held = bad.hold(vec![0; 1_000]);
        let small = good.hold(vec![0; 100]);
        assert!(good.has_room(), "it has its share");
        assert!(good.check(100).is_ok());
        let refused = good.check(101).expect_err("more than its share");
        assert!(refused.message().contains("limits.unread_all_bytes_max"), "{refused}");
        let more = good.hold(vec![0; 1]);
        assert!(!good.has_room());
        let waiting = good.until_room();
        drop(held);
        assert!(waiting.now_or_never().is_some());
        assert!(good.check(101).is_ok());
        drop((small, more));
        assert_eq!(ledger.bytes(), 0);
    }
}
