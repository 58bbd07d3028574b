//! A database that comes out of an archive, piece by piece, while the others are served.

use super::{Entries, Entry, Name, Serverless, Serving, entries::Served};
use crate::limits::RESTORES_MAX;
use std::sync::Arc;
use vectordoc::{Database, Error, Result, native::Import};

/// An archive on its way into a catalog. Its name is taken meanwhile; dropped before it is finished,
/// nothing of it is left.
pub struct Restore {
    /// `None` once it is finished.
    import: Option<Import>,
    entries: Arc<Entries>,
    serverless: Serverless,
    name: Name,
}

impl Restore {
    /// Takes the name; `conflict` when there is a database of it, `busy` when so many are restored
    /// already.
    pub(super) fn begin(
        entries: &Arc<Entries>,
        serverless: &Serverless,
        name: &Name,
        import: impl FnOnce() -> Result<Import>,
    ) -> Result<Self> {
        if entries.restoring() >= RESTORES_MAX {
            return Err(Error::busy(format!(
                "{RESTORES_MAX} databases are being restored already, which is the limit; try again \
                 when one of them is done"
            )));
        }
        let mut change = entries.change(name);
        match &change.entry {
            None => {}
            Some(Entry::Restoring) => {
                return Err(Error::busy(format!("database {name} is being restored already")));
            }
            Some(_) => {
                return Err(Error::conflict(format!(
                    "there is a database {name} already; restore under another name"
                )));
            }
        }
        let import = Some(import()?);
        change.entry = Some(Entry::Restoring);
        drop(change);
        let (entries, serverless) = (Arc::clone(entries), serverless.clone());
        Ok(Self { import, entries, serverless, name: name.clone() })
    }

    /// The name that the database will have.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Takes the next bytes of the archive: see [`Import::push`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.import.as_mut().map_or(Ok(()), |import| import.push(bytes))
    }

    /// How many entries are read, and of how many; of none until that is known.
    pub fn progress(&self) -> (u64, u64) {
        self.import.as_ref().map_or((0, 0), Import::progress)
    }

    /// Opens the database and serves it, if the archive was whole.
    pub fn finish(mut self) -> Result<Database> {
        let import = self.import.take();
        let import = import.ok_or_else(|| Error::internal("a restore is finished twice"))?;
        let mut change = self.entries.change(&self.name);
        change.entry = None;
        let database = import.finish()?;
        tracing::info!(db = %self.name, shards = database.shards(), "restored");
        let served = Served::new(database.clone(), Serving::default(), &self.serverless);
        change.entry = Some(Entry::Open(served));
        Ok(database)
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        let Some(import) = self.import.take() else { return };
        // The files go before the name is free.
        drop(import);
        self.entries.change(&self.name).entry = None;
    }
}
