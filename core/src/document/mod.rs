//! Documents: an id, vectors and values laid out as the schema numbers them; and the traits by
//! which Rust types become documents.

mod decode;
mod field;
mod format;
mod serial;

use crate::{
    Error, Id, Result, Schema, Value, limits,
    metric::Metric,
    schema::{FieldType, Precision, VectorField, unknown_name},
};
use alloc::{format, string::String, vec::Vec};

pub(crate) use decode::coerce;
pub use decode::{DocumentSeed, IdSeed};
pub use field::{DocId, FieldValue, JsonValue, ListItem, Object, TextValue, VectorValue};
pub(crate) use field::{enum_type, variant};
pub(crate) use format::{read_id, read_value, read_values, write_document, write_id, write_value};
pub use serial::{DocumentView, Include};

/// A document as the engine takes and returns it.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Unique in its database.
    pub id: Id,
    /// One per vector field of the schema, by number; `None` where the document has none.
    pub vectors: Vec<Option<Vec<f32>>>,
    /// One per value field of the schema, by number; [`Value::Null`] where the document has none.
    pub values: Vec<Value>,
}

/// A Rust type that is a document; derive it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a document",
    note = "add `#[derive(VectorDoc)]` to it and mark its id field `#[vectordoc(id)]`"
)]
pub trait VectorDoc: Sized + Send + Sync + 'static {
    /// The type of its id.
    type Id: DocId;

    /// The name of a served database of this type unless another is given: the type's name in
    /// snake case.
    const NAME: &'static str;

    /// The shape of its documents.
    fn schema() -> Schema;

    /// The document this value is, laid out as [`schema`](Self::schema) numbers it. An error when a
    /// field holds what cannot be stored: JSON that is none, a point in time after year 9999.
    fn to_document(&self) -> Result<Document>;

    /// The value a document of [`schema`](Self::schema) is.
    fn from_document(document: Document) -> Result<Self>;
}

impl Document {
    /// Refuses a document that `schema` does not allow: wrong dimension, NaN or infinity, a zero
    /// vector under cosine, a missing or mistyped field, anything over [`limits`].
    pub fn check(&self, schema: &Schema) -> Result<()> {
        self.check_fields(schema).map_err(|error| error.within(format!("document {:?}", self.id)))
    }

    fn check_fields(&self, schema: &Schema) -> Result<()> {
        self.id.check()?;
        if self.vectors.len() != schema.vectors().len()
            || self.values.len() != schema.values().len()
        {
            return Err(Error::invalid("the document was laid out for another schema"));
        }
        for (field, vector) in schema.vectors().iter().zip(&self.vectors) {
            match vector {
                Some(vector) => check_vector(field, vector)?,
                None if field.optional => {}
                None => return Err(missing(&field.name)),
            }
        }
        for (field, value) in schema.values().iter().zip(&self.values) {
            check_value(&field.name, &field.ty, field.optional, field.filter, value)?;
        }
        Ok(())
    }
}

/// Refuses a vector that `field` cannot hold or be searched with.
pub(crate) fn check_vector(field: &VectorField, vector: &[f32]) -> Result<()> {
    /// What rounding to fewer bits may make of a squared length.
    const GROWTH_MAX: f32 = 4.0;
    let VectorField { name, dim, metric, precision, .. } = field;
    if vector.len() != *dim {
        return Err(Error::invalid(format!(
            "vector has {} dimensions, field {name:?} needs {dim}",
            vector.len()
        )));
    }
    if let Some(position) = vector.iter().position(|number| !number.is_finite()) {
        return Err(Error::invalid(format!(
            "vector for field {name:?} has {} at position {position}; every component must be \
             finite",
            vector[position]
        )));
    }
    let square = crate::distance::dot(vector, vector);
    let room = if *precision == Precision::F32 { 1.0 } else { GROWTH_MAX };
    if !(square * room).is_finite() {
        return Err(Error::invalid(format!(
            "vector for field {name:?} is too long: its squared length overflows f32; scale it \
             down"
        )));
    }
    if *metric == Metric::Cosine && square < f32::MIN_POSITIVE {
        return Err(Error::invalid(format!(
            "vector for field {name:?} is zero, which has no direction; cosine needs one that is \
             not"
        )));
    }
    Ok(())
}

/// Refuses a value the field cannot hold. `name` is the dotted path, for the message.
fn check_value(
    name: &str,
    ty: &FieldType,
    optional: bool,
    filter: bool,
    value: &Value,
) -> Result<()> {
    let in_range = match (ty, value) {
        (_, Value::Null) if optional => true,
        (_, Value::Null) => return Err(missing(name)),
        (FieldType::Bool, Value::Bool(_)) | (FieldType::Bytes, Value::Bytes(_)) => true,
        (FieldType::Integer(integer), Value::Int(value)) => {
            let (min, max) = integer.range();
            if !(min..=max).contains(value) {
                return Err(Error::invalid(format!(
                    "field {name:?} is {value}, it holds {min} to {max}"
                )));
            }
            true
        }
        (FieldType::Float32 | FieldType::Float64, Value::Float(value)) => value.is_finite(),
        (FieldType::Timestamp, Value::Time(_)) | (FieldType::Uuid, Value::Uuid(_)) => true,
        (FieldType::Geo, Value::Geo(point)) => {
            point.check().map_err(|error| error.within(format!("field {name:?}")))?;
            true
        }
        (FieldType::Json, value) => {
            check_json(name, value, limits::DOCUMENT_DEPTH_MAX)?;
            true
        }
        (FieldType::Enum(words), Value::Text(word)) => {
            if !words.contains(word) {
                let words = words.iter().map(String::as_str);
                let error = unknown_name("word", word, words);
                return Err(error.within(format!("field {name:?}")));
            }
            true
        }
        (FieldType::Text, Value::Text(text)) => {
            if filter {
                let what = format!("length of filterable field {name:?}");
                limits::at_most(text.len(), limits::FILTER_VALUE_BYTES_MAX, &what)?;
            }
            true
        }
        (FieldType::Array(element), Value::Array(values)) => {
            for value in values {
                check_value(name, element, false, filter, value)?;
            }
            true
        }
        (FieldType::Object(fields), Value::Object(values)) => {
            let known = fields.iter().map(|field| field.name.as_str());
            if let Some(unknown) =
                values.keys().find(|name| !known.clone().any(|field| field == *name))
            {
                let error = unknown_name("field", unknown, known);
                return Err(error.within(format!("field {name:?}")));
            }
            for field in fields {
                let value = values.get(&field.name).unwrap_or(&Value::Null);
                let path = format!("{name}.{}", field.name);
                check_value(&path, &field.ty, field.optional, field.filter, value)?;
            }
            true
        }
        _ => false,
    };
    if in_range {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "field {name:?} holds {}, not {}",
        type_in_words(ty),
        value.describe()
    )))
}

/// Refuses what JSON cannot say, and what is nested more than `depth` levels deep.
fn check_json(name: &str, value: &Value, depth: usize) -> Result<()> {
    let depth = depth.checked_sub(1).ok_or_else(|| {
        let max = limits::DOCUMENT_DEPTH_MAX;
        Error::limit_exceeded(format!("field {name:?} has more than {max} levels of nesting"))
    })?;
    match value {
        Value::Float(number) if !number.is_finite() => Err(Error::invalid(format!(
            "field {name:?} has {number} in it; every number must be finite"
        ))),
        Value::Int(number) if !(i64::MIN.into()..=u64::MAX.into()).contains(number) => {
            Err(Error::invalid(format!(
                "field {name:?} has {number} in it; an integer is from -2^63 to 2^64 - 1"
            )))
        }
        Value::Bytes(_) | Value::Time(_) | Value::Uuid(_) | Value::Geo(_) => {
            let what = value.describe();
            Err(Error::invalid(format!("field {name:?} has {what} in it, which JSON cannot say")))
        }
        Value::Array(values) => values.iter().try_for_each(|value| check_json(name, value, depth)),
        Value::Object(values) => {
            values.values().try_for_each(|value| check_json(name, value, depth))
        }
        _ => Ok(()),
    }
}

fn missing(name: &str) -> Error {
    Error::invalid(format!("field {name:?} is missing; the schema requires it"))
}

/// What a field of this type holds, as an error message says it.
pub(crate) fn type_in_words(ty: &FieldType) -> String {
    match ty {
        FieldType::Bool => "a boolean".into(),
        FieldType::Integer(_) => "an integer".into(),
        FieldType::Float32 | FieldType::Float64 => "a finite number".into(),
        FieldType::Text => "text".into(),
        FieldType::Enum(words) => format!("one of {}", words.join(", ")),
        FieldType::Bytes => "bytes".into(),
        FieldType::Timestamp => "a timestamp such as \"2026-01-31T12:00:00Z\"".into(),
        FieldType::Uuid => "a UUID".into(),
        FieldType::Geo => "a point such as {\"lat\": 52.37, \"lon\": 4.9}".into(),
        FieldType::Json => "JSON".into(),
        FieldType::Array(_) => "an array".into(),
        FieldType::Object(_) => "an object".into(),
    }
}
