//! Documents and ids going out, as plain JavaScript values.

use js_sys::{Array, Float32Array, JsString, Number, Object, Uint8Array};
use vectordoc::{Document, Id, Schema, Value};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A plain object, filled by assignments: they take a fraction of the time of `Reflect.set`.
    #[wasm_bindgen(extends = Object)]
    pub type Fields;

    #[wasm_bindgen(constructor, js_class = "Object")]
    pub(crate) fn new() -> Fields;

    #[wasm_bindgen(method, indexing_setter)]
    pub(crate) fn set(this: &Fields, name: &JsString, value: &JsValue);
}

/// The names of the fields of a schema, as strings made once.
pub(crate) struct Names {
    id: JsString,
    vectors: Vec<JsString>,
    values: Vec<JsString>,
}

impl Names {
    pub(crate) fn new(schema: &Schema) -> Self {
        let name = |name: &String| JsString::from(name.as_str());
        Self {
            id: name(&schema.id().name),
            vectors: schema.vectors().iter().map(|field| name(&field.name)).collect(),
            values: schema.values().iter().map(|field| name(&field.name)).collect(),
        }
    }

    /// The document as an object of its fields, vectors as `Float32Array`, missing fields left out.
    pub(crate) fn document(&self, document: &Document) -> JsValue {
        let fields = Fields::new();
        fields.set(&self.id, &id(&document.id));
        for (name, vector) in self.vectors.iter().zip(&document.vectors) {
            if let Some(vector) = vector {
                fields.set(name, &Float32Array::from(vector.as_slice()));
            }
        }
        for (name, content) in self.values.iter().zip(&document.values) {
            if !content.is_null() {
                fields.set(name, &value(content));
            }
        }
        fields.into()
    }
}

/// The id as a number or a string.
pub(crate) fn id(id: &Id) -> JsValue {
    match id {
        Id::Int(number) => integer((*number).into()),
        Id::Text(text) => text.into(),
        Id::Uuid(_) => id.to_string().into(),
    }
}

/// The value as JavaScript has it: timestamps and UUIDs as text.
pub(crate) fn value(content: &Value) -> JsValue {
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
            let fields = Fields::new();
            fields.set(&"lat".into(), &point.lat.into());
            fields.set(&"lon".into(), &point.lon.into());
            fields.into()
        }
        Value::Array(values) => values.iter().map(value).collect::<Array>().into(),
        Value::Object(values) => {
            let fields = Fields::new();
            for (name, content) in values {
                fields.set(&name.as_str().into(), &value(content));
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
