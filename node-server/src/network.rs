//! The threads that speak to the network.

use std::{cell::Cell, io};
use tokio::runtime::{Builder, Runtime};

/// A runtime with one such thread per core. Where the kernel can be asked for that, a message wakes
/// them at once, whoever computes at the time.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().on_thread_park(ask_once_for_short_slices).build()
}

thread_local! {
    static HAS_ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Of a runtime's threads only those park that speak to the network, not those that may block, which
/// write documents and search for long.
fn ask_once_for_short_slices() {
    if !HAS_ASKED.replace(true) {
        ask_for_short_slices();
    }
}

/// Asks that this thread gets the processor for shorter times than others do, and sooner: no more
/// of it in all. Linux has that since 6.12 (`sched(7)`, EEVDF), and ignores it before.
fn ask_for_short_slices() {
    #[cfg(target_os = "linux")]
    {
        /// The shortest there is.
        const SLICE_NS: u64 = 100_000;
        /// `struct sched_attr` as it was first, which every kernel takes.
        #[repr(C)]
        struct Attributes {
            size: u32,
            policy: u32,
            flags: u64,
            nice: i32,
            priority: u32,
            runtime: u64,
            deadline: u64,
            period: u64,
        }
        const SIZE: u32 = 48;
        const _: () = assert!(size_of::<Attributes>() == SIZE as usize);
        // SAFETY: `getpriority` takes numbers; zero is the calling thread.
        let nice = unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
        let attributes = Attributes {
            size: SIZE,
            policy: 0,
            flags: 0,
            nice,
            priority: 0,
            runtime: SLICE_NS,
            deadline: 0,
            period: 0,
        };
        // SAFETY: the kernel reads as many bytes as `size` says, and nothing else of it. Where it
        // refuses, nothing changes.
        let asked = unsafe {
            libc::syscall(libc::SYS_sched_setattr, 0, std::ptr::from_ref(&attributes), 0)
        };
        tracing::debug!(was_granted = asked == 0, "a thread of the network asks for short slices");
    }
}
