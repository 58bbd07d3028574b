//! Who a node is, which it knows before it is told anything.

use super::{
    group::{Node, decode, encode},
    log::LogFile,
};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::{fmt::Write, sync::Arc};
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
                let identity = Self { name: random()?, place: None };
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

/// A name that nothing else has.
pub(super) fn random() -> Result<String> {
    let mut bytes = [0; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Error::internal("the system gives no random numbers"))?;
    let mut name = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    Ok(name)
}

fn broken(error: &std::io::Error) -> Error {
    Error::unavailable(format!("who this node is cannot be stored: {error}"))
}
