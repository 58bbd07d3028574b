//! `if_version`: a write of one document on the condition that nobody else wrote it meanwhile.

use super::params::Params;
use vectordoc::{Batch, Database, Error, Id, Result, engine::Outcome};

/// Reads `if_version`: the version the document must have; 0 when there must be none.
pub(super) fn version(params: &Params<'_>) -> Result<Option<u64>> {
    params.optional("if_version")
}

/// The error for a condition on more than one document; `one` says how to write one.
pub(super) fn about_one(one: &str) -> Error {
    Error::invalid(format!("\"if_version\" is about one document: it goes with {one}"))
}

/// Makes the change of `batch`, which is about the document `id`, if that has this version.
pub(super) fn change(
    database: &Database,
    id: &Id,
    batch: Batch,
    version: Option<u64>,
) -> Result<Outcome> {
    let batch = match version {
        Some(version) => batch.expecting(id.clone(), version),
        None => batch,
    };
    database.change(id, batch)
}
