//! `durability`: what a write waits for. An answer repeats it.

use super::params::Params;
use vectordoc::{Error, Result, native::Durability};

/// A part of the contract that this build does not have yet.
const PLANNED: &str = "quorum";

/// Reads `durability`: `"fsync"` unless it says otherwise.
pub(super) fn durability(params: &Params<'_>) -> Result<Durability> {
    match params.optional::<String>("durability")?.as_deref() {
        None => Ok(Durability::default()),
        Some(PLANNED) => Err(Error::unsupported(format!(
            "durability: this build has no replicas, and so no {PLANNED:?}; it has \"fsync\" and \
             \"memory\""
        ))),
        Some(name) => Durability::parse(name),
    }
}
