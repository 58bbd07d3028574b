//! Parameters that several operations have: the database, documents, ids, a filter.

use super::{
    durability::durability,
    params::{Params, without_position},
    read_level::ReadLevel,
};
use crate::Catalog;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use std::fmt;
use vectordoc::{
    Database, Document, Error, Filter, Id, Result, Schema, Value,
    document::{DocumentSeed, IdSeed},
    limits,
    native::WhenBusy,
    schema::IdKind,
};

/// The database that `db` names.
pub(super) fn database(params: &Params<'_>, catalog: &Catalog) -> Result<Database> {
    catalog.get(params.required("db")?)
}

/// The database that `db` names, as fresh as `read` says. Blocks where it has replicas.
pub(super) fn fresh(params: &Params<'_>, catalog: &Catalog) -> Result<Database> {
    match ReadLevel::of(params)? {
        ReadLevel::Linearizable => catalog.get_fresh(params.required("db")?),
        ReadLevel::Local => database(params, catalog),
    }
}

/// Whether what is asked for can be read of `database` without asking anybody else.
pub(super) fn is_at_hand(params: &Params<'_>, database: &Database) -> bool {
    !database.is_replicated() || ReadLevel::of(params) == Ok(ReadLevel::Local)
}

/// The database that `db` names, to be written as `durability` says. A shard that is busy says so
/// at once, as a thread of the server would wait for it.
pub(super) fn written(params: &Params<'_>, catalog: &Catalog) -> Result<Database> {
    let durability = durability(params)?;
    Ok(database(params, catalog)?.with_durability(durability).when_busy(WhenBusy::Refuse))
}

/// The documents in `docs`.
pub(super) fn documents(params: &Params<'_>, schema: &Schema) -> Result<Vec<Document>> {
    list(params, "docs", DocumentSeed(schema))
}

/// The ids in `ids`.
pub(super) fn ids(params: &Params<'_>, kind: IdKind) -> Result<Vec<Id>> {
    list(params, "ids", IdSeed(kind))
}

/// The ids in the array `name`; none when it is not there.
pub(super) fn ids_if_any(params: &Params<'_>, name: &'static str, kind: IdKind) -> Result<Vec<Id>> {
    if params.has(name) { list(params, name, IdSeed(kind)) } else { Ok(Vec::new()) }
}

/// The filter in `filter`; every document when there is none.
pub(super) fn filter(params: &Params<'_>) -> Result<Filter> {
    match params.optional::<Value>("filter")? {
        Some(value) => Filter::from_value(&value),
        None => Ok(Filter::All),
    }
}

/// The elements of the array `name`, each read by `each`; at most as many as one batch may hold.
fn list<'a, S>(params: &Params<'a>, name: &'static str, each: S) -> Result<Vec<S::Value>>
where
    S: DeserializeSeed<'a> + Copy,
{
    let List { elements, refused } = params.seeded(name, ListSeed { each })?;
    if refused == 0 {
        return Ok(elements);
    }
    Err(Error::limit_exceeded(format!(
        "{name} has {} elements, the limit is {}; split the request",
        elements.len() + refused,
        limits::BATCH_OPERATIONS_MAX
    )))
}

/// The first elements of an array, and how many more there were.
struct List<T> {
    elements: Vec<T>,
    refused: usize,
}

/// Reads an array, each element by `each`.
struct ListSeed<S> {
    each: S,
}

impl<'de, S: DeserializeSeed<'de> + Copy> DeserializeSeed<'de> for ListSeed<S> {
    type Value = List<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_seq(self)
    }
}

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for ListSeed<S> {
    type Value = List<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < limits::BATCH_OPERATIONS_MAX {
            let element = seq.next_element_seed(self.each).map_err(|error| {
                let error = without_position(&error);
                de::Error::custom(format!("element {}: {error}", elements.len()))
            })?;
            match element {
                Some(element) => elements.push(element),
                None => return Ok(List { elements, refused: 0 }),
            }
        }
        let mut refused = 0;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            refused += 1;
        }
        Ok(List { elements, refused })
    }
}
