//! Values, ids and documents, from messages and into them.

use super::{
    messages::{self as proto, id, value::Kind},
    params::Items,
};
use std::collections::BTreeMap;
use vectordoc::{Document, Error, Id, Result, Schema, Value, query::Warning};

/// Writes a value as operations read it.
pub(super) fn write(items: &mut Items, value: &proto::Value) -> Result<()> {
    match &value.kind {
        Some(Kind::NullValue(0)) => items.null(),
        Some(Kind::NullValue(other)) => {
            return Err(Error::invalid(format!("a null is NULL_VALUE, which is 0, not {other}")));
        }
        Some(Kind::BoolValue(value)) => items.bool(*value),
        Some(Kind::IntValue(value)) => items.int(*value),
        Some(Kind::UintValue(value)) => items.uint(*value),
        Some(Kind::DoubleValue(value)) => items.double(*value),
        Some(Kind::StringValue(text)) => items.text(text),
        Some(Kind::BytesValue(bytes)) => items.bytes(bytes),
        Some(Kind::ListValue(list)) => return items.array(&list.values, write),
        Some(Kind::ObjectValue(object)) => return items.object(&object.fields),
        Some(Kind::VectorValue(vector)) => items.vector(&vector.values),
        None => {
            return Err(Error::invalid(
                "a value is nothing that this server knows; set one of its kinds, `null_value` for \
                 none",
            ));
        }
    }
    Ok(())
}

/// Writes an id as operations read it.
pub(super) fn write_id(items: &mut Items, id: &proto::Id) -> Result<()> {
    match &id.id {
        Some(id::Id::Text(text)) => items.text(text),
        Some(id::Id::Number(number)) => items.uint(*number),
        None => return Err(Error::invalid("an id is nothing; set its `text` or its `number`")),
    }
    Ok(())
}

/// The message that an id is.
pub(super) fn of_id(id: Id) -> proto::Id {
    let id = match id {
        Id::Int(number) => id::Id::Number(number),
        Id::Text(text) => id::Id::Text(text),
        Id::Uuid(uuid) => id::Id::Text(uuid.to_string()),
    };
    proto::Id { id: Some(id) }
}

/// The message that a value is.
pub(super) fn of(value: Value) -> proto::Value {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(value),
        Value::Int(value) => integer(value),
        Value::Float(value) => Kind::DoubleValue(value),
        Value::Text(text) => Kind::StringValue(text),
        Value::Bytes(bytes) => Kind::BytesValue(bytes),
        Value::Time(time) => Kind::StringValue(time.to_string()),
        Value::Uuid(uuid) => Kind::StringValue(uuid.to_string()),
        Value::Geo(point) => {
            let degrees = [("lat", point.lat), ("lon", point.lon)];
            let degrees = degrees.map(|(name, degrees)| (name.to_owned(), Value::Float(degrees)));
            Kind::ObjectValue(proto::Object { fields: fields(degrees) })
        }
        Value::Array(values) => {
            Kind::ListValue(proto::List { values: values.into_iter().map(of).collect() })
        }
        Value::Object(values) => Kind::ObjectValue(proto::Object { fields: fields(values) }),
    };
    proto::Value { kind: Some(kind) }
}

/// The message that a document of `schema` is: as in JSON, fields without a value are left out.
pub(super) fn of_document(schema: &Schema, document: Document) -> proto::Document {
    let Document { id, vectors, values } = document;
    let mut fields = BTreeMap::new();
    for (field, vector) in schema.vectors().iter().zip(vectors) {
        if let Some(values) = vector {
            let kind = Some(Kind::VectorValue(proto::Vector { values }));
            fields.insert(field.name.clone(), proto::Value { kind });
        }
    }
    for (field, value) in schema.values().iter().zip(values) {
        if !value.is_null() {
            fields.insert(field.name.clone(), of(value));
        }
    }
    let id = match id {
        Id::Int(number) => Value::from(number),
        Id::Text(text) => Value::Text(text),
        Id::Uuid(uuid) => Value::Uuid(uuid),
    };
    fields.insert(schema.id().name.clone(), of(id));
    proto::Document { fields }
}

/// How many, as messages say it. What is counted so has a bound far below.
pub(super) fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What to know about a question, as answers have it.
pub(super) fn of_warnings(warnings: &[Warning]) -> Vec<String> {
    warnings.iter().map(Warning::to_string).collect()
}

fn fields(values: impl IntoIterator<Item = (String, Value)>) -> BTreeMap<String, proto::Value> {
    values.into_iter().map(|(name, value)| (name, of(value))).collect()
}

fn integer(value: i128) -> Kind {
    #[expect(clippy::cast_precision_loss, reason = "no field holds what is beyond 64 bits")]
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => Kind::IntValue(value),
        (_, Ok(value)) => Kind::UintValue(value),
        _ => Kind::DoubleValue(value as f64),
    }
}
