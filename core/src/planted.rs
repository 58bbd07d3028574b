//! Bugs on purpose, to judge the judges by: `tests/planted.md` says which test has to find each.
//!
//! Without the feature `planted`, which is for tests only, nothing of this is compiled in.

/// A behaviour that is broken on purpose, or is another on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "`tests/planted.md` says what each does")]
pub enum Plant {
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
    LogAcknowledgedBeforeSync,
    VoteNotSynced,
    LogCutBeforeStored,
    SnapshotWithoutLastRecord,
    StaleReads,
    OtherTermApplied,
    /// No bug: the kernels that are the specification.
    ScalarKernels,
}

/// Whether this one is planted. Never, unless built for it.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub const fn is(_plant: Plant) -> bool {
    false
}

#[cfg(feature = "planted")]
pub use grown::{NAMES, is, plant};

#[cfg(feature = "planted")]
mod grown {
    use super::Plant;
    use std::sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    };

    /// Of what [`plant`] takes, and the environment variable `VECTORDOC_PLANTED`.
    pub const NAMES: [&str; 26] = [
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
        "log_acknowledged_before_sync",
        "vote_not_synced",
        "log_cut_before_stored",
        "snapshot_without_last_record",
        "stale_reads",
        "other_term_applied",
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

    /// Whether this one is planted.
    pub fn is(plant: Plant) -> bool {
        planted().load(Ordering::Relaxed) == plant as usize
    }
}
