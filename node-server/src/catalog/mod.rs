//! The databases one server has, by name. One that is damaged, or held by another process, answers
//! its own error and stops no other.

mod clustered;
mod described;
mod directory;
mod entries;
mod home;
mod name;
mod restore;
mod serving;
mod sleeping;
mod stored;
mod transfers;
mod uploads;

use crate::{
    bucket::{Bucket, BucketOptions},
    cluster::Cluster,
    keys::{KeyFile, Keyring},
};
use directory::DataDirectory;
use entries::Change;
use home::Home;
use std::{
    collections::BTreeMap,
    io::{self, Read},
    path::Path,
    sync::Arc,
};
use stored::Heads;
use vectordoc::{
    Database, Error, ErrorKind, Result, Schema,
    native::{DatabaseOptions, Residence, Snapshot},
};

pub use described::{Described, Rests, State};
pub(crate) use entries::{Entries, Entry, Served};
pub use name::Name;
pub use restore::Restore;
pub use serving::{Serverless, Serving};
pub(crate) use transfers::{Bounded, OpenRestore, OpenSnapshot, Piece, Table, Transfers};
use uploads::Uploads;

/// The databases of one server. Its calls block; asynchronous callers use a blocking thread.
pub struct Catalog {
    home: Home,
    /// Of databases whose creator does not say.
    shards: usize,
    /// What becomes of databases that are idle.
    serverless: Serverless,
    entries: Arc<Entries>,
    transfers: Transfers,
    /// Whose keys clients show; without it everyone may do everything.
    keys: Option<KeyFile>,
    /// The node that this server is, if it is in a cluster, which then decides on databases.
    cluster: Option<Arc<Cluster>>,
    /// Where serverless databases rest, if that is elsewhere.
    bucket: Option<Arc<Bucket>>,
    /// Of those, the ones that are not there yet as they are here.
    uploads: Uploads,
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
        Self::open_serverless(path, shards, options, Serverless::default())
    }

    /// The same, with databases that leave memory while they are idle. Those are not opened until
    /// somebody asks for them. A `path` that is itself a database never leaves memory.
    pub fn open_serverless(
        path: impl AsRef<Path>,
        shards: usize,
        options: DatabaseOptions,
        serverless: Serverless,
    ) -> Result<Self> {
        Self::open_all(path.as_ref(), shards, options, serverless, None)
    }

    fn open_all(
        path: &Path,
        shards: usize,
        options: DatabaseOptions,
        serverless: Serverless,
        bucket: Option<&BucketOptions>,
    ) -> Result<Self> {
        let options = DatabaseOptions { shards: None, ..options };
        let keys = Some(KeyFile::of(path));
        if Database::is_database(path) {
            return Ok(Self { keys, ..Self::open_one(path, &options)? });
        }
        let directory = DataDirectory::take(path)?;
        let names = directory.databases()?;
        let bucket = bucket.map(|options| Bucket::open(options, path)).transpose()?;
        let home = Home::Directory { directory, options };
        let bucket = bucket.map(Arc::new);
        let catalog = Self { keys, serverless, bucket, ..Self::empty(home, shards) };
        for name in names {
            // One that does not open is in the catalog too, with the reason.
            let mut change = catalog.entries.change(&name);
            change.entry = Some(catalog.found(&name));
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

    /// The entry of a database that is there when the server starts.
    fn found(&self, name: &Name) -> Entry {
        let opened = self.home.serving(name).and_then(|serving| {
            if serving.paused || serving.is_serverless(&self.serverless) {
                self.resume_upload(name, serving);
                return Ok(Entry::Resting(serving));
            }
            self.bring(name, serving)
        });
        opened.unwrap_or_else(|error| {
            tracing::error!(db = %name, %error, "a database cannot be served");
            Entry::Broken(error)
        })
    }

    /// The database called `name`, which is opened if it is asleep; `not_found` with the nearest name
    /// when there is none.
    pub fn get(&self, name: &str) -> Result<Database> {
        let name = Name::parse(name)?;
        if let Some(cluster) = &self.cluster {
            return self.get_clustered(cluster, &name);
        }
        match self.entries.take(&name) {
            // Whoever had it may have let go.
            Some(Entry::Broken(error)) if Self::may_pass(&error) => self.reopen(&name),
            Some(Entry::Resting(serving)) if !serving.paused => self.wake(&name),
            None | Some(Entry::Resting(_)) if self.has_bucket() => self.wake(&name),
            entry => self.opened(&name, entry),
        }
    }

    /// Whether what could not be opened may be opened later.
    fn may_pass(error: &Error) -> bool {
        matches!(error.kind(), ErrorKind::Busy | ErrorKind::Unavailable)
    }

    /// The database called `name`, if it can be had without waiting.
    pub(crate) fn get_now(&self, name: &str) -> Option<Database> {
        self.entries.take_now(&Name::parse(name).ok()?)
    }

    /// Whether who asks for `name` waits until it is opened, or for other nodes.
    pub(crate) fn is_away(&self, name: &str) -> bool {
        Name::parse(name).is_ok_and(|name| {
            let is_elsewhere = || self.entries.take_now(&name).is_none();
            self.entries.is_away(&name, self.has_bucket())
                || self.cluster.is_some() && is_elsewhere()
        })
    }

    /// `not_found` with the nearest name when there is no database called `name`, in whatever state.
    pub(crate) fn expect_there(&self, name: &str) -> Result<()> {
        let name = Name::parse(name)?;
        if self.names().binary_search(&name).is_ok() {
            return Ok(());
        }
        match &self.bucket {
            Some(bucket) if bucket.head(&name)?.is_some() => Ok(()),
            _ => Err(self.unknown(&name)),
        }
    }

    /// What there is to know of the database called `name`, which is left asleep if it is.
    pub fn describe(&self, name: &str) -> Result<Described> {
        self.describe_by(&Name::parse(name)?, Heads::Unknown)
    }

    /// The same; `heads` is what is known of what the bucket says.
    fn describe_by(&self, name: &Name, heads: Heads<'_>) -> Result<Described> {
        let described = self.rests_here(self.describe_here(name, heads)?);
        Ok(Described { replicas: self.replicas_of(name.as_str()), ..described })
    }

    fn describe_here(&self, name: &Name, heads: Heads<'_>) -> Result<Described> {
        if let Some(cluster) = &self.cluster {
            return self.describe_clustered(cluster, name);
        }
        let entry = self.entries.get(name);
        let at_rest = match &entry {
            None => Some(None),
            Some(Entry::Resting(serving)) => Some(Some(*serving)),
            _ => None,
        };
        if let Some(serving) = at_rest {
            let stored = self.describe_stored(name, serving, heads);
            if let Some(stored) = stored.map_err(|error| within(name, error))? {
                return Ok(stored);
            }
        }
        match entry {
            Some(Entry::Resting(serving)) => {
                if let Some(resting) = self.home.resting(name)? {
                    return Ok(Described::resting(name, resting, serving, &self.serverless));
                }
                self.look(name, &mut self.entries.change(name))
            }
            Some(Entry::Open(served)) => Ok(Described::served(name, &served, &self.serverless)),
            Some(Entry::Lent(database)) => Ok(Described::awake(name, &database, None)),
            Some(Entry::Broken(error)) if Self::may_pass(&error) => {
                self.reopen(name)?;
                self.look(name, &mut self.entries.change(name))
            }
            other => Err(self.refusal(name, other)),
        }
    }

    /// The same of one that is reserved. One that rests without a note of what it holds, as the
    /// process that had it was killed, is opened for that, this once.
    fn look(&self, name: &Name, change: &mut Change<'_>) -> Result<Described> {
        match change.entry.clone() {
            Some(Entry::Resting(serving)) => {
                let resting = match self.home.resting(name)? {
                    None => {
                        self.home.open(name).and_then(|database| database.rest())?;
                        self.home.resting(name)?
                    }
                    resting => resting,
                };
                let resting = resting.ok_or_else(|| {
                    Error::unavailable("what it holds cannot be noted; free some space")
                });
                let resting = resting.map_err(|error| within(name, error))?;
                Ok(Described::resting(name, resting, serving, &self.serverless))
            }
            Some(Entry::Open(served)) => Ok(Described::served(name, &served, &self.serverless)),
            Some(Entry::Lent(database)) => Ok(Described::awake(name, &database, None)),
            other => Err(self.refusal(name, other)),
        }
    }

    /// Describes the database called `name`; `conflict` when it is of another schema or, if `shards`
    /// is given, of another number of shards, or is served otherwise than `serving` says.
    pub fn find(
        &self,
        name: &str,
        schema: &Schema,
        shards: Option<usize>,
        serving: Serving,
    ) -> Result<Described> {
        let described = self.describe(name)?;
        self.expect_same(&described, schema, shards, serving)?;
        Ok(described)
    }

    /// Creates a database, or finds one of the same schema; `conflict` when there is one of
    /// another schema or, if `shards` is given, of another number of shards.
    pub fn create(&self, name: &str, schema: &Schema, shards: Option<usize>) -> Result<Database> {
        self.create_served(name, schema, shards, Serving::default())?;
        self.get(name)
    }

    /// The same, to be served as `serving` says; `conflict` as well when the one that is there is
    /// served otherwise. One that is asleep is left asleep.
    pub fn create_served(
        &self,
        name: &str,
        schema: &Schema,
        shards: Option<usize>,
        serving: Serving,
    ) -> Result<Described> {
        self.create_with(name, schema, shards, None, serving)
    }

    /// The same with so many replicas, each on another node of the cluster; as many as make sense
    /// when that is not said. `unsupported` for more than one where there is no cluster, and for a
    /// serverless one where there is.
    pub fn create_with(
        &self,
        name: &str,
        schema: &Schema,
        shards: Option<usize>,
        replicas: Option<usize>,
        serving: Serving,
    ) -> Result<Described> {
        if let Some(cluster) = &self.cluster {
            clustered::expect_awake(serving)?;
            let is_new = cluster.replicas_of(name).is_none();
            let shards = shards.or_else(|| is_new.then_some(self.shards));
            cluster.create(&Name::parse(name)?, schema, shards, replicas)?;
            return self.describe(name);
        }
        clustered::expect_alone(replicas)?;
        let name = Name::parse(name)?;
        let mut change = self.entries.change(&name);
        if let Some(Entry::Broken(error)) = &change.entry
            && error.kind() == ErrorKind::Busy
        {
            change.entry = Some(self.found(&name));
        }
        let stored = match change.entry {
            None => self.stored_already(&name).map_err(|error| within(&name, error))?,
            Some(_) => None,
        };
        if let Some(described) = stored {
            drop(change);
            described.expect_same(schema, shards).map_err(|error| within(&name, error))?;
            return Ok(described);
        }
        if change.entry.is_some() {
            let described = self.look(&name, &mut change)?;
            drop(change);
            self.expect_same(&described, schema, shards, serving)?;
            return Ok(described);
        }
        let place = match serving.is_serverless(&self.serverless) {
            true => Some(self.make_room()?),
            false => None,
        };
        if serving != Serving::default() {
            self.home.allow_serving()?;
        }
        let held = self.lease_new(&name, serving).map_err(|error| within(&name, error))?;
        let shards = Some(shards.unwrap_or(self.shards));
        let database = self.home.create(&name, schema, shards)?;
        if serving != Serving::default() {
            self.home.keep_serving(&name, serving)?;
        }
        tracing::info!(db = %name, shards = database.shards(), "created");
        change.entry = Some(self.entry_of_new(&name, database, serving, held)?);
        let described = self.look(&name, &mut change);
        drop((change, place));
        described
    }

    fn expect_same(
        &self,
        described: &Described,
        schema: &Schema,
        shards: Option<usize>,
        serving: Serving,
    ) -> Result<()> {
        let name = &described.name;
        described.expect_same(schema, shards).map_err(|error| within(name, error))?;
        let there = match self.entries.get(name) {
            Some(Entry::Open(served)) => served.serving,
            Some(Entry::Resting(serving)) => serving,
            _ => Serving::default(),
        };
        if there.agrees_with(serving) {
            return Ok(());
        }
        Err(within(
            name,
            Error::conflict(
                "it is served otherwise than the request says; db.configure changes that",
            ),
        ))
    }

    /// The database called `name` as it is now, to be read as an archive piece by piece.
    pub fn snapshot(&self, name: &str) -> Result<Snapshot> {
        self.get(name)?.snapshot()
    }

    /// Begins to create a database out of an archive that comes piece by piece; `conflict` when
    /// there is one of this name.
    pub fn begin_restore(&self, name: &str) -> Result<Restore> {
        self.expect_no_cluster("restore a database; import its documents into one with replicas")?;
        let name = Name::parse(name)?;
        if self.stored_already(&name)?.is_some() {
            return Err(Error::conflict(format!(
                "there is a database {name} in the bucket; restore under another name"
            )));
        }
        Restore::begin(&self.entries, &self.serverless, &name, || self.home.restore(&name))
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
        for entry in self.entries.now().into_values() {
            if let Entry::Open(served) = entry {
                served.database.stop_resharding();
            }
        }
    }

    /// Every name in order, with what there is to know of its database or why it cannot be used.
    /// Those asleep are left asleep.
    pub fn list(&self) -> Vec<(Name, Result<Described>)> {
        let heads = self.heads();
        let described = |name: Name| {
            let described =
                self.describe_by(&name, heads.as_ref().map_or(Heads::Silent, Heads::Known));
            (name, described)
        };
        let is_there = |(_, described): &(Name, Result<Described>)| {
            let gone = described.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound);
            !gone
        };
        let mut names = self.names();
        names.extend(heads.iter().flat_map(BTreeMap::keys).cloned());
        names.sort();
        names.dedup();
        names.into_iter().map(described).filter(is_there).collect()
    }

    /// Every name in order and what stands behind it, without waiting for anyone.
    pub(crate) fn overview(&self) -> Vec<(Name, Seen)> {
        let seen = |(name, entry)| match entry {
            Entry::Changing | Entry::Restoring => (name, Seen::Changing),
            Entry::Open(served) => (name, Seen::Open(served.database)),
            Entry::Lent(database) => (name, Seen::Open(database)),
            Entry::Resting(serving) if serving.paused => (name, Seen::Paused),
            Entry::Resting(_) => (name, Seen::Asleep),
            Entry::Broken(_) => (name, Seen::Broken),
        };
        self.entries.now().into_iter().map(seen).collect()
    }

    /// Closes the database `name` and deletes it, for good when this returns. A damaged one can be
    /// dropped; one that another process holds cannot.
    pub fn drop_database(&self, name: &str) -> Result<()> {
        if let Some(cluster) = &self.cluster {
            let name = Name::parse(name)?;
            self.transfers.forget(&name);
            return cluster.drop_database(&name);
        }
        self.home.allow_drop()?;
        let name = Name::parse(name)?;
        let mut change = self.entries.change(&name);
        let stored = self.lease_to_drop(&name, &change)?;
        match &change.entry {
            Some(Entry::Open(served)) => {
                self.transfers.forget(&name);
                close(&name, &served.database);
            }
            Some(Entry::Resting(_)) => {}
            None if stored.is_some() => {}
            Some(Entry::Broken(error)) if error.kind() != ErrorKind::Busy => {}
            Some(Entry::Lent(_)) => return Err(Home::cannot("drop")),
            other => return Err(self.refusal(&name, other.clone())),
        }
        if let Some(held) = stored {
            self.drop_stored(&name, &held, &mut change)?;
        } else {
            self.home.remove(&name).inspect_err(|error| {
                change.entry = Some(Entry::Broken(error.clone()));
            })?;
        }
        change.entry = None;
        tracing::info!(db = %name, "dropped");
        Ok(())
    }

    /// Closes every database of this catalog: what they accepted is durable when this returns.
    pub fn close(&self) {
        self.transfers.end();
        if let Some(cluster) = &self.cluster {
            cluster.stop_blocking();
        }
        for name in self.entries.names() {
            match self.entries.get(&name) {
                Some(Entry::Open(served)) if served.held.is_some() => {
                    drop(served);
                    self.put_away(&name);
                }
                // What it holds is told without opening it, then.
                Some(Entry::Open(served)) if served.is_serverless => {
                    if let Err(error) = served.database.rest() {
                        tracing::error!(db = %name, %error, "a database could not be stored");
                        close(&name, &served.database);
                    }
                }
                Some(Entry::Open(served)) => close(&name, &served.database),
                _ => {}
            }
        }
        self.upload_all();
    }

    /// The keys that clients of this catalog show, followed from now on. Blocks.
    pub(crate) fn keyring(&self) -> Result<Keyring> {
        self.keys.clone().map_or_else(|| Ok(Keyring::none()), Keyring::open)
    }

    fn empty(home: Home, shards: usize) -> Self {
        let (entries, transfers) = (Arc::default(), Transfers::default());
        let serverless = Serverless::default();
        let uploads = Uploads::default();
        Self {
            home,
            shards,
            serverless,
            entries,
            transfers,
            keys: None,
            cluster: None,
            bucket: None,
            uploads,
        }
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
        catalog.entries.change(&name).entry = Some(catalog.entry_of(database, Serving::default()));
        Ok(catalog)
    }

    /// Opens the database `name` from where it lives and remembers how that went.
    fn reopen(&self, name: &Name) -> Result<Database> {
        let mut change = self.entries.change(name);
        if let Some(Entry::Broken(_)) = &change.entry {
            change.entry = Some(self.found(name));
        }
        match change.entry.clone() {
            Some(Entry::Resting(serving)) if !serving.paused => {
                drop(change);
                self.wake(name)
            }
            entry => self.opened(name, entry),
        }
    }

    fn opened(&self, name: &Name, entry: Option<Entry>) -> Result<Database> {
        match entry {
            Some(Entry::Open(served)) => {
                let held = served.held.as_ref().map_or(Ok(()), |held| held.check());
                held.map_err(|error| within(name, error))?;
                Ok(served.database)
            }
            Some(Entry::Lent(database)) => Ok(database),
            other => Err(self.refusal(name, other)),
        }
    }

    /// Why a database that is not in memory cannot be had.
    fn refusal(&self, name: &Name, entry: Option<Entry>) -> Error {
        let error = match entry {
            Some(Entry::Broken(error)) => error,
            Some(Entry::Restoring) => {
                Error::unavailable("it is being restored from an archive; try later")
            }
            Some(Entry::Resting(serving)) if serving.paused => Error::conflict(
                "it is paused and answers nothing; db.resume, or `vectordoc resume`, ends that",
            ),
            Some(Entry::Resting(_) | Entry::Open(_) | Entry::Lent(_)) => {
                Error::busy("it is just being opened; try again")
            }
            Some(Entry::Changing) | None => return self.unknown(name),
        };
        within(name, error)
    }

    fn unknown(&self, name: &Name) -> Error {
        let names = self.names();
        let known = names.iter().filter(|known| *known != name).map(Name::as_str);
        let error = vectordoc::schema::unknown_name("database", name.as_str(), known);
        Error::not_found(error.message())
    }
}

/// A database as seen at one moment.
pub(crate) enum Seen {
    /// In memory.
    Open(Database),
    /// Opened by the next request.
    Asleep,
    /// Not served until it is resumed.
    Paused,
    /// Created, opened, restored or dropped at this moment.
    Changing,
    /// It answers an error.
    Broken,
}

fn close(name: &Name, database: &Database) {
    if let Err(error) = database.close() {
        tracing::error!(db = %name, %error, "a database did not close cleanly");
    }
}

fn within(name: &Name, error: Error) -> Error {
    error.within(format!("database {name}"))
}
