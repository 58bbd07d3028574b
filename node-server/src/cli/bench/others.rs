//! How much of the machine others used meanwhile: what a reader has to know before believing rates.

use super::process;
use crate::cli::number;
use std::{
    fs,
    time::{Duration, Instant},
};

/// The state at the start.
pub(super) struct Others {
    start: Instant,
    own: Duration,
    machine: Machine,
}

/// What all processors did since the machine started, in ticks.
struct Machine {
    busy: u64,
    total: u64,
    cores: usize,
}

impl Others {
    /// `None` where the system does not tell.
    pub(super) fn watch() -> Option<Self> {
        let (own, machine) = (process::cpu_time()?, Machine::read()?);
        Some(Self { start: Instant::now(), own, machine })
    }

    /// The part of all cores, from 0 to 1, that was used since and not by this process.
    pub(super) fn share(&self) -> Option<f64> {
        let now = Machine::read()?;
        let busy = number::real(now.busy.saturating_sub(self.machine.busy));
        let total = number::real(now.total.saturating_sub(self.machine.total));
        let own = process::cpu_time()?.saturating_sub(self.own).as_secs_f64();
        let available = self.start.elapsed().as_secs_f64() * number::real(now.cores);
        (total > 0.0).then(|| (busy / total - own / available).clamp(0.0, 1.0))
    }
}

impl Machine {
    /// Source: the first lines of Linux's `/proc/stat`.
    fn read() -> Option<Self> {
        let text = fs::read_to_string("/proc/stat").ok()?;
        let mut lines = text.lines();
        let ticks = lines.next()?.split_ascii_whitespace().skip(1);
        // user, nice, system, idle, iowait, irq, softirq, steal; guests are counted under user.
        let ticks: Vec<u64> = ticks.take(8).map(|word| word.parse().ok()).collect::<Option<_>>()?;
        let total = ticks.iter().sum();
        let idle = ticks.get(3)? + ticks.get(4)?;
        let cores = lines.take_while(|line| line.starts_with("cpu")).count();
        Some(Self { busy: total - idle, total, cores })
    }
}
