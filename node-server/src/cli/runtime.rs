//! The asynchronous runtime of commands that speak to the network.

use super::file;
use tokio::runtime::{Builder, Runtime};
use vectordoc::Result;

/// A runtime with one worker per core.
pub(crate) fn start() -> Result<Runtime> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| file::trouble("cannot start the network threads", &error))
}
