//! Fields that hold any number of values, or as many as their type says.

use super::{FieldValue, wrong_value};
use crate::{Error, GeoPoint, Result, Timestamp, Uuid, Value, schema::FieldType};
use alloc::{
    borrow::Cow, boxed::Box, collections::BTreeSet, format, string::String, sync::Arc, vec::Vec,
};

/// A type of which a list can be a value field: the scalars, enums and nested structs.
#[diagnostic::on_unimplemented(
    message = "a list of `{Self}` cannot be a field of a document",
    label = "lists hold scalars, enums and structs",
    note = "a list of another type can be stored as JSON: `#[vectordoc(json)]`"
)]
pub trait ListItem: FieldValue {
    /// The type an array of it has.
    fn array_type() -> FieldType {
        FieldType::Array(Box::new(Self::field_type()))
    }

    /// The value of an array of it.
    fn array_to_value<'a>(values: impl Iterator<Item = &'a Self>) -> Result<Value>
    where
        Self: 'a,
    {
        values.map(Self::to_value).collect::<Result<_>>().map(Value::Array)
    }

    /// The Rust values of an array of it.
    fn array_from_value(value: Value) -> Result<Vec<Self>> {
        match value {
            Value::Array(values) => values.into_iter().map(Self::from_value).collect(),
            other => Err(wrong_value("an array", &other)),
        }
    }
}

macro_rules! list_items {
    ($($(#[$when:meta])* $type:ty),*) => {$( $(#[$when])* impl ListItem for $type {} )*};
}
list_items! {
    bool, i8, i16, i32, i64, u16, u32, u64, f32, f64,
    String, Box<str>, Arc<str>, Cow<'static, str>, char, Timestamp, Uuid, GeoPoint,
    #[cfg(feature = "std")] std::time::SystemTime,
    #[cfg(feature = "time")] time::OffsetDateTime,
    #[cfg(feature = "chrono")] chrono::DateTime<chrono::Utc>,
    #[cfg(feature = "jiff")] jiff::Timestamp
}

/// A list of `u8` is bytes, not an array of integers.
impl ListItem for u8 {
    fn array_type() -> FieldType {
        FieldType::Bytes
    }

    fn array_to_value<'a>(values: impl Iterator<Item = &'a Self>) -> Result<Value> {
        Ok(Value::Bytes(values.copied().collect()))
    }

    fn array_from_value(value: Value) -> Result<Vec<Self>> {
        match value {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(wrong_value("bytes", &other)),
        }
    }
}

impl<T: ListItem> ListItem for Box<T> {}

impl<T: ListItem> FieldValue for Vec<T> {
    const DEPTH: usize = T::DEPTH;

    fn field_type() -> FieldType {
        T::array_type()
    }

    fn to_value(&self) -> Result<Value> {
        T::array_to_value(self.iter())
    }

    fn from_value(value: Value) -> Result<Self> {
        T::array_from_value(value)
    }
}

impl<T: ListItem, const N: usize> FieldValue for [T; N] {
    const DEPTH: usize = T::DEPTH;

    fn field_type() -> FieldType {
        T::array_type()
    }

    fn to_value(&self) -> Result<Value> {
        T::array_to_value(self.iter())
    }

    fn from_value(value: Value) -> Result<Self> {
        T::array_from_value(value)?.try_into().map_err(|values: Vec<T>| {
            Error::invalid(format!("the list has {} elements, the type has {N}", values.len()))
        })
    }
}

impl<T: ListItem + Ord> FieldValue for BTreeSet<T> {
    const DEPTH: usize = T::DEPTH;

    fn field_type() -> FieldType {
        T::array_type()
    }

    fn to_value(&self) -> Result<Value> {
        T::array_to_value(self.iter())
    }

    fn from_value(value: Value) -> Result<Self> {
        T::array_from_value(value).map(Self::from_iter)
    }
}

#[cfg(feature = "std")]
impl<T, S> FieldValue for std::collections::HashSet<T, S>
where
    T: ListItem + Eq + core::hash::Hash,
    S: core::hash::BuildHasher + Default,
{
    const DEPTH: usize = T::DEPTH;

    fn field_type() -> FieldType {
        T::array_type()
    }

    fn to_value(&self) -> Result<Value> {
        T::array_to_value(self.iter())
    }

    fn from_value(value: Value) -> Result<Self> {
        T::array_from_value(value).map(Self::from_iter)
    }
}
