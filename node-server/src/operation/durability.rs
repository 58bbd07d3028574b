//! `durability`: what a write waits for.

use super::params::Params;
use vectordoc::{Error, Result};

const FSYNC: &str = "fsync";
/// Parts of the contract that this build does not have yet.
const PLANNED: [&str; 2] = ["memory", "quorum"];

/// Refuses every durability but the one there is: on stable storage when the answer comes.
pub(super) fn check(params: &Params<'_>) -> Result<()> {
    match params.optional::<String>("durability")?.as_deref() {
        None | Some(FSYNC) => Ok(()),
        Some(planned) if PLANNED.contains(&planned) => Err(Error::unsupported(format!(
            "durability: this build has no {planned:?} yet; every write is {FSYNC:?}"
        ))),
        Some(other) => Err(Error::invalid(format!("durability: it is {FSYNC:?}, not {other:?}"))),
    }
}
