//! A database on disk: a directory with one file per shard, `shard-0-of-4.redb`, and the lock that
//! keeps a second process out.

use super::{disk::Disk, store::UNFINISHED};
use crate::{
    Error, Result, limits,
    planted::{self, Plant},
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Says, while two numbers of shards are there, which of them counts.
const RESHARDING_FILE: &str = "resharding";
/// The same while it is written.
const RESHARDING_TEMPORARY: &str = "resharding.new";
/// Bytes of that file at most.
const RESHARDING_BYTES_MAX: u64 = 64;

/// A directory that this process has to itself until the value is dropped.
pub(super) struct Directory {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    lock: Mutex<Option<Box<dyn Send + Sync>>>,
}

impl Directory {
    /// Takes the directory, creating it when it is missing.
    pub(super) fn take(disk: &Arc<dyn Disk>, path: &Path) -> Result<Self> {
        let lock = disk.take(path).map_err(|error| match error.kind() {
            io::ErrorKind::ResourceBusy => Error::busy(format!(
                "{} is opened by {error}; close it there, or reach it through `vectordoc serve`",
                path.display()
            )),
            _ => broken(path, &error),
        })?;
        Ok(Self { path: path.into(), disk: Arc::clone(disk), lock: Mutex::new(Some(lock)) })
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
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Removes the shard files of whatever database is there.
    pub(super) fn remove_shards(&self) -> Result<()> {
        let Some(shards) = self.shards()? else { return Ok(()) };
        self.remove_shards_of(shards)
    }

    /// Removes the files of a database of `shards` shards. Who has one open can read it further.
    fn remove_shards_of(&self, shards: usize) -> Result<()> {
        self.shard_files(shards).into_iter().try_for_each(|file| {
            self.remove(&file.with_extension(UNFINISHED))?;
            self.remove(&file)
        })
    }

    /// How many shards the database has; `None` when there is no database.
    pub(super) fn shards(&self) -> Result<Option<usize>> {
        shards(&*self.disk, &self.path)
    }

    /// Which of these files there are.
    pub(super) fn existing(&self, files: &[PathBuf]) -> Result<Vec<bool>> {
        let names = self.disk.names(&self.path).map_err(|error| broken(&self.path, &error))?;
        let is_there = |file: &PathBuf| names.iter().any(|name| file.ends_with(name));
        Ok(files.iter().map(is_there).collect())
    }

    /// Writes a whole file, durably or not.
    pub(super) fn write(&self, path: &Path, bytes: &[u8], is_durable: bool) -> Result<()> {
        let write = || {
            let file = self.disk.open(path)?;
            file.set_len(0)?;
            file.write(0, bytes)?;
            if is_durable {
                file.sync()?;
            }
            file.close()
        };
        write().map_err(|error| broken(path, &error))
    }

    /// Gives a file another name.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.disk.rename(from, to).map_err(|error| broken(to, &error))
    }

    /// Removes a file, if it is there.
    pub(super) fn remove(&self, path: &Path) -> Result<()> {
        match self.disk.remove(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(broken(path, &error)),
            _ => Ok(()),
        }
    }

    /// Notes that the files of one number of shards count, and those of another do not. A crash
    /// leaves what was noted before, or this.
    pub(super) fn note_resharding(&self, resharding: Resharding) -> Result<()> {
        let (temporary, path) =
            (self.path.join(RESHARDING_TEMPORARY), self.path.join(RESHARDING_FILE));
        let text = resharding.to_text();
        self.write(&temporary, text.as_bytes(), !planted::is(Plant::NoteNotSynced))?;
        self.rename(&temporary, &path)?;
        self.sync()
    }

    /// What is noted.
    pub(super) fn resharding(&self) -> Result<Option<Resharding>> {
        Resharding::noted(&*self.disk, &self.path)
    }

    /// Removes the files that do not count, and the note of that: what a resharding leaves that came
    /// to its end, or was interrupted wherever.
    pub(super) fn end_resharding(&self) -> Result<()> {
        self.remove(&self.path.join(RESHARDING_TEMPORARY))?;
        let Some(Resharding { dropped, .. }) = self.resharding()? else {
            return Ok(());
        };
        self.remove_shards_of(dropped)?;
        // They must be gone before it is forgotten that they do not count.
        self.sync()?;
        self.remove(&self.path.join(RESHARDING_FILE))?;
        self.sync()
    }

    /// Bytes of the shard files of a database of `shards` shards.
    pub(super) fn bytes(&self, shards: usize) -> Result<u64> {
        let bytes = |file: PathBuf| self.disk.bytes(&file).map_err(|error| broken(&file, &error));
        self.shard_files(shards).into_iter().map(bytes).sum()
    }

    /// Makes the names of new files survive a power cut.
    pub(super) fn sync(&self) -> Result<()> {
        sync(&*self.disk, &self.path)
    }
}

/// Which numbers of shards there are files of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resharding {
    /// Those are the database.
    pub(super) kept: usize,
    /// Those are not finished, or not needed any more.
    pub(super) dropped: usize,
}

impl Resharding {
    fn to_text(self) -> String {
        format!("keep {} drop {}\n", self.kept, self.dropped)
    }

    fn parse(text: &str) -> Option<Self> {
        let (kept, dropped) = text.strip_prefix("keep ")?.trim_end().split_once(" drop ")?;
        let resharding = Self { kept: kept.parse().ok()?, dropped: dropped.parse().ok()? };
        let numbers = [resharding.kept, resharding.dropped];
        let are_numbers = numbers.iter().all(|shards| (1..=limits::SHARDS_MAX).contains(shards));
        (are_numbers && resharding.kept != resharding.dropped).then_some(resharding)
    }

    /// What is noted in directory `directory`.
    fn noted(disk: &dyn Disk, directory: &Path) -> Result<Option<Self>> {
        let path = directory.join(RESHARDING_FILE);
        let names = match disk.names(directory) {
            Ok(names) => names,
            Err(error) if is_no_directory(&error) => return Ok(None),
            Err(error) => return Err(broken(directory, &error)),
        };
        if !names.iter().any(|name| name == RESHARDING_FILE) {
            return Ok(None);
        }
        let read = || {
            let file = disk.open(&path)?;
            let bytes = file.len()?.min(RESHARDING_BYTES_MAX);
            let mut text = vec![0; usize::try_from(bytes).unwrap_or(0)];
            file.read(0, &mut text)?;
            file.close()?;
            Ok(String::from_utf8_lossy(&text).into_owned())
        };
        let text: String = read().map_err(|error| broken(&path, &error))?;
        Self::parse(&text).map(Some).ok_or_else(|| {
            Error::corrupt(format!(
                "{} does not say which shards count: {text:?}; write \"keep N drop M\" into it",
                path.display()
            ))
        })
    }
}

/// Makes the names in directory `path` survive a power cut.
pub(super) fn sync(disk: &dyn Disk, path: &Path) -> Result<()> {
    if planted::is(Plant::DirectoryNotSynced) {
        return Ok(());
    }
    disk.sync(path).map_err(|error| broken(path, &error))
}

/// How many shards the database in `path` has; `None` when there is no database.
pub(super) fn shards(disk: &dyn Disk, path: &Path) -> Result<Option<usize>> {
    let names = match disk.names(path) {
        Ok(names) => names,
        Err(error) if is_no_directory(&error) => return Ok(None),
        Err(error) => return Err(broken(path, &error)),
    };
    let dropped = Resharding::noted(disk, path)?.map(|resharding| resharding.dropped);
    let mut found = None;
    for shards in names.iter().filter_map(|name| shards_of_file(name)) {
        if dropped == Some(shards) {
            continue;
        }
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
