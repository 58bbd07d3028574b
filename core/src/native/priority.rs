//! Who goes first where there are more threads than processors.

/// Lets other threads go before this one and those it starts, as long as there are any: for work that
/// nobody waits for. Only Linux knows that of single threads.
pub(super) fn go_behind_others() {
    #[cfg(target_os = "linux")]
    {
        /// Such a thread gets a third of the time of one that it shares a processor with, and gives
        /// way at once to one that wakes up.
        const NICE: libc::c_int = 5;
        // SAFETY: `setpriority` takes three numbers. Zero is the calling thread (Linux's
        // `setpriority(2)`, "C library/kernel differences"). Anyone may be nicer, and where that is
        // refused, nothing changes.
        unsafe {
            libc::setpriority(libc::PRIO_PROCESS, 0, NICE);
        }
    }
}
