//! Whoever else has a say in whether a database may be written to, such as a lease that may run out.

use super::Database;
use crate::Result;
use std::sync::OnceLock;

/// Asked before each write, which is not made when this is an error, and again once it is made,
/// which is then not acknowledged. It may block.
pub type WriteGuard = Box<dyn Fn() -> Result<()> + Send + Sync>;

/// The guard of a database, if it has one.
#[derive(Default)]
pub(super) struct Guarded(OnceLock<WriteGuard>);

impl Database {
    /// Has `guard` asked about every write and resharding from now on, of this and all other
    /// handles. A database has one guard: whether this is it.
    pub fn guard_writes(&self, guard: WriteGuard) -> bool {
        self.inner.guarded.0.set(guard).is_ok()
    }

    /// What the guard says, if there is one.
    pub(super) fn ask_guard(&self) -> Result<()> {
        self.inner.guarded.0.get().map_or(Ok(()), |guard| guard())
    }
}
