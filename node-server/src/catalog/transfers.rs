//! Archives that clients take out or bring in by several requests: so many at a time, and for so
//! long without a request.

use super::{Name, Restore};
use crate::limits::{RESTORES_MAX, SNAPSHOTS_MAX, TRANSFER_IDLE_MAX};
use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use vectordoc::{Error, Result, native::Snapshot};

/// The transfers of one catalog.
#[derive(Default)]
pub(crate) struct Transfers {
    /// Databases that are taken out.
    pub(crate) snapshots: Table<OpenSnapshot>,
    /// Databases that are brought in.
    pub(crate) restores: Table<OpenRestore>,
}

impl Transfers {
    /// Ends those that nobody has asked about for too long.
    pub(crate) fn expire(&self, now: Instant) {
        let is_fresh = |used| now.saturating_duration_since(used) < TRANSFER_IDLE_MAX;
        self.snapshots.retain(|_, used| is_fresh(used));
        self.restores.retain(|_, used| is_fresh(used));
    }

    /// Ends those of one database.
    pub(super) fn forget(&self, name: &Name) {
        self.snapshots.retain(|db, _| db != name.as_str());
    }

    /// Ends all.
    pub(super) fn end(&self) {
        self.snapshots.retain(|_, _| false);
        self.restores.retain(|_, _| false);
    }
}

/// A snapshot, and the piece that was read last, as its answer may have been lost.
pub(crate) struct OpenSnapshot {
    /// `None` once its last piece was taken, so that it holds nothing any more.
    snapshot: Option<Snapshot>,
    progress: (u64, u64),
    /// Where the piece begins.
    offset: u64,
    piece: Vec<u8>,
    has_failed: bool,
}

/// A part of an archive.
pub(crate) struct Piece {
    pub(crate) bytes: Vec<u8>,
    /// Where the next one begins.
    pub(crate) offset: u64,
    /// Entries of how many.
    pub(crate) progress: (u64, u64),
    /// Whether it is the last.
    pub(crate) is_last: bool,
}

impl OpenSnapshot {
    /// One of which nothing was read.
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        let progress = snapshot.progress();
        Self { snapshot: Some(snapshot), progress, offset: 0, piece: Vec::new(), has_failed: false }
    }

    /// The piece that begins at `offset`: the next one, or the last one again.
    pub(crate) fn read(&mut self, offset: u64, bytes_max: usize) -> Result<Piece> {
        let next = self.offset + self.piece.len() as u64;
        if offset == next && self.snapshot.is_some() {
            self.read_next(next, bytes_max)?;
        } else if offset != self.offset {
            return Err(Error::invalid(format!(
                "offset is {offset}; the next piece begins at {next}, the last one, which can be \
                 read again, at {}",
                self.offset
            )));
        }
        Ok(Piece {
            bytes: self.piece.clone(),
            offset: self.offset + self.piece.len() as u64,
            progress: self.progress,
            is_last: self.snapshot.is_none(),
        })
    }

    fn read_next(&mut self, offset: u64, bytes_max: usize) -> Result<()> {
        let Some(snapshot) = &mut self.snapshot else { return Ok(()) };
        self.piece = snapshot.piece(bytes_max).inspect_err(|_| self.has_failed = true)?;
        (self.offset, self.progress) = (offset, snapshot.progress());
        if snapshot.is_done() {
            self.snapshot = None;
        }
        Ok(())
    }
}

/// A restore, and how many bytes it has.
pub(crate) struct OpenRestore {
    restore: Restore,
    offset: u64,
    has_failed: bool,
}

impl OpenRestore {
    /// One that has nothing yet.
    pub(crate) fn new(restore: Restore) -> Self {
        Self { restore, offset: 0, has_failed: false }
    }

    /// Takes the piece that begins at `offset`, which may be the last one again, as its answer may
    /// have been lost. Returns where the next one begins, and how many entries of how many there are.
    pub(crate) fn write(&mut self, offset: u64, piece: &[u8]) -> Result<(u64, (u64, u64))> {
        let end = offset.saturating_add(piece.len() as u64);
        if offset == self.offset {
            self.restore.push(piece).inspect_err(|_| self.has_failed = true)?;
            self.offset = end;
        } else if end != self.offset {
            return Err(Error::invalid(format!(
                "offset is {offset}, but {} bytes are there; send the piece that begins there",
                self.offset
            )));
        }
        Ok((self.offset, self.restore.progress()))
    }

    /// What is to be finished.
    pub(crate) fn into_restore(self) -> Restore {
        self.restore
    }
}

/// A kind of transfer, of which there are so many at a time.
pub(crate) trait Bounded {
    const MAX: usize;
    const NAME: &'static str;

    /// Whether nothing can come of it any more.
    fn has_failed(&self) -> bool;
}

impl Bounded for OpenSnapshot {
    const MAX: usize = SNAPSHOTS_MAX;
    const NAME: &'static str = "snapshot";

    fn has_failed(&self) -> bool {
        self.has_failed
    }
}

impl Bounded for OpenRestore {
    const MAX: usize = RESTORES_MAX;
    const NAME: &'static str = "restore";

    fn has_failed(&self) -> bool {
        self.has_failed
    }
}

/// Transfers by their token.
pub(crate) struct Table<T>(Mutex<BTreeMap<String, Slot<T>>>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

struct Slot<T> {
    db: String,
    used: Instant,
    /// `None` while a request is at it.
    transfer: Option<T>,
}

impl<T: Bounded> Table<T> {
    /// Adds a transfer of database `db` and returns its token; `busy` when there are too many.
    pub(crate) fn add(&self, db: &str, begin: impl FnOnce() -> Result<T>) -> Result<String> {
        let token = format!("{:016x}", RandomState::new().build_hasher().finish());
        let slot = Slot { db: db.to_owned(), used: Instant::now(), transfer: None };
        {
            let mut table = self.lock();
            if table.len() >= T::MAX {
                return Err(Error::busy(format!(
                    "{} {}s are open already, which is the limit; try again when one of them is \
                     closed",
                    T::MAX,
                    T::NAME
                )));
            }
            table.insert(token.clone(), slot);
        }
        match begin() {
            Ok(transfer) => {
                self.put_back(&token, transfer);
                Ok(token)
            }
            Err(error) => {
                self.lock().remove(&token);
                Err(error)
            }
        }
    }

    /// Works on a transfer of database `db`, which ends if it fails over that.
    pub(crate) fn with<R>(
        &self,
        db: &str,
        token: &str,
        work: impl FnOnce(&mut T) -> Result<R>,
    ) -> Result<R> {
        let mut transfer = self.take(db, token)?;
        let result = work(&mut transfer);
        if transfer.has_failed() {
            drop(transfer);
            self.lock().remove(token);
        } else {
            self.put_back(token, transfer);
        }
        result
    }

    /// Takes a transfer of database `db` out of the table.
    pub(crate) fn remove(&self, db: &str, token: &str) -> Result<T> {
        let transfer = self.take(db, token)?;
        self.lock().remove(token);
        Ok(transfer)
    }

    fn take(&self, db: &str, token: &str) -> Result<T> {
        let mut table = self.lock();
        let slot = table.get_mut(token).filter(|slot| slot.db == db);
        let slot = slot.ok_or_else(|| {
            Error::not_found(format!(
                "there is no open {} {token:?} of database {db}; it is closed, or nobody asked for \
                 it for {} seconds: begin anew",
                T::NAME,
                TRANSFER_IDLE_MAX.as_secs()
            ))
        })?;
        slot.used = Instant::now();
        slot.transfer.take().ok_or_else(|| {
            Error::busy(format!(
                "another request is at {} {token}; ask for one piece after the other",
                T::NAME
            ))
        })
    }

    fn put_back(&self, token: &str, transfer: T) {
        if let Some(slot) = self.lock().get_mut(token) {
            slot.used = Instant::now();
            slot.transfer = Some(transfer);
        }
    }

    /// Ends what is not to be kept, by database and time of the last request, unless a request is at
    /// it.
    fn retain(&self, keep: impl Fn(&str, Instant) -> bool) {
        let mut ended = Vec::new();
        self.lock().retain(|_, slot| {
            let is_kept = slot.transfer.is_none() || keep(&slot.db, slot.used);
            if !is_kept {
                ended.extend(slot.transfer.take());
            }
            is_kept
        });
        // Files are closed and removed without the lock.
        drop(ended);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Slot<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalog;
    use vectordoc::{ErrorKind, Schema};

    fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
        result.err().map(|error| error.kind())
    }

    #[test]
    fn what_nobody_asks_for_ends_and_leaves_its_place_its_name_and_no_file() -> Result<()> {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let catalog = Catalog::open(directory.path(), 1)?;
        let schema = Schema::from_json_str(r#"{"id": "u64", "embedding": {"vector": 2}}"#)?;
        catalog.create("db", &schema, None)?;
        let transfers = catalog.transfers();
        let snapshot =
            || transfers.snapshots.add("db", || catalog.snapshot("db").map(OpenSnapshot::new));
        let first = snapshot()?;
        for _ in 1..SNAPSHOTS_MAX {
            snapshot()?;
        }
        assert_eq!(kind(snapshot()), Some(ErrorKind::Busy));
        let mut archive = Vec::new();
        let mut is_last = false;
        while !is_last {
            let offset = archive.len() as u64;
            let read = |offset| move |open: &mut OpenSnapshot| open.read(offset, 100);
            let piece = transfers.snapshots.with("db", &first, read(offset))?;
            let again = transfers.snapshots.with("db", &first, read(offset))?;
            assert_eq!(piece.bytes, again.bytes);
            archive.extend(piece.bytes);
            is_last = piece.is_last;
        }
        let wrong = transfers.snapshots.with("db", &first, |open| open.read(7, 100));
        assert_eq!(kind(wrong), Some(ErrorKind::Invalid));
        let other = transfers.snapshots.with("other", &first, |open| open.read(0, 100));
        assert_eq!(kind(other), Some(ErrorKind::NotFound));

        let restore = || {
            transfers.restores.add("copy", || catalog.begin_restore("copy").map(OpenRestore::new))
        };
        let token = restore()?;
        let half = &archive[..archive.len() / 2];
        transfers.restores.with("copy", &token, |open| open.write(0, half))?;
        assert_eq!(kind(restore()), Some(ErrorKind::Busy));
        assert_eq!(kind(catalog.get("copy")), Some(ErrorKind::Unavailable));

        transfers.expire(Instant::now());
        let again = transfers.restores.with("copy", &token, |open| open.write(0, half))?;
        assert_eq!(again.0, half.len() as u64);
        transfers.expire(Instant::now() + TRANSFER_IDLE_MAX);
        let gone = transfers.restores.with("copy", &token, |open| open.write(0, half));
        assert_eq!(kind(gone), Some(ErrorKind::NotFound));
        let names = std::fs::read_dir(directory.path()).expect("a directory");
        assert_eq!(names.count(), 2, "the database and the lock");
        snapshot()?;
        let mut restore = catalog.begin_restore("copy")?;
        restore.push(&archive)?;
        assert_eq!(restore.finish()?.schema(), &schema);
        catalog.get("copy").map(drop)
    }
}
