//! What the process takes of the machine, under the names that dashboards know. On Linux; nothing
//! elsewhere.

use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use std::fs;

/// Memory and open files, as far as the system says.
pub(super) fn registry() -> Registry {
    let mut registry = Registry::default();
    let known = [
        ("process_resident_memory_bytes", "Bytes of memory in use", resident_bytes()),
        ("process_open_fds", "Open file descriptors", open_files()),
    ];
    for (name, help, value) in known {
        if let Some(value) = value {
            let gauge: Gauge = Gauge::default();
            gauge.set(value);
            registry.register(name, help, gauge);
        }
    }
    registry
}

fn resident_bytes() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn open_files() -> Option<i64> {
    let files = fs::read_dir("/proc/self/fd").ok()?.count();
    // One of them is the directory that is being read.
    i64::try_from(files).ok().map(|files| files - 1)
}
