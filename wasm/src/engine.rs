//! The engine as a JavaScript class.

use crate::{
    batch::{Batch, Prepared, count},
    failure::Failure,
    input::Input,
    options::Options,
    output,
};
use js_sys::{Array, Object};
use vectordoc::{
    Batch as Operations, Record, Schema, Scroll, document::IdSeed, engine::Place, index::Indexes,
    limits,
};
use wasm_bindgen::prelude::*;

/// One collection of documents in memory, with its indexes.
#[wasm_bindgen]
pub struct Engine(vectordoc::Engine);

#[wasm_bindgen]
impl Engine {
    /// An empty engine for documents of a schema, given as JSON text.
    #[wasm_bindgen(constructor)]
    pub fn new(schema_json: &str) -> Result<Engine, Failure> {
        let schema = Schema::from_json_str(schema_json)?;
        Ok(Self(vectordoc::Engine::new(schema, &Indexes::default())?))
    }

    /// The schema as JSON text, defaults left out.
    pub fn schema(&self) -> String {
        self.0.schema().to_json_string()
    }

    /// The names of the vector fields.
    #[wasm_bindgen(js_name = vectorFields)]
    pub fn vector_fields(&self) -> Vec<String> {
        self.0.schema().vectors().iter().map(|field| field.name.clone()).collect()
    }

    /// An empty batch.
    pub fn batch(&self) -> Batch {
        Batch::new(self.0.schema())
    }

    /// Validates a batch and makes it the record to apply next. Nothing changes.
    pub fn prepare(&self, batch: Batch) -> Result<Prepared, Failure> {
        let (record, outcome) = self.0.prepare(Operations { operations: batch.operations })?;
        Ok(Prepared { record, outcome })
    }

    /// Applies the record that was prepared last.
    pub fn apply(&mut self, prepared: Prepared) -> Result<(), Failure> {
        Ok(self.0.apply(&prepared.record)?)
    }

    /// Applies the bytes of the record after the last one applied, as kept by an earlier engine.
    pub fn replay(&mut self, record: &[u8]) -> Result<(), Failure> {
        let record = Record::from_bytes(record, self.0.schema())?;
        Ok(self.0.apply(&record)?)
    }

    /// The number of the last record applied; 0 before the first.
    #[wasm_bindgen(getter, js_name = recordNumber)]
    pub fn record_number(&self) -> u64 {
        self.0.record_number()
    }

    /// The hits nearest to a vector, best first.
    pub fn search(&self, vector: JsValue, options: JsValue) -> Result<Array, Failure> {
        let query = Options::query(options, Input::new(vector).vector()?)?;
        let hits = self.0.search(&query)?;
        Ok(hits.iter().map(|hit| output::hit(self.0.schema(), hit)).collect())
    }

    /// For each id its document, or `undefined`.
    pub fn get(&self, ids: Array, options: JsValue) -> Result<Array, Failure> {
        let include = Options::new(options, &["include"])?.include()?;
        let documents = Array::new();
        for id in ids {
            let id = Input::new(id).read(IdSeed(self.0.schema().id().kind))?;
            let document = self.0.get(&id, &include)?;
            documents.push(&document.map_or(JsValue::UNDEFINED, |document| {
                output::document(self.0.schema(), &document)
            }));
        }
        Ok(documents)
    }

    /// How many documents pass `options.filter`.
    pub fn count(&self, options: JsValue) -> Result<f64, Failure> {
        let filter = Options::new(options, &["filter"])?.filter()?;
        Ok(count(self.0.count(&filter)?))
    }

    /// One page of the documents that pass, in order of their ids: `{docs, cursor}`, the cursor
    /// `undefined` after the last page.
    pub fn scroll(&self, cursor: Option<String>, options: JsValue) -> Result<Object, Failure> {
        /// Documents of one page. Finding a page looks at every document that passes, so pages
        /// are large; and a document can be, so they are not huge.
        const PAGE_DOCUMENTS: usize = 1_000;
        const { assert!(PAGE_DOCUMENTS <= limits::SCROLL_LIMIT_MAX) };
        let mut options = Options::new(options, &["filter", "include"])?;
        let (filter, include) = (options.filter()?, options.include()?);
        let schema = self.0.schema();
        let place = |cursor: String| Place::of_cursor(&cursor, schema, None);
        let after = cursor.map(place).transpose()?;
        let scroll = Scroll { filter, include, ..Scroll::new(PAGE_DOCUMENTS) };
        let page = self.0.scroll(&scroll, after.as_ref())?;
        let last = page.last().filter(|_| page.len() == PAGE_DOCUMENTS);
        let cursor = last.map(|(place, _)| place.cursor(schema, None)).transpose()?;
        let cursor = cursor.map_or(JsValue::UNDEFINED, Into::into);
        let docs = page.iter().map(|(_, document)| output::document(schema, document));
        let answer = Object::new();
        output::set(&answer, "docs", &docs.collect::<Array>());
        output::set(&answer, "cursor", &cursor);
        Ok(answer)
    }

    /// Does one slice of building indexes; false when there is nothing left to do.
    pub fn maintain(&mut self) -> Result<bool, Failure> {
        Ok(self.0.maintain()?)
    }

    /// Vectors that wait to be added to an index; until then searches compare with each of them.
    #[wasm_bindgen(getter)]
    pub fn unindexed(&self) -> f64 {
        count(self.0.unindexed())
    }
}
