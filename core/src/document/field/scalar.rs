//! Fields that hold one value.

use super::{FieldValue, wrong_value};
use crate::{
    Error, GeoPoint, Result, Timestamp, Uuid, Value,
    schema::{FieldType, Integer},
};
use alloc::{borrow::Cow, boxed::Box, format, string::String, sync::Arc, vec::Vec};

/// A type whose words can be indexed for full-text search: text, an `Option` or a list of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no words to index",
    label = "not text",
    note = "`text` is for a `String`, an `Option<String>` or a `Vec<String>`; remove it"
)]
pub trait TextValue: FieldValue {}

impl<T: TextValue> TextValue for Option<T> {}
impl<T: TextValue> TextValue for Box<T> {}
impl<T: TextValue + super::ListItem> TextValue for Vec<T> {}

macro_rules! integers {
    ($($type:ident => $integer:ident),*) => {$(
        impl FieldValue for $type {
            fn field_type() -> FieldType { FieldType::Integer(Integer::$integer) }
            fn to_value(&self) -> Result<Value> { Ok(Value::Int((*self).into())) }
            fn from_value(value: Value) -> Result<Self> {
                match value {
                    Value::Int(number) => Self::try_from(number).map_err(|_| {
                        Error::invalid(format!("{number} does not fit {}", stringify!($type)))
                    }),
                    other => Err(wrong_value("an integer", &other)),
                }
            }
        }
    )*};
}
integers! {
    i8 => I8, i16 => I16, i32 => I32, i64 => I64, u8 => U8, u16 => U16, u32 => U32, u64 => U64
}

/// A type that is the content of one kind of value.
macro_rules! contents {
    ($($type:ty, $field_type:ident, $value:ident, $wanted:literal;)*) => {$(
        impl FieldValue for $type {
            fn field_type() -> FieldType { FieldType::$field_type }
            fn to_value(&self) -> Result<Value> { Ok(Value::$value(self.clone())) }
            fn from_value(value: Value) -> Result<Self> {
                match value {
                    Value::$value(content) => Ok(content),
                    other => Err(wrong_value($wanted, &other)),
                }
            }
        }
    )*};
}
contents! {
    bool, Bool, Bool, "a boolean";
    f64, Float64, Float, "a number";
    String, Text, Text, "text";
    Timestamp, Timestamp, Time, "a timestamp";
    Uuid, Uuid, Uuid, "a UUID";
    GeoPoint, Geo, Geo, "a geo point";
}

impl FieldValue for f32 {
    fn field_type() -> FieldType {
        FieldType::Float32
    }

    fn to_value(&self) -> Result<Value> {
        Ok(Value::Float((*self).into()))
    }

    /// The value was an `f32` when it was stored, so that narrowing loses nothing.
    #[expect(clippy::cast_possible_truncation)]
    fn from_value(value: Value) -> Result<Self> {
        f64::from_value(value).map(|value| value as f32)
    }
}

impl FieldValue for char {
    fn field_type() -> FieldType {
        FieldType::Text
    }

    fn to_value(&self) -> Result<Value> {
        Ok(Value::Text((*self).into()))
    }

    fn from_value(value: Value) -> Result<Self> {
        let text = String::from_value(value)?;
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(one), None) => Ok(one),
            _ => Err(wrong_value("one character", &Value::Text(text))),
        }
    }
}

/// A type that holds text as `String` does.
macro_rules! texts {
    ($($type:ty),*) => {$(
        impl TextValue for $type {}
        impl FieldValue for $type {
            fn field_type() -> FieldType { FieldType::Text }
            fn to_value(&self) -> Result<Value> { Ok(Value::Text(String::from(&**self))) }
            fn from_value(value: Value) -> Result<Self> {
                String::from_value(value).map(Self::from)
            }
        }
    )*};
}
texts!(Box<str>, Arc<str>, Cow<'static, str>);
impl TextValue for String {}

/// A type of another library for points in time.
macro_rules! times {
    ($($(#[$when:meta])* $type:ty;)*) => {$(
        $(#[$when])*
        impl FieldValue for $type {
            fn field_type() -> FieldType { FieldType::Timestamp }
            fn to_value(&self) -> Result<Value> { Timestamp::try_from(*self).map(Value::Time) }
            fn from_value(value: Value) -> Result<Self> {
                Timestamp::from_value(value).and_then(Self::try_from)
            }
        }
    )*};
}
times! {
    #[cfg(feature = "std")] std::time::SystemTime;
    #[cfg(feature = "time")] time::OffsetDateTime;
    #[cfg(feature = "chrono")] chrono::DateTime<chrono::Utc>;
    #[cfg(feature = "jiff")] jiff::Timestamp;
}
