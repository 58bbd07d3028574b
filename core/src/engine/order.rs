//! Documents in an order: of their ids, or of the values of a field. And how many documents have
//! each value of a field.

use super::Engine;
use crate::{
    Document, Error, Filter, Id, Order, Page, Result, Scroll, Value,
    bitset::BitSet,
    bytes::{Reader, Writer},
    column::{Direction, Key},
    document::{coerce, read_id, read_value, write_id, write_value},
    limits,
    schema::{FieldType, IdKind, Schema},
};
use alloc::{collections::BTreeMap, collections::BTreeSet, format, string::String, vec::Vec};
use core::cmp::Ordering;

/// Where a document stands in an order: its value of the field, if the order is of a field, and
/// its id. What has no value comes last, and equal values stand in order of their ids.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    key: Option<Key>,
    id: Id,
}

impl Place {
    /// How places compare in an order.
    pub fn cmp(&self, other: &Self, order: Option<&Order>) -> Ordering {
        let keys = match (&self.key, &other.key) {
            (Some(key), Some(other)) if order.is_some_and(|order| order.descending) => {
                other.cmp(key)
            }
            (Some(key), Some(other)) => key.cmp(other),
            (None, Some(_)) if order.is_some() => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Equal,
        };
        keys.then_with(|| self.id.cmp(&other.id))
    }

    /// The cursor that goes on after this place: the id, or in the order of a field, JSON of the
    /// value and the id.
    pub fn cursor(&self, schema: &Schema, order: Option<&Order>) -> Result<String> {
        let Some(order) = order else { return Ok(format!("{}", self.id)) };
        let (_, ty) = column_of(schema, order)?;
        let value = self.key.as_ref().map_or(Value::Null, |key| key.value(&ty));
        let id = Value::Text(format!("{}", self.id));
        let place = Value::Array(alloc::vec![value, id]);
        serde_json::to_string(&place).map_err(|error| Error::internal(format!("{error}")))
    }

    /// The place a cursor stands for.
    pub fn of_cursor(cursor: &str, schema: &Schema, order: Option<&Order>) -> Result<Self> {
        let wrong =
            || Error::invalid("the cursor is not one this database gave out for this order");
        let Some(order) = order else {
            return Ok(Self { key: None, id: id_of_text(cursor, schema).map_err(|_| wrong())? });
        };
        let (_, ty) = column_of(schema, order)?;
        let place: Value = serde_json::from_str(cursor).map_err(|_| wrong())?;
        let Value::Array(parts) = place else { return Err(wrong()) };
        let [value, Value::Text(id)] = &parts[..] else { return Err(wrong()) };
        let key = match coerce(&ty, value.clone()) {
            Value::Null => None,
            value => Some(Key::of(&ty, &value).ok_or_else(wrong)?),
        };
        Ok(Self { key, id: id_of_text(id, schema).map_err(|_| wrong())? })
    }
}

impl Place {
    /// Appends the bytes that [`read`](Self::read) reads.
    pub(crate) fn write(
        &self,
        writer: &mut Writer,
        schema: &Schema,
        order: Option<&Order>,
    ) -> Result<()> {
        if let Some(order) = order {
            let (_, ty) = column_of(schema, order)?;
            write_value(writer, &self.key.as_ref().map_or(Value::Null, |key| key.value(&ty)));
        }
        write_id(writer, &self.id);
        Ok(())
    }

    pub(crate) fn read(
        reader: &mut Reader<'_>,
        schema: &Schema,
        order: Option<&Order>,
    ) -> Result<Self> {
        let key = |order| {
            let (_, ty) = column_of(schema, order)?;
            read_value(reader, limits::DOCUMENT_DEPTH_MAX).map(|value| Key::of(&ty, &value))
        };
        let key = order.map(key).transpose()?.flatten();
        Ok(Self { key, id: read_id(reader)? })
    }
}

fn id_of_text(text: &str, schema: &Schema) -> Result<Id> {
    match schema.id().kind {
        IdKind::Int => text.parse().map(Id::Int).map_err(|_| Error::invalid("no integer")),
        IdKind::Text => Ok(Id::Text(text.into())),
        IdKind::Uuid => Id::parse_uuid(text),
    }
}

/// The number of the column an order is of, and what its values are.
fn column_of(schema: &Schema, order: &Order) -> Result<(usize, FieldType)> {
    let (number, found) = schema.scalar_path(&order.field, "order")?;
    match found.ty {
        FieldType::Geo => Err(Error::invalid(format!("{:?} holds points: no order", order.field))),
        ty => Ok((number, ty)),
    }
}

impl Engine {
    /// A part of the documents, each with its place, after a place: the one that the cursor stands
    /// for. See [`page`].
    pub fn scroll(&self, scroll: &Scroll, after: Option<&Place>) -> Result<Vec<(Place, Document)>> {
        let limit = scroll.limit;
        limits::at_most(limit, limits::SCROLL_LIMIT_MAX, "limit")?;
        self.check_include(&scroll.include)?;
        let allowed = self.allowed(&scroll.filter)?;
        let places = match &scroll.order {
            Some(order) => self.places_by_field(&allowed, order, after, limit)?,
            None => self.places_by_id(&allowed, None, after.map(|place| &place.id), limit)?,
        };
        let document = |(place, slot): (Place, u32)| {
            let document = self.document(slot, place.id.clone(), &scroll.include)?;
            Ok((place, document))
        };
        places.into_iter().map(document).collect()
    }

    /// The first of `slots` in order of their ids, after an id.
    fn places_by_id(
        &self,
        slots: &BitSet,
        key: Option<&Key>,
        after: Option<&Id>,
        limit: usize,
    ) -> Result<Vec<(Place, u32)>> {
        let mut first = BTreeSet::new();
        for slot in slots.iter() {
            let id = self.id(slot)?;
            if after.is_none_or(|after| id > *after) {
                first.insert((id, slot));
                if first.len() > limit {
                    first.pop_last();
                }
            }
        }
        Ok(first.into_iter().map(|(id, slot)| (Place { key: key.cloned(), id }, slot)).collect())
    }

    /// The first of `allowed` in the order of a field: value by value, then those without one.
    fn places_by_field(
        &self,
        allowed: &BitSet,
        order: &Order,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<(Place, u32)>> {
        let (number, _) = column_of(&self.schema, order)?;
        let direction = if order.descending { Direction::Down } else { Direction::Up };
        let mut places = Vec::new();
        let mut failed = None;
        let mut add = |key: Option<&Key>, slots: &BitSet| {
            let same = after.filter(|after| after.key.as_ref() == key).map(|after| &after.id);
            let left = limit - places.len();
            match self.places_by_id(slots, key, same, left) {
                Ok(more) => places.extend(more),
                Err(error) => failed = Some(error),
            }
            failed.is_none() && places.len() < limit
        };
        let from = after.and_then(|after| after.key.as_ref());
        let mut go_on = true;
        if after.is_none_or(|after| after.key.is_some()) {
            self.columns.walk(number, from, direction, &mut |key, slots| {
                let mut those = BitSet::default();
                slots.iter().filter(|slot| allowed.contains(**slot)).for_each(|slot| {
                    those.insert(*slot);
                });
                go_on = add(Some(key), &those);
                go_on
            });
        }
        if go_on {
            add(None, &self.columns.without(number, allowed));
        }
        failed.map_or(Ok(places), Err)
    }

    /// How many of the documents that pass have each value of the field at `path`: of an array,
    /// each of its elements.
    pub fn facet(&self, path: &str, filter: &Filter) -> Result<Vec<(Value, u64)>> {
        let (number, found) = self.schema.filter_path(path)?;
        let counts = self.columns.facet(number, &self.allowed(filter)?);
        Ok(counts.into_iter().map(|(key, count)| (key.value(&found.ty), count)).collect())
    }
}

/// One page out of what several engines have after the place where it begins, in order, each no
/// more than `scroll.limit`.
pub fn page(schema: &Schema, scroll: &Scroll, mut found: Vec<(Place, Document)>) -> Result<Page> {
    let order = scroll.order.as_ref();
    let is_full = found.len() >= scroll.limit;
    found.sort_unstable_by(|(a, _), (b, _)| a.cmp(b, order));
    found.truncate(scroll.limit);
    let last = found.last().filter(|_| is_full);
    let cursor = last.map(|(place, _)| place.cursor(schema, order)).transpose()?;
    let docs = found.into_iter().map(|(_, document)| document).collect();
    Ok(Page { docs, cursor })
}

/// The counts of several engines added up: the `limit` most frequent values, ties in order of the
/// values.
pub fn most_frequent(
    schema: &Schema,
    path: &str,
    counts: impl IntoIterator<Item = (Value, u64)>,
    limit: usize,
) -> Result<Vec<(Value, u64)>> {
    limits::at_most(limit, limits::FACET_LIMIT_MAX, "limit")?;
    let (_, found) = schema.filter_path(path)?;
    let mut total: BTreeMap<Key, u64> = BTreeMap::new();
    for (value, count) in counts {
        if let Some(key) = Key::of(&found.ty, &value) {
            *total.entry(key).or_default() += count;
        }
    }
    let mut total: Vec<(Key, u64)> = total.into_iter().collect();
    total.sort_unstable_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then_with(|| a.cmp(b)));
    total.truncate(limit);
    Ok(total.into_iter().map(|(key, count)| (key.value(&found.ty), count)).collect())
}
