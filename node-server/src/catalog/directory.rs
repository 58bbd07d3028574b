//! A data directory on disk: one sub-directory per database, one process at a time.

use super::Name;
use crate::{disk::sync_directory, fault};
use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};
use vectordoc::{Database, Error, Result, native::Import};

const LOCK_FILE: &str = ".lock";
/// Names that begin with a dot are no database's, so a tombstone cannot be mistaken for one.
const TOMBSTONE_PREFIX: &str = ".dropped-";
/// What is fetched from a bucket and not whole yet.
const FETCH_PREFIX: &str = ".fetching-";
/// What has writes that are nowhere else, and was taken over by another node.
const ASIDE_PREFIX: &str = ".set-aside-";
/// Databases of one name that are kept aside.
const ASIDE_MAX: u32 = 1_000;

/// A data directory held by this process.
pub(super) struct DataDirectory {
    path: PathBuf,
    /// Held locked as long as this lives.
    _lock: File,
}

impl DataDirectory {
    /// Takes the directory, which is created when missing, and removes what drops and interrupted restores left behind;
    /// `busy` when another process has it.
    pub(super) fn take(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).map_err(|error| failed("cannot create", path, &error))?;
        let directory = Self { path: path.into(), _lock: lock(path)? };
        for entry in directory.entries()? {
            // What is left of a drop, or of a restore or a fetch that was interrupted.
            let is_left = [TOMBSTONE_PREFIX, FETCH_PREFIX].iter().any(|&it| entry.starts_with(it));
            if is_left || Import::is_unfinished(&entry) {
                directory.bury(&directory.path.join(entry));
            }
        }
        Ok(directory)
    }

    /// Where the database `name` is, or would be.
    pub(super) fn place(&self, name: &Name) -> PathBuf {
        self.path.join(name.as_str())
    }

    /// The names of the databases that are there, in order. Whatever else lies in the directory is
    /// left alone.
    pub(super) fn databases(&self) -> Result<Vec<Name>> {
        let mut names = Vec::new();
        for entry in self.entries()? {
            if !Database::is_database(self.path.join(&entry)) {
                continue;
            }
            match Name::parse(&entry) {
                Ok(name) => names.push(name),
                Err(error) => tracing::warn!(%error, "a database is not served"),
            }
        }
        names.sort();
        Ok(names)
    }

    /// Removes the closed database `name`: gone for good once its directory has another name, and
    /// that is on disk.
    pub(super) fn remove(&self, name: &Name) -> Result<()> {
        let place = self.place(name);
        let tombstone = self.path.join(format!("{TOMBSTONE_PREFIX}{name}"));
        self.bury(&tombstone);
        fs::rename(&place, &tombstone).map_err(|error| failed("cannot drop", &place, &error))?;
        self.sync()?;
        self.bury(&tombstone);
        Ok(())
    }

    /// An empty directory for what is to become the database `name`.
    pub(super) fn begin_fetch(&self, name: &Name) -> Result<PathBuf> {
        let place = self.path.join(format!("{FETCH_PREFIX}{name}"));
        self.bury(&place);
        fs::create_dir(&place).map_err(|error| failed("cannot create", &place, &error))?;
        Ok(place)
    }

    /// Puts it in the place of the database `name`, which is kept aside if `is_kept`.
    pub(super) fn finish_fetch(&self, name: &Name, is_kept: bool) -> Result<()> {
        let (fetched, place) = (self.path.join(format!("{FETCH_PREFIX}{name}")), self.place(name));
        self.discard(name, is_kept)?;
        fs::rename(&fetched, &place).map_err(|error| failed("cannot move", &fetched, &error))?;
        self.sync()
    }

    /// Removes what the closed database `name` has here, if anything, or keeps it aside.
    pub(super) fn discard(&self, name: &Name, is_kept: bool) -> Result<()> {
        let place = self.place(name);
        match place.try_exists() {
            Ok(true) if !is_kept => self.remove(name),
            Ok(true) => {
                let aside = |number| self.path.join(format!("{ASIDE_PREFIX}{name}-{number}"));
                let free = (1..ASIDE_MAX).map(aside).find(|path| !path.exists());
                let aside = free.unwrap_or_else(|| aside(ASIDE_MAX));
                fs::rename(&place, &aside).map_err(|e| failed("cannot keep aside", &place, &e))?;
                tracing::error!(
                    db = %name, path = %aside.display(),
                    "another node goes on from an older upload; what was written here since is kept aside"
                );
                self.sync()
            }
            Ok(false) => Ok(()),
            Err(error) => Err(failed("cannot look at", &place, &error)),
        }
    }

    fn sync(&self) -> Result<()> {
        sync_directory(&self.path).map_err(|error| failed("cannot sync", &self.path, &error))
    }

    /// Deletes a tombstone; what cannot be deleted now is deleted at the next start.
    fn bury(&self, tombstone: &Path) {
        match fs::remove_dir_all(tombstone) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, path = %tombstone.display(), "what is left of a database remains");
            }
            _ => {}
        }
    }

    /// The names in the directory that are UTF-8; no database has another.
    fn entries(&self) -> Result<Vec<String>> {
        let entries = fs::read_dir(&self.path)
            .and_then(|entries| entries.collect::<io::Result<Vec<_>>>())
            .map_err(|error| failed("cannot list", &self.path, &error))?;
        Ok(entries.into_iter().filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }
}

/// Takes the lock of a data directory and writes into it who has it.
fn lock(directory: &Path) -> Result<File> {
    let path = directory.join(LOCK_FILE);
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| failed("cannot open", &path, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(taken(directory, &mut file)),
        Err(TryLockError::Error(error)) => return Err(failed("cannot lock", &path, &error)),
    }
    let holder = std::process::id().to_string();
    let written = file.set_len(0).and_then(|()| file.write_all(holder.as_bytes()));
    written.map_err(|error| failed("cannot write", &path, &error))?;
    Ok(file)
}

fn taken(directory: &Path, lock: &mut File) -> Error {
    const HOLDER_BYTES_MAX: u64 = 20;
    let mut holder = String::new();
    let read = lock.take(HOLDER_BYTES_MAX).read_to_string(&mut holder);
    let holder = match read {
        Ok(1..) => format!("process {holder}"),
        _ => "another process".into(),
    };
    Error::busy(format!("data directory {} is in use by {holder}", directory.display()))
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    fault::os(what, path.display(), error)
}
