//! Hits grouped by a field: the best of each shop, each author, each document of chunks.

use crate::{
    Filter, Hit, Include, Query, Result, Schema, Value, column::value_at, filter::Test, limits,
    schema::FilterPath,
};
use alloc::{string::String, vec::Vec};

/// By what to group, and how much of each group to return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupBy {
    /// The dotted path of a filterable field that is no array.
    pub field: String,
    /// Hits of each group.
    pub size: usize,
}

/// The best hits with one value of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct HitGroup<D = crate::Document> {
    /// The value they have in common.
    pub value: Value,
    /// Best first.
    pub hits: Vec<Hit<D>>,
}

/// The groups of the best hits: as many as the query's limit, after its offset, in order of the
/// best hit of each. Documents without a value are in no group. `search` answers a query.
pub fn grouped(
    schema: &Schema,
    query: &Query,
    by: &GroupBy,
    search: &mut dyn FnMut(&Query) -> Result<Vec<Hit>>,
) -> Result<Vec<HitGroup>> {
    limits::at_most(by.size, limits::LIMIT_MAX, "size of a group")?;
    query.check()?;
    let place = Place::of(schema, &by.field)?;
    let wanted = query.limit.saturating_add(query.offset);
    let values = best_values(query, by, &place, wanted, search)?;
    let group = |value: Value| {
        let filter = query.filter.clone() & place.test(Test::Eq(value.clone()));
        let mut hits = search(&Query { filter, limit: by.size, offset: 0, ..query.clone() })?;
        hits.truncate(by.size);
        Ok(HitGroup { value, hits })
    };
    values.into_iter().skip(query.offset).take(query.limit).map(group).collect()
}

/// The values of the best hits, each once: searched for again and again without the documents of
/// values found so far, as one value may have very many.
fn best_values(
    query: &Query,
    by: &GroupBy,
    place: &Place,
    wanted: usize,
    search: &mut dyn FnMut(&Query) -> Result<Vec<Hit>>,
) -> Result<Vec<Value>> {
    const HITS_MIN: usize = 50;
    let limit = wanted.saturating_mul(2).clamp(HITS_MIN, limits::LIMIT_MAX);
    let top = by.field.split('.').take(1).map(String::from);
    let include = Include::Fields(top.collect());
    let mut values: Vec<Value> = Vec::new();
    while values.len() < wanted {
        let others = place.test(Test::Exists(true)) & place.test(Test::Nin(values.clone()));
        let filter = query.filter.clone() & others;
        let include = include.clone();
        let hits = search(&Query { filter, include, limit, offset: 0, ..query.clone() })?;
        for hit in &hits {
            let value = value_at(&hit.doc.values[place.number], &place.names);
            if let Some(value) = value.filter(|value| !values.contains(value)) {
                values.push(value.into_owned());
            }
        }
        if hits.len() < limit {
            break;
        }
    }
    values.truncate(wanted);
    Ok(values)
}

/// Where the values to group by are in documents.
struct Place {
    path: FilterPath,
    number: usize,
    names: Vec<String>,
}

impl Place {
    fn of(schema: &Schema, path: &str) -> Result<Self> {
        let (_, found) = schema.scalar_path(path, "group")?;
        let mut names = path.split('.').map(String::from);
        let top = names.next().unwrap_or_default();
        let number = schema.values().iter().position(|field| field.name == top);
        let number = number.ok_or_else(|| schema.not_filterable(path))?;
        Ok(Self { path: found, number, names: names.collect() })
    }

    fn test(&self, test: Test) -> Filter {
        Filter::field(self.path.path.clone(), test)
    }
}
