//! The schema as a TypeScript interface: what a document is to a program that has the JSON.

use super::{FieldType, IdKind, Integer, Schema, ValueField};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use serde_json::Value as Json;

const INDENT: &str = "  ";
/// JavaScript's numbers are exact to 2^53 only; ids and integers beyond it are bigints.
const WIDE_INTEGER: &str = "number | bigint";

impl Schema {
    /// An exported interface called `name`, which the documents of this schema have:
    ///
    /// ```
    /// # let schema = vectordoc::Schema::from_json_str(r#"{"id": "string",
    /// #     "embedding": {"vector": 3}, "color": {"type": "string", "enum": ["red", "green"]},
    /// #     "maker": {"type": "object?", "fields": {"country": "string"}}}"#)?;
    /// assert_eq!(schema.to_typescript("Product"), r#"export interface Product {
    ///   id: string;
    ///   embedding: number[] | Float32Array;
    ///   color: "red" | "green";
    ///   maker?: {
    ///     country: string;
    ///   };
    /// }
    /// "#);
    /// # Ok::<(), vectordoc::Error>(())
    /// ```
    pub fn to_typescript(&self, name: &str) -> String {
        let id = match self.id.kind {
            IdKind::Int => WIDE_INTEGER,
            IdKind::Text | IdKind::Uuid => "string",
        };
        let id = member(1, &self.id.name, false, id);
        let vectors = self
            .vectors
            .iter()
            .map(|field| member(1, &field.name, field.optional, "number[] | Float32Array"));
        let vectors: String = vectors.collect();
        format!("export interface {name} {{\n{id}{vectors}{}}}\n", members(1, &self.values))
    }
}

/// One line for each of `fields`, or several for an object.
fn members(depth: usize, fields: &[ValueField]) -> String {
    let member =
        |field: &ValueField| member(depth, &field.name, field.optional, &type_of(depth, &field.ty));
    fields.iter().map(member).collect()
}

fn member(depth: usize, name: &str, optional: bool, ty: &str) -> String {
    let mark = if optional { "?" } else { "" };
    format!("{}{}{mark}: {ty};\n", INDENT.repeat(depth), property_name(name))
}

/// The name, in quotes unless it can stand without.
fn property_name(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$';
    if name.bytes().all(plain) && !name.starts_with(|first: char| first.is_ascii_digit()) {
        return name.into();
    }
    literal(name)
}

/// A string literal; one of JSON is one of TypeScript too.
fn literal(text: &str) -> String {
    Json::from(text).to_string()
}

/// The type of a field `depth` levels inside.
fn type_of(depth: usize, ty: &FieldType) -> String {
    match ty {
        FieldType::Bool => "boolean".into(),
        FieldType::Integer(Integer::I64 | Integer::U64) => WIDE_INTEGER.into(),
        FieldType::Integer(_) | FieldType::Float32 | FieldType::Float64 => "number".into(),
        FieldType::Text | FieldType::Timestamp | FieldType::Uuid => "string".into(),
        FieldType::Enum(words) => {
            words.iter().map(|word| literal(word)).collect::<Vec<_>>().join(" | ")
        }
        FieldType::Bytes => "number[] | Uint8Array".into(),
        FieldType::Geo => "{ lat: number; lon: number }".into(),
        FieldType::Json => "unknown".into(),
        FieldType::Array(element) => match type_of(depth, element) {
            union if union.contains(" | ") && element.fields().is_empty() => format!("({union})[]"),
            element => format!("{element}[]"),
        },
        FieldType::Object(fields) if fields.is_empty() => "Record<string, never>".into(),
        FieldType::Object(fields) => {
            format!("{{\n{}{}}}", members(depth + 1, fields), INDENT.repeat(depth))
        }
    }
}
