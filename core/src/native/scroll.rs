//! Scrolling over shards: each gives its next documents in order, and the first of all of them are
//! the page.

use super::shard::Shard;
use crate::{
    Page, Result, Schema, Scroll,
    engine::{Place, page},
};

pub(super) fn scroll(shards: &[Shard], schema: &Schema, scroll: &Scroll) -> Result<Page> {
    let place = |cursor: &String| Place::of_cursor(cursor, schema, scroll.order.as_ref());
    let after = scroll.cursor.as_ref().map(place).transpose()?;
    let mut found = Vec::new();
    for shard in shards {
        found.extend(shard.engine().scroll(scroll, after.as_ref())?);
    }
    page(schema, scroll, found)
}
