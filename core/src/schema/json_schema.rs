//! The schema as JSON Schema, draft 2020-12: for programs that check documents before they come.

use super::{FieldType, IdKind, Schema, ValueField};
use alloc::{string::String, vec::Vec};
use serde_json::{Map, Value as Json, json};

impl Schema {
    /// JSON Schema (draft 2020-12) of the documents as they are written: a field that is missing is
    /// left out, a timestamp is text. What it accepts, [`Document::from_json`] does, but for what
    /// JSON Schema has no words for: a vector of zeros under cosine, a number too large for `f32`,
    /// what is beyond a bound of [`limits`](crate::limits).
    ///
    /// [`Document::from_json`]: crate::Document::from_json
    pub fn to_json_schema(&self) -> Json {
        let id = match self.id.kind {
            IdKind::Int => json!({"type": "integer", "minimum": 0, "maximum": u64::MAX}),
            IdKind::Text => json!({"type": "string", "minLength": 1}),
            IdKind::Uuid => uuid(),
        };
        let id = [(self.id.name.clone(), false, id)];
        let vectors = self.vectors.iter().map(|field| {
            let vector = json!({"type": "array", "items": {"type": "number"},
                "minItems": field.dim, "maxItems": field.dim});
            (field.name.clone(), field.optional, vector)
        });
        let mut schema = object(id.into_iter().chain(vectors).chain(properties(&self.values)));
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        schema
    }
}

/// Name, whether it may be missing, and schema of each field.
fn properties(fields: &[ValueField]) -> impl Iterator<Item = (String, bool, Json)> + '_ {
    fields.iter().map(|field| (field.name.clone(), field.optional, schema_of(&field.ty)))
}

fn object(fields: impl Iterator<Item = (String, bool, Json)>) -> Json {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, optional, schema) in fields {
        if !optional {
            required.push(name.clone());
        }
        properties.insert(name, schema);
    }
    json!({"type": "object", "properties": properties, "required": required,
           "additionalProperties": false})
}

fn schema_of(ty: &FieldType) -> Json {
    match ty {
        FieldType::Bool => json!({"type": "boolean"}),
        FieldType::Integer(integer) => {
            let (min, max) = integer.range();
            json!({"type": "integer", "minimum": min, "maximum": max})
        }
        FieldType::Float32 | FieldType::Float64 => json!({"type": "number"}),
        FieldType::Text => json!({"type": "string"}),
        FieldType::Enum(words) => json!({"type": "string", "enum": words}),
        FieldType::Bytes => array(&json!({"type": "integer", "minimum": 0, "maximum": u8::MAX})),
        FieldType::Timestamp => json!({"type": "string", "format": "date-time"}),
        FieldType::Uuid => uuid(),
        FieldType::Geo => {
            let degrees =
                |max: u8| json!({"type": "number", "minimum": -i16::from(max), "maximum": max});
            let fields = [("lat", 90), ("lon", 180)];
            object(fields.into_iter().map(|(name, max)| (name.into(), false, degrees(max))))
        }
        FieldType::Json => json!({}),
        FieldType::Array(element) => array(&schema_of(element)),
        FieldType::Object(fields) => object(properties(fields)),
    }
}

fn array(items: &Json) -> Json {
    json!({"type": "array", "items": items})
}

fn uuid() -> Json {
    json!({"type": "string", "format": "uuid"})
}
