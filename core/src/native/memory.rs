//! Memory that was freed, given back to the system.

/// Gives back what the allocator keeps for later: after an ingest that may be a third of what is
/// in use, and an idle database has no use for it. Only glibc keeps so much and can be asked.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
