//! Where one shard's bytes rest: one file of the embedded key-value store redb.
//!
//! redb was chosen by measurement (`cargo bench --manifest-path tests/stores/Cargo.toml`): pure Rust, one
//! file, refuses a second process, space bounded over checkpoints. Quick repair makes opening after
//! a crash independent of the file's size.

use crate::{
    Error, Result,
    key::{Key, PageKey},
};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use std::{
    io,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

const TABLE: TableDefinition<'static, &'static [u8], &'static [u8]> = TableDefinition::new("kv");
/// The engine holds everything in memory, so that the store's own cache only has to serve commits.
const CACHE_BYTES: usize = 4 * 1024 * 1024;

/// One ordered map of bytes with atomic, durable batches.
pub(super) struct Store {
    path: PathBuf,
    database: Database,
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
        let database = redb::Builder::new().set_cache_size(CACHE_BYTES).create(path);
        let database = database.map_err(|error| place(path, error.into()))?;
        let store = Self { path: path.into(), database };
        store.write(&Changes::default())?;
        Ok(store)
    }

    /// Makes the changes, all or none; they are on stable storage when this returns.
    pub(super) fn write(&self, changes: &Changes) -> Result<()> {
        self.try_write(changes).map_err(|error| place(&self.path, error))
    }

    fn try_write(&self, changes: &Changes) -> Result<(), redb::Error> {
        let mut transaction = self.database.begin_write()?;
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
        Ok(())
    }

    /// The value of a key.
    pub(super) fn get(&self, key: Key) -> Result<Option<Vec<u8>>> {
        let read = || -> Result<_, redb::Error> {
            let table = self.database.begin_read()?.open_table(TABLE)?;
            let value = table.get(key.to_bytes().as_slice())?;
            Ok(value.map(|value| value.value().to_vec()))
        };
        read().map_err(|error| place(&self.path, error))
    }

    /// Hands each record from `first` on to `act`, in order of their numbers.
    pub(super) fn records(
        &self,
        first: u64,
        mut act: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let place = |error: redb::Error| place(&self.path, error);
        let read = || -> Result<_, redb::Error> {
            let table = self.database.begin_read()?.open_table(TABLE)?;
            let (first, last) = record_keys(first..=u64::MAX);
            Ok(table.range(first.as_slice()..=last.as_slice())?)
        };
        for entry in read().map_err(place)? {
            let (_, value) = entry.map_err(|error| place(error.into()))?;
            act(value.value())?;
        }
        Ok(())
    }

    /// The keys of all pages there are, whether a checkpoint names them or not.
    pub(super) fn page_keys(&self) -> Result<Vec<PageKey>> {
        let read = || -> Result<_, redb::Error> {
            let table = self.database.begin_read()?.open_table(TABLE)?;
            let mut keys = Vec::new();
            for entry in table.iter()? {
                if let Some(Key::Page(key)) = Key::from_bytes(entry?.0.value()) {
                    keys.push(key);
                }
            }
            Ok(keys)
        };
        read().map_err(|error| place(&self.path, error))
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
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
