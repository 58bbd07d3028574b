//! `durability`: what a write waits for. An answer says what is true of it.

use super::params::Params;
use vectordoc::{Result, native::Durability};

/// Reads `durability`: `"fsync"` unless it says otherwise.
pub(super) fn durability(params: &Params<'_>) -> Result<Durability> {
    let name = params.optional::<String>("durability")?;
    name.map_or(Ok(Durability::default()), |name| Durability::parse(&name))
}
