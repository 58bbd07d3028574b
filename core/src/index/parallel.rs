//! The same function over many items, on several threads where there are threads.

use alloc::vec::Vec;

/// `act` of every item, in the order of the items; on up to `threads` threads with `std`.
#[cfg(feature = "std")]
pub(super) fn map<I: Sync, O: Send>(
    items: &[I],
    threads: usize,
    act: impl Fn(&I) -> O + Sync,
) -> Vec<O> {
    let threads = threads.min(items.len());
    if threads <= 1 {
        return items.iter().map(act).collect();
    }
    let next = core::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::with_capacity(items.len() / threads + 1);
        loop {
            let position = next.fetch_add(1, core::sync::atomic::Ordering::Relaxed);
            let Some(item) = items.get(position) else { return done };
            done.push((position, act(item)));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(position, _)| *position);
    done.into_iter().map(|(_, output)| output).collect()
}

/// `act` of every item, in the order of the items.
#[cfg(not(feature = "std"))]
pub(super) fn map<I, O>(items: &[I], _threads: usize, act: impl Fn(&I) -> O) -> Vec<O> {
    items.iter().map(act).collect()
}
