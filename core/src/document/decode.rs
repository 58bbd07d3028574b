//! Documents out of any self-describing encoding (JSON, CBOR, JavaScript objects), told by the
//! schema what to expect: vectors become `f32` without a detour, an unknown field is an error.

use super::Document;
use crate::{
    Error, GeoPoint, Id, Result, Schema, Timestamp, Value,
    schema::{FieldType, IdKind, unknown_name},
    value::parse_uuid,
};
use alloc::{collections::BTreeMap, format, string::String, vec, vec::Vec};
use core::fmt;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Reads one document of a schema. It is not checked yet: see [`Document::check`].
#[derive(Clone, Copy)]
pub struct DocumentSeed<'a>(pub &'a Schema);

impl<'de> DeserializeSeed<'de> for DocumentSeed<'_> {
    type Value = Document;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Document, D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for DocumentSeed<'_> {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let schema = self.0;
        let mut id = None;
        let mut vectors = vec![None; schema.vectors().len()];
        let mut values = vec![Value::Null; schema.values().len()];
        while let Some(name) = map.next_key::<String>()? {
            if name == schema.id().name {
                id = Some(map.next_value_seed(IdSeed(schema.id().kind))?);
            } else if let Ok(number) = position(schema.values(), |field| &field.name, &name) {
                let value = map.next_value::<Value>()?;
                values[number] = coerce(&schema.values()[number].ty, value);
            } else if let Ok(number) = position(schema.vectors(), |field| &field.name, &name) {
                let field = &schema.vectors()[number].name;
                vectors[number] = map.next_value_seed(VectorSeed(field))?;
            } else {
                return Err(de::Error::custom(unknown_name("field", &name, schema.names())));
            }
        }
        let id = id.ok_or_else(|| {
            de::Error::custom(format!("the document has no id field {:?}", schema.id().name))
        })?;
        Ok(Document { id, vectors, values })
    }
}

/// Where the field called `name` stands among `fields`, which are in order of their names.
fn position<F>(fields: &[F], name_of: impl Fn(&F) -> &str, name: &str) -> Result<usize, usize> {
    fields.binary_search_by(|field| name_of(field).cmp(name))
}

/// The value as the field's type writes it: encodings differ in how they tell `5` from `5.0`.
/// What does not fit is left as it is, for [`Document::check`] to name.
pub(crate) fn coerce(ty: &FieldType, value: Value) -> Value {
    const EXACT_IN_F64: f64 = 9_007_199_254_740_992.0;
    match (ty, value) {
        #[expect(clippy::cast_precision_loss)]
        (FieldType::Float64, Value::Int(value)) => Value::Float(value as f64),
        #[expect(clippy::cast_precision_loss)]
        (FieldType::Float32, Value::Int(value)) => Value::Float((value as f32).into()),
        #[expect(clippy::cast_possible_truncation)]
        (FieldType::Float32, Value::Float(value)) => Value::Float((value as f32).into()),
        #[expect(clippy::cast_possible_truncation, clippy::float_cmp)]
        (FieldType::Integer(_), Value::Float(value))
            if libm::trunc(value) == value && value.abs() <= EXACT_IN_F64 =>
        {
            Value::Int(value as i128)
        }
        (FieldType::Bytes, Value::Array(values)) => bytes_of(values),
        (FieldType::Timestamp, value) => timestamp_of(&value).map_or(value, Value::Time),
        (FieldType::Uuid, Value::Text(text)) => match parse_uuid(&text) {
            Ok(uuid) => Value::Uuid(uuid),
            Err(_) => Value::Text(text),
        },
        (FieldType::Geo, value) => point_of(&value).map_or(value, Value::Geo),
        (FieldType::Array(element), Value::Array(values)) => {
            Value::Array(values.into_iter().map(|value| coerce(element, value)).collect())
        }
        (FieldType::Object(fields), Value::Object(mut values)) => {
            for field in fields {
                if let Some(value) = values.get_mut(&field.name) {
                    *value = coerce(&field.ty, core::mem::take(value));
                }
            }
            values.retain(|_, value| !value.is_null());
            Value::Object(values)
        }
        (_, value) => value,
    }
}

/// A point in time written as text, or as milliseconds since 1970 as JavaScript counts.
fn timestamp_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Text(text) => text.parse().ok(),
        Value::Int(millis) => Timestamp::from_millis(i64::try_from(*millis).ok()?).ok(),
        _ => None,
    }
}

/// A point on the Earth written as `{"lat": …, "lon": …}`.
fn point_of(value: &Value) -> Option<GeoPoint> {
    let Value::Object(fields) = value else { return None };
    let degrees = |name: &str| match coerce(&FieldType::Float64, fields.get(name)?.clone()) {
        Value::Float(degrees) => Some(degrees),
        _ => None,
    };
    let point = GeoPoint { lat: degrees("lat")?, lon: degrees("lon")? };
    (fields.len() == 2).then_some(point)
}

/// Bytes written as an array of numbers, as JSON has to.
fn bytes_of(values: Vec<Value>) -> Value {
    let byte = |value: &Value| match value {
        Value::Int(number) => u8::try_from(*number).ok(),
        _ => None,
    };
    match values.iter().map(byte).collect() {
        Some(bytes) => Value::Bytes(bytes),
        None => Value::Array(values),
    }
}

/// Reads an id of the kind the schema has.
#[derive(Clone, Copy)]
pub struct IdSeed(pub IdKind);

impl<'de> DeserializeSeed<'de> for IdSeed {
    type Value = Id;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Id, D::Error> {
        let value = Value::deserialize(input)?;
        let wanted = match (self.0, value) {
            (IdKind::Text, Value::Text(text)) => return Ok(Id::Text(text)),
            (IdKind::Uuid, Value::Text(text)) => {
                return Id::parse_uuid(&text).map_err(de::Error::custom);
            }
            (IdKind::Int, value) => {
                let value = coerce(&FieldType::Integer(crate::schema::Integer::U64), value);
                if let Value::Int(number) = value
                    && let Ok(number) = u64::try_from(number)
                {
                    return Ok(Id::Int(number));
                }
                format!("an integer from 0 to 2^64 - 1, not {}", value.describe())
            }
            (IdKind::Text, other) => format!("a string, not {}", other.describe()),
            (IdKind::Uuid, other) => format!("a UUID string, not {}", other.describe()),
        };
        Err(de::Error::custom(format!("an id of this database is {wanted}")))
    }
}

/// Reads the vector of the field of this name: an array of numbers, or null.
struct VectorSeed<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for VectorSeed<'_> {
    type Value = Option<Vec<f32>>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for VectorSeed<'_> {
    type Value = Option<Vec<f32>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of numbers for vector field {:?}", self.0)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let expected = seq.size_hint().unwrap_or(0).min(crate::limits::DIM_MAX);
        let mut numbers = Vec::with_capacity(expected);
        while let Some(number) = seq.next_element::<f32>()? {
            if numbers.len() == crate::limits::DIM_MAX {
                return Err(de::Error::custom(format!(
                    "vector has more than {} dimensions",
                    crate::limits::DIM_MAX
                )));
            }
            numbers.push(number);
        }
        Ok(Some(numbers))
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        Value::deserialize(input)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Int(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if fields.contains_key(&name) {
                return Err(de::Error::custom(format!("{name:?} is there twice")));
            }
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}

impl Document {
    /// Reads a document of `schema` from JSON text and checks it.
    pub fn from_json(schema: &Schema, text: &str) -> Result<Self> {
        let mut input = serde_json::Deserializer::from_str(text);
        let document = DocumentSeed(schema)
            .deserialize(&mut input)
            .and_then(|document| input.end().map(|()| document))
            .map_err(|error| Error::invalid(format!("{error}")))?;
        document.check(schema)?;
        Ok(document)
    }
}
