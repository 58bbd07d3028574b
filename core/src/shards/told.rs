//! How a host reads what a shard answers that no [`Gathering`](super::Gathering) asks.

pub(crate) use super::answer::examples;

use super::{
    explained::read_warning,
    format::{read_all, read_document, read_list, read_option, read_u64, read_vector},
};
use crate::{Document, Id, Result, Schema, bytes::Reader, document::read_id, query::Warning};

/// Documents and their versions; none where there is no document.
pub(crate) fn got(bytes: &[u8], schema: &Schema) -> Result<Vec<Option<(Document, u64)>>> {
    let versioned =
        |reader: &mut Reader<'_>| Ok((read_document(reader.bytes()?, schema)?, read_u64(reader)?));
    read_all(bytes, |reader| read_list(reader, |reader| read_option(reader, versioned)))
}

/// How many there are.
pub(crate) fn count(bytes: &[u8]) -> Result<u64> {
    read_all(bytes, read_u64)
}

/// What to know about a filter or a search.
pub(crate) fn warnings(bytes: &[u8]) -> Result<Vec<Warning>> {
    read_all(bytes, |reader| read_list(reader, read_warning))
}

/// A document's id and one of its vectors, if there is one.
pub(crate) fn nth(bytes: &[u8]) -> Result<Option<(Id, Vec<f32>)>> {
    let found = |reader: &mut Reader<'_>| Ok((read_id(reader)?, read_vector(reader)?));
    read_all(bytes, |reader| read_option(reader, found))
}
