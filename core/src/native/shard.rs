//! One shard: an engine that searches share, a store, and a worker thread that owns all changes.
//!
//! The worker takes whatever writes are waiting, makes their records durable with one commit,
//! applies them and answers each. In between it does slices of maintenance, and it checkpoints when
//! there is much to replay or nothing else to do.

use super::{
    DatabaseOptions,
    checkpoint::{evolve, recover, write_checkpoint},
    store::{Changes, Entries, Store},
};
use crate::{
    Batch, Engine, Error, ErrorKind, Record, Result, Schema,
    engine::{Group, Outcome},
    index::Indexes,
    key::Key,
};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

/// Requests that may wait for a worker.
const MAILBOX_REQUESTS_MAX: usize = 1_024;
/// Bytes of records after which one commit takes no further ones.
const COMMIT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of records that opening may have to replay.
const REPLAY_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// A shard without requests for so long is checkpointed.
const IDLE: Duration = Duration::from_millis(500);

type Reply<T> = Box<dyn FnOnce(Result<T>) + Send>;

enum Request {
    Write(Batch, Reply<Outcome>),
    /// Answered when no maintenance is left and everything is checkpointed.
    Settle(Reply<()>),
    Close(Reply<()>),
}

pub(super) struct Shard {
    engine: Arc<RwLock<Engine>>,
    mailbox: SyncSender<Request>,
    worker: Mutex<Option<JoinHandle<()>>>,
    store: Option<Arc<Store>>,
}

impl Shard {
    /// A shard that rests nowhere.
    pub(super) fn in_memory(schema: &Schema, indexes: &Indexes, threads: usize) -> Result<Self> {
        Self::start(Engine::new(schema.clone(), indexes)?, None, 0, threads)
    }

    /// The shard in a file: as it was, or empty and of `schema` when there is nothing yet; and what
    /// of its schema changed to follow `schema`, where the options say so.
    pub(super) fn open(
        path: &Path,
        schema: Option<&Schema>,
        options: &DatabaseOptions,
        threads: usize,
    ) -> Result<(Self, Vec<String>)> {
        let place = |error: Error| error.within(format!("{}", path.display()));
        let store = Arc::new(Store::open(path)?);
        let schema_changes = match schema.filter(|_| options.evolve) {
            Some(given) => evolve(&store, given, &options.indexes).map_err(place)?,
            None => Vec::new(),
        };
        let recovered = recover(&store, schema, &options.indexes, options.residence);
        let (engine, replayed_bytes) = recovered.map_err(place)?;
        super::memory::give_back();
        let shard = Self::start(engine, Some(store), replayed_bytes, threads)?;
        Ok((shard, schema_changes))
    }

    fn start(
        engine: Engine,
        store: Option<Arc<Store>>,
        bytes: u64,
        threads: usize,
    ) -> Result<Self> {
        let engine = Arc::new(RwLock::new(engine));
        let rest = store.clone().map_or(Rest::Nowhere, Rest::Stored);
        let (mailbox, requests) = sync_channel(MAILBOX_REQUESTS_MAX);
        let worker = Worker {
            engine: Arc::clone(&engine),
            rest,
            requests,
            threads,
            replay_bytes: bytes,
            is_settled: bytes == 0,
            settling: Vec::new(),
            closing: None,
        };
        let thread = std::thread::Builder::new().name("vectordoc-shard".into());
        let thread = thread.spawn(move || worker.run());
        let thread = thread
            .map_err(|error| Error::unavailable(format!("no thread for a shard: {error}")))?;
        Ok(Self { engine, mailbox, worker: Mutex::new(Some(thread)), store })
    }

    /// The engine, to be read. Writers wait meanwhile, so be quick.
    pub(super) fn engine(&self) -> RwLockReadGuard<'_, Engine> {
        self.engine.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a batch to the worker; `reply` is called once it is durable and applied, or refused.
    pub(super) fn write(&self, batch: Batch, reply: Reply<Outcome>) {
        self.send(Request::Write(batch, reply));
    }

    /// `reply` is called when no maintenance is left and everything is checkpointed.
    pub(super) fn settle(&self, reply: Reply<()>) {
        self.send(Request::Settle(reply));
    }

    fn send(&self, request: Request) {
        if let Err(unsent) = self.mailbox.send(request) {
            match unsent.0 {
                Request::Write(_, reply) => reply(Err(closed())),
                Request::Settle(reply) => reply(Err(closed())),
                Request::Close(reply) => reply(Ok(())),
            }
        }
    }

    /// What rests of the shard as it is now.
    pub(super) fn entries(&self) -> Result<Entries> {
        let store = self.store.as_ref().ok_or_else(|| {
            Error::unsupported(
                "a database in memory has no bytes at rest to export; create it in a directory",
            )
        })?;
        store.entries()
    }

    /// Finishes what was accepted, checkpoints, and ends the worker.
    pub(super) fn close(&self) -> Result<()> {
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(worker) = worker else { return Ok(()) };
        let (send, receive) = sync_channel(1);
        self.send(Request::Close(Box::new(move |result| {
            let _ = send.send(result);
        })));
        let result = receive.recv().unwrap_or_else(|_| Err(stopped()));
        let joined = worker.join();
        // An engine whose documents rest on the disk lives as long as this does, and holds the store.
        self.store.iter().for_each(|store| store.close());
        joined.map_err(|_| stopped())?;
        result
    }
}

impl Drop for Shard {
    /// The file must be free when the shard is gone. Errors were for [`close`](Shard::close).
    fn drop(&mut self) {
        let _ = self.close();
    }
}

pub(super) fn closed() -> Error {
    Error::closed("the database was closed; open it again")
}

fn stopped() -> Error {
    Error::internal("a shard's worker stopped unexpectedly; open the database again")
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

struct Worker {
    engine: Arc<RwLock<Engine>>,
    rest: Rest,
    requests: Receiver<Request>,
    threads: usize,
    /// Bytes of records since the last checkpoint.
    replay_bytes: u64,
    /// Nothing to maintain and nothing to checkpoint.
    is_settled: bool,
    settling: Vec<Reply<()>>,
    closing: Option<Reply<()>>,
}

/// A write that was prepared and waits for its record to be durable.
struct Prepared {
    record: Record,
    outcome: Outcome,
    reply: Reply<Outcome>,
}

impl Worker {
    fn run(mut self) {
        let mut has_maintenance = true;
        loop {
            match self.next(has_maintenance) {
                Ok(Request::Write(batch, reply)) => {
                    self.commit_waiting(batch, reply);
                    has_maintenance = true;
                    self.is_settled = false;
                }
                Ok(Request::Settle(reply)) => self.settling.push(reply),
                Ok(Request::Close(reply)) => self.closing = Some(reply),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let _ = self.checkpoint();
                    return;
                }
            }
            if let Some(reply) = self.closing.take() {
                reply(self.checkpoint());
                return;
            }
            if has_maintenance {
                has_maintenance = self.maintain();
            } else if !self.is_settled {
                self.settle();
            }
            if self.replay_bytes > REPLAY_BYTES_MAX {
                let _ = self.checkpoint();
            }
            if self.is_settled {
                self.settling.drain(..).for_each(|reply| reply(Ok(())));
            }
        }
    }

    /// The next request: at once when there is other work, within [`IDLE`] when there is something
    /// to checkpoint, else whenever it comes.
    fn next(&mut self, has_maintenance: bool) -> Result<Request, RecvTimeoutError> {
        if has_maintenance || (!self.is_settled && !self.settling.is_empty()) {
            return self.requests.try_recv().map_err(|error| match error {
                TryRecvError::Empty => RecvTimeoutError::Timeout,
                TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            });
        }
        if self.is_settled {
            return self.requests.recv().map_err(|_| RecvTimeoutError::Disconnected);
        }
        self.requests.recv_timeout(IDLE)
    }

    /// Commits `batch` and every write that is waiting behind it, as far as one commit goes.
    fn commit_waiting(&mut self, batch: Batch, reply: Reply<Outcome>) {
        let mut next = Some((batch, reply));
        while let Some((batch, reply)) = next.take() {
            let mut group = Group::default();
            let mut prepared = Vec::new();
            let mut changes = Changes::default();
            let mut bytes = 0;
            let mut write = Some((batch, reply));
            while let Some((batch, reply)) = write.take() {
                if !group.is_empty() && batch.has_filter() {
                    next = Some((batch, reply));
                    break;
                }
                if let Some(write) = self.prepare(&mut group, batch, reply) {
                    let record = write.record.to_bytes();
                    bytes += record.len();
                    changes.puts.push((Key::Record(write.record.number), record));
                    prepared.push(write);
                }
                if bytes < COMMIT_BYTES_MAX {
                    write = self.next_waiting();
                }
            }
            self.commit(prepared, &changes);
        }
    }

    /// A write that is waiting; requests of other kinds are put where they belong.
    fn next_waiting(&mut self) -> Option<(Batch, Reply<Outcome>)> {
        loop {
            match self.requests.try_recv().ok()? {
                Request::Write(batch, reply) => return Some((batch, reply)),
                Request::Settle(reply) => self.settling.push(reply),
                Request::Close(reply) => {
                    self.closing = Some(reply);
                    return None;
                }
            }
        }
    }

    /// The write, prepared; a refused one is answered.
    fn prepare(&self, group: &mut Group, batch: Batch, reply: Reply<Outcome>) -> Option<Prepared> {
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        match engine.prepare_in(group, batch) {
            Ok((record, outcome)) => Some(Prepared { record, outcome, reply }),
            Err(error) => {
                drop(engine);
                reply(Err(error));
                None
            }
        }
    }

    /// Makes the records durable, then applies them, then answers.
    fn commit(&mut self, prepared: Vec<Prepared>, changes: &Changes) {
        if let Err(error) = self.store_records(changes) {
            prepared.into_iter().for_each(|write| (write.reply)(Err(error.clone())));
            return;
        }
        for write in prepared {
            (write.reply)(self.apply(&write.record).map(|()| write.outcome));
        }
    }

    /// Applies a record; searches wait for the copying only.
    fn apply(&self, record: &Record) -> Result<()> {
        let digested = {
            let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
            engine.digest(record)?
        };
        self.engine.write().unwrap_or_else(PoisonError::into_inner).apply_digested(digested)
    }

    fn store_records(&mut self, changes: &Changes) -> Result<()> {
        let bytes: usize = changes.puts.iter().map(|(_, record)| record.len()).sum();
        self.with_store(|store, _| store.write(changes))?;
        self.replay_bytes += bytes as u64;
        Ok(())
    }

    /// Lets `act` write to the store, if there is one; a failure closes it for writing.
    fn with_store(&mut self, act: impl FnOnce(&Store, &Engine) -> Result<()>) -> Result<()> {
        self.revive()?;
        let Rest::Stored(store) = &self.rest else { return Ok(()) };
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        let result = act(store, &engine);
        drop(engine);
        if let Err(error) = &result {
            self.rest = Rest::Failed { store: Arc::clone(store), error: error.clone() };
        }
        result
    }

    /// After a full disk: opens the store anew and removes what a failed commit may have left.
    fn revive(&mut self) -> Result<()> {
        let Rest::Failed { store, error } = &self.rest else { return Ok(()) };
        if error.kind() != ErrorKind::Full {
            let context = "the database takes no writes since an earlier failure; open it again";
            return Err(error.clone().within(context));
        }
        store.reopen()?;
        let last = self.engine.read().unwrap_or_else(PoisonError::into_inner).record_number();
        store.write(&Changes { records: Some(last + 1..=u64::MAX), ..Changes::default() })?;
        self.rest = Rest::Stored(Arc::clone(store));
        Ok(())
    }

    /// One slice of maintenance; false when none is left, or when vectors at rest cannot be read:
    /// then it is tried again after the next write.
    fn maintain(&mut self) -> bool {
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        let maintenance = engine.plan_maintenance(self.threads);
        drop(engine);
        let maintenance = match maintenance {
            Ok(Some(maintenance)) => maintenance,
            Ok(None) => return false,
            Err(error) => {
                self.settling.drain(..).for_each(|reply| reply(Err(error.clone())));
                return false;
            }
        };
        let mut engine = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        engine.commit_maintenance(maintenance);
        self.is_settled = false;
        true
    }

    fn settle(&mut self) {
        let result = self.checkpoint();
        super::memory::give_back();
        self.is_settled = true;
        if let Err(error) = result {
            self.settling.drain(..).for_each(|reply| reply(Err(error.clone())));
        }
    }

    fn checkpoint(&mut self) -> Result<()> {
        if self.is_settled {
            return Ok(());
        }
        let mut written = None;
        self.with_store(|store, engine| {
            written = Some(write_checkpoint(store, engine)?);
            Ok(())
        })?;
        self.replay_bytes = 0;
        let Some(mut checkpoint) = written else { return Ok(()) };
        let deletes = core::mem::take(&mut checkpoint.stale).into_iter().map(Key::Page).collect();
        let mut engine = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        engine.checkpointed(checkpoint);
        drop(engine);
        self.with_store(|store, _| store.write(&Changes { deletes, ..Changes::default() }))
    }
}

#[cfg(test)]
mod tests {
    use super::{Changes, DatabaseOptions, Key, Schema, Shard, Store};
    use crate::{Result, key::PageKey};

    #[test]
    fn pages_that_no_checkpoint_names_are_removed_when_a_shard_opens() -> Result<()> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("shard");
        let schema = Schema::from_json_str(r#"{"id": "u64", "embedding": {"vector": 2}}"#)?;
        let reopen = || {
            let (shard, _) = Shard::open(&path, Some(&schema), &DatabaseOptions::default(), 1)?;
            shard.close()
        };
        reopen()?;
        let keys = Store::open(&path)?.page_keys()?;
        let left = Key::Page(PageKey { section: 1, page: 9, generation: 9 });
        let changes = Changes { puts: vec![(left, vec![0; 99])], ..Changes::default() };
        Store::open(&path)?.write(&changes)?;
        reopen()?;
        assert_eq!(Store::open(&path)?.page_keys()?, keys);
        Ok(())
    }
}
