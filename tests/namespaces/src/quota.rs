//! A share of a core for a process, so that nodes which share a machine have as much each as if
//! each had its own.

use std::{fs, io, path::PathBuf};

/// What a share is of.
const PERIOD_US: u32 = 20_000;

/// A group of processes that get so much. Dropped, it is gone; the processes must be before.
pub(crate) struct Quota {
    directory: PathBuf,
}

impl Quota {
    /// Gives `process` this many thousandths of a core from now on.
    pub(crate) fn give(name: &str, process: u32, thousandths: u32) -> io::Result<Self> {
        let quota_us = PERIOD_US / 1_000 * thousandths;
        let (root, file, value) = match fs::exists("/sys/fs/cgroup/cpu")? {
            true => ("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", quota_us.to_string()),
            false => ("/sys/fs/cgroup", "cpu.max", format!("{quota_us} {PERIOD_US}")),
        };
        let directory = PathBuf::from(root).join(name);
        if !directory.exists() {
            fs::create_dir(&directory)?;
        }
        let quota = Self { directory };
        if file == "cpu.cfs_quota_us" {
            fs::write(quota.directory.join("cpu.cfs_period_us"), PERIOD_US.to_string())?;
        }
        fs::write(quota.directory.join(file), value)?;
        fs::write(quota.directory.join("cgroup.procs"), process.to_string())?;
        Ok(quota)
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.directory);
    }
}
