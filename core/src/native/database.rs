//! A database of documents whose shape is known when it is opened: shards behind one set of verbs.

use super::{
    directory::Directory,
    durability::Writes,
    elsewhere::{Elsewhere, ReadLevel},
    feed::Announcer,
    guard::Guarded,
    lineage::Lineage,
    options::DatabaseOptions,
    resharding::Turn,
    shard::{Answer, Shard, Shards, closed},
};
use crate::{Result, Schema};
use std::{
    fmt,
    path::Path,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// A database: cheap to clone, shared by threads, closed when the last clone goes.
#[derive(Clone)]
pub struct Database {
    pub(super) inner: Arc<Inner>,
    pub(super) writes: Writes,
    pub(super) reads: ReadLevel,
}

pub(super) struct Inner {
    pub(super) schema: Schema,
    /// What reaches its shards, if it has none here.
    pub(super) elsewhere: Option<Arc<dyn Elsewhere>>,
    /// Taken by who begins something, who keeps what was taken until it is done.
    pub(super) shards: RwLock<Arc<Shards>>,
    /// Read by who hands writes to shards; written to put others in their place.
    pub(super) gate: RwLock<()>,
    pub(super) is_closed: AtomicBool,
    pub(super) is_replicated: AtomicBool,
    schema_changes: Vec<String>,
    pub(super) options: DatabaseOptions,
    pub(super) announcer: Arc<Announcer>,
    pub(super) history_bytes: u64,
    pub(super) turn: Turn,
    pub(super) lineage: Lineage,
    pub(super) guarded: Guarded,
    /// Shared with who reads the files as they were at some moment.
    pub(super) reading: Arc<()>,
    /// Commits of shards that are gone.
    pub(super) commits: AtomicU64,
    /// Let go after the shards.
    pub(super) directory: Option<Directory>,
}

/// What a database is opened with.
pub(super) struct Opening {
    pub(super) options: DatabaseOptions,
    pub(super) announcer: Arc<Announcer>,
    pub(super) history_bytes: u64,
}

/// The state of a database.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Stats {
    /// Documents there are.
    pub documents: u64,
    /// Vectors that wait for an index; searches compare with each of them.
    pub unindexed: u64,
    /// Shards.
    pub shards: usize,
    /// The number of the last record, over all shards. [Resharding](Database::reshard) lets each
    /// go on after the greatest of them, so that versions stay in order.
    pub record_number: u64,
    /// Bytes of memory held by documents, vectors and indexes.
    pub memory_bytes: u64,
    /// Commits that were made durable since the database was opened, those of checkpoints
    /// included: writes that wait at the same time share one.
    pub commits: u64,
}

impl Database {
    pub(super) fn of(
        schema: Schema,
        shards: Vec<Shard>,
        directory: Option<Directory>,
        schema_changes: Vec<String>,
        opening: Opening,
    ) -> Self {
        Self::over(Inner::new(schema, shards, directory, schema_changes, opening))
    }

    /// A handle of it.
    pub(super) fn over(inner: Inner) -> Self {
        let (writes, reads) = (Writes::default(), ReadLevel::default());
        Self { inner: Arc::new(inner), writes, reads }
    }

    /// What changed of the stored schema when the database was opened, in words; nothing when it
    /// was the one given.
    pub fn schema_changes(&self) -> &[String] {
        &self.inner.schema_changes
    }

    /// The shape of the documents.
    pub fn schema(&self) -> &Schema {
        &self.inner.schema
    }

    /// How many shards the documents are spread over.
    pub fn shards(&self) -> usize {
        let elsewhere = self.inner.elsewhere.as_ref();
        elsewhere.map_or_else(|| self.shards_now().len(), |elsewhere| elsewhere.shards())
    }

    /// The directory; `None` for a database in memory.
    pub fn path(&self) -> Option<&Path> {
        self.inner.directory.as_ref().map(Directory::path)
    }

    /// The state of the database; of one whose shards are elsewhere, asked there, nothing when that
    /// fails: see [`measure`](Self::measure).
    pub fn stats(&self) -> Stats {
        self.measure().unwrap_or_default()
    }

    /// The state of the database; an error when its shards are elsewhere and one does not say.
    pub fn measure(&self) -> Result<Stats> {
        match self.spread() {
            Some(spread) => spread.stats(),
            None => Ok(self.stats_here()),
        }
    }

    fn stats_here(&self) -> Stats {
        let shards = self.shards_now();
        let commits = self.inner.commits.load(Ordering::Relaxed);
        let mut stats = Stats { shards: shards.len(), commits, ..Stats::default() };
        for shard in shards.iter() {
            let engine = shard.engine();
            stats.documents += engine.len();
            stats.unindexed += engine.unindexed();
            stats.record_number += engine.record_number();
            stats.memory_bytes += engine.memory_bytes();
            stats.commits += shard.commits();
        }
        stats
    }

    /// Waits until no vector waits for an index, and everything is checkpointed. `progress` hears
    /// now and then how many vectors are indexed, and of how many.
    pub fn wait_indexed(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        loop {
            self.check_open()?;
            let shards = self.shards_now();
            let settled = self.wait_settled(&shards, progress);
            // Others may have taken their place, and then they are not the ones to wait for.
            if Arc::ptr_eq(&shards, &self.shards_now()) {
                return settled;
            }
        }
    }

    fn wait_settled(&self, shards: &[Shard], progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        const REPORT_EVERY: Duration = Duration::from_millis(100);
        let answers = shards.iter().map(Shard::settle).collect::<Result<Vec<Answer>>>()?;
        for answer in answers {
            loop {
                if let Some(result) = answer.wait_within(REPORT_EVERY) {
                    break result?;
                }
                let stats = self.stats();
                let vectors = stats.documents * self.schema().vectors().len() as u64;
                progress(vectors.saturating_sub(stats.unindexed), vectors);
            }
        }
        Ok(())
    }

    /// Waits until everything is checkpointed, so that opening has nothing to replay.
    pub fn checkpoint(&self) -> Result<()> {
        self.wait_indexed(&mut |_, _| {})
    }

    /// Finishes accepted writes, checkpoints and lets go of the directory. Any use of this or
    /// another clone afterwards answers `closed`.
    pub fn close(&self) -> Result<()> {
        self.inner.close()
    }

    pub(super) fn check_open(&self) -> Result<()> {
        if self.inner.is_closed.load(Ordering::Acquire) { Err(closed()) } else { Ok(()) }
    }

    /// The shards there are now. Who has them can read them, whatever takes their place.
    pub(super) fn shards_now(&self) -> Arc<Shards> {
        self.inner.shards_now()
    }

    /// Walks every structure and names the first thing wrong. For tests.
    #[doc(hidden)]
    pub fn check(&self) -> Result<()> {
        self.shards_now().iter().try_for_each(|shard| shard.engine().check())
    }
}

impl Inner {
    pub(super) fn new(
        schema: Schema,
        shards: Vec<Shard>,
        directory: Option<Directory>,
        schema_changes: Vec<String>,
        opening: Opening,
    ) -> Self {
        let Opening { options, announcer, history_bytes } = opening;
        Self {
            schema,
            elsewhere: None,
            shards: RwLock::new(Arc::new(Shards::new(shards))),
            gate: RwLock::default(),
            is_closed: AtomicBool::new(false),
            is_replicated: AtomicBool::new(false),
            schema_changes,
            options,
            announcer,
            history_bytes,
            turn: Turn::default(),
            lineage: Lineage::default(),
            guarded: Guarded::default(),
            reading: Arc::default(),
            commits: AtomicU64::new(0),
            directory,
        }
    }

    pub(super) fn shards_now(&self) -> Arc<Shards> {
        Arc::clone(&self.shards.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn close(&self) -> Result<()> {
        self.is_closed.store(true, Ordering::Release);
        // Who reshards gives up, now that it is closed, and cleans up.
        self.turn.wait();
        let results: Vec<_> = self.shards_now().iter().map(Shard::close).collect();
        if let Some(directory) = &self.directory {
            directory.release();
        }
        self.announcer.announce();
        results.into_iter().collect()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let _ = self.close();
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("path", &self.path())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
