//! Who a node is, which it knows before it is told anything.

use super::{
    group::{Node, decode, encode},
    log::LogFile,
};
use crate::random::random_name;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use vectordoc::{Error, Result};

/// What it is called in the file.
const IDENTITY: &str = "identity";

/// In the file of the logs, so that who has lost one has lost the other, too, and does not vote as
/// somebody who had promised something.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Identity {
    /// Random.
    pub(super) name: String,
    /// The cluster it is in, which is random too, and its number in it.
    pub(super) place: Option<(String, Node)>,
}

impl Identity {
    /// That of the file, or a new one.
    pub(super) async fn of(file: &Arc<LogFile>) -> Result<Self> {
        match Self::stored(file)? {
            Some(identity) => Ok(identity),
            None => {
                let identity = Self { name: random_name()?, place: None };
                identity.keep(file).await?;
                Ok(identity)
            }
        }
    }

    /// That of the file.
    pub(super) fn stored(file: &LogFile) -> Result<Option<Self>> {
        let stored = file
            .node(IDENTITY)
            .and_then(|found| found.map(|bytes| decode::<Self>(&bytes)).transpose());
        stored.map_err(|error| broken(&error))
    }

    /// Remembers it.
    pub(super) async fn keep(&self, file: &Arc<LogFile>) -> Result<()> {
        let bytes = encode(self).map_err(|error| broken(&error))?;
        file.set_node(IDENTITY, bytes).await.map_err(|error| broken(&error))
    }
}

fn broken(error: &std::io::Error) -> Error {
    Error::unavailable(format!("who this node is cannot be stored: {error}"))
}
