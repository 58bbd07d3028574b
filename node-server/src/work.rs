//! Where operations run: on threads that may block, as many at a time as make sense for what they
//! wait for.

use crate::limits::WRITES_MAX;
use std::{num::NonZero, thread};
use tokio::sync::Semaphore;
use vectordoc::{Error, Result};

/// What an operation spends its time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// The processor: one per core at a time.
    Compute,
    /// The disk: many at a time, as they share one sync.
    Commit,
}

/// The permits to work. Who waits for one holds a slot of a connection, so waiting is bounded.
pub(crate) struct Workers {
    compute: Semaphore,
    commit: Semaphore,
}

impl Workers {
    /// Permits for this machine.
    pub(crate) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self { compute: Semaphore::new(cores), commit: Semaphore::new(WRITES_MAX) }
    }

    /// Runs `job` on a thread that may block, once there is a permit.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: Work,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let permits = match work {
            Work::Compute => &self.compute,
            Work::Commit => &self.commit,
        };
        let permit = permits.acquire().await;
        let _permit = permit.map_err(|_| Error::unavailable("the server is shutting down"))?;
        let job = tokio::task::spawn_blocking(job).await;
        job.map_err(|error| {
            tracing::error!(%error, "an operation panicked");
            Error::internal("the operation failed inside the server; its log has more")
        })
    }
}
