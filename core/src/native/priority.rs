//! Who goes first where there are more threads than processors.

/// Lets other threads go before this one and those it starts, as long as there are any: for work that
/// nobody waits for. Only Linux knows that of single threads.
pub(super) fn go_behind_others() {
    #[cfg(target_os = "linux")]
    {
        /// Such a thread gets about a third of the time of one that it shares a processor with.
        const NICE: libc::c_int = 5;
        // SAFETY: `nice` takes a number, by which the calling thread alone gets nicer (Linux's
        // `nice(2)`, "C library/kernel differences") than it was started. Anyone may be nicer.
        unsafe {
            libc::nice(NICE);
        }
    }
}
