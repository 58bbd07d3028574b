//! `include`: which fields the documents of an answer carry.

use super::params::Params;
use serde::Deserialize;
use vectordoc::{Error, Include, Result, Schema, schema::unknown_name};

const EVERYTHING: &str = "*";

#[derive(Deserialize)]
#[serde(untagged)]
enum Wanted {
    Text(String),
    Fields(Vec<String>),
}

/// Reads `include`: an array of field names, or `"*"` for all with the vectors. Without it, all
/// but the vectors.
pub(super) fn include(params: &Params<'_>, schema: &Schema) -> Result<Include> {
    let wrong = || Error::invalid(r#"include: it is an array of field names, or "*" for all"#);
    match params.optional::<Wanted>("include").map_err(|_| wrong())? {
        None => Ok(Include::Values),
        Some(Wanted::Text(text)) if text == EVERYTHING => Ok(Include::Everything),
        Some(Wanted::Text(_)) => Err(wrong()),
        Some(Wanted::Fields(fields)) if fields.is_empty() => Ok(Include::Nothing),
        Some(Wanted::Fields(fields)) => {
            fields.iter().try_for_each(|field| check_field(schema, field))?;
            Ok(Include::Fields(fields))
        }
    }
}

fn check_field(schema: &Schema, field: &str) -> Result<()> {
    let vectors = schema.vectors().iter().map(|known| known.name.as_str());
    let values = schema.values().iter().map(|known| known.name.as_str());
    let known = std::iter::once(schema.id().name.as_str()).chain(vectors).chain(values);
    if known.clone().any(|known| known == field) {
        return Ok(());
    }
    Err(unknown_name("field", field, known).within("include"))
}
