//! `like` and `unlike`: documents that stand for the vector of a search.

use super::{params::Params, read};
use vectordoc::{Error, Examples, Result, schema::IdKind};

/// Reads `like` and `unlike`, arrays of ids, if the first is there.
pub(super) fn examples(params: &Params<'_>, kind: IdKind) -> Result<Option<Examples>> {
    match (params.has("like"), params.has("unlike")) {
        (true, _) if params.has("vector") || params.has("vectors") => {
            Err(Error::invalid("\"like\" stands for a vector; give one of the two"))
        }
        (true, _) => {
            let like = read::ids_if_any(params, "like", kind)?;
            let unlike = read::ids_if_any(params, "unlike", kind)?;
            Ok(Some(Examples { like, unlike }))
        }
        (false, true) => Err(Error::invalid("\"unlike\" goes with \"like\", which is missing")),
        (false, false) => Ok(None),
    }
}
