//! What the system tells about this process; nothing where it does not.

use std::{fs, time::Duration};

const KIB: u64 = 1_024;

/// Bytes of memory that only this process holds.
///
/// Source: `Private_Clean` and `Private_Dirty` of Linux's `/proc/self/smaps_rollup`, that is heap,
/// stacks and whatever of mapped files nobody else has mapped.
pub(super) fn private_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    Some((count(&text, "Private_Clean:")? + count(&text, "Private_Dirty:")?) * KIB)
}

/// Bytes that storage had to deliver for what this process read: those not in the page cache.
///
/// Source: `read_bytes` of Linux's `/proc/self/io`.
pub(super) fn fetched_bytes() -> Option<u64> {
    count(&fs::read_to_string("/proc/self/io").ok()?, "read_bytes:")
}

/// The time that processors worked for this process, all threads together, in user and in system
/// code.
#[cfg(target_os = "linux")]
pub(super) fn cpu_time() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::ProcessCPUTime).try_into().ok()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn cpu_time() -> Option<Duration> {
    None
}

/// The number in the line that starts with `name`.
fn count(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}
