//! Memory of this process.

use std::fs;

const KIB: u64 = 1_024;

/// Bytes of memory that only this process holds; `None` where the system does not tell.
///
/// Source: `Private_Clean` and `Private_Dirty` of Linux's `/proc/self/smaps_rollup`, that is heap,
/// stacks and whatever of mapped files nobody else has mapped.
pub(super) fn private_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let kibibytes = |name: &str| -> Option<u64> {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_ascii_whitespace().nth(1)?.parse().ok()
    };
    Some((kibibytes("Private_Clean:")? + kibibytes("Private_Dirty:")?) * KIB)
}
