//! A database whose shards are elsewhere, each with one host or several: what is asked of them is
//! bytes, and what carries the bytes is the business of who opened it.

use super::{
    Database,
    database::{Inner, Opening},
    durability::WhenBusy,
    options::DatabaseOptions,
};
use crate::{Batch, Result, Schema, engine::Outcome};
use std::sync::{Arc, atomic::AtomicBool};

/// How fresh what is read has to be where there are replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ReadLevel {
    /// It sees everything that was acknowledged before it was asked for.
    #[default]
    Linearizable,
    /// It is what the replica that answers has.
    Local,
}

/// The bytes of an archive, one piece after the other; empty after its end. It may block.
pub type Pieces = Box<dyn FnMut() -> Result<Vec<u8>> + Send>;

/// What reaches the shards of one database. Its methods may block.
pub trait Elsewhere: Send + Sync {
    /// How many there are, which stays so.
    fn shards(&self) -> usize;

    /// Has each shard answer the questions to it, in their order, by [`Database::answer`] of a
    /// database that is this shard alone. All answers are there, or it is an error that names the
    /// shard: to ensure correctness, one that cannot be reached is never left out.
    fn ask(&self, questions: Vec<Vec<Vec<u8>>>, level: ReadLevel) -> Result<Vec<Vec<Vec<u8>>>>;

    /// Writes to each shard its batch, if it has one, and waits for all; outcomes in the order of the
    /// shards, of those that have one. To ensure correctness, a batch that may have been written is not
    /// written again.
    fn write(&self, batches: Vec<Option<Batch>>, when_busy: WhenBusy) -> Result<Vec<Outcome>>;

    /// Calls `listener` whenever a shard may have changed, until what is returned is dropped.
    fn follow(&self, listener: Arc<dyn Fn() + Send + Sync>) -> Result<Box<dyn Send + Sync>>;

    /// An archive of one shard alone, as it is at one moment after this was called.
    fn archive(&self, shard: usize) -> Result<Pieces>;
}

impl Database {
    /// The database of `schema` whose shards are reached by `elsewhere`. It is used as any other, but
    /// that it stands in no directory, is never [brief](Self::is_brief), and is not resharded.
    pub fn spread_over(schema: &Schema, elsewhere: Arc<dyn Elsewhere>) -> Self {
        let (options, announcer) = (DatabaseOptions::default(), Arc::default());
        let opening = Opening { options, announcer, history_bytes: 0 };
        let mut inner = Inner::new(schema.clone(), Vec::new(), None, Vec::new(), opening);
        (inner.elsewhere, inner.is_replicated) = (Some(elsewhere), AtomicBool::new(true));
        Self::over(inner)
    }

    /// The same database; what is read through this handle is as fresh as is said, if its shards are
    /// elsewhere.
    #[must_use]
    pub fn with_reads(&self, reads: ReadLevel) -> Self {
        Self { reads, ..self.clone() }
    }

    /// Whether its shards are elsewhere.
    pub fn is_spread(&self) -> bool {
        self.inner.elsewhere.is_some()
    }
}
