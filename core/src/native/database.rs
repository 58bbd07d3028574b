//! A database of documents whose shape is known when it is opened: shards behind one set of verbs.

use super::{
    directory::Directory,
    durability::Writes,
    feed::Announcer,
    shard::{Shard, closed},
};
use crate::{Id, Result, Schema};
use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    time::Duration,
};

/// A database: cheap to clone, shared by threads, closed when the last clone goes.
#[derive(Clone)]
pub struct Database {
    pub(super) inner: Arc<Inner>,
    pub(super) writes: Writes,
}

pub(super) struct Inner {
    pub(super) schema: Schema,
    pub(super) shards: Vec<Shard>,
    is_closed: AtomicBool,
    schema_changes: Vec<String>,
    pub(super) announcer: Arc<Announcer>,
    pub(super) history_bytes: u64,
    /// Let go after the shards.
    directory: Option<Directory>,
}

/// What following a database takes.
pub(super) struct Feeding {
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
    /// Records applied, over all shards.
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
        feeding: Feeding,
    ) -> Self {
        let Feeding { announcer, history_bytes } = feeding;
        let is_closed = AtomicBool::new(false);
        let inner = Inner {
            schema,
            shards,
            is_closed,
            schema_changes,
            announcer,
            history_bytes,
            directory,
        };
        Self { inner: Arc::new(inner), writes: Writes::default() }
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
        self.inner.shards.len()
    }

    /// The directory; `None` for a database in memory.
    pub fn path(&self) -> Option<&Path> {
        self.inner.directory.as_ref().map(Directory::path)
    }

    /// The state of the database.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats { shards: self.shards(), ..Stats::default() };
        for shard in &self.inner.shards {
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
        const REPORT_EVERY: Duration = Duration::from_millis(100);
        for answer in self.settle()? {
            loop {
                match answer.recv_timeout(REPORT_EVERY) {
                    Ok(result) => break result?,
                    Err(RecvTimeoutError::Disconnected) => return Err(closed()),
                    Err(RecvTimeoutError::Timeout) => {
                        let stats = self.stats();
                        let vectors = stats.documents * self.schema().vectors().len() as u64;
                        progress(vectors.saturating_sub(stats.unindexed), vectors);
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits until everything is checkpointed, so that opening has nothing to replay.
    pub fn checkpoint(&self) -> Result<()> {
        self.wait_indexed(&mut |_, _| {})
    }

    fn settle(&self) -> Result<Vec<Receiver<Result<()>>>> {
        self.check_open()?;
        let settle = |shard: &Shard| {
            let (send, receive) = sync_channel(1);
            shard.settle(Box::new(move |result| {
                let _ = send.send(result);
            }))?;
            Ok(receive)
        };
        self.inner.shards.iter().map(settle).collect()
    }

    /// Finishes accepted writes, checkpoints and lets go of the directory. Any use of this or
    /// another clone afterwards answers `closed`.
    pub fn close(&self) -> Result<()> {
        self.inner.close()
    }

    pub(super) fn check_open(&self) -> Result<()> {
        if self.inner.is_closed.load(Ordering::Acquire) { Err(closed()) } else { Ok(()) }
    }

    pub(super) fn shard_of(&self, id: &Id) -> &Shard {
        &self.inner.shards[id.shard(self.shards())]
    }

    /// Walks every structure and names the first thing wrong. For tests.
    #[doc(hidden)]
    pub fn check(&self) -> Result<()> {
        self.inner.shards.iter().try_for_each(|shard| shard.engine().check())
    }
}

impl Inner {
    fn close(&self) -> Result<()> {
        self.is_closed.store(true, Ordering::Release);
        let results: Vec<_> = self.shards.iter().map(Shard::close).collect();
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
