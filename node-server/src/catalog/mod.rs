//! The databases one server has, by name. One that is damaged, or held by another process, answers
//! its own error and stops no other.

mod directory;
mod entries;
mod home;
mod name;
mod restore;
mod transfers;

use crate::keys::{KeyFile, Keyring};
use directory::DataDirectory;
use entries::{Entries, Entry};
use home::Home;
use std::{
    io::{self, Read},
    path::Path,
    sync::Arc,
};
use vectordoc::{
    Database, Error, ErrorKind, Result, Schema,
    native::{DatabaseOptions, Residence, Snapshot},
};

pub use name::Name;
pub use restore::Restore;
pub(crate) use transfers::{Bounded, OpenRestore, OpenSnapshot, Piece, Table, Transfers};

/// The databases of one server. Its calls block; asynchronous callers use a blocking thread.
pub struct Catalog {
    home: Home,
    /// Of databases whose creator does not say.
    shards: usize,
    entries: Arc<Entries>,
    transfers: Transfers,
    /// Whose keys clients show; without it everyone may do everything.
    keys: Option<KeyFile>,
}

impl Catalog {
    /// Every database in the data directory `path`, which is created when missing; new databases
    /// get `shards` shards unless their creator says otherwise. A `path` that is itself a database
    /// is served alone, under the directory's name. `busy` when another process has `path`.
    pub fn open(path: impl AsRef<Path>, shards: usize) -> Result<Self> {
        Self::open_in(path, shards, Residence::default())
    }

    /// The same, with the documents and vectors of all databases in memory or on the disk.
    pub fn open_in(path: impl AsRef<Path>, shards: usize, residence: Residence) -> Result<Self> {
        Self::open_with(path, shards, DatabaseOptions { residence, ..DatabaseOptions::default() })
    }

    /// The same, each database opened or created as `options` say; `shards` of theirs is not looked
    /// at, as databases that are there keep theirs.
    pub fn open_with(
        path: impl AsRef<Path>,
        shards: usize,
        options: DatabaseOptions,
    ) -> Result<Self> {
        let options = DatabaseOptions { shards: None, ..options };
        let path = path.as_ref();
        let keys = Some(KeyFile::of(path));
        if Database::is_database(path) {
            return Ok(Self { keys, ..Self::open_one(path, &options)? });
        }
        let directory = DataDirectory::take(path)?;
        let names = directory.databases()?;
        let home = Home::Directory { directory, options };
        let catalog = Self { keys, ..Self::empty(home, shards) };
        for name in names {
            // One that does not open is in the catalog too, with the reason.
            let _ = catalog.reopen(&name);
        }
        Ok(catalog)
    }

    /// No database yet; those created live in memory and end with the server.
    pub fn in_memory(shards: usize) -> Self {
        Self::empty(Home::Memory, shards)
    }

    /// Exactly `database`, which belongs to the program around the server: nobody can drop it or
    /// create others, and it stays open when the server stops.
    pub fn lent(name: Name, database: Database) -> Self {
        let catalog = Self::empty(Home::Fixed, database.shards());
        catalog.entries.change(&name).entry = Some(Entry::Lent(database));
        catalog
    }

    /// The database called `name`; `not_found` with the nearest name when there is none.
    pub fn get(&self, name: &str) -> Result<Database> {
        let name = Name::parse(name)?;
        match self.entries.get(&name) {
            // Whoever had it may have let go.
            Some(Entry::Broken(error)) if error.kind() == ErrorKind::Busy => self.reopen(&name),
            entry => self.opened(&name, entry),
        }
    }

    /// The database called `name`, if it can be had without waiting.
    pub(crate) fn get_now(&self, name: &str) -> Option<Database> {
        self.entries.get_now(&Name::parse(name).ok()?)
    }

    /// The database called `name`; `conflict` when it is of another schema or, if `shards` is given,
    /// of another number of shards.
    pub fn find(&self, name: &str, schema: &Schema, shards: Option<usize>) -> Result<Database> {
        let (database, name) = (self.get(name)?, Name::parse(name)?);
        expect_same(&database, schema, shards).map_err(|error| within(&name, error))?;
        Ok(database)
    }

    /// Creates a database, or finds one of the same schema; `conflict` when there is one of
    /// another schema or, if `shards` is given, of another number of shards.
    pub fn create(&self, name: &str, schema: &Schema, shards: Option<usize>) -> Result<Database> {
        let name = Name::parse(name)?;
        let mut change = self.entries.change(&name);
        if change.entry.is_some() {
            let database = self.opened(&name, change.entry.clone())?;
            expect_same(&database, schema, shards).map_err(|error| within(&name, error))?;
            return Ok(database);
        }
        let shards = Some(shards.unwrap_or(self.shards));
        let database = self.home.create(&name, schema, shards)?;
        tracing::info!(db = %name, shards = database.shards(), "created");
        change.entry = Some(Entry::Open(database.clone()));
        Ok(database)
    }

    /// The database called `name` as it is now, to be read as an archive piece by piece.
    pub fn snapshot(&self, name: &str) -> Result<Snapshot> {
        self.get(name)?.snapshot()
    }

    /// Begins to create a database out of an archive that comes piece by piece; `conflict` when
    /// there is one of this name.
    pub fn begin_restore(&self, name: &str) -> Result<Restore> {
        let name = Name::parse(name)?;
        Restore::begin(&self.entries, &name, || self.home.restore(&name))
    }

    /// Creates a database out of an archive, which [`Database::export`] wrote; `conflict` when there
    /// is one of this name. `progress` hears how many entries of how many were read.
    pub fn restore(
        &self,
        name: &str,
        mut archive: impl Read,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Database> {
        let mut restore = self.begin_restore(name)?;
        let mut piece = vec![0; crate::limits::TRANSFER_BYTES_DEFAULT];
        loop {
            let read = match archive.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(|error| crate::fault::os("cannot read", "it", &error))?,
            };
            if read == 0 {
                return restore.finish();
            }
            restore.push(&piece[..read])?;
            let (done, total) = restore.progress();
            progress(done, total);
        }
    }

    /// What clients take out and bring in by several requests.
    pub(crate) fn transfers(&self) -> &Transfers {
        &self.transfers
    }

    /// Stops what takes long and can be begun anew: who called for it is answered.
    pub(crate) fn stop_resharding(&self) {
        for (_, entry) in self.entries.all() {
            if let Entry::Open(database) = entry {
                database.stop_resharding();
            }
        }
    }

    /// Every name in order, with its database or why it cannot be used.
    pub fn list(&self) -> Vec<(Name, Result<Database>)> {
        let listed = |(name, entry): (Name, Entry)| {
            let database = self.opened(&name, Some(entry));
            (name, database)
        };
        self.entries.all().into_iter().map(listed).collect()
    }

    /// The same without waiting for anyone; `None` for a database that is being created, opened or
    /// dropped at this moment.
    pub(crate) fn overview(&self) -> Vec<(Name, Result<Option<Database>>)> {
        let seen = |(name, entry)| match entry {
            Entry::Changing | Entry::Restoring => (name, Ok(None)),
            Entry::Open(database) | Entry::Lent(database) => (name, Ok(Some(database))),
            Entry::Broken(error) => (name, Err(error)),
        };
        self.entries.now().into_iter().map(seen).collect()
    }

    /// Closes the database `name` and deletes it, for good when this returns. A damaged one can be
    /// dropped; one that another process holds cannot.
    pub fn drop_database(&self, name: &str) -> Result<()> {
        self.home.allow_drop()?;
        let name = Name::parse(name)?;
        let mut change = self.entries.change(&name);
        match &change.entry {
            Some(Entry::Open(database)) => {
                self.transfers.forget(&name);
                close(&name, database);
            }
            Some(Entry::Broken(error)) if error.kind() != ErrorKind::Busy => {}
            other => return self.opened(&name, other.clone()).map(drop),
        }
        self.home.remove(&name).inspect_err(|error| {
            change.entry = Some(Entry::Broken(error.clone()));
        })?;
        change.entry = None;
        tracing::info!(db = %name, "dropped");
        Ok(())
    }

    /// Closes every database of this catalog: what they accepted is durable when this returns.
    pub fn close(&self) {
        self.transfers.end();
        for (name, entry) in self.entries.all() {
            if let Entry::Open(database) = entry {
                close(&name, &database);
            }
        }
    }

    /// The keys that clients of this catalog show, followed from now on. Blocks.
    pub(crate) fn keyring(&self) -> Result<Keyring> {
        self.keys.clone().map_or_else(|| Ok(Keyring::none()), Keyring::open)
    }

    fn empty(home: Home, shards: usize) -> Self {
        let (entries, transfers) = (Arc::default(), Transfers::default());
        Self { home, shards, entries, transfers, keys: None }
    }

    /// The database at `path`, alone.
    fn open_one(path: &Path, options: &DatabaseOptions) -> Result<Self> {
        let full = path.canonicalize();
        let full = full.map_err(|error| crate::fault::os("cannot find", path.display(), &error))?;
        let name = full.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = Name::parse(name).map_err(|error| {
            error.within(format!("{} is served under its directory's name", path.display()))
        })?;
        let database = Database::open(&full, options)?;
        let catalog = Self::empty(Home::Fixed, database.shards());
        catalog.entries.change(&name).entry = Some(Entry::Open(database));
        Ok(catalog)
    }

    /// Opens the database `name` from where it lives and remembers how that went.
    fn reopen(&self, name: &Name) -> Result<Database> {
        let mut change = self.entries.change(name);
        if let Some(Entry::Open(database) | Entry::Lent(database)) = &change.entry {
            return Ok(database.clone());
        }
        let opened = self.home.open(name);
        change.entry = Some(match &opened {
            Ok(database) => Entry::Open(database.clone()),
            Err(error) => {
                tracing::error!(db = %name, %error, "a database cannot be served");
                Entry::Broken(error.clone())
            }
        });
        opened.map_err(|error| within(name, error))
    }

    fn opened(&self, name: &Name, entry: Option<Entry>) -> Result<Database> {
        match entry {
            Some(Entry::Open(database) | Entry::Lent(database)) => Ok(database),
            Some(Entry::Broken(error)) => Err(within(name, error)),
            Some(Entry::Restoring) => {
                let error = Error::unavailable("it is being restored from an archive; try later");
                Err(within(name, error))
            }
            Some(Entry::Changing) | None => Err(self.unknown(name)),
        }
    }

    fn unknown(&self, name: &Name) -> Error {
        let names = self.entries.names();
        let known = names.iter().filter(|known| *known != name).map(Name::as_str);
        let error = vectordoc::schema::unknown_name("database", name.as_str(), known);
        Error::not_found(error.message())
    }
}

fn expect_same(database: &Database, schema: &Schema, shards: Option<usize>) -> Result<()> {
    database.schema().expect_same(schema)?;
    match shards {
        Some(shards) if shards != database.shards() => Err(Error::conflict(format!(
            "there are {} shards, the request says {shards}",
            database.shards()
        ))),
        _ => Ok(()),
    }
}

fn close(name: &Name, database: &Database) {
    if let Err(error) = database.close() {
        tracing::error!(db = %name, %error, "a database did not close cleanly");
    }
}

fn within(name: &Name, error: Error) -> Error {
    error.within(format!("database {name}"))
}
