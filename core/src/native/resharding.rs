//! Another number of shards for a database that is read and written meanwhile.
//!
//! New shards are made beside the old ones: the documents are copied as they are found, with their
//! versions, then every record since is taken over in its order, which makes good whatever the copy
//! missed or saw halfway. When little is left, writes wait for a moment: the rest is taken over and
//! checkpointed, one file says that the new shards count from now on, and they take the place of the
//! old ones.

use super::{
    Database, Db, budget,
    changes::{last_of_each, position},
    directory::Resharding as Noted,
    opening::{check_shards, open_empty},
    shard::{Answer, Shard, Shards},
};
use crate::{Error, Record, Result, engine::Loaded};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Bytes of changes that are handed over at a time.
const PIECE_BYTES: usize = 1024 * 1024;
/// Changes that may be left for the moment in which writes wait.
const LEFT_MAX: u64 = 1_024;
/// How often what was written meanwhile is taken over before writes wait in any case.
const ROUNDS_MAX: usize = 32;
/// How often who waits looks whether it shall stop.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How far a resharding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resharding {
    /// Shards that the database has until it is done.
    pub from: usize,
    /// Shards that it will have.
    pub to: usize,
    /// Documents copied and vectors indexed so far.
    pub done: u64,
    /// Of so many, those not counted that were written since.
    pub total: u64,
}

/// Whose turn it is to reshard: one at a time.
#[derive(Default)]
pub(super) struct Turn {
    taken: Mutex<()>,
    now: Mutex<Option<Resharding>>,
    is_stopped: AtomicBool,
}

impl Turn {
    /// Waits until nobody reshards.
    pub(super) fn wait(&self) {
        drop(self.taken.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn take(&self) -> Result<MutexGuard<'_, ()>> {
        match self.taken.try_lock() {
            Ok(taken) => Ok(taken),
            Err(TryLockError::Poisoned(taken)) => Ok(taken.into_inner()),
            Err(TryLockError::WouldBlock) => Err(Error::busy(match self.now() {
                Some(Resharding { from, to, done, total }) => format!(
                    "the database is being resharded from {from} to {to} shards, {done} of {total} \
                     steps are done; wait for that"
                ),
                None => "the database is being resharded; wait for that".into(),
            })),
        }
    }

    fn now(&self) -> Option<Resharding> {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, now: Option<Resharding>) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Database {
    /// Spreads the documents over another number of shards, while they are read and written, and
    /// returns when that is done; at once when there are as many already. Writes wait for a moment
    /// towards the end, reads never. Versions of documents stay. A position among the
    /// [`changes`](Self::changes) from before goes on if everything before had been read and the
    /// database stayed open; else it is a `conflict`, which says to begin anew.
    ///
    /// The database is there twice meanwhile: `full`, and nothing was done, when the disk or
    /// [`memory_bytes_max`](super::DatabaseOptions::memory_bytes_max) has no room for that. `busy`
    /// when it is under way already. When the database is closed or the process killed on the way,
    /// it has its old number of shards and everything acknowledged, and nothing is left behind.
    pub fn reshard(&self, shards: usize) -> Result<()> {
        check_shards(shards)?;
        if self.is_replicated() {
            return Err(Error::unsupported(
                "the number of shards of a database with replicas stays as it is; create one with \
                 another number and copy the documents over",
            ));
        }
        let turn = &self.inner.turn;
        let _taken = turn.take()?;
        turn.is_stopped.store(false, Ordering::Release);
        self.check_open()?;
        if self.shards() == shards {
            return Ok(());
        }
        self.check_room()?;
        self.ask_guard()?;
        let done = Move::begin(self, shards).and_then(Move::run);
        turn.set(None);
        super::memory::give_back();
        done
    }

    /// How far the resharding is that is under way; `None` when none is.
    pub fn resharding(&self) -> Option<Resharding> {
        self.inner.turn.now()
    }

    /// Stops the resharding that is under way, if one is: who called for it is answered
    /// `unavailable`, and the database stays as it is.
    pub fn stop_resharding(&self) {
        self.inner.turn.is_stopped.store(true, Ordering::Release);
    }

    /// Refuses what would not fit beside what there is.
    fn check_room(&self) -> Result<()> {
        let inner = &self.inner;
        let memory_bytes = self.stats().memory_bytes;
        if let Some(max) = inner.options.memory_bytes_max
            && memory_bytes.saturating_mul(2) > max
        {
            return Err(Error::full(format!(
                "the database holds {memory_bytes} bytes of memory and takes twice that while it is \
                 resharded, memory_bytes_max is {max}; nothing was changed: raise memory_bytes_max \
                 for it"
            )));
        }
        let Some(directory) = &inner.directory else { return Ok(()) };
        if inner.options.disk.is_some() {
            return Ok(());
        }
        let Ok(free) = budget::free_bytes(directory.path()) else { return Ok(()) };
        let bytes = directory.bytes(self.shards())?;
        let needed = bytes.saturating_add(inner.options.disk_bytes_free_min.unwrap_or(0));
        if free >= needed {
            return Ok(());
        }
        Err(Error::full(format!(
            "{}: the database has {bytes} bytes and takes twice that while it is resharded, the disk \
             has {free} bytes free and {needed} are needed; nothing was changed: free some space",
            directory.path().display()
        )))
    }
}

impl<T: crate::VectorDoc> Db<T> {
    /// Spreads the documents over another number of shards: see [`Database::reshard`].
    pub fn reshard(&self, shards: usize) -> Result<()> {
        self.database().reshard(shards)
    }
}

/// Documents on their way from some shards to others. Dropped, the files of those that do not count
/// are removed.
struct Move<'d> {
    database: &'d Database,
    from: Arc<Shards>,
    to: Vec<Shard>,
    shards: usize,
    /// By old shard: records up to these were taken over.
    taken: Vec<u64>,
    /// Documents there were at the beginning, and of those, the ones copied.
    documents: u64,
    copied: u64,
    /// How its end is noted.
    outcome: Outcome,
    /// Pieces on their way, for which the next one waits.
    pending: Vec<Answer>,
}

/// How far a move has come in the eyes of a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The old shards count.
    Open,
    /// The new shards count.
    Done,
    /// That could not be made certain.
    Unknown,
}

impl<'d> Move<'d> {
    fn begin(database: &'d Database, shards: usize) -> Result<Self> {
        let from = database.shards_now();
        let documents = database.stats().documents;
        let taken = from.iter().map(|shard| shard.feed().pin()).collect();
        let mut moving = Self {
            database,
            from,
            to: Vec::new(),
            shards,
            taken,
            documents,
            copied: 0,
            outcome: Outcome::Open,
            pending: Vec::new(),
        };
        moving.report();
        if let Some(directory) = &database.inner.directory {
            directory.end_resharding()?;
            directory.note_resharding(Noted { kept: moving.from.len(), dropped: shards })?;
        }
        moving.to = open_empty(database, shards)?;
        Ok(moving)
    }

    fn run(mut self) -> Result<()> {
        self.copy()?;
        for _ in 0..ROUNDS_MAX {
            self.settle()?;
            if self.take_over()? <= LEFT_MAX {
                break;
            }
        }
        self.switch()
    }

    /// Whether to go on.
    fn check(&self) -> Result<()> {
        self.database.check_open()?;
        if self.database.inner.turn.is_stopped.load(Ordering::Acquire) {
            return Err(Error::unavailable(
                "resharding was stopped; the database is as it was before: call for it again",
            ));
        }
        Ok(())
    }

    /// Hands over the documents as they are found.
    fn copy(&mut self) -> Result<()> {
        for shard in Arc::clone(&self.from).iter() {
            let mut next = Some(0);
            while let Some(slot) = next {
                self.check()?;
                let (copied, rest) = shard.engine().copy(slot, PIECE_BYTES)?;
                next = rest;
                self.copied += copied.len() as u64;
                self.hand_over(copied)?;
                self.report();
            }
        }
        self.arrive()
    }

    /// Waits until indexes are built, and all is checkpointed.
    fn settle(&mut self) -> Result<()> {
        let answers = self.to.iter().map(Shard::settle).collect::<Result<Vec<Answer>>>()?;
        for answer in answers {
            loop {
                if let Some(settled) = answer.wait_within(LOOK_EVERY) {
                    break settled?;
                }
                self.check()?;
                self.report();
            }
        }
        Ok(())
    }

    /// Takes over what was written since, and says how many changes that were.
    fn take_over(&mut self) -> Result<u64> {
        let mut changes = 0;
        for (number, shard) in Arc::clone(&self.from).iter().enumerate() {
            let last = shard.feed().published();
            while self.taken[number] < last {
                self.check()?;
                let (read, at) = changes_after(shard, self.taken[number], last)?;
                changes += read.len() as u64;
                self.hand_over(read)?;
                self.taken[number] = at;
                shard.feed().pin_after(at);
            }
        }
        self.arrive()?;
        Ok(changes)
    }

    /// Gives each new shard what is its own of these changes, once it has what came before.
    fn hand_over(&mut self, changes: Vec<Loaded>) -> Result<()> {
        let mut parts: Vec<Vec<Loaded>> = self.to.iter().map(|_| Vec::new()).collect();
        for loaded in changes {
            parts[loaded.change.id().shard(self.shards)].push(loaded);
        }
        self.arrive()?;
        for (shard, part) in self.to.iter().zip(parts).filter(|(_, part)| !part.is_empty()) {
            self.pending.push(shard.load(part, None)?);
        }
        Ok(())
    }

    /// Waits for what is on its way.
    fn arrive(&mut self) -> Result<()> {
        self.pending.drain(..).try_for_each(Answer::wait)
    }

    fn report(&self) {
        let fields = self.database.schema().vectors().len() as u64;
        let vectors = self.documents * fields;
        let indexed = self.to.iter().map(|shard| {
            let engine = shard.engine();
            (engine.len() * fields).saturating_sub(engine.unindexed())
        });
        let done = self.copied.min(self.documents) + indexed.sum::<u64>().min(vectors);
        let (from, to, total) = (self.from.len(), self.shards, self.documents + vectors);
        self.database.inner.turn.set(Some(Resharding { from, to, done, total }));
    }

    /// Puts the new shards in the place of the old ones, while writes wait.
    fn switch(mut self) -> Result<()> {
        let database = self.database;
        let inner = &database.inner;
        let gate = inner.gate.write().unwrap_or_else(PoisonError::into_inner);
        self.check()?;
        // Writes that were sent before the gate closed may wait in line; they are taken over too.
        self.from.iter().try_for_each(Shard::finish_waiting)?;
        self.take_over()?;
        self.expect_everything()?;
        let last = self.from.iter().map(|shard| shard.engine().record_number()).max();
        let begun = self.to.iter().map(|shard| shard.load(Vec::new(), last));
        begun.collect::<Result<Vec<_>>>()?.into_iter().try_for_each(Answer::wait)?;
        self.to.iter().try_for_each(Shard::checkpoint)?;
        self.note_switch()?;
        self.outcome = Outcome::Done;
        let to = Arc::new(Shards::new(std::mem::take(&mut self.to)));
        inner.lineage.add(position(&self.from), position(&to));
        *inner.shards.write().unwrap_or_else(PoisonError::into_inner) = to;
        let commits = self.from.iter().map(Shard::commits).sum();
        inner.commits.fetch_add(commits, Ordering::Relaxed);
        drop(gate);
        inner.announcer.announce();
        self.from.iter().for_each(Shard::retire);
        Ok(())
    }

    /// Refuses to go on without a record that the old shards have.
    fn expect_everything(&self) -> Result<()> {
        for (shard, taken) in self.from.iter().zip(&self.taken) {
            let last = shard.engine().record_number();
            if *taken != last {
                return Err(Error::internal(format!(
                    "record {last} is the last, but {taken} the last that was taken over"
                )));
            }
        }
        Ok(())
    }

    /// Notes that the new shards count from now on.
    fn note_switch(&mut self) -> Result<()> {
        let Some(directory) = &self.database.inner.directory else { return Ok(()) };
        let before = Noted { kept: self.from.len(), dropped: self.shards };
        let after = Noted { kept: self.shards, dropped: self.from.len() };
        let Err(error) = directory.note_resharding(after) else { return Ok(()) };
        if directory.resharding().is_ok_and(|noted| noted == Some(before))
            || directory.note_resharding(before).is_ok()
        {
            return Err(error);
        }
        // Either may be what a crash leaves. As long as that is not certain, nothing may be written
        // that only one of them has.
        self.outcome = Outcome::Unknown;
        self.database.inner.is_closed.store(true, Ordering::Release);
        Err(error.within("nobody knows which shards count; open the database again"))
    }
}

impl Drop for Move<'_> {
    fn drop(&mut self) {
        self.from.iter().for_each(|shard| shard.feed().pin_after(u64::MAX));
        self.to.iter().for_each(Shard::retire);
        self.to.clear();
        if let Some(directory) = &self.database.inner.directory
            && self.outcome != Outcome::Unknown
        {
            // What cannot be removed now does not count; the next opening removes it.
            let _ = directory.end_resharding();
        }
    }
}

/// Some of the changes of a shard after a record, up to another, and the record they end with.
fn changes_after(shard: &Shard, after: u64, last: u64) -> Result<(Vec<Loaded>, u64)> {
    const RECORDS_MAX: usize = 1_024;
    let schema = shard.engine().schema().clone();
    let (mut changes, mut bytes, mut at) = (Vec::new(), 0, after);
    shard.records(after + 1, last, RECORDS_MAX, &mut |record| {
        let record = Record::from_bytes(record, &schema)?;
        let version = record.number;
        if version != at + 1 {
            return Ok(false);
        }
        at = version;
        for change in last_of_each(record) {
            bytes += change.bytes();
            changes.push(Loaded { change, version });
        }
        Ok(bytes < PIECE_BYTES)
    })?;
    if at == after {
        return Err(Error::internal(format!("record {} is gone before it was read", after + 1)));
    }
    Ok((changes, at))
}
