//! What a write waits for.

use super::{Database, Db};
use crate::Result;

/// What is true of a write when it returns.
///
/// Writes keep their order: one that is on stable storage makes all that came before it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// It is on stable storage: neither a crash of the process nor a power cut loses it. Writes
    /// that wait at the same time share one sync.
    #[default]
    Fsync,
    /// It is applied and found by searches, and gets to stable storage with the next synced write
    /// of its shard or within about [`UNSYNCED_MAX`](crate::limits::UNSYNCED_MAX), whichever comes
    /// first. A crash before that loses it whole, and everything written after it.
    Memory,
    /// It is on stable storage of a majority of the replicas: no minority of dead nodes loses it. It
    /// is what every write of a database with replicas waits for, and `unsupported` of any other.
    Quorum,
}

impl Durability {
    /// Every durability with its name on the wire.
    pub const NAMES: [(&'static str, Durability); 3] =
        [("fsync", Self::Fsync), ("memory", Self::Memory), ("quorum", Self::Quorum)];

    /// The durability of this name.
    pub fn parse(name: &str) -> Result<Self> {
        crate::schema::find_named(&Self::NAMES, name, "durability")
    }

    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fsync => "fsync",
            Self::Memory => "memory",
            Self::Quorum => "quorum",
        }
    }
}

/// What a write does when as many wait already as a shard takes: see
/// [`DatabaseOptions::waiting_writes_max`](field@super::DatabaseOptions::waiting_writes_max).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum WhenBusy {
    /// Waits for its turn.
    #[default]
    Wait,
    /// Answers `busy`, and nothing of it is written.
    Refuse,
}

/// How a handle of a database writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Writes {
    pub(super) durability: Durability,
    pub(super) when_busy: WhenBusy,
}

impl Database {
    /// The same database; what is written through this handle is as durable as is said:
    /// `db.with_durability(Durability::Memory).index(documents)`.
    #[must_use]
    pub fn with_durability(&self, durability: Durability) -> Self {
        Self { writes: Writes { durability, ..self.writes }, ..self.clone() }
    }

    /// The same database; what is written through this handle waits for its turn, or not.
    #[must_use]
    pub fn when_busy(&self, when_busy: WhenBusy) -> Self {
        Self { writes: Writes { when_busy, ..self.writes }, ..self.clone() }
    }

    /// How durable the writes of this handle are when they return.
    pub fn durability(&self) -> Durability {
        if self.is_replicated() { Durability::Quorum } else { self.writes.durability }
    }
}

impl<T: crate::VectorDoc> Db<T> {
    /// The same database; what is written through this handle is as durable as is said.
    ///
    /// ```
    /// # fn main() -> vectordoc::Result<()> {
    /// use vectordoc::{Db, VectorDoc, native::Durability};
    ///
    /// #[derive(VectorDoc)]
    /// struct Click {
    ///     #[vectordoc(id)]
    ///     id: u64,
    ///     #[vectordoc(vector(dim = 2))]
    ///     embedding: [f32; 2],
    /// }
    ///
    /// # let directory = tempfile::tempdir().expect("a temporary directory");
    /// # let path = directory.path();
    /// let db = Db::<Click>::open(path)?;
    /// let clicks = db.with_durability(Durability::Memory);
    /// clicks.index([Click { id: 1, embedding: [1.0, 0.0] }])?; // found, not synced yet
    /// db.index([Click { id: 2, embedding: [0.0, 1.0] }])?; // both are on stable storage
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_durability(&self, durability: Durability) -> Self {
        self.over(self.database().with_durability(durability))
    }

    /// The same database; what is written through this handle waits for its turn, or not.
    #[must_use]
    pub fn when_busy(&self, when_busy: WhenBusy) -> Self {
        self.over(self.database().when_busy(when_busy))
    }
}
