//! The filter indexes: one column per filterable path, from each distinct value to the slots that
//! have it.
//!
//! Data enters by [`Columns::insert`] and [`Columns::remove`] as documents come and go, and leaves
//! as the set of slots that pass a bound filter. Columns are derived state: they can always be
//! built again from the documents.

use crate::{
    Error, Result, Schema, Value,
    bytes::{Reader, Writer},
    filter::{Bound, Match},
    schema::FieldType,
};
use alloc::{borrow::Cow, boxed::Box, collections::BTreeMap, string::String, vec::Vec};
use core::{cmp::Ordering, ops::Bound as Edge};
use roaring::RoaringBitmap;

/// A set of slots.
pub(crate) type Slots = RoaringBitmap;

/// A value as a column orders it. A column holds keys of one kind only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Bool(bool),
    Int(i128),
    Float(Number),
    Text(Box<str>),
    Bytes(Box<[u8]>),
}

/// A float that is no NaN, with one zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number(f64);

impl Number {
    pub(crate) fn new(value: f64) -> Self {
        Self(value + 0.0)
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Key {
    fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Float(value) => Self::Float(Number::new(*value)),
            Value::Text(text) => Self::Text(text.as_str().into()),
            Value::Bytes(bytes) => Self::Bytes(bytes.as_slice().into()),
            Value::Time(time) => Self::Int(time.as_micros().into()),
            Value::Uuid(uuid) => Self::Bytes(uuid.as_bytes().as_slice().into()),
            Value::Null | Value::Geo(_) | Value::Array(_) | Value::Object(_) => return None,
        })
    }
}

/// The slots that have one value; most values of a unique field have one slot.
#[derive(Clone, Debug, PartialEq)]
enum Postings {
    One(u32),
    Many(Slots),
}

impl Postings {
    fn insert(&mut self, slot: u32) {
        match self {
            Self::One(only) if *only == slot => {}
            Self::One(only) => *self = Self::Many([*only, slot].into_iter().collect()),
            Self::Many(slots) => {
                slots.insert(slot);
            }
        }
    }

    /// Removes a slot; true when none is left.
    fn remove(&mut self, slot: u32) -> bool {
        match self {
            Self::One(only) => *only == slot,
            Self::Many(slots) => {
                slots.remove(slot);
                slots.is_empty()
            }
        }
    }

    fn to_slots(&self) -> Slots {
        match self {
            Self::One(only) => core::iter::once(*only).collect(),
            Self::Many(slots) => slots.clone(),
        }
    }
}

/// The slots of all `postings`. Many small sets are united bit by bit: adding one compressed set
/// to another again and again would copy the growing one each time.
fn union<'a>(mut postings: impl Iterator<Item = &'a Postings>) -> Slots {
    let Some(first) = postings.next() else { return Slots::new() };
    let Some(second) = postings.next() else { return first.to_slots() };
    let mut bits = Vec::new();
    for postings in [first, second].into_iter().chain(postings) {
        match postings {
            Postings::One(only) => set_bit(&mut bits, *only),
            Postings::Many(slots) => slots.iter().for_each(|slot| set_bit(&mut bits, slot)),
        }
    }
    slots_from_bits(&bits)
}

fn set_bit(bits: &mut Vec<u8>, slot: u32) {
    let byte = slot as usize / 8;
    if bits.len() <= byte {
        bits.resize((byte + 1).next_multiple_of(8), 0);
    }
    bits[byte] |= 1 << (slot % 8);
}

/// The index of one filterable path.
#[derive(Clone, Debug, Default, PartialEq)]
struct Column {
    keys: BTreeMap<Key, Postings>,
    sizes: BTreeMap<u64, Postings>,
    present: Slots,
}

impl Column {
    fn insert(&mut self, slot: u32, value: &Value) {
        self.present.insert(slot);
        each_key(value, |key| insert_posting(&mut self.keys, key, slot));
        if let Value::Array(values) = value {
            insert_posting(&mut self.sizes, values.len() as u64, slot);
        }
    }

    fn remove(&mut self, slot: u32, value: &Value) {
        self.present.remove(slot);
        each_key(value, |key| remove_posting(&mut self.keys, &key, slot));
        if let Value::Array(values) = value {
            remove_posting(&mut self.sizes, &(values.len() as u64), slot);
        }
    }

    fn find(&self, look: &Match) -> Slots {
        let postings = |(_, postings)| postings;
        match look {
            Match::Present => self.present.clone(),
            Match::Keys(keys) => union(keys.iter().filter_map(|key| self.keys.get(key))),
            Match::Range(low, high) if is_empty_range(low, high) => Slots::new(),
            Match::Range(low, high) => {
                union(self.keys.range((low.as_ref(), high.as_ref())).map(postings))
            }
            Match::Prefix(prefix) => {
                let from = Key::Text(prefix.as_str().into());
                let begins = |(key, _): &(&Key, _)| text_of(key).starts_with(prefix.as_str());
                union(self.keys.range(from..).take_while(begins).map(postings))
            }
            Match::Part(part) => {
                let has = |(key, _): &(&Key, _)| text_of(key).contains(part.as_str());
                union(self.keys.iter().filter(has).map(postings))
            }
            Match::Size(size) => union(self.sizes.get(size).into_iter()),
        }
    }
}

fn insert_posting<K: Ord>(map: &mut BTreeMap<K, Postings>, key: K, slot: u32) {
    map.entry(key).and_modify(|postings| postings.insert(slot)).or_insert(Postings::One(slot));
}

fn remove_posting<K: Ord>(map: &mut BTreeMap<K, Postings>, key: &K, slot: u32) {
    if map.get_mut(key).is_some_and(|postings| postings.remove(slot)) {
        map.remove(key);
    }
}

fn each_key(value: &Value, mut act: impl FnMut(Key)) {
    match value {
        Value::Array(values) => values.iter().filter_map(Key::of).for_each(act),
        value => {
            if let Some(key) = Key::of(value) {
                act(key);
            }
        }
    }
}

fn text_of(key: &Key) -> &str {
    match key {
        Key::Text(text) => text,
        _ => "",
    }
}

/// `BTreeMap::range` panics on such a range.
fn is_empty_range(low: &Edge<Key>, high: &Edge<Key>) -> bool {
    match (low, high) {
        (Edge::Included(low), Edge::Included(high)) => low > high,
        (
            Edge::Included(low) | Edge::Excluded(low),
            Edge::Included(high) | Edge::Excluded(high),
        ) => low >= high,
        _ => false,
    }
}

/// All columns of an engine, and the slots that hold a document.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    /// Where each column's value is: the number of the value field, then names into it.
    places: Vec<(usize, Vec<String>)>,
    columns: Vec<Column>,
    live: Slots,
}

impl Columns {
    pub(crate) fn new(schema: &Schema) -> Self {
        let mut places = Vec::new();
        for (number, field) in schema.values().iter().enumerate().filter(|(_, f)| f.filter) {
            collect_places(number, &field.ty, &mut Vec::new(), &mut places);
        }
        let columns = places.iter().map(|_| Column::default()).collect();
        Self { places, columns, live: Slots::new() }
    }

    /// The slots that hold a document.
    pub(crate) fn live(&self) -> &Slots {
        &self.live
    }

    pub(crate) fn insert(&mut self, slot: u32, values: &[Value]) {
        self.live.insert(slot);
        for ((number, names), column) in self.places.iter().zip(&mut self.columns) {
            if let Some(value) = value_at(&values[*number], names) {
                column.insert(slot, &value);
            }
        }
    }

    pub(crate) fn remove(&mut self, slot: u32, values: &[Value]) {
        self.live.remove(slot);
        for ((number, names), column) in self.places.iter().zip(&mut self.columns) {
            if let Some(value) = value_at(&values[*number], names) {
                column.remove(slot, &value);
            }
        }
    }

    /// The live slots that pass `filter`.
    pub(crate) fn find(&self, filter: &Bound) -> Slots {
        match filter {
            Bound::All => self.live.clone(),
            Bound::Column { number, look } => self.columns[*number].find(look),
            Bound::Not(filter) => &self.live - &self.find(filter),
            Bound::Or(filters) => {
                filters.iter().fold(Slots::new(), |found, filter| found | self.find(filter))
            }
            Bound::And(filters) => {
                let mut found = None;
                for filter in filters {
                    let next = self.find(filter);
                    let all = match found {
                        None => next,
                        Some(found) => next & found,
                    };
                    if all.is_empty() {
                        return all;
                    }
                    found = Some(all);
                }
                found.unwrap_or_else(|| self.live.clone())
            }
        }
    }

    /// The columns as bytes, to be read back by [`read`](Self::read); the live slots apart.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        for column in &self.columns {
            write_slots(&mut writer, &column.present);
            writer.length(column.keys.len());
            for (key, postings) in &column.keys {
                write_key(&mut writer, key);
                write_postings(&mut writer, postings);
            }
            writer.length(column.sizes.len());
            for (size, postings) in &column.sizes {
                writer.varint((*size).into());
                write_postings(&mut writer, postings);
            }
        }
        writer.into_bytes()
    }

    /// The columns of `schema` out of bytes.
    pub(crate) fn read(schema: &Schema, live: Slots, bytes: &[u8]) -> Result<Self> {
        let mut columns = Self { live, ..Self::new(schema) };
        let reader = &mut Reader::new(bytes);
        for column in &mut columns.columns {
            column.present = read_slots(reader)?;
            for _ in 0..reader.length()? {
                let key = read_key(reader)?;
                column.keys.insert(key, read_postings(reader)?);
            }
            for _ in 0..reader.length()? {
                let size = u64::try_from(reader.varint()?);
                let size = size.map_err(|_| Error::corrupt("an array size exceeds 64 bits"))?;
                column.sizes.insert(size, read_postings(reader)?);
            }
        }
        Ok(columns)
    }
}

fn collect_places(
    number: usize,
    ty: &FieldType,
    names: &mut Vec<String>,
    places: &mut Vec<(usize, Vec<String>)>,
) {
    if !matches!(ty.element(), FieldType::Object(_)) {
        places.push((number, names.clone()));
        return;
    }
    for field in ty.fields().iter().filter(|field| field.filter) {
        names.push(field.name.clone());
        collect_places(number, &field.ty, names, places);
        names.pop();
    }
}

/// The value that `names` lead to, unless one on the way is missing. A way through an array of
/// structs leads to an array of what is in each.
fn value_at<'a>(value: &'a Value, names: &[String]) -> Option<Cow<'a, Value>> {
    match (value, names.split_first()) {
        (Value::Null, _) => None,
        (value, None) => Some(Cow::Borrowed(value)),
        (Value::Object(fields), Some((name, rest))) => value_at(fields.get(name)?, rest),
        (Value::Array(elements), _) => {
            let mut values = Vec::new();
            for value in elements.iter().filter_map(|element| value_at(element, names)) {
                match value.into_owned() {
                    Value::Array(several) => values.extend(several),
                    one => values.push(one),
                }
            }
            Some(Cow::Owned(Value::Array(values)))
        }
        _ => None,
    }
}

const KEY_FALSE: u8 = 0;
const KEY_TRUE: u8 = 1;
const KEY_INT: u8 = 2;
const KEY_FLOAT: u8 = 3;
const KEY_TEXT: u8 = 4;
const KEY_BYTES: u8 = 5;

fn write_key(writer: &mut Writer, key: &Key) {
    match key {
        Key::Bool(value) => writer.u8(if *value { KEY_TRUE } else { KEY_FALSE }),
        Key::Int(value) => {
            writer.u8(KEY_INT);
            writer.signed(*value);
        }
        Key::Float(number) => {
            writer.u8(KEY_FLOAT);
            writer.f64(number.0);
        }
        Key::Text(text) => {
            writer.u8(KEY_TEXT);
            writer.bytes(text.as_bytes());
        }
        Key::Bytes(bytes) => {
            writer.u8(KEY_BYTES);
            writer.bytes(bytes);
        }
    }
}

fn read_key(reader: &mut Reader<'_>) -> Result<Key> {
    Ok(match reader.u8()? {
        KEY_FALSE => Key::Bool(false),
        KEY_TRUE => Key::Bool(true),
        KEY_INT => Key::Int(reader.signed()?),
        KEY_FLOAT => Key::Float(Number::new(reader.f64()?)),
        KEY_TEXT => Key::Text(reader.text()?.into()),
        KEY_BYTES => Key::Bytes(reader.bytes()?.into()),
        tag => return Err(Error::corrupt(alloc::format!("a key has the unknown tag {tag}"))),
    })
}

fn write_postings(writer: &mut Writer, postings: &Postings) {
    match postings {
        Postings::One(slot) => {
            writer.length(1);
            writer.u32(*slot);
        }
        Postings::Many(slots) => write_slots(writer, slots),
    }
}

fn read_postings(reader: &mut Reader<'_>) -> Result<Postings> {
    let slots = read_slots(reader)?;
    Ok(match (slots.len(), slots.min()) {
        (1, Some(only)) => Postings::One(only),
        _ => Postings::Many(slots),
    })
}

/// One bit a slot, lowest first: the form of large sets.
pub(crate) fn slots_to_bits(slots: &Slots) -> Vec<u8> {
    let mut bits = Vec::new();
    slots.iter().for_each(|slot| set_bit(&mut bits, slot));
    bits
}

/// The set of the slots whose bit is set.
pub(crate) fn slots_from_bits(bits: &[u8]) -> Slots {
    Slots::from_lsb0_bytes(0, bits)
}

fn write_slots(writer: &mut Writer, slots: &Slots) {
    writer.varint(slots.len().into());
    slots.iter().for_each(|slot| writer.u32(slot));
}

fn read_slots(reader: &mut Reader<'_>) -> Result<Slots> {
    let count = reader.length()?;
    let bytes = count.checked_mul(4).ok_or_else(|| Error::corrupt("a slot count is too large"))?;
    let (slots, _) = reader.raw(bytes)?.as_chunks::<4>();
    Slots::from_sorted_iter(slots.iter().map(|slot| u32::from_le_bytes(*slot)))
        .map_err(|_| Error::corrupt("slots are out of order"))
}
