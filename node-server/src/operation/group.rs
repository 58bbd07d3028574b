//! `group_by` and `group_size`: hits as groups.

use super::params::Params;
use crate::limits::GROUP_SIZE_DEFAULT;
use vectordoc::{Error, GroupBy, Result};

/// Reads `group_by`, the path of a field, and `group_size`, if the first is there.
pub(super) fn group(params: &Params<'_>) -> Result<Option<GroupBy>> {
    let size = params.optional("group_size")?;
    let Some(field) = params.optional("group_by")? else {
        return match size {
            Some(_) => {
                Err(Error::invalid("\"group_size\" goes with \"group_by\", which is missing"))
            }
            None => Ok(None),
        };
    };
    if params.has("vectors") {
        return Err(Error::invalid(
            "\"group_by\" groups one search: give \"vector\", \"like\" or \"text\"",
        ));
    }
    if params.optional("explain")?.unwrap_or(false) {
        return Err(Error::invalid(
            "\"explain\" tells of one search, and groups take several; leave one of the two out",
        ));
    }
    Ok(Some(GroupBy { field, size: size.unwrap_or(GROUP_SIZE_DEFAULT) }))
}
