//! Documents, hits and ids going out, as plain JavaScript objects.

use js_sys::{Array, Float32Array, Number, Object, Reflect, Uint8Array};
use vectordoc::{Document, Hit, Id, Schema, Value};
use wasm_bindgen::JsValue;

/// The document as an object of its fields, vectors as `Float32Array`, missing fields left out.
pub(crate) fn document(schema: &Schema, document: &Document) -> JsValue {
    let fields = Object::new();
    set(&fields, &schema.id().name, &id(&document.id));
    for (field, vector) in schema.vectors().iter().zip(&document.vectors) {
        if let Some(vector) = vector {
            set(&fields, &field.name, &Float32Array::from(vector.as_slice()));
        }
    }
    for (field, content) in schema.values().iter().zip(&document.values) {
        if !content.is_null() {
            set(&fields, &field.name, &value(content));
        }
    }
    fields.into()
}

/// The hit as `{id, score, distance, doc}`.
pub(crate) fn hit(schema: &Schema, hit: &Hit) -> JsValue {
    let fields = Object::new();
    set(&fields, "id", &id(&hit.id));
    set(&fields, "score", &hit.score.into());
    set(&fields, "distance", &hit.distance.into());
    set(&fields, "doc", &document(schema, &hit.doc));
    fields.into()
}

/// The id as a number or a string.
pub(crate) fn id(id: &Id) -> JsValue {
    match id {
        Id::Int(number) => integer((*number).into()),
        Id::Text(text) => text.into(),
        Id::Uuid(_) => id.to_string().into(),
    }
}

/// Sets a property of a plain object that was made here, which cannot fail.
pub(crate) fn set(object: &Object, name: &str, value: &JsValue) {
    Reflect::set(object, &name.into(), value).unwrap_or_default();
}

fn value(content: &Value) -> JsValue {
    match content {
        Value::Null => JsValue::NULL,
        Value::Bool(boolean) => (*boolean).into(),
        Value::Int(number) => integer(*number),
        Value::Float(number) => (*number).into(),
        Value::Text(text) => text.into(),
        Value::Bytes(bytes) => Uint8Array::from(bytes.as_slice()).into(),
        Value::Time(time) => time.to_string().into(),
        Value::Uuid(uuid) => uuid.to_string().into(),
        Value::Geo(point) => {
            let fields = Object::new();
            set(&fields, "lat", &point.lat.into());
            set(&fields, "lon", &point.lon.into());
            fields.into()
        }
        Value::Array(values) => values.iter().map(value).collect::<Array>().into(),
        Value::Object(values) => {
            let fields = Object::new();
            for (name, content) in values {
                set(&fields, name, &value(content));
            }
            fields.into()
        }
    }
}

/// A number where every digit survives in one, a bigint beyond.
fn integer(number: i128) -> JsValue {
    #[expect(clippy::cast_precision_loss, reason = "what is lost is looked at")]
    let nearest = number as f64;
    if nearest.abs() <= Number::MAX_SAFE_INTEGER { nearest.into() } else { number.into() }
}
