//! The schema as JSON, in both directions: the form TypeScript passes and databases store.
//!
//! ```json
//! {"id": "string", "embedding": {"vector": 384, "metric": "cosine"},
//!  "price": {"type": "number", "filter": true}, "tags": "string[]", "note": "string?"}
//! ```

use super::{
    FieldType, IdField, IdKind, IndexKind, IndexSpec, Integer, Precision, Quantization, Schema,
    ValueField, VectorField, find_named, unknown_name,
};
use crate::{Error, Metric, Result, limits};
use alloc::{boxed::Box, format, string::String, vec::Vec};
use serde_json::{Map, Value as Json, json};

/// The scalar types by the names a schema uses; the first name of a type is the one printed.
static SCALARS: [(&str, FieldType); 20] = [
    ("boolean", FieldType::Bool),
    ("bool", FieldType::Bool),
    ("number", FieldType::Float64),
    ("f64", FieldType::Float64),
    ("f32", FieldType::Float32),
    ("integer", FieldType::Integer(Integer::I64)),
    ("i64", FieldType::Integer(Integer::I64)),
    ("i8", FieldType::Integer(Integer::I8)),
    ("i16", FieldType::Integer(Integer::I16)),
    ("i32", FieldType::Integer(Integer::I32)),
    ("u8", FieldType::Integer(Integer::U8)),
    ("u16", FieldType::Integer(Integer::U16)),
    ("u32", FieldType::Integer(Integer::U32)),
    ("u64", FieldType::Integer(Integer::U64)),
    ("string", FieldType::Text),
    ("bytes", FieldType::Bytes),
    ("timestamp", FieldType::Timestamp),
    ("uuid", FieldType::Uuid),
    ("geo", FieldType::Geo),
    ("json", FieldType::Json),
];

const ID_KINDS: [(&str, IdKind); 5] = [
    ("string", IdKind::Text),
    ("u64", IdKind::Int),
    ("integer", IdKind::Int),
    ("number", IdKind::Int),
    ("uuid", IdKind::Uuid),
];

const VECTOR_OPTIONS: [&str; 9] = [
    "vector",
    "metric",
    "precision",
    "optional",
    "index",
    "m",
    "ef_construction",
    "ef",
    "quantization",
];
const VALUE_OPTIONS: [&str; 7] = ["type", "filter", "text", "optional", "enum", "fields", "id"];

impl Schema {
    /// Reads a schema from JSON text.
    pub fn from_json_str(text: &str) -> Result<Self> {
        let json = serde_json::from_str(text)
            .map_err(|error| Error::invalid(format!("the schema is not JSON: {error}")))?;
        Self::from_json(&json)
    }

    /// Reads a schema from JSON.
    pub fn from_json(json: &Json) -> Result<Self> {
        let Json::Object(fields) = json else {
            return Err(Error::invalid("a schema is a JSON object of fields"));
        };
        let (mut id, mut vectors, mut values) = (None, Vec::new(), Vec::new());
        for (name, field) in fields {
            let place = |error: Error| error.within(format!("schema field {name:?}"));
            if let Some(kind) = read_id(name, field).map_err(place)? {
                if id.replace(IdField { name: name.clone(), kind }).is_some() {
                    return Err(Error::invalid("the schema has two id fields"));
                }
            } else if field.get("vector").is_some() {
                vectors.push(read_vector(name, field).map_err(place)?);
            } else {
                values.push(read_value(name, field, 1).map_err(place)?);
            }
        }
        let id = id.ok_or_else(|| {
            Error::invalid(r#"the schema has no id field; add "id": "string" (or "u64", "uuid")"#)
        })?;
        Self::new(id, vectors, values)
    }

    /// The schema as JSON text.
    pub fn to_json_string(&self) -> String {
        format!("{}", Json::Object(self.to_json()))
    }

    /// The schema as a JSON object that [`from_json`](Self::from_json) reads back equal.
    pub fn to_json(&self) -> Map<String, Json> {
        let mut fields = write_values(&self.values);
        for field in &self.vectors {
            fields.insert(field.name.clone(), write_vector(field));
        }
        let kind = ID_KINDS.iter().find(|(_, kind)| *kind == self.id.kind).map(|(name, _)| *name);
        let id = if self.id.name == "id" { json!(kind) } else { json!({"type": kind, "id": true}) };
        fields.insert(self.id.name.clone(), id);
        fields
    }
}

/// The kind of id this field is, or `None` when it is another field. The id is the field marked
/// `"id": true`, or else the one called `id`.
fn read_id(name: &str, field: &Json) -> Result<Option<IdKind>> {
    if field.get("id").and_then(Json::as_bool) != Some(true) && name != "id" {
        return Ok(None);
    }
    let kind = field.as_str().or_else(|| field.get("type").and_then(Json::as_str));
    let kind = kind.ok_or_else(|| Error::invalid("an id is \"string\", \"u64\" or \"uuid\""))?;
    find_named(&ID_KINDS, kind, "type of id").map(Some)
}

fn read_vector(name: &str, field: &Json) -> Result<VectorField> {
    check_options(field, &VECTOR_OPTIONS)?;
    let metric = match field.get("metric") {
        Some(metric) => Metric::parse(string(metric, "metric")?)?,
        None => Metric::default(),
    };
    let precision = match field.get("precision") {
        Some(precision) => Precision::parse(string(precision, "precision")?)?,
        None => Precision::default(),
    };
    let defaults = IndexSpec::default();
    let number = |option: &str| field.get(option).map(|value| count(value, option)).transpose();
    let index = IndexSpec {
        kind: match field.get("index") {
            Some(kind) => IndexKind::parse(string(kind, "index")?)?,
            None => defaults.kind,
        },
        m: number("m")?.unwrap_or(defaults.m),
        ef_construction: number("ef_construction")?.unwrap_or(defaults.ef_construction),
        ef: number("ef")?,
        quantization: match field.get("quantization") {
            Some(name) => Some(Quantization::parse(string(name, "quantization")?)?),
            None => None,
        },
    };
    let dim = count(&field["vector"], "vector")?;
    let (name, optional) = (name.into(), flag(field, "optional")?);
    Ok(VectorField { name, dim, metric, precision, optional, index })
}

fn read_value(name: &str, field: &Json, depth: usize) -> Result<ValueField> {
    limits::at_most(depth, limits::DOCUMENT_DEPTH_MAX, "nesting of the schema")?;
    let (name, plain) = (name.into(), field.as_str());
    if let Some(plain) = plain {
        let (ty, optional) = parse_type(plain)?;
        return Ok(ValueField { name, ty, optional, filter: false, text: false });
    }
    if !field.is_object() {
        return Err(Error::invalid(format!(
            "{field} is no field; write a type as \"string\", or {{\"type\": …, \"filter\": true}}"
        )));
    }
    check_options(field, &VALUE_OPTIONS)?;
    let optional = flag(field, "optional")?;
    let text = flag(field, "text")?;
    let Some(Json::Object(nested)) = field.get("fields") else {
        let ty = field.get("type").ok_or_else(|| Error::invalid("\"type\" is missing"))?;
        let (ty, marked) = parse_type(string(ty, "type")?)?;
        let ty = with_words(ty, field.get("enum"))?;
        let filter = flag(field, "filter")?;
        return Ok(ValueField { name, ty, optional: optional || marked, filter, text });
    };
    let nested = nested
        .iter()
        .map(|(name, field)| read_value(name, field, depth + 1))
        .collect::<Result<Vec<_>>>()?;
    let filter = match field.get("filter") {
        Some(_) => flag(field, "filter")?,
        None => nested.iter().any(|field| field.filter),
    };
    let object = FieldType::Object(nested);
    let (ty, marked) = match field.get("type") {
        None => (object, false),
        Some(name) => match string(name, "type")? {
            "object" => (object, false),
            "object?" => (object, true),
            "object[]" => (FieldType::Array(Box::new(object)), false),
            "object[]?" => (FieldType::Array(Box::new(object)), true),
            other => {
                return Err(Error::invalid(format!(
                    "type {other:?} has no \"fields\"; \"object\" and \"object[]\" have"
                )));
            }
        },
    };
    Ok(ValueField { name, ty, optional: optional || marked, filter, text })
}

/// Text, or an array of it, limited to the words in `words`.
fn with_words(ty: FieldType, words: Option<&Json>) -> Result<FieldType> {
    let Some(words) = words else { return Ok(ty) };
    let listed = || Error::invalid(format!("enum is a list of strings, not {words}"));
    let words = words.as_array().ok_or_else(listed)?.iter();
    let words = words.map(|word| word.as_str().map(String::from).ok_or_else(listed));
    let words = FieldType::Enum(words.collect::<Result<_>>()?);
    match ty {
        FieldType::Text => Ok(words),
        FieldType::Array(element) if *element == FieldType::Text => {
            Ok(FieldType::Array(Box::new(words)))
        }
        _ => Err(Error::invalid("enum limits a \"string\" or \"string[]\" to some words")),
    }
}

/// Reads `string`, `string[]`, `string?`, `string[]?`.
fn parse_type(text: &str) -> Result<(FieldType, bool)> {
    let (text, optional) = match text.strip_suffix('?') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (scalar, many) = match text.strip_suffix("[]") {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let ty = SCALARS.iter().find(|(name, _)| *name == scalar).map(|(_, ty)| ty.clone());
    let ty =
        ty.ok_or_else(|| unknown_name("type", scalar, SCALARS.iter().map(|(name, _)| *name)))?;
    Ok((if many { FieldType::Array(Box::new(ty)) } else { ty }, optional))
}

pub(super) fn type_name(ty: &FieldType) -> String {
    match ty {
        FieldType::Array(element) => format!("{}[]", type_name(element)),
        FieldType::Enum(_) => type_name(&FieldType::Text),
        scalar => {
            let known = SCALARS.iter().find(|(_, ty)| ty == scalar);
            known.map_or("object", |(name, _)| name).into()
        }
    }
}

fn write_values(fields: &[ValueField]) -> Map<String, Json> {
    fields.iter().map(|field| (field.name.clone(), write_value(field))).collect()
}

fn write_value(field: &ValueField) -> Json {
    let mut json = Map::new();
    json.insert("type".into(), json!(type_name(&field.ty)));
    match field.ty.element() {
        FieldType::Object(nested) => {
            json.insert("fields".into(), Json::Object(write_values(nested)));
            json.insert("filter".into(), json!(field.filter));
        }
        element => {
            if let FieldType::Enum(words) = element {
                json.insert("enum".into(), json!(words));
            }
            if field.filter {
                json.insert("filter".into(), json!(true));
            }
        }
    }
    if field.text {
        json.insert("text".into(), json!(true));
    }
    if field.optional {
        json.insert("optional".into(), json!(true));
    }
    if json.len() == 1 { json["type"].take() } else { Json::Object(json) }
}

fn write_vector(field: &VectorField) -> Json {
    let defaults = IndexSpec::default();
    let mut json = json!({"vector": field.dim, "metric": field.metric.name()});
    let mut set = |name: &str, differs: bool, value: Json| {
        if differs {
            json[name] = value;
        }
    };
    let (index, precision) = (&field.index, field.precision);
    set("precision", precision != Precision::default(), json!(precision.name()));
    set("index", index.kind != defaults.kind, json!(index.kind.name()));
    set("m", index.m != defaults.m, json!(index.m));
    set(
        "ef_construction",
        index.ef_construction != defaults.ef_construction,
        json!(index.ef_construction),
    );
    set("ef", index.ef != defaults.ef, json!(index.ef));
    let quantization = index.quantization.map(Quantization::name);
    set("quantization", quantization.is_some(), json!(quantization));
    set("optional", field.optional, json!(true));
    json
}

fn check_options(field: &Json, known: &[&'static str]) -> Result<()> {
    let unknown = field
        .as_object()
        .and_then(|options| options.keys().find(|option| !known.contains(&option.as_str())));
    match unknown {
        Some(option) => Err(unknown_name("option", option, known.iter().copied())),
        None => Ok(()),
    }
}

fn string<'a>(json: &'a Json, what: &str) -> Result<&'a str> {
    json.as_str().ok_or_else(|| Error::invalid(format!("{what} is a string, not {json}")))
}

fn count(json: &Json, what: &str) -> Result<usize> {
    let number = json.as_u64().and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| Error::invalid(format!("{what} is a whole number, not {json}")))
}

fn flag(field: &Json, option: &str) -> Result<bool> {
    match field.get(option) {
        None => Ok(false),
        Some(value) => value
            .as_bool()
            .ok_or_else(|| Error::invalid(format!("{option} is true or false, not {value}"))),
    }
}
