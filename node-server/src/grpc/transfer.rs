//! An archive on its way through one call: while the call is there, it has its place among those that
//! are open, and its table may close it when its client leaves it for too long.

use crate::{
    catalog::{Bounded, Table, Transfers},
    server::Context,
};
use std::{mem, sync::Arc};
use tokio::runtime::Handle;

/// A transfer of a table; closed when the last clone is gone, and a job at it has one.
pub(super) struct Transfer<T: Bounded + Send + 'static> {
    /// Whose it is.
    pub(super) context: Arc<Context>,
    /// Which table it is in.
    pub(super) table: fn(&Transfers) -> &Table<T>,
    /// The database.
    pub(super) db: String,
    /// What operations call it.
    pub(super) token: String,
}

impl<T: Bounded + Send + 'static> Drop for Transfer<T> {
    fn drop(&mut self) {
        let (context, table) = (Arc::clone(&self.context), self.table);
        let (db, token) = (mem::take(&mut self.db), mem::take(&mut self.token));
        // It is not there any more when it came to its end. Closing it removes files.
        let close = move || drop(table(context.catalog.transfers()).remove(&db, &token));
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(close)),
            Err(_) => close(),
        }
    }
}
