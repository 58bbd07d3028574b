//! The asynchronous runtime of commands that speak to the network.

use super::file;
use crate::network;
use tokio::runtime::Runtime;
use vectordoc::Result;

/// A runtime with one worker per core.
pub(crate) fn start() -> Result<Runtime> {
    network::runtime().map_err(|error| file::trouble("cannot start the network threads", &error))
}
