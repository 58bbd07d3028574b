//! Where the tasks of a cluster run and by which clock: on the threads of tokio, and by its clock. A
//! simulation has all of this of its own, on one thread.

#[cfg(test)]
pub(super) use super::simulation::runtime::{
    Runtime, blocking, changed, sleep, spawn, spawn_on, timeout,
};
#[cfg(not(test))]
pub(super) use {
    openraft::TokioRuntime as Runtime,
    threads::{blocking, changed, spawn, spawn_on},
    tokio::time::{sleep, timeout},
};

#[cfg(not(test))]
mod threads {
    use std::{future::Future, time::Duration};
    use tokio::{runtime::Handle, sync::watch, task::JoinHandle, time::timeout};
    use vectordoc::{Error, Result};

    /// Does `work`, which blocks.
    pub(crate) async fn blocking<T: Send + 'static>(
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|_| Err(Error::internal("a thread of the cluster panicked")))
    }

    /// Waits until a value changes, at most so long.
    pub(crate) async fn changed<T>(value: &mut watch::Receiver<T>, patience: Duration) {
        // Whether it changes or not, who waits looks again.
        let _ = timeout(patience, value.changed()).await;
    }

    /// Lets something go on by itself.
    pub(crate) fn spawn<T: Send + 'static>(
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        tokio::spawn(task)
    }

    /// The same for who is on another thread than those of tokio.
    pub(crate) fn spawn_on(handle: &Handle, task: impl Future<Output = ()> + Send + 'static) {
        handle.spawn(task);
    }
}
