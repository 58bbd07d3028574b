//! The bytes of a document at rest, its vectors apart:
//! `id, count, (field number, value)…`, nulls left out.

use super::Document;
use crate::{
    Error, GeoPoint, Id, Result, Timestamp, Uuid, Value,
    bytes::{Reader, Writer},
    limits,
};
use alloc::{collections::BTreeMap, vec, vec::Vec};

const ID_INT: u8 = 1;
const ID_TEXT: u8 = 2;
const ID_UUID: u8 = 3;

const VALUE_NULL: u8 = 0;
const VALUE_FALSE: u8 = 1;
const VALUE_TRUE: u8 = 2;
const VALUE_INT: u8 = 3;
const VALUE_FLOAT: u8 = 4;
const VALUE_TEXT: u8 = 5;
const VALUE_BYTES: u8 = 6;
const VALUE_ARRAY: u8 = 7;
const VALUE_OBJECT: u8 = 8;
const VALUE_TIME: u8 = 9;
const VALUE_UUID: u8 = 10;
const VALUE_GEO: u8 = 11;

pub(crate) fn write_document(document: &Document) -> Vec<u8> {
    let mut writer = Writer::default();
    write_id(&mut writer, &document.id);
    writer.length(document.values.iter().filter(|value| !value.is_null()).count());
    for (number, value) in document.values.iter().enumerate().filter(|(_, value)| !value.is_null())
    {
        writer.length(number);
        write_value(&mut writer, value);
    }
    writer.into_bytes()
}

pub(crate) fn write_id(writer: &mut Writer, id: &Id) {
    match id {
        Id::Int(value) => {
            writer.u8(ID_INT);
            writer.varint((*value).into());
        }
        Id::Text(text) => {
            writer.u8(ID_TEXT);
            writer.bytes(text.as_bytes());
        }
        Id::Uuid(bytes) => {
            writer.u8(ID_UUID);
            writer.raw(bytes.as_bytes());
        }
    }
}

pub(crate) fn write_value(writer: &mut Writer, value: &Value) {
    match value {
        Value::Null => writer.u8(VALUE_NULL),
        Value::Bool(false) => writer.u8(VALUE_FALSE),
        Value::Bool(true) => writer.u8(VALUE_TRUE),
        Value::Int(value) => {
            writer.u8(VALUE_INT);
            writer.signed(*value);
        }
        Value::Float(value) => {
            writer.u8(VALUE_FLOAT);
            writer.f64(*value);
        }
        Value::Text(text) => {
            writer.u8(VALUE_TEXT);
            writer.bytes(text.as_bytes());
        }
        Value::Bytes(bytes) => {
            writer.u8(VALUE_BYTES);
            writer.bytes(bytes);
        }
        Value::Time(time) => {
            writer.u8(VALUE_TIME);
            writer.signed(time.as_micros().into());
        }
        Value::Uuid(uuid) => {
            writer.u8(VALUE_UUID);
            writer.raw(uuid.as_bytes());
        }
        Value::Geo(point) => {
            writer.u8(VALUE_GEO);
            writer.f64(point.lat);
            writer.f64(point.lon);
        }
        Value::Array(values) => {
            writer.u8(VALUE_ARRAY);
            writer.length(values.len());
            values.iter().for_each(|value| write_value(writer, value));
        }
        Value::Object(fields) => {
            writer.u8(VALUE_OBJECT);
            writer.length(fields.len());
            for (name, value) in fields {
                writer.bytes(name.as_bytes());
                write_value(writer, value);
            }
        }
    }
}

pub(crate) fn read_id(reader: &mut Reader<'_>) -> Result<Id> {
    match reader.u8()? {
        ID_INT => {
            let value = u64::try_from(reader.varint()?);
            value.map(Id::Int).map_err(|_| Error::corrupt("an id exceeds 64 bits"))
        }
        ID_TEXT => reader.text().map(Id::Text),
        ID_UUID => read_uuid(reader).map(Id::Uuid),
        tag => Err(Error::corrupt(alloc::format!("an id has the unknown tag {tag}"))),
    }
}

fn read_uuid(reader: &mut Reader<'_>) -> Result<Uuid> {
    Uuid::from_slice(reader.raw(16)?).map_err(|_| Error::corrupt("a UUID is short"))
}

fn read_time(reader: &mut Reader<'_>) -> Result<Timestamp> {
    let micros = i64::try_from(reader.signed()?).ok();
    let time = micros.and_then(|micros| Timestamp::from_micros(micros).ok());
    time.ok_or_else(|| Error::corrupt("a timestamp is out of range"))
}

/// The values after the id; `count` is how many the schema has.
pub(crate) fn read_values(reader: &mut Reader<'_>, count: usize) -> Result<Vec<Value>> {
    let mut values = vec![Value::Null; count];
    for _ in 0..reader.length()? {
        let number = usize::try_from(reader.varint()?).ok();
        let value = read_value(reader, limits::DOCUMENT_DEPTH_MAX + 1)?;
        let slot = number.and_then(|number| values.get_mut(number));
        *slot.ok_or_else(|| Error::corrupt("a document has a field the schema has not"))? = value;
    }
    if !reader.is_empty() {
        return Err(Error::corrupt("a document goes on after its last field"));
    }
    Ok(values)
}

/// A value that is nested up to `depth` levels deep.
pub(crate) fn read_value(reader: &mut Reader<'_>, depth: usize) -> Result<Value> {
    let depth = depth.checked_sub(1).ok_or_else(|| Error::corrupt("a value is nested too deep"))?;
    Ok(match reader.u8()? {
        VALUE_NULL => Value::Null,
        VALUE_FALSE => Value::Bool(false),
        VALUE_TRUE => Value::Bool(true),
        VALUE_INT => Value::Int(reader.signed()?),
        VALUE_FLOAT => Value::Float(reader.f64()?),
        VALUE_TEXT => Value::Text(reader.text()?),
        VALUE_BYTES => Value::Bytes(reader.bytes()?.to_vec()),
        VALUE_TIME => Value::Time(read_time(reader)?),
        VALUE_UUID => Value::Uuid(read_uuid(reader)?),
        VALUE_GEO => Value::Geo(GeoPoint { lat: reader.f64()?, lon: reader.f64()? }),
        VALUE_ARRAY => {
            let count = reader.length()?;
            let values = (0..count).map(|_| read_value(reader, depth));
            Value::Array(values.collect::<Result<_>>()?)
        }
        VALUE_OBJECT => {
            let count = reader.length()?;
            let fields = (0..count).map(|_| Ok((reader.text()?, read_value(reader, depth)?)));
            Value::Object(fields.collect::<Result<BTreeMap<_, _>>>()?)
        }
        tag => return Err(Error::corrupt(alloc::format!("a value has the unknown tag {tag}"))),
    })
}
