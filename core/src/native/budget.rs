//! What a shard may take of the machine. A write that would add to it is refused before the machine
//! suffers; reading and deleting go on.

use super::{DatabaseOptions, store::Store};
use crate::{Batch, Engine, Error, Operation, Result, Schema};
use std::path::Path;

/// Memory is measured again after this share of the budget was written, as measuring walks through
/// the filter columns.
const MEASURED_SHARE: u64 = 64;

pub(super) struct Budget {
    memory_bytes_max: Option<u64>,
    disk_bytes_free_min: Option<u64>,
    /// Bytes of memory that the engine had when it was last measured.
    memory_bytes: u64,
    /// Bytes of records since; `None` to measure before the next write.
    written_bytes: Option<u64>,
}

impl Budget {
    /// The budget of each of so many shards.
    pub(super) fn new(options: &DatabaseOptions, shards: usize) -> Self {
        Self {
            memory_bytes_max: options.memory_bytes_max.map(|bytes| bytes / shards as u64),
            disk_bytes_free_min: options.disk_bytes_free_min,
            memory_bytes: 0,
            written_bytes: None,
        }
    }

    /// Refuses a batch that adds something where there is no room for more.
    pub(super) fn check(
        &mut self,
        batch: &Batch,
        engine: &Engine,
        store: Option<&Store>,
    ) -> Result<()> {
        let added = Added::by(batch, engine.schema());
        if added.documents == 0 {
            return Ok(());
        }
        if let Some((store, min)) = store.zip(self.disk_bytes_free_min) {
            check_disk(store.path(), min)?;
        }
        match self.memory_bytes_max {
            Some(max) => self.check_memory(&added, engine, max),
            None => Ok(()),
        }
    }

    /// So many bytes of records were applied, some of which may have made room.
    pub(super) fn written(&mut self, bytes: u64) {
        self.written_bytes = self.written_bytes.map(|written| written + bytes);
        if self.memory_bytes_max.is_some_and(|max| self.estimate() >= max) {
            self.written_bytes = None;
        }
    }

    /// Maintenance was done, which may have made room.
    pub(super) fn maintained(&mut self) {
        if self.memory_bytes_max.is_some_and(|max| self.estimate() >= max) {
            self.written_bytes = None;
        }
    }

    fn estimate(&self) -> u64 {
        self.memory_bytes + self.written_bytes.unwrap_or(0)
    }

    fn check_memory(&mut self, added: &Added, engine: &Engine, max: u64) -> Result<()> {
        if self.written_bytes.is_none_or(|written| written > max / MEASURED_SHARE) {
            (self.memory_bytes, self.written_bytes) = (engine.memory_bytes(), Some(0));
        }
        let (memory_bytes, added_bytes) = (self.estimate(), added.bytes);
        // The memory of vectors that are gone is kept for those to come.
        let is_room_left = engine.free_slots() >= added.documents;
        if is_room_left || memory_bytes.saturating_add(added_bytes) <= max {
            return Ok(());
        }
        Err(Error::full(format!(
            "the shard holds about {memory_bytes} bytes of memory, {added_bytes} bytes of vectors \
             more exceed its share of memory_bytes_max, {max}; nothing was written, reading and \
             deleting go on: delete documents, or raise memory_bytes_max"
        )))
    }
}

/// What a batch may add.
struct Added {
    documents: u64,
    /// Of vectors.
    bytes: u64,
}

impl Added {
    /// A patch counts as a document of its own, as what it writes may be longer than what was there.
    fn by(batch: &Batch, schema: &Schema) -> Self {
        let numbers: usize = schema.vectors().iter().map(|field| field.dim).sum();
        let document_bytes = (numbers * size_of::<f32>()) as u64;
        let mut added = Self { documents: 0, bytes: 0 };
        for operation in &batch.operations {
            match operation {
                Operation::Index(document) | Operation::Update(document) => {
                    let vectors = document.vectors.iter().flatten();
                    added.documents += 1;
                    added.bytes += vectors.map(|v| size_of_val(&v[..]) as u64).sum::<u64>();
                }
                Operation::Patch(..) | Operation::PatchWhere(..) => {
                    added.documents += 1;
                    added.bytes += document_bytes;
                }
                Operation::Delete(_) | Operation::DeleteWhere(_) | Operation::Expect(..) => {}
            }
        }
        added
    }
}

fn check_disk(path: &Path, min: u64) -> Result<()> {
    let free = free_bytes(path)?;
    if free >= min {
        return Ok(());
    }
    Err(Error::full(format!(
        "{}: the disk has {free} bytes free, disk_bytes_free_min is {min}; nothing was written, \
         reading and deleting go on: free some space",
        path.display()
    )))
}

/// Refuses a budget that cannot be kept on this system.
pub(super) fn check_options(options: &DatabaseOptions, path: Option<&Path>) -> Result<()> {
    match (options.disk_bytes_free_min, path) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(Error::invalid(
            "a database in memory has no disk to keep free; leave disk_bytes_free_min out",
        )),
        (Some(_), Some(_)) if options.disk.is_some() => Err(Error::unsupported(
            "how much of a disk of your own is free nobody can tell; leave disk_bytes_free_min out",
        )),
        (Some(_), Some(path)) => free_bytes(path).map(drop),
    }
}

/// Bytes that this process may still write to the disk of `path`.
#[cfg(target_os = "linux")]
pub(super) fn free_bytes(path: &Path) -> Result<u64> {
    use std::{ffi::CString, mem::MaybeUninit, os::unix::ffi::OsStrExt};
    let name = CString::new(path.as_os_str().as_bytes())
        .map_err(|_| Error::invalid(format!("{} is no path", path.display())))?;
    let mut found = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the name ends with a zero, and there is room for what is found.
    let failed = unsafe { libc::statvfs(name.as_ptr(), found.as_mut_ptr()) } != 0;
    if failed {
        return Err(super::directory::failed(path.display(), &std::io::Error::last_os_error()));
    }
    // SAFETY: the call did not fail, so it wrote all of it.
    let found = unsafe { found.assume_init() };
    #[allow(clippy::useless_conversion, reason = "both are of 32 bits on some machines")]
    let (blocks, block_bytes) = (u64::from(found.f_bavail), u64::from(found.f_frsize));
    Ok(blocks.saturating_mul(block_bytes))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn free_bytes(_path: &Path) -> Result<u64> {
    Err(Error::unsupported(
        "this build cannot tell how much of a disk is free on this system; leave \
         disk_bytes_free_min out",
    ))
}
