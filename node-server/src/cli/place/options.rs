//! How the command line names a database.

use super::{Place, local::Local, served::Served};
use clap::Args;
use std::path::PathBuf;
use vectordoc::Result;

/// Where a server of this machine listens unless it is told otherwise.
pub(crate) const URL_DEFAULT: &str = "ws://127.0.0.1:7700";

/// The environment variable with the API key for the server.
const KEY_VARIABLE: &str = "VECTORDOC_KEY";

/// The database a command works on.
#[derive(Args, Debug)]
pub(crate) struct PlaceOptions {
    /// Name of the database
    #[arg(long, value_name = "NAME")]
    pub(crate) db: String,

    /// Server that has it; one that asks for a key gets that of the variable VECTORDOC_KEY
    #[arg(long, value_name = "URL", default_value = URL_DEFAULT, conflicts_with = "data")]
    pub(crate) url: String,

    /// Data directory that has it, used without a server
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

impl PlaceOptions {
    /// Connects to the server, or takes the data directory.
    pub(crate) fn open(&self) -> Result<Box<dyn Place>> {
        Ok(match &self.data {
            Some(data) => Box::new(Local::open(data, &self.db)?),
            None => Box::new(Served::connect(&self.url, &self.db)?),
        })
    }
}

/// The key to show to a server. Not an argument, as every user of a machine sees the arguments of
/// its processes.
pub(super) fn key() -> Option<String> {
    std::env::var(KEY_VARIABLE).ok()
}
