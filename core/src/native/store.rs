//! Where one shard's bytes rest: one file of a disk, by the embedded key-value store redb.
//!
//! redb was chosen by measurement (`cargo bench --manifest-path tests/stores/Cargo.toml`): pure Rust, one
//! file, refuses a second process, space bounded over checkpoints. Quick repair makes opening after
//! a crash independent of the file's size.

use super::disk::{Backend, Disk};
use crate::{
    Error, Result,
    key::{Key, PageKey},
    rest::PageSource,
};
use redb::{
    AccessGuard, Database, Range, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable,
    ReadableTableMetadata, TableDefinition,
};
use std::{
    io,
    ops::RangeInclusive,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

const TABLE: TableDefinition<'static, &'static [u8], &'static [u8]> = TableDefinition::new("kv");
/// What there is of the past: [`IDENTITY`], [`CUT`] and [`CHECKPOINT`], else the last record of a
/// span and its bytes. Beside the other table, as hosts without a past have that one too.
const PAST: TableDefinition<'static, u64, u64> = TableDefinition::new("past");
/// The [`Committed::mark`](super::Committed::mark) of the last entry of a replicated database.
const REPLICA: TableDefinition<'static, &'static str, &'static [u8]> =
    TableDefinition::new("replica");
const MARK: &str = "mark";
const IDENTITY: u64 = 0;
const CUT: u64 = u64::MAX;
const CHECKPOINT: u64 = u64::MAX - 1;
/// The extension of a file that is not whole yet.
pub(super) const UNFINISHED: &str = "new";
/// What is read often the engine has in memory, so that the store's own cache only serves commits.
const CACHE_BYTES: usize = 1024 * 1024;

/// One ordered map of bytes with atomic, durable batches. Searches may read it while it is written.
pub(super) struct Store {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    /// Whether the whole file is checked when it is opened.
    verify: bool,
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
    /// What there is of the past, once this is written.
    pub(super) past: Option<Past>,
    /// Up to where the log of its replicas is in this store, once this is written.
    pub(super) mark: Option<Vec<u8>>,
}

/// What a store has of the past: which records no checkpoint needs any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Past {
    /// Of the stream of records.
    pub(super) identity: u64,
    /// Records up to this number are gone.
    pub(super) cut: u64,
    /// The last record that the checkpoint has.
    pub(super) checkpoint: u64,
    /// Runs of records, each by the number of its last, and their bytes.
    pub(super) spans: Vec<(u64, u64)>,
}

impl Past {
    /// That of a store which kept none of the records before `checkpoint`.
    pub(super) fn none(identity: u64, checkpoint: u64) -> Self {
        Self { identity, cut: checkpoint, checkpoint, spans: Vec::new() }
    }

    /// Records that are there although the checkpoint has them.
    pub(super) fn kept(&self) -> u64 {
        self.checkpoint - self.cut
    }

    fn rows(&self) -> impl Iterator<Item = (u64, u64)> {
        let named = [(IDENTITY, self.identity), (CUT, self.cut), (CHECKPOINT, self.checkpoint)];
        named.into_iter().chain(self.spans.iter().copied())
    }

    /// What the rows of the table say, if they are whole.
    fn of_rows(rows: &[(u64, u64)]) -> Option<Self> {
        let named = |name| rows.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let (identity, cut, checkpoint) = (named(IDENTITY)?, named(CUT)?, named(CHECKPOINT)?);
        let is_span = |(key, _): &&(u64, u64)| ![IDENTITY, CUT, CHECKPOINT].contains(key);
        let spans = rows.iter().filter(is_span).copied().collect();
        (cut <= checkpoint).then_some(Self { identity, cut, checkpoint, spans })
    }
}

impl Store {
    /// Opens the file, or creates it. It has its name once it is whole: a crash on the way leaves
    /// nothing that has to be understood. That it has the name is made durable by
    /// [`Directory::sync`](super::directory::Directory::sync).
    pub(super) fn open(disk: &Arc<dyn Disk>, path: &Path, verify: bool) -> Result<Self> {
        if !is_there(&**disk, path)? {
            let unfinished = path.with_extension(UNFINISHED);
            remove(&**disk, &unfinished)?;
            let store = Self::at(disk, &unfinished, false);
            store.reopen()?;
            store.write(&Changes::default())?;
            store.finish()?;
            let renamed = disk.rename(&unfinished, path);
            renamed.map_err(|error| place(path, error.into()))?;
        }
        let store = Self::at(disk, path, verify);
        store.reopen()?;
        Ok(store)
    }

    fn at(disk: &Arc<dyn Disk>, path: &Path, verify: bool) -> Self {
        Self {
            path: path.into(),
            disk: Arc::clone(disk),
            verify,
            database: RwLock::new(None),
            commits: AtomicU64::new(0),
        }
    }

    /// Closes the file and opens it anew: after a failed write, a handle knows nothing for sure.
    pub(super) fn reopen(&self) -> Result<()> {
        let mut open = self.database.write().unwrap_or_else(PoisonError::into_inner);
        let before = open.take();
        guarded(&self.path, || {
            drop(before);
            Ok(())
        })?;
        *open = Some(guarded(&self.path, || self.open_file())?);
        Ok(())
    }

    fn open_file(&self) -> Result<Database, redb::Error> {
        let file = Backend(self.disk.open(&self.path)?);
        let mut builder = redb::Builder::new();
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(self.verify);
        Ok(builder.create_with_backend(file)?)
    }

    /// Lets go of a file that is new, which must be whole then.
    fn finish(&self) -> Result<()> {
        let mut open = self.database.write().unwrap_or_else(PoisonError::into_inner);
        match open.take() {
            Some(database) => guarded(&self.path, || Ok(database.close()?)),
            None => Ok(()),
        }
    }

    /// Lets go of the file.
    pub(super) fn close(&self) {
        let mut open = self.database.write().unwrap_or_else(PoisonError::into_inner);
        let database = open.take();
        // What is damaged is no worse for not being closed well.
        let _ = guarded(&self.path, || {
            drop(database);
            Ok(())
        });
    }

    fn with<T>(&self, act: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T> {
        let open = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = open.as_ref().ok_or_else(|| {
            let path = self.path.display();
            Error::unavailable(format!("{path} is closed; open it again"))
        })?;
        guarded(&self.path, || act(database))
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
                if let Some(past) = &changes.past {
                    let mut table = transaction.open_table(PAST)?;
                    table.retain(|_, _| false)?;
                    for (key, value) in past.rows() {
                        table.insert(key, value)?;
                    }
                }
                if let Some(mark) = &changes.mark {
                    transaction.open_table(REPLICA)?.insert(MARK, mark.as_slice())?;
                }
            }
            transaction.commit()?;
            self.commits.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
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

    /// What there is of the past; `None` when nobody said.
    pub(super) fn past(&self) -> Result<Option<Past>> {
        self.with(|database| past_in(&database.begin_read()?))
    }

    /// Up to where the log of its replicas is in this store; `None` when it never was replicated.
    pub(super) fn mark(&self) -> Result<Option<Vec<u8>>> {
        self.with(|database| {
            let table = match database.begin_read()?.open_table(REPLICA) {
                Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
                table => table?,
            };
            Ok(table.get(MARK)?.map(|mark| mark.value().to_vec()))
        })
    }

    /// All that opening needs, as it is now.
    pub(super) fn entries(&self) -> Result<Entries> {
        self.with(|database| {
            let transaction = database.begin_read()?;
            let table = transaction.open_table(TABLE)?;
            let past = past_in(&transaction)?;
            Ok(Entries { pages: Pages { path: self.path.clone(), table }, past })
        })
    }

    /// Hands each record of these numbers to `act`, in order, as long as that is true.
    pub(super) fn records(
        &self,
        numbers: RangeInclusive<u64>,
        mut act: impl FnMut(&[u8]) -> Result<bool>,
    ) -> Result<()> {
        let range = self.with(|database| {
            let table = database.begin_read()?.open_table(TABLE)?;
            let (first, last) = record_keys(numbers);
            Ok(table.range(first.as_slice()..=last.as_slice())?)
        });
        let mut range = range?;
        while let Some((_, value)) = guarded(&self.path, || Ok(range.next().transpose()?))? {
            if !act(value.value())? {
                break;
            }
        }
        Ok(())
    }

    /// How many keys there are, known without reading anything.
    pub(super) fn len(&self) -> Result<u64> {
        self.with(|database| Ok(database.begin_read()?.open_table(TABLE)?.len()?))
    }

    /// The keys of all pages there are, whether a checkpoint names them or not. The store reads the
    /// pages too, as a value lies beside its key. `corrupt` when a key is none, or there are not as
    /// many as there should be.
    pub(super) fn page_keys(&self) -> Result<Vec<PageKey>> {
        let keys = self.with(|database| {
            let table = database.begin_read()?.open_table(TABLE)?;
            let keys = table.iter()?.map(|entry| Ok(Key::from_bytes(entry?.0.value())));
            keys.collect::<Result<Vec<_>, redb::Error>>()
        })?;
        if keys.contains(&None) || keys.len() as u64 != self.len()? {
            return Err(damaged(&self.path));
        }
        let page = |key| match key {
            Some(Key::Page(key)) => Some(key),
            _ => None,
        };
        Ok(keys.into_iter().filter_map(page).collect())
    }
}

/// The pages as they are now, whatever is written meanwhile: for reading very many of them.
pub(super) struct Pages {
    path: PathBuf,
    table: ReadOnlyTable<&'static [u8], &'static [u8]>,
}

/// All that opening needs as it is now, whatever is written meanwhile: for copying it.
pub(super) struct Entries {
    pages: Pages,
    past: Option<Past>,
}

impl Entries {
    /// How many there are, known without reading anything.
    pub(super) fn len(&self) -> Result<u64> {
        let len = self.pages.table.len();
        let len = len.map_err(|error| place(&self.pages.path, error.into()))?;
        Ok(len - self.past.as_ref().map_or(0, Past::kept))
    }

    /// All of them, in order of the bytes of the keys.
    pub(super) fn walk(self) -> Result<EntryWalk> {
        let Self { pages: Pages { path, table }, past } = self;
        let range = guarded(&path, || Ok(table.range::<&[u8]>(..)?))?;
        let covered = past.as_ref().map_or(0, |past| past.checkpoint);
        Ok(EntryWalk { path, range, covered })
    }
}

/// Entries one after the other.
pub(super) struct EntryWalk {
    path: PathBuf,
    range: Range<'static, &'static [u8], &'static [u8]>,
    /// Records up to this number are of the past.
    covered: u64,
}

impl EntryWalk {
    /// Hands the next entry to `act`; `None` when none is left.
    pub(super) fn next<T>(
        &mut self,
        act: impl FnOnce(Key, &[u8]) -> Result<T>,
    ) -> Result<Option<T>> {
        let Self { path, range, .. } = self;
        while let Some((key, value)) = guarded(path, || Ok(range.next().transpose()?))? {
            let key = Key::from_bytes(key.value()).ok_or_else(|| {
                let path = path.display();
                Error::unsupported(format!("{path} has a key of another build; use a newer one"))
            })?;
            let is_past = matches!(key, Key::Record(number) if number <= self.covered);
            if !is_past {
                return act(key, value.value()).map(Some);
            }
        }
        Ok(None)
    }
}

impl PageSource for Pages {
    fn read(&self, key: &PageKey, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let value =
            guarded(&self.path, || Ok(self.table.get(Key::Page(*key).to_bytes().as_slice())?))?;
        value.map(|value| visit(value.value())).transpose().map(|visited| visited.is_some())
    }
}

impl PageSource for Store {
    fn read(&self, key: &PageKey, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        self.pages()?.read(key, visit)
    }
}

fn past_in(transaction: &ReadTransaction) -> Result<Option<Past>, redb::Error> {
    let table = match transaction.open_table(PAST) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        table => table?,
    };
    let row = |row: Result<(AccessGuard<'_, u64>, AccessGuard<'_, u64>), _>| {
        row.map(|(key, value)| (key.value(), value.value()))
    };
    let rows = table.iter()?.map(row).collect::<Result<Vec<_>, redb::StorageError>>()?;
    Ok(Past::of_rows(&rows))
}

fn record_keys(numbers: RangeInclusive<u64>) -> (Vec<u8>, Vec<u8>) {
    (Key::Record(*numbers.start()).to_bytes(), Key::Record(*numbers.end()).to_bytes())
}

fn is_there(disk: &dyn Disk, path: &Path) -> Result<bool> {
    let directory = path.parent().unwrap_or(Path::new(""));
    let names = disk.names(directory).map_err(|error| place(path, error.into()))?;
    Ok(names.iter().any(|name| path.ends_with(name)))
}

fn remove(disk: &dyn Disk, path: &Path) -> Result<()> {
    match disk.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(place(path, error.into())),
        _ => Ok(()),
    }
}

/// What redb makes of a file. It trusts the structure of a file that was closed well, and panics
/// where a disk has changed that since.
fn guarded<T>(path: &Path, act: impl FnOnce() -> Result<T, redb::Error>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(done) => done.map_err(|error| place(path, error)),
        Err(_) => Err(damaged(path)),
    }
}

fn damaged(path: &Path) -> Error {
    Error::corrupt(format!(
        "{}: the structure of the file is damaged; restore the database from a backup",
        path.display()
    ))
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
        redb::Error::Io(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            Error::corrupt(text)
        }
        redb::Error::TableDoesNotExist(_)
        | redb::Error::TableIsMultimap(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TypeDefinitionChanged { .. } => damaged(path),
        _ => Error::unavailable(text),
    }
}

/// No space on the disk, in the quota, or under the process's limit on the size of files.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}
