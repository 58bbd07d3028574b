//! The Rust types that fields of a derived struct may have, and how each becomes a value.

use crate::{
    Error, Id, Result, Uuid, Value,
    schema::{FieldType, IdKind, Integer},
};
use alloc::{boxed::Box, collections::BTreeMap, format, string::String, vec::Vec};

/// A type that can be the id of a document.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an id",
    note = "an id is a `String`, a `u64` or a `vectordoc::Uuid`"
)]
pub trait DocId: Sized + Send + Sync {
    /// Its kind in the schema.
    const KIND: IdKind;

    /// The id this value is.
    fn to_id(&self) -> Id;

    /// The value an id is.
    fn from_id(id: Id) -> Result<Self>;
}

impl DocId for String {
    const KIND: IdKind = IdKind::Text;

    fn to_id(&self) -> Id {
        Id::Text(self.clone())
    }

    fn from_id(id: Id) -> Result<Self> {
        match id {
            Id::Text(text) => Ok(text),
            other => Err(wrong_id("a string", &other)),
        }
    }
}

impl DocId for u64 {
    const KIND: IdKind = IdKind::Int;

    fn to_id(&self) -> Id {
        Id::Int(*self)
    }

    fn from_id(id: Id) -> Result<Self> {
        match id {
            Id::Int(value) => Ok(value),
            other => Err(wrong_id("an integer", &other)),
        }
    }
}

impl DocId for Uuid {
    const KIND: IdKind = IdKind::Uuid;

    fn to_id(&self) -> Id {
        Id::Uuid(*self)
    }

    fn from_id(id: Id) -> Result<Self> {
        match id {
            Id::Uuid(uuid) => Ok(uuid),
            other => Err(wrong_id("a UUID", &other)),
        }
    }
}

fn wrong_id(wanted: &str, id: &Id) -> Error {
    Error::invalid(format!("id {id:?} is not {wanted}"))
}

/// A type that can be a vector field: `Vec<f32>`, `[f32; N]`, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a vector field",
    note = "a vector field is a `Vec<f32>`, a `[f32; N]`, or an `Option` of one"
)]
pub trait VectorValue: Sized {
    /// Whether a document may lack it.
    const OPTIONAL: bool = false;

    /// The length the type fixes, if it does.
    const DIM: Option<usize> = None;

    /// The numbers.
    fn to_vector(&self) -> Option<Vec<f32>>;

    /// The value that has these numbers.
    fn from_vector(vector: Option<Vec<f32>>) -> Result<Self>;
}

impl VectorValue for Vec<f32> {
    fn to_vector(&self) -> Option<Vec<f32>> {
        Some(self.clone())
    }

    fn from_vector(vector: Option<Vec<f32>>) -> Result<Self> {
        vector.ok_or_else(|| Error::invalid("the document has no vector here"))
    }
}

impl<const N: usize> VectorValue for [f32; N] {
    const DIM: Option<usize> = Some(N);

    fn to_vector(&self) -> Option<Vec<f32>> {
        Some(self.to_vec())
    }

    fn from_vector(vector: Option<Vec<f32>>) -> Result<Self> {
        let vector = Vec::from_vector(vector)?;
        vector.try_into().map_err(|vector: Vec<f32>| {
            Error::invalid(format!("vector has {} dimensions, the type has {N}", vector.len()))
        })
    }
}

impl<V: VectorValue> VectorValue for Option<V> {
    const OPTIONAL: bool = true;
    const DIM: Option<usize> = V::DIM;

    fn to_vector(&self) -> Option<Vec<f32>> {
        self.as_ref().and_then(V::to_vector)
    }

    fn from_vector(vector: Option<Vec<f32>>) -> Result<Self> {
        vector.map(|vector| V::from_vector(Some(vector))).transpose()
    }
}

/// A type that can be a value field.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a document",
    note = "a field is a bool, an integer, a float, a `String`, a `Vec` of one, a struct that \
            derives `VectorDoc` and has no id, or an `Option` of these"
)]
pub trait FieldValue: Sized {
    /// Whether a document may lack it.
    const OPTIONAL: bool = false;

    /// What it holds.
    fn field_type() -> FieldType;

    /// The value.
    fn to_value(&self) -> Value;

    /// The Rust value.
    fn from_value(value: Value) -> Result<Self>;
}

/// A type of which a `Vec` can be a value field: the scalars.
#[diagnostic::on_unimplemented(
    message = "`Vec<{Self}>` cannot be a field of a document",
    label = "lists hold scalars",
    note = "a list is a `Vec` of bools, integers, floats or `String`s"
)]
pub trait ListItem: FieldValue {
    /// The type an array of it has.
    fn array_type() -> FieldType {
        FieldType::Array(Box::new(Self::field_type()))
    }

    /// The value of an array of it.
    fn array_to_value(values: &[Self]) -> Value {
        Value::Array(values.iter().map(Self::to_value).collect())
    }

    /// The Rust values of an array of it.
    fn array_from_value(value: Value) -> Result<Vec<Self>> {
        match value {
            Value::Array(values) => values.into_iter().map(Self::from_value).collect(),
            other => Err(wrong_value("an array", &other)),
        }
    }
}

fn wrong_value(wanted: &str, value: &Value) -> Error {
    Error::invalid(format!("expected {wanted}, found {}", value.describe()))
}

macro_rules! integer_fields {
    ($($type:ident => $integer:ident),*) => {$(
        impl FieldValue for $type {
            fn field_type() -> FieldType { FieldType::Integer(Integer::$integer) }
            fn to_value(&self) -> Value { Value::Int((*self).into()) }
            fn from_value(value: Value) -> Result<Self> {
                match value {
                    Value::Int(number) => Self::try_from(number).map_err(|_| {
                        Error::invalid(format!(
                            "{number} does not fit {}", stringify!($type)
                        ))
                    }),
                    other => Err(wrong_value("an integer", &other)),
                }
            }
        }
    )*};
}

macro_rules! list_items {
    ($($type:ty),*) => {$( impl ListItem for $type {} )*};
}
list_items!(bool, i8, i16, i32, i64, u16, u32, u64, f32, f64, String);

integer_fields!(i8 => I8, i16 => I16, i32 => I32, i64 => I64, u16 => U16, u32 => U32, u64 => U64);

impl FieldValue for u8 {
    fn field_type() -> FieldType {
        FieldType::Integer(Integer::U8)
    }

    fn to_value(&self) -> Value {
        Value::Int((*self).into())
    }

    fn from_value(value: Value) -> Result<Self> {
        let number = u64::from_value(value)?;
        Self::try_from(number).map_err(|_| Error::invalid(format!("{number} does not fit u8")))
    }
}

/// `Vec<u8>` is bytes, not an array of integers.
impl ListItem for u8 {
    fn array_type() -> FieldType {
        FieldType::Bytes
    }

    fn array_to_value(values: &[Self]) -> Value {
        Value::Bytes(values.to_vec())
    }

    fn array_from_value(value: Value) -> Result<Vec<Self>> {
        match value {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(wrong_value("bytes", &other)),
        }
    }
}

impl FieldValue for bool {
    fn field_type() -> FieldType {
        FieldType::Bool
    }

    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }

    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Bool(value) => Ok(value),
            other => Err(wrong_value("a boolean", &other)),
        }
    }
}

impl FieldValue for f64 {
    fn field_type() -> FieldType {
        FieldType::Float64
    }

    fn to_value(&self) -> Value {
        Value::Float(*self)
    }

    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Float(value) => Ok(value),
            other => Err(wrong_value("a number", &other)),
        }
    }
}

impl FieldValue for f32 {
    fn field_type() -> FieldType {
        FieldType::Float32
    }

    fn to_value(&self) -> Value {
        Value::Float((*self).into())
    }

    /// The value was an `f32` when it was stored, so that narrowing loses nothing.
    #[expect(clippy::cast_possible_truncation)]
    fn from_value(value: Value) -> Result<Self> {
        f64::from_value(value).map(|value| value as f32)
    }
}

impl FieldValue for String {
    fn field_type() -> FieldType {
        FieldType::Text
    }

    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }

    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Text(text) => Ok(text),
            other => Err(wrong_value("text", &other)),
        }
    }
}

impl<T: FieldValue> FieldValue for Option<T> {
    const OPTIONAL: bool = true;

    fn field_type() -> FieldType {
        T::field_type()
    }

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }

    fn from_value(value: Value) -> Result<Self> {
        if value.is_null() { Ok(None) } else { T::from_value(value).map(Some) }
    }
}

impl<T: ListItem> FieldValue for Vec<T> {
    fn field_type() -> FieldType {
        T::array_type()
    }

    fn to_value(&self) -> Value {
        T::array_to_value(self)
    }

    fn from_value(value: Value) -> Result<Self> {
        T::array_from_value(value)
    }
}

/// The fields of a nested struct while it is taken apart or put together; generated code uses it.
#[derive(Default)]
pub struct Object(BTreeMap<String, Value>);

impl Object {
    /// Adds a field; a missing one is left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        if !value.is_null() {
            self.0.insert(name.into(), value);
        }
        self
    }

    /// The nested value.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// Takes a nested value apart.
    pub fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            other => Err(wrong_value("an object", &other)),
        }
    }

    /// Takes field `name` out and makes of it what `read` does.
    pub fn take<T>(&mut self, name: &str, read: fn(Value) -> Result<T>) -> Result<T> {
        let value = self.0.remove(name).unwrap_or_default();
        read(value).map_err(|error| error.within(format!("field {name:?}")))
    }
}
