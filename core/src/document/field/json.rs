//! Fields that hold whatever serde can write, as JSON.

use super::finite::NumbersAreFinite;
use crate::{Error, Result, Value, schema::FieldType};
use alloc::format;
use core::fmt;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A type that can be stored as JSON: each that serde writes and reads.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as JSON",
    label = "serde cannot write and read it",
    note = "derive `serde::Serialize` and `serde::Deserialize`, with no borrowed data in it"
)]
pub trait JsonValue: Sized {
    /// Whether a document may lack it: whether null, which is not stored, is one of its values.
    fn optional() -> bool;

    /// What it holds.
    fn field_type() -> FieldType;

    /// The value; an error when JSON cannot say it: NaN, a map with structs for keys.
    fn to_value(&self) -> Result<Value>;

    /// The Rust value.
    fn from_value(value: Value) -> Result<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> JsonValue for T {
    fn optional() -> bool {
        Self::deserialize(serde_json::Value::Null).is_ok()
    }

    fn field_type() -> FieldType {
        FieldType::Json
    }

    fn to_value(&self) -> Result<Value> {
        let not_json =
            |error: &dyn fmt::Display| Error::invalid(format!("cannot be stored as JSON: {error}"));
        self.serialize(NumbersAreFinite).map_err(|error| not_json(&error))?;
        let json = serde_json::to_value(self).map_err(|error| not_json(&error))?;
        let value = Value::deserialize(json).map_err(|error| not_json(&error))?;
        if value.is_null() && !Self::optional() {
            return Err(not_json(&"it is written as null, and null is none of its values"));
        }
        Ok(value)
    }

    fn from_value(value: Value) -> Result<Self> {
        let json = serde_json::to_value(&value);
        json.and_then(Self::deserialize).map_err(|error| {
            Error::invalid(format!("the stored JSON is not of the field's type: {error}"))
        })
    }
}
