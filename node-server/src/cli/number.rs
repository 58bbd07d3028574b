//! Counts and times as people and ratios need them.

use indicatif::{HumanCount, HumanFloatCount};
use std::time::Duration;

/// A count as a number to calculate with: exact up to 2^53, more than anything counted here.
#[expect(clippy::cast_precision_loss, reason = "the doc comment says up to where it is exact")]
pub(crate) fn real(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

/// How many per second; 0 when no time passed.
pub(crate) fn per_second(count: impl TryInto<u64>, elapsed: Duration) -> f64 {
    let seconds = elapsed.as_secs_f64();
    if seconds > 0.0 { real(count) / seconds } else { 0.0 }
}

/// `12,345 docs/s`.
pub(crate) fn rate(count: impl TryInto<u64>, elapsed: Duration) -> String {
    format!("{} docs/s", HumanFloatCount(per_second(count, elapsed).round()))
}

/// `12,345`.
pub(crate) fn grouped(count: impl TryInto<u64>) -> String {
    HumanCount(count.try_into().unwrap_or(u64::MAX)).to_string()
}

/// `3.21 s`, `4.5 ms`, `87 µs`.
pub(crate) fn time(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    if seconds >= 1.0 {
        format!("{seconds:.2} s")
    } else if seconds >= 1e-3 {
        format!("{:.1} ms", seconds * 1e3)
    } else {
        format!("{:.0} µs", seconds * 1e6)
    }
}
