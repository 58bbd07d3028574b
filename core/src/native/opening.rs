//! Opening the shards of a database, or creating them.

use super::{
    Database, DatabaseOptions, Residence, budget,
    database::Opening,
    directory::{self, Directory},
    disk::{Disk, SystemDisk},
    feed::Announcer,
    shard::{Shard, Shared},
};
use crate::{Error, Result, Schema, limits};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

impl Database {
    /// Opens the database in directory `path`, or creates it. One that exists must have `schema`, and
    /// if the options name a number of shards, have as many.
    pub fn create(
        path: impl AsRef<Path>,
        schema: &Schema,
        options: &DatabaseOptions,
    ) -> Result<Self> {
        Self::open_or_create(path.as_ref(), Some(schema), options)
    }

    /// Opens the database in directory `path`.
    pub fn open(path: impl AsRef<Path>, options: &DatabaseOptions) -> Result<Self> {
        let path = path.as_ref();
        let disk = options.disk();
        if matches!(directory::shards(&*disk, path), Ok(None)) {
            return Err(Error::not_found(format!("there is no database in {}", path.display())));
        }
        Self::open_or_create(path, None, options)
    }

    /// An empty database that is gone when it is closed.
    pub fn in_memory(schema: &Schema, options: &DatabaseOptions) -> Result<Self> {
        let shards = options.shards.unwrap_or(1);
        check_shards(shards)?;
        if options.residence == Residence::Disk || options.disk.is_some() {
            return Err(Error::invalid(
                "a database in memory has no disk to keep documents on; create it in a directory",
            ));
        }
        budget::check_options(options, None)?;
        let history_bytes = options.history_bytes.unwrap_or(limits::HISTORY_MEMORY_BYTES_DEFAULT);
        let announcer = Arc::default();
        let shared = shared(options, shards, history_bytes, &announcer);
        let shard = |_| Shard::in_memory(schema, &shared);
        let shards = (0..shards).map(shard).collect::<Result<_>>()?;
        let opening = Opening { options: options.clone(), announcer, history_bytes };
        Ok(Self::of(schema.clone(), shards, None, Vec::new(), opening))
    }

    /// Whether there is a database in directory `path` of the operating system.
    pub fn is_database(path: impl AsRef<Path>) -> bool {
        Self::is_database_on(&SystemDisk, path)
    }

    /// Whether there is a database in directory `path` of a disk.
    pub fn is_database_on(disk: &dyn Disk, path: impl AsRef<Path>) -> bool {
        !matches!(directory::shards(disk, path.as_ref()), Ok(None))
    }

    fn open_or_create(
        path: &Path,
        schema: Option<&Schema>,
        options: &DatabaseOptions,
    ) -> Result<Self> {
        check_shards(options.shards.unwrap_or(1))?;
        if let Some(schema) = schema {
            options.indexes.check(schema)?;
        }
        let directory = Directory::take(&options.disk(), path)?;
        directory.end_resharding()?;
        directory.forget_resting()?;
        budget::check_options(options, Some(path))?;
        let stored = directory.shards()?;
        let shards = stored.or(options.shards).unwrap_or(1);
        if options.shards.is_some_and(|wanted| wanted != shards) {
            return Err(Error::conflict(format!(
                "{} has {shards} shards, not {}; open it without saying how many, and reshard it \
                 for another number",
                path.display(),
                options.shards.unwrap_or(1)
            )));
        }
        let files = directory.shard_files(shards);
        let history_bytes = options.history_bytes.unwrap_or(limits::HISTORY_BYTES_DEFAULT);
        let announcer = Arc::default();
        let shared = shared(options, shards, history_bytes, &announcer);
        let (shards, schema_changes) = open_shards(&directory, &files, schema, &shared)?;
        directory.sync()?;
        let stored = shards[0].engine().schema().clone();
        if shards.iter().any(|shard| *shard.engine().schema() != stored) {
            return Err(Error::conflict(format!(
                "the shards in {} have two schemas, as opening with a changed one was interrupted; \
                 open it once more with the changed one",
                path.display()
            )));
        }
        if let Some(schema) = schema.filter(|_| !options.evolve) {
            stored
                .expect_same(schema)
                .map_err(|error| error.within(format!("{}", path.display())))?;
        }
        let opening = Opening { options: options.clone(), announcer, history_bytes };
        Ok(Self::of(stored, shards, Some(directory), schema_changes, opening))
    }
}

/// Empty shards that are to take the place of those `database` has. What is in their files is
/// removed.
pub(super) fn open_empty(database: &Database, shards: usize) -> Result<Vec<Shard>> {
    let inner = &database.inner;
    // It is the schema of the database by now.
    let options = DatabaseOptions { evolve: false, ..inner.options.clone() };
    let shared = shared(&options, shards, inner.history_bytes, &inner.announcer);
    let Some(directory) = &inner.directory else {
        return (0..shards).map(|_| Shard::in_memory(&inner.schema, &shared)).collect();
    };
    let files = directory.shard_files(shards);
    let opened = files.iter().map(|file| Shard::open(file, Some(&inner.schema), &shared));
    let opened = opened.map(|opened| opened.map(|(shard, _)| shard)).collect::<Result<_>>()?;
    directory.sync()?;
    Ok(opened)
}

/// What so many shards have in common.
fn shared<'a>(
    options: &'a DatabaseOptions,
    shards: usize,
    history_bytes: u64,
    announcer: &'a Arc<Announcer>,
) -> Shared<'a> {
    let history_bytes = history_bytes.div_ceil(shards as u64);
    let threads = options.threads_per_shard(shards);
    Shared { options, shards, threads, history_bytes, announcer }
}

pub(super) fn check_shards(shards: usize) -> Result<()> {
    if shards == 0 {
        return Err(Error::invalid("a database has at least 1 shard"));
    }
    limits::at_most(shards, limits::SHARDS_MAX, "number of shards")
}

/// Opens the shards there are, then creates those there are not. When any of the former was ever
/// written to, the latter were lost, and nothing is created in their place. Says what changed of the
/// stored schema.
fn open_shards(
    directory: &Directory,
    files: &[PathBuf],
    schema: Option<&Schema>,
    shared: &Shared<'_>,
) -> Result<(Vec<Shard>, Vec<String>)> {
    let mut said = Vec::new();
    let mut open = |file: &PathBuf| -> Result<Shard> {
        let (shard, changes) = Shard::open(file, schema, shared)?;
        if said.is_empty() {
            said = changes;
        }
        Ok(shard)
    };
    let is_there = directory.existing(files)?;
    let (there, missing): (Vec<_>, Vec<_>) =
        files.iter().enumerate().partition(|(number, _)| is_there[*number]);
    let mut shards = Vec::with_capacity(files.len());
    for (number, file) in there {
        shards.push((number, open(file)?));
    }
    let was_written = shards.iter().any(|(_, shard)| shard.engine().record_number() > 0);
    for (number, file) in missing {
        if was_written {
            return Err(Error::corrupt(format!(
                "{} is missing; put it back from a backup, the other shards are untouched",
                file.display()
            )));
        }
        shards.push((number, open(file)?));
    }
    shards.sort_unstable_by_key(|(number, _)| *number);
    Ok((shards.into_iter().map(|(_, shard)| shard).collect(), said))
}
