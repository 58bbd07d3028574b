//! Bugs on purpose, to judge the judges by: `tests/planted.md` says which test has to find each.
//!
//! Without the feature `planted`, which is for tests only, nothing of this is compiled in.

/// A behaviour that is broken on purpose, or is another on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "native"), expect(dead_code, reason = "some are of the embedded host"))]
pub(crate) enum Plant {
    AcknowledgedBeforeSync,
    FailedSyncRetried,
    RefusedRecordKept,
    MemoryWritesOvertaken,
    MetaBeforePages,
    PagesRemovedBeforeMeta,
    DirectoryNotSynced,
    NoteNotSynced,
    LockNotTaken,
    SnapshotNotFlushed,
    BatchWithoutItsEnd,
    RecordChecksumUnchecked,
    PageChecksumUnchecked,
    FilterAfterCut,
    StaleFilterSlots,
    LinkToFreedSlot,
    ShardsNotMerged,
    ExpectationIgnored,
    KernelWithoutTail,
    /// No bug: the kernels that are the specification.
    ScalarKernels,
}

/// Whether this one is planted. Never, unless built for it.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub(crate) const fn is(_plant: Plant) -> bool {
    false
}

#[cfg(feature = "planted")]
pub(crate) use grown::is;
#[cfg(feature = "planted")]
pub use grown::{NAMES, plant};

#[cfg(feature = "planted")]
mod grown {
    use super::Plant;
    use std::sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    };

    /// Of what [`plant`] takes, and the environment variable `VECTORDOC_PLANTED`.
    pub const NAMES: [&str; 20] = [
        "acknowledged_before_sync",
        "failed_sync_retried",
        "refused_record_kept",
        "memory_writes_overtaken",
        "meta_before_pages",
        "pages_removed_before_meta",
        "directory_not_synced",
        "note_not_synced",
        "lock_not_taken",
        "snapshot_not_flushed",
        "batch_without_its_end",
        "record_checksum_unchecked",
        "page_checksum_unchecked",
        "filter_after_cut",
        "stale_filter_slots",
        "link_to_freed_slot",
        "shards_not_merged",
        "expectation_ignored",
        "kernel_without_tail",
        "scalar_kernels",
    ];

    const NONE: usize = usize::MAX;

    fn planted() -> &'static AtomicUsize {
        static PLANTED: OnceLock<AtomicUsize> = OnceLock::new();
        PLANTED.get_or_init(|| {
            let name = std::env::var("VECTORDOC_PLANTED").ok();
            AtomicUsize::new(name.map_or(NONE, |name| number(&name)))
        })
    }

    fn number(name: &str) -> usize {
        let number = NAMES.iter().position(|other| *other == name);
        number.unwrap_or_else(|| panic!("no bug is called {name:?}; there are {NAMES:?}"))
    }

    /// Plants the bug of this name in the place of the one before, or none, from now on.
    pub fn plant(name: Option<&str>) {
        planted().store(name.map_or(NONE, number), Ordering::Relaxed);
    }

    pub(crate) fn is(plant: Plant) -> bool {
        planted().load(Ordering::Relaxed) == plant as usize
    }
}
