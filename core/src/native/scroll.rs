//! Scrolling over shards: each gives its next documents in order, and the first of all of them are
//! the page.

use super::shard::Shard;
use crate::{Document, Page, Result, Schema, Scroll, engine::Place};

pub(super) fn scroll(shards: &[Shard], schema: &Schema, scroll: &Scroll) -> Result<Page> {
    let order = scroll.order.as_ref();
    let place = |cursor: &String| Place::of_cursor(cursor, schema, order);
    let after = scroll.cursor.as_ref().map(place).transpose()?;
    let mut found: Vec<(Place, Document)> = Vec::new();
    for shard in shards {
        found.extend(shard.engine().scroll(scroll, after.as_ref())?);
    }
    let is_full = found.len() >= scroll.limit;
    found.sort_by(|(a, _), (b, _)| a.cmp(b, order));
    found.truncate(scroll.limit);
    let last = found.last().filter(|_| is_full);
    let cursor = last.map(|(place, _)| place.cursor(schema, order)).transpose()?;
    let docs = found.into_iter().map(|(_, document)| document).collect();
    Ok(Page { docs, cursor })
}
