//! A database on disk: a directory with one file per shard, `shard-0-of-4.redb`, and the lock that
//! keeps a second process out.

use crate::{Error, Result, limits};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
};

const LOCK_FILE: &str = "lock";

/// A directory that this process has to itself until the value is dropped.
pub(super) struct Directory {
    path: PathBuf,
    lock: File,
}

impl Directory {
    /// Takes the directory, creating it when it is missing.
    pub(super) fn take(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).map_err(|error| broken(path, &error))?;
        let lock = lock(path)?;
        Ok(Self { path: path.into(), lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The shard files of a database of `shards` shards.
    pub(super) fn shard_files(&self, shards: usize) -> Vec<PathBuf> {
        (0..shards).map(|shard| self.path.join(shard_file(shard, shards))).collect()
    }

    /// Lets another process take the directory.
    pub(super) fn release(&self) {
        // Closing the file would release it too; nothing is lost when this fails.
        let _ = self.lock.unlock();
    }

    /// Removes the shard files of whatever database is there.
    pub(super) fn remove_shards(&self) -> Result<()> {
        let Some(shards) = shards(&self.path)? else { return Ok(()) };
        for file in self.shard_files(shards).into_iter().filter(|file| file.exists()) {
            fs::remove_file(&file).map_err(|error| broken(&file, &error))?;
        }
        Ok(())
    }

    /// Makes the names of new files survive a power cut.
    pub(super) fn sync(&self) -> Result<()> {
        sync(&self.path)
    }
}

/// Makes the names in directory `path` survive a power cut.
pub(super) fn sync(path: &Path) -> Result<()> {
    let synced = File::open(path).and_then(|directory| directory.sync_all());
    if cfg!(unix) { synced.map_err(|error| broken(path, &error)) } else { Ok(()) }
}

/// How many shards the database in `path` has; `None` when there is no database.
pub(super) fn shards(path: &Path) -> Result<Option<usize>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if is_no_directory(&error) => return Ok(None),
        Err(error) => return Err(broken(path, &error)),
    };
    let mut found = None;
    for entry in entries {
        let name = entry.map_err(|error| broken(path, &error))?.file_name();
        let Some(shards) = name.to_str().and_then(shards_of_file) else { continue };
        if found.replace(shards).is_some_and(|other| other != shards) {
            return Err(Error::corrupt(format!(
                "{} holds the shards of two databases; move one away",
                path.display()
            )));
        }
    }
    Ok(found)
}

fn is_no_directory(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

fn shard_file(shard: usize, shards: usize) -> String {
    format!("shard-{shard}-of-{shards}.redb")
}

/// The number of shards that a shard file's name tells.
fn shards_of_file(name: &str) -> Option<usize> {
    let (shard, shards) = name.strip_prefix("shard-")?.strip_suffix(".redb")?.split_once("-of-")?;
    let (shard, shards): (usize, usize) = (shard.parse().ok()?, shards.parse().ok()?);
    (shard < shards && shards <= limits::SHARDS_MAX).then_some(shards)
}

/// Locks the directory by its lock file, which says who has it.
fn lock(path: &Path) -> Result<File> {
    let file = path.join(LOCK_FILE);
    let opened = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&file);
    let mut lock = opened.map_err(|error| broken(&file, &error))?;
    match lock.try_lock() {
        Ok(()) => {
            let owner = format!("process {}\n", std::process::id());
            let written = lock.set_len(0).and_then(|()| lock.write_all(owner.as_bytes()));
            written.map_err(|error| broken(&file, &error))?;
            Ok(lock)
        }
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            let owner = match lock.read_to_string(&mut owner) {
                Ok(_) if !owner.trim().is_empty() => owner.trim(),
                _ => "another process",
            };
            Err(Error::busy(format!(
                "{} is opened by {owner}; close it there, or reach it through `vectordoc serve`",
                path.display()
            )))
        }
        Err(TryLockError::Error(error)) => Err(broken(&file, &error)),
    }
}

/// An error of the file system in vectordoc's terms.
fn broken(path: &Path, error: &std::io::Error) -> Error {
    failed(path.display(), error)
}

/// The same of anything that is read or written.
pub(super) fn failed(what: impl std::fmt::Display, error: &std::io::Error) -> Error {
    use std::io::ErrorKind as Io;
    let text = format!("{what}: {error}");
    match error.kind() {
        Io::StorageFull | Io::QuotaExceeded => Error::full(text),
        Io::PermissionDenied | Io::NotADirectory | Io::ReadOnlyFilesystem | Io::InvalidInput => {
            Error::invalid(text)
        }
        _ => Error::unavailable(text),
    }
}
