//! Hits grouped by a field: the best of each shop, each author, each document of chunks.

use crate::{
    Filter, Hit, Include, Query, Result, Schema, Value, column::value_at, filter::Test, limits,
    schema::FilterPath,
};
use alloc::{string::String, vec, vec::Vec};

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
    let mut grouping = Grouping::new(schema, query.clone(), by)?;
    while let Some(query) = grouping.query() {
        grouping.take(search(&query)?);
    }
    Ok(grouping.into_groups())
}

/// Groups on their way: which search is next, and what came of those before. First the values of
/// the best hits are found, each once, by searching again and again without the documents of values
/// found so far, as one value may have very many; then the best hits of each value.
pub(crate) struct Grouping {
    query: Query,
    size: usize,
    place: Place,
    values: Vec<Value>,
    /// Whether `values` are all that there are or that are wanted.
    has_values: bool,
    groups: Vec<HitGroup>,
}

impl Grouping {
    pub(crate) fn new(schema: &Schema, query: Query, by: &GroupBy) -> Result<Self> {
        limits::at_most(by.size, limits::LIMIT_MAX, "size of a group")?;
        query.check()?;
        let place = Place::of(schema, &by.field)?;
        let has_values = query.limit.saturating_add(query.offset) == 0;
        Ok(Self { query, size: by.size, place, values: Vec::new(), has_values, groups: Vec::new() })
    }

    /// The search that is next; `None` when the groups are complete.
    pub(crate) fn query(&self) -> Option<Query> {
        let test = |test| self.place.test(test);
        if !self.has_values {
            let others = test(Test::Exists(true)) & test(Test::Nin(self.values.clone()));
            let include = Include::Fields(vec![self.place.top.clone()]);
            return Some(Query { include, ..self.restricted(others, self.hits_at_once()) });
        }
        let value = self.wanted().nth(self.groups.len())?;
        Some(self.restricted(test(Test::Eq(value.clone())), self.size))
    }

    /// Takes the hits of that search.
    pub(crate) fn take(&mut self, mut hits: Vec<Hit>) {
        if self.has_values {
            hits.truncate(self.size);
            let value = self.wanted().nth(self.groups.len()).cloned();
            self.groups.extend(value.map(|value| HitGroup { value, hits }));
            return;
        }
        for hit in &hits {
            let value = value_at(&hit.doc.values[self.place.number], &self.place.names);
            if let Some(value) = value.filter(|value| !self.values.contains(value)) {
                self.values.push(value.into_owned());
            }
        }
        let wanted = self.query.limit.saturating_add(self.query.offset);
        self.has_values = self.values.len() >= wanted || hits.len() < self.hits_at_once();
    }

    pub(crate) fn into_groups(self) -> Vec<HitGroup> {
        self.groups
    }

    /// The values of the groups to return.
    fn wanted(&self) -> impl Iterator<Item = &Value> {
        self.values.iter().skip(self.query.offset).take(self.query.limit)
    }

    /// Hits of a search for values.
    fn hits_at_once(&self) -> usize {
        const HITS_MIN: usize = 50;
        let wanted = self.query.limit.saturating_add(self.query.offset);
        wanted.saturating_mul(2).clamp(HITS_MIN, limits::LIMIT_MAX)
    }

    /// The query for those only that pass `filter` too.
    fn restricted(&self, filter: Filter, limit: usize) -> Query {
        let filter = self.query.filter.clone() & filter;
        Query { filter, limit, offset: 0, ..self.query.clone() }
    }
}

/// Where the values to group by are in documents.
struct Place {
    path: FilterPath,
    /// The field of the document that has the value in it.
    top: String,
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
        Ok(Self { path: found, top, number, names: names.collect() })
    }

    fn test(&self, test: Test) -> Filter {
        Filter::field(self.path.path.clone(), test)
    }
}
