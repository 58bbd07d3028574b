//! A database out of an archive: see [`crate::archive`] for what it holds.

use super::{
    Database, DatabaseOptions,
    directory::{self, Directory, failed},
    store::{Changes, Store},
};
use crate::{
    Error, Result,
    archive::{ArchivePart, ArchiveReader},
    key::Key,
};
use std::{
    fmt,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Bytes that are read from an archive at a time.
const PIECE_BYTES: usize = 1024 * 1024;
/// Bytes of entries written to a store by one transaction.
const TRANSACTION_BYTES: usize = 8 * 1024 * 1024;
/// What the name of a directory begins with that a database is imported into, before it has its own
/// name. What is left of an import that was killed can be removed.
const PREFIX: &str = ".importing-";

impl Database {
    /// Creates directory `path` with the database that an archive holds, and opens it. `conflict`
    /// when there is anything at `path`; and nothing is left there unless the archive is whole and
    /// its database opens. `progress` hears as [`export`](Self::export) lets it.
    pub fn import(
        path: impl AsRef<Path>,
        mut archive: impl Read,
        options: &DatabaseOptions,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self> {
        let mut import = Import::into(path, options)?;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = match archive.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(|error| failed("the archive", &error))?,
            };
            if read == 0 {
                return import.finish();
            }
            import.push(&piece[..read])?;
            let (done, total) = import.progress();
            progress(done, total);
        }
    }
}

/// An archive on its way into a directory, piece by piece. It holds one entry and some pages in
/// memory. Until it is finished the database has a name that begins with `.importing-`; dropped
/// before that, it is removed.
pub struct Import {
    path: PathBuf,
    options: DatabaseOptions,
    temporary: PathBuf,
    reader: ArchiveReader,
    /// Once the header was read.
    shards: Option<Shards>,
    /// While something is written.
    directory: Option<Directory>,
    /// Whether the temporary directory is there, and of this import.
    is_created: bool,
}

impl Import {
    /// Begins an import into directory `path`; `conflict` when there is anything.
    pub fn into(path: impl AsRef<Path>, options: &DatabaseOptions) -> Result<Self> {
        let path = path.as_ref();
        let is_there = match &options.disk {
            Some(disk) => disk.names(path).is_ok(),
            None => path.symlink_metadata().is_ok(),
        };
        if is_there {
            return Err(Error::conflict(format!(
                "{} is there already; import into a directory that is not, or remove it first",
                path.display()
            )));
        }
        let name = path
            .file_name()
            .ok_or_else(|| Error::invalid(format!("{} cannot name a database", path.display())))?;
        let mut hidden = std::ffi::OsString::from(PREFIX);
        hidden.push(name);
        Ok(Self {
            path: path.into(),
            options: options.clone(),
            temporary: path.with_file_name(hidden),
            reader: ArchiveReader::default(),
            shards: None,
            directory: None,
            is_created: false,
        })
    }

    /// Whether a directory of this name is what an import makes before it is finished.
    pub fn is_unfinished(name: &str) -> bool {
        name.starts_with(PREFIX)
    }

    /// Takes the next bytes of the archive, in pieces of any size. After an error there is nothing
    /// to do but to drop the import.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.reader.push(bytes);
        while let Some(part) = self.reader.part()? {
            match (part, &mut self.shards) {
                (ArchivePart::Header(entries), _) => self.shards = Some(self.create(&entries)?),
                (ArchivePart::Entry { shard, key, value }, Some(shards)) => {
                    shards.put(shard, key, value)?;
                }
                (ArchivePart::End, Some(shards)) => shards.flush()?,
                (_, None) => return Err(Error::internal("an archive without a header")),
            }
        }
        Ok(())
    }

    /// How many entries are read, and of how many; of none until that is known.
    pub fn progress(&self) -> (u64, u64) {
        self.shards.as_ref().map_or((0, 0), |shards| (shards.done, shards.total))
    }

    /// Opens the database, if the archive was whole; else nothing of it is left.
    pub fn finish(mut self) -> Result<Database> {
        self.reader.finish()?;
        // The stores are let go of before the database is opened to see that it can be.
        (self.shards, self.directory) = (None, None);
        Database::open(&self.temporary, &self.options)?.close()?;
        self.name()?;
        Database::open(&self.path, &self.options)
    }

    /// The stores of a database of so many entries by shard, all empty.
    fn create(&mut self, entries: &[u64]) -> Result<Shards> {
        let shards = entries.len();
        if let Some(wanted) = self.options.shards.filter(|wanted| *wanted != shards) {
            return Err(Error::conflict(format!(
                "the archive has {shards} shards, not {wanted}; leave the number out, and reshard \
                 the database once it is there"
            )));
        }
        // What an import that was killed left behind is of no use.
        let disk = self.options.disk();
        let directory = self.directory.insert(Directory::take(&disk, &self.temporary)?);
        self.is_created = true;
        directory.remove_shards()?;
        let stores =
            directory.shard_files(shards).into_iter().map(|file| Store::open(&disk, &file, false));
        Ok(Shards {
            stores: stores.collect::<Result<_>>()?,
            current: 0,
            changes: Changes::default(),
            bytes: 0,
            done: 0,
            total: entries.iter().fold(0, |total: u64, count| total.saturating_add(*count)),
        })
    }

    /// Gives the directory its name.
    fn name(&mut self) -> Result<()> {
        let disk = self.options.disk();
        let renamed = disk.rename(&self.temporary, &self.path);
        renamed.map_err(|error| failed(self.path.display(), &error))?;
        self.is_created = false;
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => directory::sync(&*disk, parent),
            _ => directory::sync(&*disk, Path::new(".")),
        }
    }
}

impl fmt::Debug for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Import").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Drop for Import {
    fn drop(&mut self) {
        (self.shards, self.directory) = (None, None);
        if self.is_created {
            // What cannot be removed now, the next import overwrites.
            let _ = self.options.disk().remove_directory(&self.temporary);
        }
    }
}

/// The stores of an import, and what is to be written to one of them next.
struct Shards {
    stores: Vec<Store>,
    current: usize,
    changes: Changes,
    bytes: usize,
    done: u64,
    total: u64,
}

impl Shards {
    fn put(&mut self, shard: usize, key: Key, value: Vec<u8>) -> Result<()> {
        if shard != self.current || self.bytes >= TRANSACTION_BYTES {
            self.flush()?;
            self.current = shard;
        }
        self.bytes += value.len();
        self.changes.puts.push((key, value));
        self.done += 1;
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let changes = std::mem::take(&mut self.changes);
        self.bytes = 0;
        self.stores[self.current].write(&changes)
    }
}
