//! Where the databases of a catalog live, which says what can be created and dropped.

use super::{DataDirectory, Name, Serving};
use std::path::PathBuf;
use vectordoc::{
    Database, Error, Result, Schema,
    native::{DatabaseOptions, Import, Resting},
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

    /// Where the files of the database `name` are, or would be, where they are files.
    pub(super) fn place(&self, name: &Name) -> Option<PathBuf> {
        match self {
            Self::Directory { directory, .. } => Some(directory.place(name)),
            Self::Memory | Self::Fixed => None,
        }
    }

    /// An empty directory for files that are to be those of the database `name`.
    pub(super) fn begin_fetch(&self, name: &Name) -> Result<PathBuf> {
        match self {
            Self::Directory { directory, .. } => directory.begin_fetch(name),
            Self::Memory | Self::Fixed => Err(Self::cannot("fetch")),
        }
    }

    /// Puts them in the place of those that are there, which are kept aside if `is_kept`.
    pub(super) fn finish_fetch(&self, name: &Name, is_kept: bool) -> Result<()> {
        match self {
            Self::Directory { directory, .. } => directory.finish_fetch(name, is_kept),
            Self::Memory | Self::Fixed => Err(Self::cannot("fetch")),
        }
    }

    /// Removes the files of the database `name`, which is elsewhere or nowhere, or keeps them aside.
    pub(super) fn discard(&self, name: &Name, is_kept: bool) -> Result<()> {
        match self {
            Self::Directory { directory, .. } => directory.discard(name, is_kept),
            Self::Memory | Self::Fixed => Ok(()),
        }
    }

    /// How the database `name` is to be served.
    pub(super) fn serving(&self, name: &Name) -> Result<Serving> {
        match self {
            Self::Directory { directory, .. } => Serving::read(&directory.place(name)),
            Self::Memory | Self::Fixed => Ok(Serving::default()),
        }
    }

    /// Keeps how the database `name` is to be served.
    pub(super) fn keep_serving(&self, name: &Name, serving: Serving) -> Result<()> {
        self.allow_serving()?;
        match self {
            Self::Directory { directory, .. } => serving.write(&directory.place(name)),
            Self::Memory | Self::Fixed => Ok(()),
        }
    }

    /// Refuses to serve databases otherwise than others where nothing can be kept of that.
    pub(super) fn allow_serving(&self) -> Result<()> {
        match self {
            Self::Directory { .. } => Ok(()),
            Self::Memory => Err(Error::unsupported(
                "the databases of this server are in memory and have no other place to be; a \
                 database that sleeps or is paused needs a server with a data directory",
            )),
            Self::Fixed => Err(fixed("pause or configure")),
        }
    }

    /// What the database `name` holds, as it was noted when it was put to rest.
    pub(super) fn resting(&self, name: &Name) -> Result<Option<Resting>> {
        match self {
            Self::Directory { directory, .. } => Database::resting(directory.place(name)),
            Self::Memory | Self::Fixed => Ok(None),
        }
    }

    /// What is said of databases of the program around the server.
    pub(super) fn cannot(verb: &str) -> Error {
        fixed(verb)
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
