//! The table of a catalog: looked at under a lock that is never held across input or output.

use super::Name;
use std::{
    collections::BTreeMap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};
use vectordoc::{Database, Error};

/// What stands behind a name.
#[derive(Clone)]
pub(super) enum Entry {
    /// A thread creates, opens or drops it; whoever asks waits for that.
    Changing,
    /// It comes out of an archive, which may take long: nobody waits for that.
    Restoring,
    /// A database of this catalog.
    Open(Database),
    /// A database of the program that embeds this server, which closes it itself.
    Lent(Database),
    /// A database that could not be opened, and why.
    Broken(Error),
}

/// Entries by name.
#[derive(Default)]
pub(super) struct Entries {
    table: Mutex<BTreeMap<Name, Entry>>,
    changed: Condvar,
}

impl Entries {
    /// The entry of `name`, once nobody is changing that entry.
    pub(super) fn get(&self, name: &Name) -> Option<Entry> {
        self.settled(|table| matches!(table.get(name), Some(Entry::Changing))).get(name).cloned()
    }

    /// The database of `name`, if it is open.
    pub(super) fn get_now(&self, name: &Name) -> Option<Database> {
        match self.lock().get(name)? {
            Entry::Open(database) | Entry::Lent(database) => Some(database.clone()),
            Entry::Changing | Entry::Restoring | Entry::Broken(_) => None,
        }
    }

    /// All entries, once nobody is changing one.
    pub(super) fn all(&self) -> BTreeMap<Name, Entry> {
        let changing = |entry: &Entry| matches!(entry, Entry::Changing);
        self.settled(|table| table.values().any(changing)).clone()
    }

    /// How many are being restored.
    pub(super) fn restoring(&self) -> usize {
        self.lock().values().filter(|entry| matches!(entry, Entry::Restoring)).count()
    }

    /// All entries as they are at this moment.
    pub(super) fn now(&self) -> BTreeMap<Name, Entry> {
        self.lock().clone()
    }

    /// The names, in order.
    pub(super) fn names(&self) -> Vec<Name> {
        self.lock().keys().cloned().collect()
    }

    /// Reserves `name` for a change that takes long, once nobody else is at it.
    pub(super) fn change<'a>(&'a self, name: &'a Name) -> Change<'a> {
        let mut table = self.settled(|table| matches!(table.get(name), Some(Entry::Changing)));
        let before = table.insert(name.clone(), Entry::Changing);
        Change { entries: self, name, entry: before }
    }

    fn settled(
        &self,
        mut unsettled: impl FnMut(&BTreeMap<Name, Entry>) -> bool,
    ) -> MutexGuard<'_, BTreeMap<Name, Entry>> {
        let settled = self.changed.wait_while(self.lock(), |table| unsettled(table));
        settled.unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, Entry>> {
        // No code that can panic runs under this lock, so a poisoned table is whole.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name reserved by one thread. Dropping it publishes [`entry`](Self::entry), also when the
/// thread panics, so that nobody waits for ever.
pub(super) struct Change<'a> {
    entries: &'a Entries,
    name: &'a Name,
    /// At first the entry that was there, in the end the one that shall be.
    pub(super) entry: Option<Entry>,
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        let mut table = self.entries.lock();
        match self.entry.take() {
            Some(entry) => table.insert(self.name.clone(), entry),
            None => table.remove(self.name),
        };
        drop(table);
        self.entries.changed.notify_all();
    }
}
