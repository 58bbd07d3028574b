//! Documents and ids going out, as plain JavaScript values.

use crate::batch::count;
use js_sys::{Array, Float32Array, JsString, Number, Object, Uint8Array};
use vectordoc::{
    Document, Hit, HitGroup, Id, Page, Schema, Value,
    query::{Explanation, Hop},
};
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

impl Names {
    /// `[ids, scores and distances in turns, documents]`.
    pub(crate) fn hits(&self, hits: &[Hit]) -> Array {
        let measures: Vec<f32> = hits.iter().flat_map(|hit| [hit.score, hit.distance]).collect();
        Array::of3(
            &hits.iter().map(|hit| id(&hit.id)).collect::<Array>(),
            &Float32Array::from(measures.as_slice()),
            &hits.iter().map(|hit| self.document(&hit.doc)).collect::<Array>(),
        )
    }

    /// For each group `[value, its hits]`.
    pub(crate) fn groups(&self, groups: &[HitGroup]) -> Array {
        let group = |group: &HitGroup| Array::of2(&value(&group.value), &self.hits(&group.hits));
        groups.iter().map(group).collect()
    }

    /// `{hits, plan, visited, exact, ef, allowed}`, with `path` if there is one.
    pub(crate) fn explained(
        &self,
        hits: &[Hit],
        explanation: &Explanation,
        path: Option<&[Hop]>,
    ) -> Fields {
        let Explanation { plan, visited, exact, ef, allowed, .. } = explanation;
        let answer = Fields::new();
        answer.set(&"hits".into(), &self.hits(hits));
        answer.set(&"plan".into(), &(*plan).into());
        answer.set(&"visited".into(), &count(*visited).into());
        answer.set(&"exact".into(), &(*exact).into());
        answer.set(&"ef".into(), &count(*ef as u64).into());
        answer.set(&"allowed".into(), &count(*allowed).into());
        if let Some(path) = path {
            answer.set(&"path".into(), &path.iter().map(hop).collect::<Array>());
        }
        answer
    }

    /// `{docs, cursor}`, the cursor `undefined` on the last page.
    pub(crate) fn page(&self, page: &Page) -> Fields {
        let cursor = page.cursor.as_ref().map_or(JsValue::UNDEFINED, Into::into);
        let docs = page.docs.iter().map(|document| self.document(document));
        let answer = Fields::new();
        answer.set(&"docs".into(), &docs.collect::<Array>());
        answer.set(&"cursor".into(), &cursor);
        answer
    }
}

/// `[level, at, ids, distances]`.
fn hop(Hop { level, at, compared }: &Hop) -> Array {
    let distances: Vec<f32> = compared.iter().map(|(_, distance)| *distance).collect();
    Array::of4(
        &count(*level as u64).into(),
        &at.as_ref().map_or(JsValue::UNDEFINED, id),
        &compared.iter().map(|(compared, _)| id(compared)).collect::<Array>(),
        &Float32Array::from(distances.as_slice()),
    )
}

/// For each value `{value, count}`.
pub(crate) fn counts(counts: &[(Value, u64)]) -> Array {
    let counted = |(content, documents): &(Value, u64)| {
        let counted = Fields::new();
        counted.set(&"value".into(), &value(content));
        counted.set(&"count".into(), &count(*documents).into());
        counted
    };
    counts.iter().map(counted).collect()
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
