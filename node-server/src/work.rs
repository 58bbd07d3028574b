//! Where operations run: on threads that may block, as many at a time as make sense for what they
//! wait for.

use crate::limits::WRITES_MAX;
use std::{
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};
use tokio::sync::Semaphore;
use vectordoc::{Error, Result};

/// What an operation spends its time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// The processor: one per core at a time.
    Compute,
    /// The processor, for so short a time that another thread's waking up would take as long: it is
    /// done where it is asked for.
    Brief,
    /// The disk: many at a time, as they share one sync.
    Commit,
    /// The processor, for who follows: fewer at a time than there are cores, so that requests find
    /// one.
    Live,
}

/// The permits to work. Who waits for one holds a slot of a connection, so waiting is bounded.
pub(crate) struct Workers {
    compute: Arc<Semaphore>,
    commit: Arc<Semaphore>,
    live: Arc<Semaphore>,
}

impl Workers {
    /// Permits for this machine.
    pub(crate) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let permits = |count| Arc::new(Semaphore::new(count));
        Self {
            compute: permits(cores),
            commit: permits(WRITES_MAX),
            live: permits((cores / 2).max(1)),
        }
    }

    /// Runs `job` on a thread that may block, once there is a permit; a brief one at once.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: Work,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let permits = match work {
            // What the job leaves half done when it panics is nothing that anybody sees again.
            Work::Brief => return catch_unwind(AssertUnwindSafe(job)).map_err(|_| panicked()),
            Work::Compute => &self.compute,
            Work::Commit => &self.commit,
            Work::Live => &self.live,
        };
        let permit = Arc::clone(permits).acquire_owned().await;
        let permit = permit.map_err(|_| Error::unavailable("the server is shutting down"))?;
        // The job keeps its permit also when nobody waits for it any more.
        let job = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            job()
        });
        job.await.map_err(|_| panicked())
    }
}

/// The error of a job that panicked; the panic itself has been logged where it happened.
fn panicked() -> Error {
    tracing::error!("an operation panicked");
    Error::internal("the operation failed inside the server; its log has more")
}
