//! Documents into any encoding: an object with the schema's field names.

use super::Document;
use crate::{Id, Schema, Value};
use alloc::{string::String, vec::Vec};
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

/// Which fields of a document an answer carries, besides its id.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Include {
    /// All values, no vectors.
    #[default]
    Values,
    /// Values and vectors.
    Everything,
    /// Nothing: the id alone.
    Nothing,
    /// The fields of these names.
    Fields(Vec<String>),
}

impl Include {
    /// Whether the value field `name` is wanted.
    pub fn value(&self, name: &str) -> bool {
        match self {
            Self::Values | Self::Everything => true,
            Self::Nothing => false,
            Self::Fields(names) => names.iter().any(|wanted| wanted == name),
        }
    }

    /// What is wanted of a document.
    #[cfg(feature = "native")]
    pub(crate) fn of(&self, mut document: Document, schema: &Schema) -> Document {
        for (field, vector) in schema.vectors().iter().zip(&mut document.vectors) {
            vector.take_if(|_| !self.vector(&field.name));
        }
        for (field, value) in schema.values().iter().zip(&mut document.values) {
            if !self.value(&field.name) {
                *value = Value::Null;
            }
        }
        document
    }

    /// Whether the vector field `name` is wanted.
    pub fn vector(&self, name: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Values | Self::Nothing => false,
            Self::Fields(names) => names.iter().any(|wanted| wanted == name),
        }
    }
}

/// A document as it crosses a wire: fields by name, missing ones left out.
pub struct DocumentView<'a> {
    /// Its schema.
    pub schema: &'a Schema,
    /// The document.
    pub document: &'a Document,
}

impl Serialize for DocumentView<'_> {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let mut map = output.serialize_map(None)?;
        map.serialize_entry(&self.schema.id().name, &self.document.id)?;
        for (field, vector) in self.schema.vectors().iter().zip(&self.document.vectors) {
            if let Some(vector) = vector {
                map.serialize_entry(&field.name, vector)?;
            }
        }
        for (field, value) in self.schema.values().iter().zip(&self.document.values) {
            if !value.is_null() {
                map.serialize_entry(&field.name, value)?;
            }
        }
        map.end()
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(value) => output.serialize_u64(*value),
            Self::Text(text) => output.serialize_str(text),
            Self::Uuid(_) => output.collect_str(self),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => output.serialize_unit(),
            Self::Bool(value) => output.serialize_bool(*value),
            Self::Int(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => output.serialize_i64(value),
                (_, Ok(value)) => output.serialize_u64(value),
                _ => output.serialize_i128(*value),
            },
            Self::Float(value) if value.is_finite() => output.serialize_f64(*value),
            // JSON would make it a null, which means something else.
            Self::Float(value) => {
                Err(S::Error::custom(format_args!("{value} is no finite number")))
            }
            Self::Text(text) => output.serialize_str(text),
            Self::Bytes(bytes) => output.serialize_bytes(bytes),
            Self::Time(time) => output.collect_str(time),
            Self::Uuid(uuid) => output.collect_str(uuid),
            Self::Geo(point) => {
                let mut map = output.serialize_map(Some(2))?;
                map.serialize_entry("lat", &point.lat)?;
                map.serialize_entry("lon", &point.lon)?;
                map.end()
            }
            Self::Array(values) => {
                let mut seq = output.serialize_seq(Some(values.len()))?;
                for value in values {
                    seq.serialize_element(value)?;
                }
                seq.end()
            }
            Self::Object(fields) => {
                let mut map = output.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}
