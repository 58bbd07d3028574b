//! A whole database into one file and out of it again: see [`crate::archive`] for what it holds.

use super::{
    Database, DatabaseOptions,
    directory::{self, Directory, failed},
    store::{Changes, Store},
};
use crate::{
    Error, Result,
    archive::{ArchivePart, ArchiveReader, ArchiveWriter},
    key::Key,
};
use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// Bytes written to an archive, or read from one, at a time.
const PIECE_BYTES: usize = 1024 * 1024;
/// Bytes of entries written to a store by one transaction.
const TRANSACTION_BYTES: usize = 8 * 1024 * 1024;

impl Database {
    /// Writes everything acknowledged when this is called into an archive. Nothing waits for it:
    /// what is written or built meanwhile is not in the archive. `progress` hears now and then how
    /// many entries are written, and of how many.
    pub fn export(&self, mut out: impl Write, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        self.check_open()?;
        let entries = self.inner.shards.iter().map(|shard| shard.entries());
        let entries = entries.collect::<Result<Vec<_>>>()?;
        let counts = entries.iter().map(|entries| entries.len()).collect::<Result<Vec<_>>>()?;
        let (mut done, total) = (0, counts.iter().sum());
        let mut bytes = Vec::with_capacity(PIECE_BYTES);
        let mut writer = ArchiveWriter::new(&counts, &mut bytes)?;
        for entries in &entries {
            entries.each(|key, value| {
                writer.entry(key, value, &mut bytes)?;
                done += 1;
                if bytes.len() >= PIECE_BYTES {
                    write_out(&mut bytes, &mut out)?;
                    progress(done, total);
                }
                Ok(())
            })?;
        }
        writer.finish(&mut bytes)?;
        write_out(&mut bytes, &mut out)?;
        progress(done, total);
        out.flush().map_err(|error| failed("the archive", &error))
    }

    /// Creates directory `path` with the database that an archive holds, and opens it. `conflict`
    /// when there is anything at `path`; and nothing is left there unless the archive is whole and
    /// its database opens. `progress` hears as [`export`](Self::export) lets it.
    pub fn import(
        path: impl AsRef<Path>,
        archive: impl Read,
        options: &DatabaseOptions,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self> {
        let mut importing = Importing::into(path.as_ref())?;
        importing.read(archive, options, progress)?;
        // The stores are let go of before the database is opened to see that it can be.
        importing.directory = None;
        Self::open(&importing.temporary, options)?.close()?;
        importing.name()?;
        Self::open(path, options)
    }
}

fn write_out(bytes: &mut Vec<u8>, out: &mut impl Write) -> Result<()> {
    out.write_all(bytes).map_err(|error| failed("the archive", &error))?;
    bytes.clear();
    Ok(())
}

/// A database under a temporary name beside the one it will have. Dropped before it got that, it is
/// removed.
struct Importing {
    path: PathBuf,
    temporary: PathBuf,
    /// While something is written.
    directory: Option<Directory>,
    /// Whether the temporary directory is there, and of this import.
    is_created: bool,
}

impl Importing {
    fn into(path: &Path) -> Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(Error::conflict(format!(
                "{} is there already; import into a directory that is not, or remove it first",
                path.display()
            )));
        }
        let name = path
            .file_name()
            .ok_or_else(|| Error::invalid(format!("{} cannot name a database", path.display())))?;
        let mut hidden = std::ffi::OsString::from(".importing-");
        hidden.push(name);
        Ok(Self {
            path: path.into(),
            temporary: path.with_file_name(hidden),
            directory: None,
            is_created: false,
        })
    }

    fn read(
        &mut self,
        mut archive: impl Read,
        options: &DatabaseOptions,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<()> {
        let mut reader = ArchiveReader::default();
        let mut piece = vec![0; PIECE_BYTES];
        let mut shards = None;
        loop {
            let read = match archive.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(|error| failed("the archive", &error))?,
            };
            reader.push(&piece[..read]);
            while let Some(part) = reader.part()? {
                match (part, &mut shards) {
                    (ArchivePart::Header(entries), _) => {
                        shards = Some(self.create(&entries, options)?);
                    }
                    (ArchivePart::Entry { shard, key, value }, Some(shards)) => {
                        shards.put(shard, key, value)?;
                    }
                    (ArchivePart::End, Some(shards)) => shards.flush()?,
                    (_, None) => return Err(Error::internal("an archive without a header")),
                }
            }
            shards.iter().for_each(|shards| progress(shards.done, shards.total));
            if read == 0 {
                return reader.finish();
            }
        }
    }

    /// The stores of a database of so many entries by shard, all empty.
    fn create(&mut self, entries: &[u64], options: &DatabaseOptions) -> Result<Shards> {
        let shards = entries.len();
        if let Some(wanted) = options.shards.filter(|wanted| *wanted != shards) {
            return Err(Error::conflict(format!(
                "the archive has {shards} shards, not {wanted}; a database keeps the number it was \
                 created with"
            )));
        }
        // What an import that was killed left behind is of no use.
        let directory = self.directory.insert(Directory::take(&self.temporary)?);
        self.is_created = true;
        directory.remove_shards()?;
        let stores = directory.shard_files(shards).into_iter().map(|file| Store::open(&file));
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
        let renamed = fs::rename(&self.temporary, &self.path);
        renamed.map_err(|error| failed(self.path.display(), &error))?;
        self.is_created = false;
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => directory::sync(parent),
            _ => directory::sync(Path::new(".")),
        }
    }
}

impl Drop for Importing {
    fn drop(&mut self) {
        self.directory = None;
        if self.is_created {
            // What cannot be removed now, the next import overwrites.
            let _ = fs::remove_dir_all(&self.temporary);
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
