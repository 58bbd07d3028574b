//! Hits as a table: rank, score, id, and the fields of the documents.

use super::{
    place::{Answer, Found},
    table::Table,
};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// The table of an answer, with these fields, or all there are.
pub(crate) fn table(answer: &Answer, fields: &[String]) -> Table {
    let fields = if fields.is_empty() { fields_of(answer) } else { fields.to_vec() };
    let fixed = ["#", "score", "id"].into_iter().map(str::to_owned);
    let mut table = Table::new(fixed.chain(fields.iter().cloned()));
    for (rank, found) in (1_usize..).zip(&answer.hits) {
        table.row(cells(rank, found, &fields));
    }
    table
}

/// Every field some hit has, the id left out: it has a column already.
fn fields_of(answer: &Answer) -> Vec<String> {
    let named = answer.hits.iter().flat_map(|found| {
        found.doc.iter().filter(|(_, value)| **value != found.id).map(|(name, _)| name.clone())
    });
    named.collect::<BTreeSet<_>>().into_iter().collect()
}

fn cells(rank: usize, found: &Found, fields: &[String]) -> Vec<String> {
    let fixed = [rank.to_string(), format!("{:.3}", found.score), text(&found.id)];
    let values = fields.iter().map(|name| found.doc.get(name).map_or_else(String::new, text));
    fixed.into_iter().chain(values).collect()
}

/// A value on one line.
pub(crate) fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.replace(['\n', '\r', '\t'], " "),
        other => other.to_string(),
    }
}
