//! The table of a catalog: looked at under a lock that is never held across input or output.

use super::{Name, Serverless, Serving};
use crate::bucket::Held;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use vectordoc::{Database, Error};

/// What stands behind a name.
#[derive(Clone)]
pub(crate) enum Entry {
    /// A thread creates, opens, puts to sleep or drops it; whoever asks waits for that.
    Changing,
    /// It comes out of an archive, which may take long: nobody waits for that.
    Restoring,
    /// A database of this catalog, in memory.
    Open(Served),
    /// A database of the program that embeds this server, which closes it itself.
    Lent(Database),
    /// A database of this catalog that is not in memory: who asks for it opens it, unless it is
    /// paused.
    Resting(Serving),
    /// A database that could not be opened, and why.
    Broken(Error),
}

/// A database in memory, and when it was used.
#[derive(Clone)]
pub(crate) struct Served {
    pub(super) database: Database,
    pub(super) serving: Serving,
    /// Whether it leaves memory while it is idle.
    pub(super) is_serverless: bool,
    /// The lease it is here by, if it rests in a bucket.
    pub(super) held: Option<Arc<Held>>,
    /// After so long.
    idle: Duration,
    began: Instant,
    /// Milliseconds from the beginning to the last use.
    used_ms: Arc<AtomicU64>,
}

impl Served {
    /// One with replicas, which have to hear of every write, and so never leaves memory.
    pub(crate) fn replicated(database: Database) -> Self {
        let serving = Serving::default().serverless(false);
        Self::new(database, serving, &Serverless::default())
    }

    pub(super) fn new(database: Database, serving: Serving, server: &Serverless) -> Self {
        Self {
            database,
            serving,
            is_serverless: serving.is_serverless(server),
            held: None,
            idle: serving.idle(server),
            began: Instant::now(),
            used_ms: Arc::default(),
        }
    }

    /// The same, by a lease, if there is one.
    pub(super) fn leased(self, held: Option<Arc<Held>>) -> Self {
        Self { held, ..self }
    }

    /// Whether nobody else can have it.
    pub(super) fn holds(&self) -> bool {
        self.held.as_ref().is_none_or(|held| held.holds())
    }

    /// Takes note that it is used.
    pub(super) fn touch(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.used_ms.store(now, Ordering::Relaxed);
    }

    /// When it was used last.
    fn used(&self) -> Instant {
        self.began + Duration::from_millis(self.used_ms.load(Ordering::Relaxed))
    }

    /// Whether it was not used for as long as it is to be idle for.
    pub(super) fn is_idle(&self) -> bool {
        self.is_serverless && self.used().elapsed() >= self.idle
    }
}

impl Entry {
    fn is_serverless(&self) -> bool {
        matches!(self, Self::Open(served) if served.is_serverless)
    }
}

/// Entries by name.
#[derive(Default)]
pub(crate) struct Entries {
    table: Mutex<Table>,
    changed: Condvar,
}

#[derive(Default)]
struct Table {
    entries: BTreeMap<Name, Entry>,
    /// Serverless databases in memory.
    awake: usize,
    /// Those on their way there.
    waking: usize,
}

impl Table {
    /// Puts an entry, or none, in the place of the one that is there, which is returned.
    fn put(&mut self, name: &Name, entry: Option<Entry>) -> Option<Entry> {
        let comes = entry.as_ref().is_some_and(Entry::is_serverless);
        let before = match entry {
            Some(entry) => self.entries.insert(name.clone(), entry),
            None => self.entries.remove(name),
        };
        let goes = before.as_ref().is_some_and(Entry::is_serverless);
        self.awake = self.awake + usize::from(comes) - usize::from(goes);
        before
    }
}

impl Entries {
    /// The entry of `name`, once nobody is changing that entry.
    pub(super) fn get(&self, name: &Name) -> Option<Entry> {
        self.settled(name).entries.get(name).cloned()
    }

    /// The same, to be used.
    pub(super) fn take(&self, name: &Name) -> Option<Entry> {
        let table = self.settled(name);
        let entry = table.entries.get(name);
        if let Some(Entry::Open(served)) = entry {
            served.touch();
        }
        entry.cloned()
    }

    /// The database of `name`, to be used, if it is open.
    pub(crate) fn take_now(&self, name: &Name) -> Option<Database> {
        match self.lock().entries.get(name)? {
            Entry::Open(served) if served.holds() => {
                served.touch();
                Some(served.database.clone())
            }
            Entry::Open(_) => None,
            Entry::Lent(database) => Some(database.clone()),
            Entry::Changing | Entry::Restoring | Entry::Resting(_) | Entry::Broken(_) => None,
        }
    }

    /// Whether who asks for `name` has to wait until it is opened, as who asks for one that is not here
    /// has if there `may_be_more`.
    pub(super) fn is_away(&self, name: &Name, may_be_more: bool) -> bool {
        match self.lock().entries.get(name) {
            Some(Entry::Changing | Entry::Resting(_)) => true,
            None => may_be_more,
            Some(_) => false,
        }
    }

    /// How many are being restored.
    pub(super) fn restoring(&self) -> usize {
        let table = self.lock();
        table.entries.values().filter(|entry| matches!(entry, Entry::Restoring)).count()
    }

    /// All entries as they are at this moment.
    pub(super) fn now(&self) -> BTreeMap<Name, Entry> {
        self.lock().entries.clone()
    }

    /// The names, in order.
    pub(super) fn names(&self) -> Vec<Name> {
        self.lock().entries.keys().cloned().collect()
    }

    /// Serverless databases that were not used for as long as they are to be idle for.
    pub(super) fn idle(&self) -> Vec<(Name, Served)> {
        let table = self.lock();
        if table.awake == 0 {
            return Vec::new();
        }
        let idle = table.entries.iter().filter_map(|(name, entry)| match entry {
            Entry::Open(served) if served.is_idle() => Some((name.clone(), served.clone())),
            _ => None,
        });
        idle.collect()
    }

    /// Databases in memory whose lease is over.
    pub(super) fn lapsed(&self) -> Vec<Name> {
        let table = self.lock();
        let lapsed = table.entries.iter().filter_map(|(name, entry)| match entry {
            Entry::Open(served) if !served.holds() => Some(name.clone()),
            _ => None,
        });
        lapsed.collect()
    }

    /// The serverless databases in memory that nobody is using, the one used last at the end.
    pub(super) fn unused(&self) -> Vec<Name> {
        let table = self.lock();
        let unused = table.entries.iter().filter_map(|(name, entry)| match entry {
            Entry::Open(served) if served.is_serverless && served.database.is_unused() => {
                Some((served.used(), name.clone()))
            }
            _ => None,
        });
        let mut unused: Vec<_> = unused.collect();
        unused.sort_unstable();
        unused.into_iter().map(|(_, name)| name).collect()
    }

    /// A place in memory for one more serverless database; `None` when `max` are there.
    pub(super) fn place(&self, max: usize) -> Option<Place<'_>> {
        let mut table = self.lock();
        if table.awake + table.waking >= max {
            return None;
        }
        table.waking += 1;
        Some(Place(self))
    }

    /// Reserves `name` for a change that takes long, once nobody else is at it.
    pub(crate) fn change<'a>(&'a self, name: &'a Name) -> Change<'a> {
        let before = self.settled(name).put(name, Some(Entry::Changing));
        Change { entries: self, name, entry: before }
    }

    /// Reserves `name` for a change if its entry is as it `must` be, without waiting.
    pub(super) fn change_if<'a>(
        &'a self,
        name: &'a Name,
        must: impl FnOnce(&Entry) -> bool,
    ) -> Option<Change<'a>> {
        let mut table = self.lock();
        if !table.entries.get(name).is_some_and(must) {
            return None;
        }
        let before = table.put(name, Some(Entry::Changing));
        Some(Change { entries: self, name, entry: before })
    }

    fn settled(&self, name: &Name) -> MutexGuard<'_, Table> {
        let is_changing =
            |table: &mut Table| matches!(table.entries.get(name), Some(Entry::Changing));
        let settled = self.changed.wait_while(self.lock(), is_changing);
        settled.unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // No code that can panic runs under this lock, so a poisoned table is whole.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in memory, until the database that takes it is in the table.
pub(super) struct Place<'a>(&'a Entries);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.lock().waking -= 1;
    }
}

/// A name reserved by one thread. Dropping it publishes [`entry`](Self::entry), also when the
/// thread panics, so that nobody waits for ever.
pub(crate) struct Change<'a> {
    entries: &'a Entries,
    name: &'a Name,
    /// At first the entry that was there, in the end the one that shall be.
    pub(crate) entry: Option<Entry>,
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        let entry = self.entry.take();
        self.entries.lock().put(self.name, entry);
        self.entries.changed.notify_all();
    }
}
