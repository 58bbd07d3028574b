//! The worker of a shard: one thread that owns all changes to its engine and its store.
//!
//! It takes whatever writes are waiting, makes their records durable with one commit, applies them
//! and answers each. In between it does slices of maintenance, and it checkpoints when there is much
//! to replay or nothing else to do.

use super::{
    Durability,
    budget::Budget,
    checkpoint::write_checkpoint,
    feed::Feed,
    history::History,
    mailbox::Mailbox,
    priority::go_behind_others,
    replicated::OnItsWay,
    replication::{Committed, Replication},
    shard::Shared,
    store::{Changes, Store},
};
use crate::{
    Batch, Engine, Error, ErrorKind, Record, Result,
    engine::{Group, Loaded, Maintenance, Outcome},
    key::Key,
    limits::UNSYNCED_MAX,
    planted::{self, Plant},
};
use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Bytes of records after which one commit takes no further ones.
pub(super) const COMMIT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of records that opening may have to replay.
const REPLAY_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Vectors that wait for the index before writes wait for it too, where somebody searches. Their
/// codes are compared in the time of a walk or two.
const UNINDEXED_MAX: u64 = 4_096;
/// Pages that are taken into memory while searches wait.
const WAKE_PAGES: usize = 8;
/// A shard without requests for so long is checkpointed.
const IDLE: Duration = Duration::from_millis(500);
/// Records that could not be made durable are tried again after so long.
const RETRY: Duration = Duration::from_secs(1);

pub(super) type Reply<T> = Box<dyn FnOnce(Result<T>) + Send>;

/// What a worker is asked.
pub(super) enum Request {
    Write(Write),
    /// Answered when no maintenance is left and everything is checkpointed.
    Settle(Reply<()>),
    /// Answered when all that was applied before is stored.
    Flush(Reply<()>),
    /// From now on writes are agreed on by replicas.
    Replicate(Arc<dyn Replication>, Reply<()>),
    /// Applies what replicas agreed on.
    Commit(Vec<Committed>, Reply<Vec<bool>>),
    /// Whether what this shard proposed is agreed on and applied.
    Decided(Result<()>),
    /// Documents of other shards, for a shard that nobody writes to yet.
    Load(Load),
    /// Answered when everything is checkpointed.
    Checkpoint(Reply<()>),
    /// Checkpoints and ends.
    Close(Reply<()>),
    /// Ends: what the shard had is not needed any more.
    Retire,
}

/// Changes of other shards to take over.
pub(super) struct Load {
    pub(super) changes: Vec<Loaded>,
    /// Of the record after which those of this shard begin, once that is known.
    pub(super) after: Option<u64>,
    pub(super) reply: Reply<()>,
}

/// A batch to be written. The reply is called once it is as durable as asked for and applied, or
/// refused.
pub(super) struct Write {
    pub(super) batch: Batch,
    pub(super) durability: Durability,
    /// Whether another replica may be asked when this one does not lead.
    pub(super) may_forward: bool,
    pub(super) reply: Reply<Outcome>,
}

impl Write {
    /// Whether it may wait for the index: one that another replica handed over has waited there.
    fn may_wait(&self) -> bool {
        self.may_forward
    }
}

/// An engine, and how many bytes of records would have to be replayed to have it again.
pub(super) struct Recovered {
    pub(super) engine: Engine,
    /// Whether some of it rests, to be taken into memory.
    pub(super) is_waking: bool,
    pub(super) replay_bytes: u64,
    pub(super) history: History,
    /// Of the stream of records.
    pub(super) identity: u64,
}

/// Who lets a worker work.
pub(super) enum Hand {
    /// A thread of its own.
    Thread(JoinHandle<()>),
    /// Whoever asks something of it.
    Driven(Arc<Mutex<Option<Worker>>>),
}

impl Hand {
    /// Lets `worker` work from now on.
    fn of(worker: Worker, is_driven: bool) -> Result<Self> {
        if is_driven {
            let mailbox = Arc::clone(&worker.mailbox);
            let driven = Arc::new(Mutex::new(Some(worker)));
            let worker = Arc::downgrade(&driven);
            mailbox.drive(Box::new(move || {
                worker.upgrade().iter().for_each(|driven| drive(driven, Worker::work_off));
            }));
            drive(&driven, Worker::work_off);
            return Ok(Self::Driven(driven));
        }
        let thread = thread::Builder::new().name("vectordoc-shard".into());
        let thread = thread.spawn(move || worker.run());
        let failed = |error| Error::unavailable(format!("no thread for a shard: {error}"));
        thread.map(Self::Thread).map_err(failed)
    }

    /// Waits until the worker has ended, which was asked to; false when it panicked.
    pub(super) fn join(self) -> bool {
        match self {
            Self::Thread(thread) => thread.join().is_ok(),
            // What it still waits for comes never.
            Self::Driven(driven) => {
                driven.lock().unwrap_or_else(PoisonError::into_inner).take();
                true
            }
        }
    }

    /// What a worker does by itself when nobody asks anything of it for a while.
    pub(super) fn idle(&self) {
        if let Self::Driven(driven) = self {
            drive(driven, |worker| {
                if worker.on_its_way.is_none() && !worker.is_settled {
                    worker.settle();
                }
                true
            });
        }
    }
}

/// Lets a worker do something, after which it may have ended; unless it is at work, and will see by
/// itself what there is to do.
fn drive(driven: &Mutex<Option<Worker>>, act: impl FnOnce(&mut Worker) -> bool) {
    if let Ok(mut worker) = driven.try_lock()
        && let Some(working) = &mut *worker
        && !act(working)
    {
        *worker = None;
    }
}

/// Starts the worker of an engine, which readers share with it.
pub(super) fn start(
    recovered: Recovered,
    store: Option<Arc<Store>>,
    mailbox: &Arc<Mailbox<Request>>,
    feed: &Arc<Feed>,
    is_searched: &Arc<AtomicBool>,
    shared: &Shared<'_>,
) -> Result<(Arc<RwLock<Engine>>, Hand)> {
    let Recovered { engine, is_waking, replay_bytes, history, .. } = recovered;
    let engine = Arc::new(RwLock::new(engine));
    let worker = Worker {
        engine: Arc::clone(&engine),
        rest: store.map_or(Rest::Nowhere, Rest::Stored),
        mailbox: Arc::clone(mailbox),
        feed: Arc::clone(feed),
        is_searched: Arc::clone(is_searched),
        history,
        budget: Budget::new(shared.options, shared.shards),
        threads: shared.threads,
        is_waking,
        is_driven: shared.options.is_driven,
        has_maintenance: true,
        has_maintained: false,
        replay_bytes,
        unsynced: Unsynced::default(),
        is_settled: replay_bytes == 0,
        settling: Vec::new(),
        put_off: None,
        replication: None,
        on_its_way: None,
    };
    Ok((engine, Hand::of(worker, shared.options.is_driven)?))
}

/// Where a worker's records and pages rest.
enum Rest {
    Nowhere,
    Stored(Arc<Store>),
    /// A write failed. After a full disk the next write tries to open the store anew; after any
    /// other failure there is no next one, as nobody knows what the file holds.
    Failed {
        store: Arc<Store>,
        error: Error,
    },
}

/// Records that are applied and not stored yet.
#[derive(Default)]
pub(super) struct Unsynced {
    records: Vec<(Key, Vec<u8>)>,
    bytes: usize,
    /// When they have to be stored.
    due: Option<Instant>,
    /// What is to be remembered with them.
    mark: Option<Vec<u8>>,
}

impl Unsynced {
    fn extend(&mut self, records: Vec<(Key, Vec<u8>)>) {
        // Of writes that were all refused nothing has to be stored, and so nothing is ever due.
        if records.is_empty() {
            return;
        }
        self.bytes += bytes_of(&records);
        self.records.extend(records);
        self.due.get_or_insert_with(|| Instant::now() + UNSYNCED_MAX);
    }

    /// Remembers a mark with the records so far; by itself it has no hurry.
    pub(super) fn mark(&mut self, mark: Vec<u8>) {
        self.mark = Some(mark);
    }

    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.mark.is_none()
    }

    fn is_due(&self, is_driven: bool) -> bool {
        let is_late = || !is_driven && self.due.is_some_and(|due| due <= Instant::now());
        self.bytes >= COMMIT_BYTES_MAX || is_late()
    }

    fn len(&self) -> u64 {
        self.records.len() as u64
    }
}

pub(super) fn bytes_of(records: &[(Key, Vec<u8>)]) -> usize {
    records.iter().map(|(_, record)| record.len()).sum()
}

pub(super) struct Worker {
    pub(super) engine: Arc<RwLock<Engine>>,
    rest: Rest,
    pub(super) mailbox: Arc<Mailbox<Request>>,
    feed: Arc<Feed>,
    /// Somebody searched since this was last looked at.
    is_searched: Arc<AtomicBool>,
    pub(super) history: History,
    pub(super) budget: Budget,
    threads: usize,
    /// Some of the engine rests, to be taken into memory.
    is_waking: bool,
    /// It has no thread, and so no time passes for it.
    is_driven: bool,
    has_maintenance: bool,
    has_maintained: bool,
    /// Bytes of records since the last checkpoint.
    pub(super) replay_bytes: u64,
    pub(super) unsynced: Unsynced,
    /// Nothing to maintain and nothing to checkpoint.
    is_settled: bool,
    settling: Vec<Reply<()>>,
    /// A request that came while a commit was put together, to be the next.
    pub(super) put_off: Option<Request>,
    /// What records are agreed on by, if there are replicas.
    replication: Option<Arc<dyn Replication>>,
    /// What is being agreed on.
    pub(super) on_its_way: Option<OnItsWay>,
}

impl Drop for Worker {
    /// However it ends, nobody waits for it any more.
    fn drop(&mut self) {
        self.mailbox.close();
    }
}

/// A write that was prepared and waits for its record to be durable.
pub(super) struct Prepared {
    pub(super) record: Record,
    pub(super) outcome: Outcome,
    durability: Durability,
    pub(super) reply: Reply<Outcome>,
}

impl Worker {
    fn run(mut self) {
        while self.turn() {}
    }

    /// Works until there is nothing to do but to wait; false when it is to end.
    fn work_off(&mut self) -> bool {
        while self.is_waking
            || self.has_maintenance
            || (self.on_its_way.is_none() && self.put_off.is_some())
            || self.mailbox.has_request(self.on_its_way.is_some())
        {
            if !self.turn() {
                return false;
            }
        }
        true
    }

    /// Does what is next; false when it is to end.
    fn turn(&mut self) -> bool {
        match self.next() {
            Some(Request::Write(write))
                if self.has_maintenance && write.may_wait() && self.slows_searches() =>
            {
                self.put_off = Some(Request::Write(write));
            }
            Some(Request::Write(write)) => {
                self.wake_all();
                match self.replication.clone() {
                    Some(replication) => self.propose_waiting(&replication, write),
                    None => {
                        self.commit_waiting(write);
                        self.is_settled = false;
                    }
                }
                self.has_maintenance = true;
            }
            Some(Request::Commit(entries, reply)) => {
                self.wake_all();
                reply(self.commit_agreed(entries));
                self.has_maintenance = true;
                self.is_settled = false;
            }
            Some(Request::Decided(result)) => {
                self.decided(&result);
                self.has_maintenance = true;
            }
            Some(Request::Replicate(replication, reply)) => {
                self.replication = Some(replication);
                reply(Ok(()));
            }
            Some(Request::Load(load)) => {
                self.load(load);
                self.has_maintenance = true;
                self.is_settled = false;
            }
            Some(Request::Settle(reply)) => self.settling.push(reply),
            Some(Request::Flush(reply)) => reply(self.flush()),
            Some(Request::Checkpoint(reply)) => reply(self.checkpoint()),
            Some(Request::Close(reply)) => {
                reply(self.checkpoint());
                return false;
            }
            Some(Request::Retire) => return false,
            None => {}
        }
        let was_due = self.unsynced.is_due(self.is_driven);
        if was_due {
            // Who asks for durability next hears of a failure.
            let _ = self.flush();
        }
        if self.is_waking {
            self.wake();
        } else if self.has_maintenance {
            self.has_maintenance = self.maintain();
            if !self.has_maintenance && self.has_maintained {
                self.feed.indexed();
            }
            self.has_maintained = self.has_maintenance;
        } else if !self.is_settled && !was_due && !self.is_driven {
            self.settle();
        }
        if self.replay_bytes > REPLAY_BYTES_MAX {
            let _ = self.checkpoint();
        }
        if self.is_settled {
            self.settling.drain(..).for_each(|reply| reply(Ok(())));
        }
        true
    }

    /// Whether somebody searches, and compares with more vectors that wait for the index than a
    /// search is made slow by. Then writes wait for the index: who only writes is not held up, and
    /// until everything is indexed it takes as long either way.
    fn slows_searches(&self) -> bool {
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        engine.unindexed() > UNINDEXED_MAX && self.is_searched.swap(false, Ordering::Relaxed)
    }

    /// Takes some more of what rests into memory. Where that cannot be read, it rests on, and the
    /// shard takes no more writes.
    fn wake(&mut self) {
        let mut engine = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        let woken = engine.wake(WAKE_PAGES);
        drop(engine);
        self.is_waking = matches!(woken, Ok(true));
        match woken {
            Ok(true) => {}
            Ok(false) => super::memory::give_back(),
            Err(error) => {
                if let Rest::Stored(store) = &self.rest {
                    self.rest = Rest::Failed { store: Arc::clone(store), error };
                }
            }
        }
    }

    /// Takes all that rests into memory, as what is written next needs it.
    fn wake_all(&mut self) {
        while self.is_waking {
            self.wake();
        }
    }

    /// The next request: at once when there is other work, within [`IDLE`] when there is something
    /// to checkpoint, before records have to be stored, else whenever it comes.
    fn next(&mut self) -> Option<Request> {
        let due = self.unsynced.due.map(|due| due.saturating_duration_since(Instant::now()));
        let at_once = self.is_driven.then_some(Duration::ZERO);
        if self.on_its_way.is_some() {
            let time = self.has_maintenance.then_some(Duration::ZERO).or(due);
            return self.mailbox.next_urgent(time.filter(|_| !self.is_driven).or(at_once));
        }
        // What replicas agreed on is applied even where writes wait for the index.
        if matches!(self.put_off, Some(Request::Write(_)))
            && let Some(urgent) = self.mailbox.next_urgent(Some(Duration::ZERO))
        {
            return Some(urgent);
        }
        if let Some(request) = self.put_off.take() {
            return Some(request);
        }
        if self.is_driven
            || self.is_waking
            || self.has_maintenance
            || (!self.is_settled && !self.settling.is_empty())
        {
            return self.mailbox.next();
        }
        let idle = (!self.is_settled).then_some(IDLE);
        self.mailbox.next_within(idle.into_iter().chain(due).min())
    }

    /// Commits a write and every one that is waiting behind it, as far as one commit goes.
    fn commit_waiting(&mut self, write: Write) {
        let mut next = Some(write);
        while let Some(write) = next.take() {
            let mut group = Group::default();
            let (mut prepared, mut records) = (Vec::new(), Vec::new());
            let mut bytes = 0;
            let mut waiting = Some(write);
            while let Some(write) = waiting.take() {
                if !group.is_empty() && write.batch.has_filter() {
                    next = Some(write);
                    break;
                }
                if let Some(write) = self.prepare(&mut group, write) {
                    let record = write.record.to_bytes();
                    bytes += record.len();
                    records.push((Key::Record(write.record.number), record));
                    prepared.push(write);
                }
                if bytes < COMMIT_BYTES_MAX {
                    waiting = self.next_waiting();
                }
            }
            self.commit(prepared, records);
        }
    }

    /// A write that is waiting, unless a request of another kind is before it.
    pub(super) fn next_waiting(&mut self) -> Option<Write> {
        if self.put_off.is_some() {
            return None;
        }
        match self.mailbox.next()? {
            Request::Write(write) => Some(write),
            other => {
                self.put_off = Some(other);
                None
            }
        }
    }

    /// The write, prepared; a refused one is answered.
    fn prepare(&mut self, group: &mut Group, write: Write) -> Option<Prepared> {
        let prepared = self.prepare_held(group, write);
        prepared.map_err(|(reply, error)| reply(Err(error))).ok()
    }

    /// The write, prepared; or who waits for it, and why it is refused.
    pub(super) fn prepare_held(
        &mut self,
        group: &mut Group,
        write: Write,
    ) -> Result<Prepared, (Reply<Outcome>, Error)> {
        let Write { batch, durability, reply, .. } = write;
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        let store = match &self.rest {
            Rest::Nowhere => None,
            Rest::Stored(store) | Rest::Failed { store, .. } => Some(&**store),
        };
        let allowed = self.budget.check(&batch, &engine, store);
        match allowed.and_then(|()| engine.prepare_in(group, batch)) {
            Ok((record, outcome)) => Ok(Prepared { record, outcome, durability, reply }),
            Err(error) => Err((reply, error)),
        }
    }

    /// Makes the records as durable as one of their writes asks for, then applies them, then
    /// answers.
    fn commit(&mut self, prepared: Vec<Prepared>, records: Vec<(Key, Vec<u8>)>) {
        let may_wait = |write: &Prepared| {
            write.durability == Durability::Memory || planted::is(Plant::AcknowledgedBeforeSync)
        };
        self.replay_bytes += bytes_of(&records) as u64;
        let sizes: Vec<u64> = records.iter().map(|(_, record)| record.len() as u64).collect();
        let stored = match (&self.rest, prepared.iter().all(may_wait)) {
            (Rest::Nowhere, _) => {
                for (write, (_, record)) in prepared.iter().zip(records) {
                    self.feed.keep(write.record.number, record);
                }
                Ok(())
            }
            (_, true) => self.defer(records),
            (_, false) => self.store(records),
        };
        if let Err(error) = stored {
            prepared.into_iter().for_each(|write| (write.reply)(Err(error.clone())));
            return;
        }
        let bytes = sizes.iter().sum();
        let mut answers = Vec::with_capacity(prepared.len());
        for (write, size) in prepared.into_iter().zip(sizes) {
            let Prepared { record, outcome, reply, .. } = write;
            answers.push((reply, self.apply(&record).map(|()| outcome)));
            self.history.add(record.number, size);
        }
        // Who was answered finds its own change among the changes.
        self.publish();
        if let Rest::Nowhere = self.rest {
            self.feed.forget(self.history.shorten(self.feed.pinned()));
        }
        self.budget.written(bytes);
        answers.into_iter().for_each(|(reply, answer)| reply(answer));
    }

    /// Takes over what another shard had.
    fn load(&mut self, load: Load) {
        let Load { changes, after, reply } = load;
        let bytes: usize = changes.iter().map(|loaded| loaded.change.bytes()).sum();
        let digested = {
            let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
            engine.digest_loaded(&changes)
        };
        let digested = match digested {
            Ok(digested) => digested,
            Err(error) => return reply(Err(error)),
        };
        let mut engine = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        engine.load(digested);
        after.iter().for_each(|number| engine.go_on_after(*number));
        drop(engine);
        if let Some(number) = after {
            self.history.begin_after(number);
            self.publish();
        }
        // No record has it: a checkpoint is what keeps it, and lets go of its memory.
        self.replay_bytes += bytes as u64;
        reply(Ok(()));
    }

    /// Tells who follows up to which record there is something to read: what is applied and stored.
    pub(super) fn publish(&self) {
        let applied = self.engine.read().unwrap_or_else(PoisonError::into_inner).record_number();
        self.feed.publish(applied - self.unsynced.len());
    }

    /// Keeps records, to be stored with the next ones or when they are due.
    pub(super) fn defer(&mut self, records: Vec<(Key, Vec<u8>)>) -> Result<()> {
        self.revive()?;
        if let Rest::Stored(_) = self.rest {
            self.unsynced.extend(records);
        }
        Ok(())
    }

    /// Stores records, and before them those that were not stored yet.
    fn store(&mut self, records: Vec<(Key, Vec<u8>)>) -> Result<()> {
        let mut puts = std::mem::take(&mut self.unsynced.records);
        let deferred = puts.len();
        if planted::is(Plant::MemoryWritesOvertaken) && !records.is_empty() {
            puts.clear();
        }
        puts.extend(records);
        let mark = self.unsynced.mark.take();
        let mut changes = Changes { puts, mark, ..Changes::default() };
        let stored = self.with_store(|store, _| store.write(&changes));
        if stored.is_ok() {
            self.unsynced = Unsynced::default();
        } else {
            changes.puts.truncate(deferred);
            self.unsynced.records = changes.puts;
            self.unsynced.mark = changes.mark;
            let due = self.unsynced.due.as_mut();
            due.into_iter().for_each(|due| *due = Instant::now() + RETRY);
        }
        stored
    }

    /// Stores what is applied and not stored yet.
    fn flush(&mut self) -> Result<()> {
        if self.unsynced.is_empty() {
            return Ok(());
        }
        self.store(Vec::new())?;
        self.publish();
        Ok(())
    }

    /// Applies a record; searches wait for the copying only.
    pub(super) fn apply(&self, record: &Record) -> Result<()> {
        let digested = {
            let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
            engine.digest(record)?
        };
        self.engine.write().unwrap_or_else(PoisonError::into_inner).apply_digested(digested)
    }

    /// Lets `act` write to the store, if there is one; a failure closes it for writing.
    fn with_store(&mut self, mut act: impl FnMut(&Store, &Engine) -> Result<()>) -> Result<()> {
        self.revive()?;
        let Rest::Stored(store) = &self.rest else { return Ok(()) };
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        let mut result = act(store, &engine);
        if planted::is(Plant::FailedSyncRetried) && result.is_err() {
            store.reopen()?;
            result = act(store, &engine);
        }
        drop(engine);
        if let Err(error) = &result {
            self.rest = Rest::Failed { store: Arc::clone(store), error: error.clone() };
        }
        result
    }

    /// After a full disk: opens the store anew and removes what a failed commit may have left.
    pub(super) fn revive(&mut self) -> Result<()> {
        let Rest::Failed { store, error } = &self.rest else { return Ok(()) };
        if error.kind() != ErrorKind::Full {
            let context = "the database takes no writes since an earlier failure; open it again";
            return Err(error.clone().within(context));
        }
        store.reopen()?;
        if planted::is(Plant::RefusedRecordKept) {
            self.rest = Rest::Stored(Arc::clone(store));
            return Ok(());
        }
        let applied = self.engine.read().unwrap_or_else(PoisonError::into_inner).record_number();
        let last = applied - self.unsynced.len();
        store.write(&Changes { records: Some(last + 1..=u64::MAX), ..Changes::default() })?;
        self.rest = Rest::Stored(Arc::clone(store));
        Ok(())
    }

    /// One slice of maintenance; false when none is left, or when vectors at rest cannot be read:
    /// then it is tried again after the next write.
    fn maintain(&mut self) -> bool {
        let maintenance = match self.plan_maintenance() {
            Ok(Some(maintenance)) => maintenance,
            Ok(None) => return false,
            Err(error) => {
                self.settling.drain(..).for_each(|reply| reply(Err(error.clone())));
                return false;
            }
        };
        let mut engine = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        engine.commit_maintenance(maintenance);
        self.budget.maintained();
        self.is_settled = false;
        true
    }

    /// Whoever searches or writes goes before the threads that plan. Where there is no thread to be
    /// had, this one plans.
    fn plan_maintenance(&self) -> Result<Option<Maintenance>> {
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        if !engine.needs_maintenance() {
            return Ok(None);
        }
        let (engine, threads) = (&*engine, self.threads);
        if self.is_driven {
            return engine.plan_maintenance(threads);
        }
        let plan = move || {
            go_behind_others();
            engine.plan_maintenance(threads)
        };
        let planned = thread::scope(|scope| {
            let planning = thread::Builder::new().spawn_scoped(scope, plan).ok()?;
            Some(planning.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        planned.unwrap_or_else(|| engine.plan_maintenance(threads))
    }

    fn settle(&mut self) {
        match self.checkpoint() {
            Ok(()) => {
                self.is_settled = true;
                super::memory::give_back();
            }
            // It is tried again when somebody asks for it, or nobody asks for anything.
            Err(error) => {
                self.settling.drain(..).for_each(|reply| reply(Err(error.clone())));
            }
        }
    }

    fn checkpoint(&mut self) -> Result<()> {
        self.flush()?;
        if self.is_settled {
            return Ok(());
        }
        let mut written = None;
        self.history.shorten(self.feed.pinned());
        let past = |number| self.history.past(self.feed.identity, number);
        let past = past(self.engine.read().unwrap_or_else(PoisonError::into_inner).record_number());
        self.with_store(|store, engine| {
            written = Some(write_checkpoint(store, engine, past.clone())?);
            Ok(())
        })?;
        self.replay_bytes = 0;
        let Some(mut checkpoint) = written else { return Ok(()) };
        let deletes = core::mem::take(&mut checkpoint.stale).into_iter().map(Key::Page).collect();
        let mut engine = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        engine.checkpointed(checkpoint);
        drop(engine);
        let changes = Changes { deletes, ..Changes::default() };
        self.with_store(|store, _| store.write(&changes))
    }
}
