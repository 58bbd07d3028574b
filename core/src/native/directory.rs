//! A database on disk: a directory with one file per shard, `shard-0-of-4.redb`, and the lock that
//! keeps a second process out.

use crate::{Error, Result, limits};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
};

const LOCK_FILE: &str = "lock";

/// Says, while two numbers of shards are there, which of them counts.
const RESHARDING_FILE: &str = "resharding";
/// The same while it is written.
const RESHARDING_TEMPORARY: &str = "resharding.new";
/// Bytes of that file at most.
const RESHARDING_BYTES_MAX: u64 = 64;

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
        self.remove_shards_of(shards)
    }

    /// Removes the files of a database of `shards` shards. Who has one open can read it further.
    fn remove_shards_of(&self, shards: usize) -> Result<()> {
        self.shard_files(shards).into_iter().try_for_each(|file| remove(&file))
    }

    /// Notes that the files of one number of shards count, and those of another do not. A crash
    /// leaves what was noted before, or this.
    pub(super) fn note_resharding(&self, resharding: Resharding) -> Result<()> {
        let (temporary, path) =
            (self.path.join(RESHARDING_TEMPORARY), self.path.join(RESHARDING_FILE));
        let written = File::create(&temporary)
            .and_then(|mut file| {
                file.write_all(resharding.to_text().as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&temporary, &path));
        written.map_err(|error| broken(&path, &error))?;
        self.sync()
    }

    /// What is noted.
    pub(super) fn resharding(&self) -> Result<Option<Resharding>> {
        Resharding::noted(&self.path)
    }

    /// Removes the files that do not count, and the note of that: what a resharding leaves that came
    /// to its end, or was interrupted wherever.
    pub(super) fn end_resharding(&self) -> Result<()> {
        remove(&self.path.join(RESHARDING_TEMPORARY))?;
        let Some(Resharding { dropped, .. }) = Resharding::noted(&self.path)? else {
            return Ok(());
        };
        self.remove_shards_of(dropped)?;
        // They must be gone before it is forgotten that they do not count.
        self.sync()?;
        remove(&self.path.join(RESHARDING_FILE))?;
        self.sync()
    }

    /// Bytes of the shard files of a database of `shards` shards.
    pub(super) fn bytes(&self, shards: usize) -> Result<u64> {
        let bytes = |file: PathBuf| {
            let metadata = fs::metadata(&file);
            metadata.map(|metadata| metadata.len()).map_err(|error| broken(&file, &error))
        };
        self.shard_files(shards).into_iter().map(bytes).sum()
    }

    /// Makes the names of new files survive a power cut.
    pub(super) fn sync(&self) -> Result<()> {
        sync(&self.path)
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

    /// What is noted in directory `path`.
    fn noted(path: &Path) -> Result<Option<Self>> {
        let path = path.join(RESHARDING_FILE);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if is_no_directory(&error) => return Ok(None),
            Err(error) => return Err(broken(&path, &error)),
        };
        let mut text = String::new();
        let read = file.take(RESHARDING_BYTES_MAX).read_to_string(&mut text);
        read.map_err(|error| broken(&path, &error))?;
        Self::parse(&text).map(Some).ok_or_else(|| {
            Error::corrupt(format!(
                "{} does not say which shards count: {text:?}; write \"keep N drop M\" into it",
                path.display()
            ))
        })
    }
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(broken(path, &error)),
        _ => Ok(()),
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
    let dropped = Resharding::noted(path)?.map(|resharding| resharding.dropped);
    let mut found = None;
    for entry in entries {
        let name = entry.map_err(|error| broken(path, &error))?.file_name();
        let Some(shards) = name.to_str().and_then(shards_of_file) else { continue };
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
