//! The Rust types that fields of a derived struct may have, and how each becomes a value.

mod finite;
mod id;
mod json;
mod list;
mod object;
mod scalar;
mod vector;
mod word;

use crate::{Error, Result, Value, schema::FieldType};
use alloc::{boxed::Box, format};

#[cfg(doc)]
use crate::{GeoPoint, Timestamp, Uuid};

pub use id::DocId;
pub use json::JsonValue;
pub use list::ListItem;
pub use object::Object;
pub use scalar::TextValue;
pub use vector::VectorValue;
pub(crate) use word::{enum_type, variant};

/// A type that can be a value field.
///
/// | Rust | in the schema | stored as |
/// |---|---|---|
/// | `bool` | `boolean` | itself |
/// | `i8` to `i64`, `u8` to `u64` | `i8` to `u64` | itself |
/// | `f32`, `f64` | `f32`, `number` | itself; it must be finite |
/// | `String`, `Box<str>`, `Arc<str>`, `Cow<'static, str>`, `char` | `string` | text |
/// | an enum without data that derives `VectorDoc` | `string` with `enum` | its name |
/// | [`Timestamp`], `SystemTime` (feature `std`), `time::OffsetDateTime`, `chrono::DateTime<Utc>`, `jiff::Timestamp` (features of those names) | `timestamp` | microseconds, cut to the one before; an offset becomes UTC |
/// | [`Uuid`] | `uuid` | 16 bytes |
/// | [`GeoPoint`] | `geo` | two `f64` |
/// | `Vec<u8>`, `[u8; N]` | `bytes` | bytes |
/// | `Vec<T>`, `[T; N]`, `BTreeSet<T>`, `HashSet<T>` (feature `std`) of one of these, or of a struct | `T[]` | an array |
/// | a struct without an id that derives `VectorDoc` | `object` | its fields by name |
/// | `#[vectordoc(json)]` any type serde writes and reads | `json` | what serde says |
/// | `Box<T>` | as `T` | as `T` |
/// | `Option<T>` | as `T`, optional | `None` is not stored |
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a document",
    note = "a field is a bool, an integer, a float, text, a `Timestamp` or a type of `std`, `time`, \
            `chrono` or `jiff` for one, a `Uuid`, a `GeoPoint`, a struct or an enum that derives \
            `VectorDoc` and has no id, or a `Vec` or an `Option` of these",
    note = "a type that implements `serde::Serialize` and `serde::Deserialize` can be stored as \
            JSON: `#[vectordoc(json)]`"
)]
pub trait FieldValue: Sized {
    /// Whether a document may lack it.
    const OPTIONAL: bool = false;

    /// Levels of nested structs. The derive asks for it, so that a struct that holds itself, whose
    /// schema would never end, does not compile.
    const DEPTH: usize = 0;

    /// What it holds.
    fn field_type() -> FieldType;

    /// The value; an error when it cannot be stored: a point in time after year 9999.
    fn to_value(&self) -> Result<Value>;

    /// The Rust value.
    fn from_value(value: Value) -> Result<Self>;
}

impl<T: FieldValue> FieldValue for Option<T> {
    const OPTIONAL: bool = {
        assert!(!T::OPTIONAL, "`Some(None)` would come back as `None`; use one `Option`");
        true
    };
    const DEPTH: usize = T::DEPTH;

    fn field_type() -> FieldType {
        T::field_type()
    }

    fn to_value(&self) -> Result<Value> {
        self.as_ref().map_or(Ok(Value::Null), T::to_value)
    }

    fn from_value(value: Value) -> Result<Self> {
        if value.is_null() { Ok(None) } else { T::from_value(value).map(Some) }
    }
}

impl<T: FieldValue> FieldValue for Box<T> {
    const OPTIONAL: bool = T::OPTIONAL;
    const DEPTH: usize = T::DEPTH;

    fn field_type() -> FieldType {
        T::field_type()
    }

    fn to_value(&self) -> Result<Value> {
        T::to_value(self)
    }

    fn from_value(value: Value) -> Result<Self> {
        T::from_value(value).map(Self::new)
    }
}

fn wrong_value(wanted: &str, value: &Value) -> Error {
    Error::invalid(format!("expected {wanted}, found {}", value.describe()))
}
