//! Where the databases of a catalog live, which says what can be created and dropped.

use super::{DataDirectory, Name};
use vectordoc::{
    Database, Error, Result, Schema,
    native::{DatabaseOptions, Import},
};

/// Where new databases go.
pub(super) enum Home {
    /// Into sub-directories of a data directory.
    Directory { directory: DataDirectory, options: DatabaseOptions },
    /// Into memory; they end with the server.
    Memory,
    /// Nowhere: the databases are those the program named.
    Fixed,
}

impl Home {
    /// Creates the database `name`.
    pub(super) fn create(
        &self,
        name: &Name,
        schema: &Schema,
        shards: Option<usize>,
    ) -> Result<Database> {
        match self {
            Self::Directory { directory, options } => {
                let options = DatabaseOptions { shards, ..options.clone() };
                Database::create(directory.place(name), schema, &options)
            }
            Self::Memory => {
                let options = DatabaseOptions { shards, ..DatabaseOptions::default() };
                Database::in_memory(schema, &options)
            }
            Self::Fixed => Err(fixed("create")),
        }
    }

    /// Begins to create the database `name` out of an archive.
    pub(super) fn restore(&self, name: &Name) -> Result<Import> {
        match self {
            Self::Directory { directory, options } => Import::into(directory.place(name), options),
            Self::Memory => Err(Error::unsupported(
                "the databases of this server are in memory; an archive needs one with a data \
                 directory",
            )),
            Self::Fixed => Err(fixed("restore")),
        }
    }

    /// Opens the database `name` that is there already.
    pub(super) fn open(&self, name: &Name) -> Result<Database> {
        match self {
            Self::Directory { directory, options } => {
                Database::open(directory.place(name), options)
            }
            Self::Memory | Self::Fixed => Err(Error::not_found(format!("no database {name}"))),
        }
    }

    /// Refuses to drop databases where they are not this server's to drop.
    pub(super) fn allow_drop(&self) -> Result<()> {
        match self {
            Self::Directory { .. } | Self::Memory => Ok(()),
            Self::Fixed => Err(fixed("drop")),
        }
    }

    /// Removes what the closed database `name` has on disk.
    pub(super) fn remove(&self, name: &Name) -> Result<()> {
        match self {
            Self::Directory { directory, .. } => directory.remove(name),
            Self::Memory | Self::Fixed => Ok(()),
        }
    }
}

fn fixed(verb: &str) -> Error {
    Error::unsupported(format!(
        "this server cannot {verb} databases: it serves one that a program or an operator chose; \
         start it on a data directory for that"
    ))
}
