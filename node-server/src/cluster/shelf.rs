//! Where the databases of a node are: on the disk, and in the table that requests look them up in.

use super::shard_name::ShardName;
use crate::{
    Name,
    catalog::{Entries, Entry, Served},
    fault,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use vectordoc::{
    Database, Error, Result, Schema,
    native::{DatabaseOptions, Disk, Import, SystemDisk},
};

/// The directory, beside the databases, of what a cluster knows.
const DIRECTORY: &str = ".cluster";

/// The databases of a node of a cluster.
pub(crate) struct Shelf {
    data: PathBuf,
    options: DatabaseOptions,
    entries: Arc<Entries>,
}

impl Shelf {
    /// The databases in the data directory `data`, opened as `options` say.
    pub(crate) fn new(data: &Path, options: DatabaseOptions, entries: Arc<Entries>) -> Self {
        let options = DatabaseOptions { shards: Some(1), ..options };
        Self { data: data.into(), options, entries }
    }

    /// The directory of what the cluster knows, created when missing.
    pub(super) fn directory(&self) -> Result<PathBuf> {
        let directory = self.data.join(DIRECTORY);
        let created = fs::create_dir_all(&directory);
        created.map_err(|error| fault::os("cannot create", directory.display(), &error))?;
        Ok(directory)
    }

    /// Makes the names of what the cluster knows survive a power cut.
    pub(super) fn keep_names(&self) -> Result<()> {
        self.sync(&self.data.join(DIRECTORY))?;
        self.sync(&self.data)
    }

    /// Refuses databases that were there before the node was of a cluster.
    pub(super) fn expect_empty(&self) -> Result<()> {
        let found = self.resting()?;
        let found: Vec<String> = found.iter().map(ShardName::place).collect();
        if found.is_empty() { Ok(()) } else { Err(strangers(&found)) }
    }

    /// All that looks like a shard of a database. Blocks.
    pub(super) fn resting(&self) -> Result<Vec<ShardName>> {
        let names = match self.disk().names(&self.data) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            names => {
                names.map_err(|error| fault::os("cannot list", self.data.display(), &error))?
            }
        };
        let shard = |name: String| {
            let is_database = self.is_database(&self.data.join(&name));
            ShardName::of_place(&name).filter(|_| is_database)
        };
        Ok(names.into_iter().filter_map(shard).collect())
    }

    /// Opens the database `name` that this node has, or creates it. Blocks.
    pub(super) fn open(&self, name: &ShardName, schema: &Schema) -> Result<Database> {
        let (place, arrived) = (self.data.join(name.place()), self.arrived(name));
        // One that was to take the place of another: the other was gone already, or still counts.
        if self.is_database(&place) {
            self.remove_directory(&arrived)?;
        } else if self.is_database(&arrived) {
            self.put(&arrived, &place)?;
        }
        Database::create(&place, schema, &self.options)
    }

    /// The database `name`, if this node has one, whatever it is of. Blocks.
    pub(super) fn stored(&self, name: &ShardName) -> Result<Option<Database>> {
        let place = self.data.join(name.place());
        let options = DatabaseOptions { shards: None, ..self.options.clone() };
        let is_there = self.is_database(&place);
        is_there.then(|| Database::open(&place, &options)).transpose()
    }

    /// Begins to take in the database `name` of another node.
    pub(super) fn arriving(&self, name: &ShardName) -> Result<Import> {
        let arrived = self.arrived(name);
        self.remove_directory(&arrived)?;
        Import::into(&arrived, &DatabaseOptions { shards: None, ..self.options.clone() })
    }

    /// Puts the database that arrived into the place of the closed one that was there. Blocks.
    pub(super) fn replace(&self, name: &ShardName, schema: &Schema) -> Result<Database> {
        let place = self.data.join(name.place());
        self.remove_directory(&place)?;
        self.put(&self.arrived(name), &place)?;
        Database::create(&place, schema, &self.options)
    }

    /// Removes the closed database `name`. Blocks.
    pub(super) fn remove(&self, name: &ShardName) -> Result<()> {
        self.remove_directory(&self.arrived(name))?;
        self.remove_directory(&self.data.join(name.place()))?;
        self.sync(&self.data)
    }

    /// Lets requests find the database here.
    pub(super) fn show(&self, name: &Name, database: Database) {
        self.entries.change(name).entry = Some(Entry::Open(Served::replicated(database)));
    }

    /// Lets requests find it here no more.
    pub(super) fn hide(&self, name: &Name) {
        self.entries.change(name).entry = None;
    }

    /// The database of this name, if requests find it here.
    pub(super) fn shown(&self, name: &Name) -> Option<Database> {
        self.entries.take_now(name)
    }

    fn arrived(&self, name: &ShardName) -> PathBuf {
        self.data.join(DIRECTORY).join(name.place())
    }

    fn put(&self, from: &Path, to: &Path) -> Result<()> {
        self.remove_directory(to)?;
        let renamed = self.disk().rename(from, to);
        renamed.map_err(|error| fault::os("cannot move", from.display(), &error))?;
        self.sync(&self.data)
    }

    /// Removes a directory, if it is there.
    fn remove_directory(&self, path: &Path) -> Result<()> {
        match self.disk().remove_directory(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(fault::os("cannot remove", path.display(), &error))
            }
            _ => Ok(()),
        }
    }

    fn sync(&self, path: &Path) -> Result<()> {
        let synced = self.disk().sync(path);
        synced.map_err(|error| fault::os("cannot sync", path.display(), &error))
    }

    fn is_database(&self, path: &Path) -> bool {
        Database::is_database_on(self.disk(), path)
    }

    fn disk(&self) -> &dyn Disk {
        self.options.disk.as_deref().unwrap_or(&SystemDisk)
    }
}

/// Refuses databases that no cluster knows.
pub(super) fn strangers(found: &[String]) -> Error {
    Error::conflict(format!(
        "the data directory has databases that are of no cluster: {}; start with another data \
         directory, and import or restore them there, or start without a cluster key",
        found.join(", ")
    ))
}
