//! Dynamic values: what a document field holds, what a filter compares with, what an id is.

use crate::{Error, GeoPoint, Result, Timestamp, Uuid};
use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

/// The value of one document field.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    /// No value: the field is missing or null.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer; the schema bounds its range.
    Int(i128),
    /// A finite number.
    Float(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A point in time.
    Time(Timestamp),
    /// A UUID.
    Uuid(Uuid),
    /// A point on the Earth.
    Geo(GeoPoint),
    /// Values in order.
    Array(Vec<Value>),
    /// Values by name: a nested struct.
    Object(BTreeMap<String, Value>),
}

impl Value {
    /// What this value is, as an error message names it: `text "abc"`.
    pub fn describe(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(value) => format!("boolean {value}"),
            Self::Int(value) => format!("integer {value}"),
            Self::Float(value) => format!("number {value}"),
            Self::Text(value) => format!("text {:?}", shorten(value)),
            Self::Bytes(value) => format!("{} bytes", value.len()),
            Self::Time(value) => format!("timestamp {value}"),
            Self::Uuid(value) => format!("UUID {value}"),
            Self::Geo(value) => format!("geo point {}, {}", value.lat, value.lon),
            Self::Array(values) => format!("an array of {}", values.len()),
            Self::Object(fields) => format!("an object of {} fields", fields.len()),
        }
    }

    /// Whether the value is [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// At most 40 characters of `text`, an ellipsis after a cut.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 40;
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

macro_rules! value_from {
    ($($type:ty => |$value:ident| $expression:expr),* $(,)?) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self { $expression }
        }
    )*};
}

value_from! {
    bool => |value| Self::Bool(value),
    i8 => |value| Self::Int(value.into()),
    i16 => |value| Self::Int(value.into()),
    i32 => |value| Self::Int(value.into()),
    i64 => |value| Self::Int(value.into()),
    u8 => |value| Self::Int(value.into()),
    u16 => |value| Self::Int(value.into()),
    u32 => |value| Self::Int(value.into()),
    u64 => |value| Self::Int(value.into()),
    f32 => |value| Self::Float(value.into()),
    f64 => |value| Self::Float(value),
    String => |value| Self::Text(value),
    &str => |value| Self::Text(value.into()),
    Timestamp => |value| Self::Time(value),
    Uuid => |value| Self::Uuid(value),
    GeoPoint => |value| Self::Geo(value),
}

/// The id of a document: unique in its database, ordered.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id {
    /// An unsigned integer.
    Int(u64),
    /// Text of 1 to [`ID_BYTES_MAX`](crate::limits::ID_BYTES_MAX) bytes.
    Text(String),
    /// A UUID.
    Uuid(Uuid),
}

impl Id {
    /// Refuses an id no document may have: empty, or over
    /// [`ID_BYTES_MAX`](crate::limits::ID_BYTES_MAX).
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Text(text) if text.is_empty() => {
                Err(Error::invalid("the id is empty; give every document a non-empty id"))
            }
            Self::Text(text) => {
                crate::limits::at_most(text.len(), crate::limits::ID_BYTES_MAX, "id length")
            }
            Self::Int(_) | Self::Uuid(_) => Ok(()),
        }
    }

    /// 64 bits that depend on nothing but the id: they choose its shard and its place in hash
    /// tables. XXH3 of a type tag and the id's bytes; part of the format, as shards depend on it.
    pub fn hash64(&self) -> u64 {
        const TAG_INT: u64 = 1;
        const TAG_TEXT: u64 = 2;
        const TAG_UUID: u64 = 3;
        use xxhash_rust::xxh3::xxh3_64_with_seed as xxh3;
        match self {
            Self::Int(value) => xxh3(&value.to_le_bytes(), TAG_INT),
            Self::Text(text) => xxh3(text.as_bytes(), TAG_TEXT),
            Self::Uuid(uuid) => xxh3(uuid.as_bytes(), TAG_UUID),
        }
    }

    /// The shard of `shards` that owns this document.
    pub fn shard(&self, shards: usize) -> usize {
        let index = self.hash64() % shards.max(1) as u64;
        usize::try_from(index).expect("a shard number is below the shard count")
    }

    /// Reads a UUID in its usual form of 36 characters.
    pub fn parse_uuid(text: &str) -> Result<Self> {
        parse_uuid(text).map(Self::Uuid)
    }
}

/// Reads a UUID in its usual form of 36 characters.
pub(crate) fn parse_uuid(text: &str) -> Result<Uuid> {
    const CHARS: usize = 36;
    let uuid = Uuid::try_parse(text).ok().filter(|_| text.len() == CHARS);
    uuid.ok_or_else(|| {
        Error::invalid(format!(
            "{:?} is no UUID; expected 8-4-4-4-12 hexadecimal digits",
            shorten(text)
        ))
    })
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => value.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Uuid(uuid) => uuid.fmt(f),
        }
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Uuid(_) => write!(f, "{self}"),
        }
    }
}

impl From<Uuid> for Id {
    fn from(value: Uuid) -> Self {
        Self::Uuid(value)
    }
}

impl From<u64> for Id {
    fn from(value: u64) -> Self {
        Self::Int(value)
    }
}

impl From<String> for Id {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Id {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<&str> for Id {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

impl From<&Id> for Id {
    fn from(value: &Id) -> Self {
        value.clone()
    }
}

/// One id or many, wherever ids are asked for: `"p1"`, `7`, `["p1", "p2"]`, a `Vec`.
pub trait IntoIds {
    /// The ids, in the order given.
    fn into_ids(self) -> Vec<Id>;
}

macro_rules! one_id {
    ($($type:ty),*) => {$(
        impl IntoIds for $type {
            fn into_ids(self) -> Vec<Id> { alloc::vec![self.into()] }
        }
    )*};
}
one_id!(Id, &Id, u64, Uuid, String, &String, &str);

impl<I: Into<Id>, const N: usize> IntoIds for [I; N] {
    fn into_ids(self) -> Vec<Id> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<I: Into<Id>> IntoIds for Vec<I> {
    fn into_ids(self) -> Vec<Id> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<I: Clone + Into<Id>> IntoIds for &[I] {
    fn into_ids(self) -> Vec<Id> {
        self.iter().cloned().map(Into::into).collect()
    }
}
