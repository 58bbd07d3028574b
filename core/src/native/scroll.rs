//! Scrolling over shards: each gives its next documents in order of ids, and the first of all of
//! them are the page.

use super::shard::Shard;
use crate::{Document, Filter, Id, Include, Page, Result, Schema, engine::Run};

pub(super) fn scroll(
    shards: &[Shard],
    schema: &Schema,
    filter: &Filter,
    cursor: Option<&str>,
    limit: usize,
    include: &Include,
) -> Result<Page> {
    let after = cursor.map(|cursor| Run::id_of_cursor(cursor, schema.id().kind)).transpose()?;
    let mut docs: Vec<Document> = Vec::new();
    let mut has_more = false;
    for shard in shards {
        let run = shard.engine().scroll(filter, after.as_ref(), limit, include)?;
        has_more |= run.next.is_some();
        docs.extend(run.docs);
    }
    docs.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    has_more |= docs.len() > limit;
    docs.truncate(limit);
    let last = docs.last().filter(|_| has_more);
    let cursor = last.map(|document| cursor_after(&document.id));
    Ok(Page { docs, cursor })
}

/// The cursor that goes on after an id: the id itself, as text.
fn cursor_after(id: &Id) -> String {
    id.to_string()
}
