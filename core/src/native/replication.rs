//! A database with replicas: what its records are agreed on by, and what the host of that does with
//! it. The database prepares records and applies those that were agreed on; it knows neither nodes
//! nor the log.

use super::{
    Database,
    shard::Shard,
    worker::{Reply, Request, Write},
};
use crate::{
    Batch, Document, Error, Id, Include, Result, bytes::checksum, engine::Outcome, query::Scroll,
};
use std::sync::{Arc, atomic::Ordering, mpsc::sync_channel};

/// Called once it is known whether what was proposed is agreed on and applied. An error says that
/// nobody knows, unless it is said otherwise.
pub type Decided = Box<dyn FnOnce(Result<()>) + Send>;

/// Called with what a write did.
pub type Written = Box<dyn FnOnce(Result<Outcome>) + Send>;

/// What the replicas of a database agree on its records by. None of its methods may block.
pub trait Replication: Send + Sync {
    /// The term in which this replica leads; `None` unless it does and everything that was agreed on
    /// before that term is applied here.
    fn term(&self) -> Option<u64>;

    /// Has records agreed on that were prepared in `term`, one after the other, on the state that
    /// all before them leave.
    ///
    /// To ensure correctness, records that get into the log in any other term are never applied, on
    /// no replica.
    fn propose(&self, term: u64, records: Vec<Vec<u8>>, decided: Decided);

    /// Says whether this replica has led without a break since it was asked for `term`, by asking a
    /// majority: then what it had applied at that time was all there was.
    fn confirm(&self, term: u64, decided: Decided);

    /// Hands a batch to the replica that leads.
    fn forward(&self, batch: Batch, written: Written);

    /// Of the stream of records, the same on all replicas and of no other database, and not 0: a
    /// position in it is one of every replica.
    fn stream(&self) -> u64;
}

/// One entry of the log that was agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Where in the log it is, in the host's words. The store remembers that of the last entry.
    pub mark: Vec<u8>,
    /// Its records, each in its own bytes.
    pub records: Vec<Vec<u8>>,
}

impl Database {
    /// From now on all writes are agreed on by `replication`, and applied by
    /// [`commit`](Self::commit) alone. `unsupported` unless the database has one shard.
    pub fn replicate(&self, replication: Arc<dyn Replication>) -> Result<()> {
        let shards = self.shards_now();
        let shard = only(&shards)?;
        self.inner.is_replicated.store(true, Ordering::Release);
        shard.feed().share(replication.stream());
        ask(shard, |reply| Request::Replicate(replication, reply))
    }

    /// Whether its writes are agreed on by replicas.
    pub fn is_replicated(&self) -> bool {
        self.inner.is_replicated.load(Ordering::Acquire)
    }

    /// Applies entries in their order, and says of each whether its records were applied: an entry
    /// whose records are not the next of this database is passed over. They are stored soon after,
    /// so the log must keep them until [`stored_mark`](Self::stored_mark) says that they are. Blocks.
    pub fn commit(&self, entries: Vec<Committed>) -> Result<Vec<bool>> {
        let shards = self.shards_now();
        ask(only(&shards)?, |reply| Request::Commit(entries, reply))
    }

    /// Applies and stores the mark of where the log is now, with which this database came from
    /// elsewhere. Blocks.
    pub fn remember(&self, mark: Vec<u8>) -> Result<()> {
        self.commit(vec![Committed { mark, records: Vec::new() }])?;
        self.flush()
    }

    /// Stores what is applied. Blocks.
    pub fn flush(&self) -> Result<()> {
        self.shards_now().iter().try_for_each(Shard::flush)
    }

    /// The mark of the last entry whose records, and those of all before it, are stored.
    pub fn stored_mark(&self) -> Result<Option<Vec<u8>>> {
        only(&self.shards_now())?.mark()
    }

    /// Writes a batch, here or wherever the replica is that leads, and lets `written` know; it is
    /// dropped without a word when the database is closed meanwhile. Waits for nothing, unless all
    /// places are taken and that is [what is asked for](Self::when_busy).
    pub fn write_then(&self, batch: Batch, written: Written) -> Result<()> {
        self.hand_in(batch, true, written)
    }

    /// The same of a batch that another replica handed to this one: `unavailable`, and nothing is
    /// written, when this one does not lead.
    pub fn write_forwarded(&self, batch: Batch, written: Written) -> Result<()> {
        self.hand_in(batch, false, written)
    }

    fn hand_in(&self, batch: Batch, may_forward: bool, reply: Written) -> Result<()> {
        self.check_open()?;
        let shards = self.shards_now();
        let durability = self.writes.durability;
        let write = Write { batch, durability, may_forward, reply };
        match only(&shards)?.place(self.writes.when_busy)?.send(Request::Write(write)) {
            true => Ok(()),
            false => Err(super::shard::closed()),
        }
    }

    /// Lets a [driven](super::DatabaseOptions::is_driven) database do what others do by themselves
    /// when nobody asks anything of them for a while: everything is checkpointed.
    pub fn idle(&self) {
        self.shards_now().iter().for_each(Shard::idle);
    }

    /// A checksum over every document with its version, in the order of their ids, and the number
    /// of the last record: equal on replicas that have applied the same records. Takes as long as
    /// reading everything; `unavailable` when something was written meanwhile.
    pub fn ground_hash(&self) -> Result<u64> {
        /// Documents read at a time.
        const AT_A_TIME: usize = 1_000;
        let before = self.stats().record_number;
        let mut scroll = Scroll { include: Include::Nothing, ..Scroll::new(AT_A_TIME) };
        let mut hash = checksum(&before.to_le_bytes());
        loop {
            let page = self.scroll(&scroll)?;
            let ids: Vec<Id> = page.docs.into_iter().map(|document| document.id).collect();
            for document in self.get_versioned(&ids, &Include::Everything)? {
                hash = mix(hash, document);
            }
            match page.cursor {
                Some(cursor) => scroll.cursor = Some(cursor),
                None => break,
            }
        }
        match self.stats().record_number == before {
            true => Ok(hash),
            false => Err(Error::unavailable("the database was written to meanwhile; try again")),
        }
    }
}

/// The one shard of a replica.
fn only(shards: &[Shard]) -> Result<&Shard> {
    match shards {
        [shard] => Ok(shard),
        _ => Err(Error::unsupported(format!(
            "a replica has 1 shard, and this database has {} here",
            shards.len()
        ))),
    }
}

fn mix(hash: u64, document: Option<(Document, u64)>) -> u64 {
    let mut bytes = hash.to_le_bytes().to_vec();
    if let Some((document, version)) = document {
        bytes.extend(version.to_le_bytes());
        bytes.extend(Batch::index(vec![document]).to_bytes());
    }
    checksum(&bytes)
}

/// Asks the worker of a shard, before all that waits for it, and waits for the answer.
fn ask<T: Send + 'static>(shard: &Shard, request: impl FnOnce(Reply<T>) -> Request) -> Result<T> {
    let (send, receive) = sync_channel(1);
    shard.push(request(Box::new(move |result| {
        let _ = send.send(result);
    })));
    receive.recv().unwrap_or_else(|_| Err(super::shard::closed()))
}
