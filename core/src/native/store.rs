//! Where one shard's bytes rest: one file of the embedded key-value store redb.
//!
//! redb was chosen by measurement (`cargo bench --manifest-path tests/stores/Cargo.toml`): pure Rust, one
//! file, refuses a second process, space bounded over checkpoints. Quick repair makes opening after
//! a crash independent of the file's size.

use crate::{
    Error, Result,
    key::{Key, PageKey},
    rest::PageSource,
};
use redb::{
    Database, ReadOnlyTable, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    TableDefinition,
};
use std::{
    io,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

const TABLE: TableDefinition<'static, &'static [u8], &'static [u8]> = TableDefinition::new("kv");
/// What is read often the engine has in memory, so that the store's own cache only serves commits.
const CACHE_BYTES: usize = 1024 * 1024;

/// One ordered map of bytes with atomic, durable batches. Searches may read it while it is written.
pub(super) struct Store {
    path: PathBuf,
    /// `None` once it is closed, and while the file could not be opened anew.
    database: RwLock<Option<Database>>,
    /// Since it was opened.
    commits: AtomicU64,
}

/// What one atomic batch changes.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) puts: Vec<(Key, Vec<u8>)>,
    pub(super) deletes: Vec<Key>,
    /// Records to delete, by number.
    pub(super) records: Option<RangeInclusive<u64>>,
}

impl Store {
    /// Opens the file, or creates it.
    pub(super) fn open(path: &Path) -> Result<Self> {
        read_ahead(path);
        let store =
            Self { path: path.into(), database: RwLock::new(None), commits: AtomicU64::new(0) };
        store.reopen()?;
        Ok(store)
    }

    /// Closes the file and opens it anew: after a failed write, a handle knows nothing for sure.
    pub(super) fn reopen(&self) -> Result<()> {
        let mut open = self.database.write().unwrap_or_else(PoisonError::into_inner);
        *open = None;
        let database = redb::Builder::new().set_cache_size(CACHE_BYTES).create(&self.path);
        *open = Some(database.map_err(|error| place(&self.path, error.into()))?);
        drop(open);
        if self.has_table()? { Ok(()) } else { self.write(&Changes::default()) }
    }

    fn has_table(&self) -> Result<bool> {
        self.with(|database| match database.begin_read()?.open_table(TABLE) {
            Ok(_) => Ok(true),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(false),
            Err(error) => Err(error.into()),
        })
    }

    /// Lets go of the file.
    pub(super) fn close(&self) {
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn with<T>(&self, act: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T> {
        let open = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = open.as_ref().ok_or_else(|| {
            let path = self.path.display();
            Error::unavailable(format!("{path} is closed; open it again"))
        })?;
        act(database).map_err(|error| place(&self.path, error))
    }

    /// Makes the changes, all or none; they are on stable storage when this returns.
    pub(super) fn write(&self, changes: &Changes) -> Result<()> {
        self.with(|database| {
            let mut transaction = database.begin_write()?;
            transaction.set_quick_repair(true);
            {
                let mut table = transaction.open_table(TABLE)?;
                for (key, value) in &changes.puts {
                    table.insert(key.to_bytes().as_slice(), value.as_slice())?;
                }
                for key in &changes.deletes {
                    table.remove(key.to_bytes().as_slice())?;
                }
                if let Some(numbers) = changes.records.clone() {
                    let (first, last) = record_keys(numbers);
                    table.retain_in(first.as_slice()..=last.as_slice(), |_, _| false)?;
                }
            }
            transaction.commit()?;
            self.commits.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
    }

    /// How many batches were written since it was opened.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// The value of a key.
    pub(super) fn get(&self, key: Key) -> Result<Option<Vec<u8>>> {
        self.with(|database| {
            let table = database.begin_read()?.open_table(TABLE)?;
            let value = table.get(key.to_bytes().as_slice())?;
            Ok(value.map(|value| value.value().to_vec()))
        })
    }

    /// The pages as they are now.
    pub(super) fn pages(&self) -> Result<Pages> {
        self.with(|database| {
            let table = database.begin_read()?.open_table(TABLE)?;
            Ok(Pages { path: self.path.clone(), table })
        })
    }

    /// All there is as it is now.
    pub(super) fn entries(&self) -> Result<Entries> {
        self.pages().map(Entries)
    }

    /// Hands each record from `first` on to `act`, in order of their numbers.
    pub(super) fn records(
        &self,
        first: u64,
        mut act: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let range = self.with(|database| {
            let table = database.begin_read()?.open_table(TABLE)?;
            let (first, last) = record_keys(first..=u64::MAX);
            Ok(table.range(first.as_slice()..=last.as_slice())?)
        });
        for entry in range? {
            let (_, value) = entry.map_err(|error| place(&self.path, error.into()))?;
            act(value.value())?;
        }
        Ok(())
    }

    /// How many keys there are, known without reading anything.
    pub(super) fn len(&self) -> Result<u64> {
        self.with(|database| Ok(database.begin_read()?.open_table(TABLE)?.len()?))
    }

    /// The keys of all pages there are, whether a checkpoint names them or not. The store reads the
    /// pages too, as a value lies beside its key.
    pub(super) fn page_keys(&self) -> Result<Vec<PageKey>> {
        self.with(|database| {
            let table = database.begin_read()?.open_table(TABLE)?;
            let mut keys = Vec::new();
            for entry in table.iter()? {
                if let Some(Key::Page(key)) = Key::from_bytes(entry?.0.value()) {
                    keys.push(key);
                }
            }
            Ok(keys)
        })
    }
}

/// The pages as they are now, whatever is written meanwhile: for reading very many of them.
pub(super) struct Pages {
    path: PathBuf,
    table: ReadOnlyTable<&'static [u8], &'static [u8]>,
}

/// All there is as it is now, whatever is written meanwhile: for copying it.
pub(super) struct Entries(Pages);

impl Entries {
    /// How many there are, known without reading anything.
    pub(super) fn len(&self) -> Result<u64> {
        let len = self.0.table.len();
        len.map_err(|error| place(&self.0.path, error.into()))
    }

    /// Hands each to `act`, in order of the bytes of the keys.
    pub(super) fn each(&self, mut act: impl FnMut(Key, &[u8]) -> Result<()>) -> Result<()> {
        let place = |error: redb::StorageError| place(&self.0.path, error.into());
        for entry in self.0.table.iter().map_err(place)? {
            let (key, value) = entry.map_err(place)?;
            let key = Key::from_bytes(key.value()).ok_or_else(|| {
                let path = self.0.path.display();
                Error::unsupported(format!("{path} has a key of another build; use a newer one"))
            })?;
            act(key, value.value())?;
        }
        Ok(())
    }
}

impl PageSource for Pages {
    fn read(&self, key: &PageKey, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let value = self.table.get(Key::Page(*key).to_bytes().as_slice());
        let value = value.map_err(|error| place(&self.path, error.into()))?;
        value.map(|value| visit(value.value())).transpose().map(|visited| visited.is_some())
    }
}

impl PageSource for Store {
    fn read(&self, key: &PageKey, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        self.pages()?.read(key, visit)
    }
}

/// Lets the system begin to read a file that is going to be read as a whole, so that reading the
/// disk and understanding what was read go on side by side.
fn read_ahead(path: &Path) {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if let Ok(file) = std::fs::File::open(path) {
        use std::os::fd::AsRawFd;
        // SAFETY: the descriptor is open, and the call changes nothing but what the kernel caches.
        unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_WILLNEED) };
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    let _ = path;
}

fn record_keys(numbers: RangeInclusive<u64>) -> (Vec<u8>, Vec<u8>) {
    (Key::Record(*numbers.start()).to_bytes(), Key::Record(*numbers.end()).to_bytes())
}

/// The error in vectordoc's terms, with the file it happened in.
fn place(path: &Path, error: redb::Error) -> Error {
    let text = format!("{}: {error}", path.display());
    match error {
        redb::Error::DatabaseAlreadyOpen => Error::busy(text),
        redb::Error::Corrupted(_) => Error::corrupt(text),
        redb::Error::UpgradeRequired(_) => Error::unsupported(text),
        redb::Error::Io(error) if is_full(&error) => Error::full(format!(
            "{text}; nothing was written, reading goes on: free some space and try again"
        )),
        redb::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            Error::corrupt(text)
        }
        _ => Error::unavailable(text),
    }
}

/// No space on the disk, in the quota, or under the process's limit on the size of files.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}
