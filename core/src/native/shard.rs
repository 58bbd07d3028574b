//! One shard: an engine that searches share, a store, and a worker thread that owns all changes.

use super::{
    DatabaseOptions,
    checkpoint::{evolve, recover},
    durability::WhenBusy,
    feed::{Announcer, Feed, new_identity},
    history::History,
    mailbox::{Mailbox, Place},
    store::{Entries, Past, Store},
    worker::{self, Hand, Load, Recovered, Reply, Request},
};
use crate::{Engine, Error, Id, Result, Schema, engine::Loaded};
use std::{
    ops::Deref,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    time::Duration,
};

pub(super) struct Shard {
    engine: Arc<RwLock<Engine>>,
    mailbox: Arc<Mailbox<Request>>,
    worker: Mutex<Option<Hand>>,
    store: Option<Arc<Store>>,
    feed: Arc<Feed>,
    is_searched: Arc<AtomicBool>,
}

/// What the shards of a database have in common.
pub(super) struct Shared<'a> {
    pub(super) options: &'a DatabaseOptions,
    pub(super) shards: usize,
    /// Threads of each for building indexes.
    pub(super) threads: usize,
    /// Bytes of changes that each keeps.
    pub(super) history_bytes: u64,
    pub(super) announcer: &'a Arc<Announcer>,
}

impl Shard {
    /// A shard that rests nowhere.
    pub(super) fn in_memory(schema: &Schema, shared: &Shared<'_>) -> Result<Self> {
        let engine = Engine::new(schema.clone(), &shared.options.indexes)?;
        let identity = new_identity();
        let history = History::new(shared.history_bytes, &Past::none(identity, 0));
        let recovered = Recovered { engine, is_waking: false, replay_bytes: 0, history, identity };
        Self::start(recovered, None, shared)
    }

    /// The shard in a file: as it was, or empty and of `schema` when there is nothing yet; and what
    /// of its schema changed to follow `schema`, where the options say so.
    pub(super) fn open(
        path: &Path,
        schema: Option<&Schema>,
        shared: &Shared<'_>,
    ) -> Result<(Self, Vec<String>)> {
        let Shared { options, history_bytes, .. } = *shared;
        let place = |error: Error| error.within(format!("{}", path.display()));
        let store = Arc::new(Store::open(&options.disk(), path, options.verify)?);
        let schema_changes = match schema.filter(|_| options.evolve) {
            Some(given) => evolve(&store, given, &options.indexes).map_err(place)?,
            None => Vec::new(),
        };
        let recovered = recover(&store, schema, options, history_bytes);
        let recovered = recovered.map_err(place)?;
        super::memory::give_back();
        let shard = Self::start(recovered, Some(store), shared)?;
        Ok((shard, schema_changes))
    }

    fn start(recovered: Recovered, store: Option<Arc<Store>>, shared: &Shared<'_>) -> Result<Self> {
        let mailbox = Arc::new(Mailbox::new(shared.options.waiting_writes_max()));
        let published = recovered.engine.record_number();
        let feed = Arc::new(Feed::new(recovered.identity, published, shared.announcer));
        let is_searched = Arc::default();
        let (engine, hand) =
            worker::start(recovered, store.clone(), &mailbox, &feed, &is_searched, shared)?;
        Ok(Self { engine, mailbox, worker: Mutex::new(Some(hand)), store, feed, is_searched })
    }

    /// The engine, to be read. Writers wait meanwhile, so be quick.
    pub(super) fn engine(&self) -> RwLockReadGuard<'_, Engine> {
        self.engine.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, unless somebody is writing.
    pub(super) fn engine_now(&self) -> Option<RwLockReadGuard<'_, Engine>> {
        self.engine.try_read().ok()
    }

    /// Tells the worker that somebody searches.
    pub(super) fn searched(&self) {
        // Read first, as writing it takes it from every other core.
        if !self.is_searched.load(Ordering::Relaxed) {
            self.is_searched.store(true, Ordering::Relaxed);
        }
    }

    /// A place for one write of this shard.
    pub(super) fn place(&self, when_busy: WhenBusy) -> Result<Place<'_, Request>> {
        self.mailbox.place(when_busy)
    }

    /// Sends a request that goes before all others; false when the worker has ended.
    pub(super) fn push(&self, request: Request) -> bool {
        self.mailbox.push(request)
    }

    /// Up to where the log of its replicas is stored.
    pub(super) fn mark(&self) -> Result<Option<Vec<u8>>> {
        self.store.as_ref().map_or(Ok(None), |store| store.mark())
    }

    /// Asks for all maintenance to be done and everything to be checkpointed.
    pub(super) fn settle(&self) -> Result<Answer> {
        self.ask(Request::Settle)
    }

    /// Waits until all that was acknowledged is stored; other requests wait for that, too.
    pub(super) fn flush(&self) -> Result<()> {
        let (send, receive) = sync_channel(1);
        self.push(Request::Flush(Box::new(move |result| {
            let _ = send.send(result);
        })));
        Answer(receive).wait()
    }

    /// Waits until everything is checkpointed.
    pub(super) fn checkpoint(&self) -> Result<()> {
        self.ask(Request::Checkpoint)?.wait()
    }

    /// Lets the shard take over changes of others: see [`Load`].
    pub(super) fn load(&self, changes: Vec<Loaded>, after: Option<u64>) -> Result<Answer> {
        self.ask(|reply| Request::Load(Load { changes, after, reply }))
    }

    fn ask(&self, request: impl FnOnce(Reply<()>) -> Request) -> Result<Answer> {
        let (send, receive) = sync_channel(1);
        let reply = Box::new(move |result| {
            let _ = send.send(result);
        });
        self.mailbox.place(WhenBusy::Wait)?.send(request(reply));
        Ok(Answer(receive))
    }

    /// What is told to who follows.
    pub(super) fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Hands the records from `first` to `last` to `act`, in order, as long as that is true and
    /// perhaps no more than `count`; none when the first is not there any more.
    pub(super) fn records(
        &self,
        first: u64,
        last: u64,
        count: usize,
        act: &mut dyn FnMut(&[u8]) -> Result<bool>,
    ) -> Result<()> {
        let Some(store) = &self.store else {
            let count = count.min(usize::try_from(last + 1 - first).unwrap_or(usize::MAX));
            for record in self.feed.kept_from(first, count) {
                if !act(&record)? {
                    break;
                }
            }
            return Ok(());
        };
        store.records(first..=last, act)
    }

    /// How many commits were made durable since the shard was opened.
    pub(super) fn commits(&self) -> u64 {
        self.store.as_ref().map_or(0, |store| store.commits())
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
        if let Ok(place) = self.mailbox.place(WhenBusy::Wait) {
            place.send(Request::Close(Box::new(move |result| {
                let _ = send.send(result);
            })));
        }
        let has_ended = worker.join();
        let result = receive.recv().unwrap_or_else(|_| Err(stopped()));
        // An engine whose documents rest on the disk lives as long as this does, and holds the store.
        self.store.iter().for_each(|store| store.close());
        if has_ended { result } else { Err(stopped()) }
    }
}

impl Shard {
    /// Ends the worker of a shard whose documents are elsewhere by now, or never were needed. Who
    /// reads it goes on.
    pub(super) fn retire(&self) {
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(worker) = worker else { return };
        if let Ok(place) = self.mailbox.place(WhenBusy::Wait) {
            place.send(Request::Retire);
        }
        // One that panicked has ended too.
        worker.join();
    }

    /// Nobody has asked anything of it for a while.
    pub(super) fn idle(&self) {
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        worker.iter().for_each(Hand::idle);
    }
}

/// The answer of a worker, to be waited for.
pub(super) struct Answer(Receiver<Result<()>>);

impl Answer {
    /// Waits for it; `closed` when the worker ended before.
    pub(super) fn wait(self) -> Result<()> {
        self.0.recv().unwrap_or_else(|_| Err(closed()))
    }

    /// Waits for it at most so long; `None` when there is none yet.
    pub(super) fn wait_within(&self, time: Duration) -> Option<Result<()>> {
        match self.0.recv_timeout(time) {
            Ok(result) => Some(result),
            Err(RecvTimeoutError::Disconnected) => Some(Err(closed())),
            Err(RecvTimeoutError::Timeout) => None,
        }
    }
}

/// The shards of a database, as they are for as long as they are its shards.
pub(super) struct Shards(Vec<Shard>);

impl Shards {
    pub(super) fn new(shards: Vec<Shard>) -> Self {
        Self(shards)
    }

    /// The one that has the document of this id, if there is one.
    pub(super) fn of(&self, id: &Id) -> &Shard {
        &self.0[id.shard(self.0.len())]
    }
}

impl Deref for Shards {
    type Target = [Shard];

    fn deref(&self) -> &[Shard] {
        &self.0
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

#[cfg(test)]
mod tests {
    use super::{Arc, DatabaseOptions, Schema, Shard, Shared, Store};
    use crate::{
        Result,
        key::{Key, PageKey},
        native::store::Changes,
    };

    #[test]
    fn pages_that_no_checkpoint_names_are_removed_when_a_shard_opens() -> Result<()> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("shard");
        let disk = DatabaseOptions::default().disk();
        let schema = Schema::from_json_str(r#"{"id": "u64", "embedding": {"vector": 2}}"#)?;
        let reopen = || {
            let (options, announcer) = (DatabaseOptions::default(), Arc::default());
            let shared = Shared {
                options: &options,
                shards: 1,
                threads: 1,
                history_bytes: 0,
                announcer: &announcer,
            };
            let (shard, _) = Shard::open(&path, Some(&schema), &shared)?;
            shard.close()
        };
        reopen()?;
        let keys = Store::open(&disk, &path, false)?.page_keys()?;
        let left = Key::Page(PageKey { section: 1, page: 9, generation: 9 });
        let changes = Changes { puts: vec![(left, vec![0; 99])], ..Changes::default() };
        Store::open(&disk, &path, false)?.write(&changes)?;
        reopen()?;
        assert_eq!(Store::open(&disk, &path, false)?.page_keys()?, keys);
        Ok(())
    }
}
