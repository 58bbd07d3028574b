//! The engine as a JavaScript class.

use crate::{
    batch::{Batch, Prepared, count},
    failure::Failure,
    input::Input,
    options::{self, Options},
    output::{self, Fields, Names},
};
use js_sys::{Array, Float32Array};
use vectordoc::{
    Batch as Operations, Record, Schema, Scroll, document::IdSeed, engine::Place, index::Indexes,
    limits,
};
use wasm_bindgen::prelude::*;

/// One collection of documents in memory, with its indexes.
#[wasm_bindgen]
pub struct Engine {
    engine: vectordoc::Engine,
    names: Names,
}

#[wasm_bindgen]
impl Engine {
    /// An empty engine for documents of a schema, given as JSON text.
    #[wasm_bindgen(constructor)]
    pub fn new(schema_json: &str) -> Result<Engine, Failure> {
        let schema = Schema::from_json_str(schema_json)?;
        let names = Names::new(&schema);
        Ok(Self { engine: vectordoc::Engine::new(schema, &Indexes::default())?, names })
    }

    /// The schema as JSON text, defaults left out.
    pub fn schema(&self) -> String {
        self.engine.schema().to_json_string()
    }

    /// The names of the vector fields.
    #[wasm_bindgen(js_name = vectorFields)]
    pub fn vector_fields(&self) -> Vec<String> {
        self.engine.schema().vectors().iter().map(|field| field.name.clone()).collect()
    }

    /// An empty batch.
    pub fn batch(&self) -> Batch {
        Batch::new(self.engine.schema())
    }

    /// Validates a batch and makes it the record to apply next. Nothing changes.
    pub fn prepare(&self, batch: Batch) -> Result<Prepared, Failure> {
        let (record, outcome) = self.engine.prepare(Operations { operations: batch.operations })?;
        Ok(Prepared { record, outcome })
    }

    /// Applies the record that was prepared last.
    pub fn apply(&mut self, prepared: Prepared) -> Result<(), Failure> {
        Ok(self.engine.apply(&prepared.record)?)
    }

    /// Applies the bytes of the record after the last one applied, as kept by an earlier engine.
    pub fn replay(&mut self, record: &[u8]) -> Result<(), Failure> {
        let record = Record::from_bytes(record, self.engine.schema())?;
        Ok(self.engine.apply(&record)?)
    }

    /// The number of the last record applied; 0 before the first.
    #[wasm_bindgen(getter, js_name = recordNumber)]
    pub fn record_number(&self) -> u64 {
        self.engine.record_number()
    }

    /// The hits nearest to a vector, or those that have the words of `options.text`, best first: `[ids, scores and distances in turns, documents]`.
    pub fn search(&self, vector: JsValue, options: Option<Options>) -> Result<JsValue, Failure> {
        let is_given = !vector.is_undefined() && !vector.is_null();
        let vector = is_given.then(|| Input::new(vector).vector()).transpose()?;
        let query = options::query(options, vector)?;
        let hits = self.engine.search(&query)?;
        let measures: Vec<f32> = hits.iter().flat_map(|hit| [hit.score, hit.distance]).collect();
        let answer = Array::of3(
            &hits.iter().map(|hit| output::id(&hit.id)).collect::<Array>(),
            &Float32Array::from(measures.as_slice()),
            &hits.iter().map(|hit| self.names.document(&hit.doc)).collect::<Array>(),
        );
        Ok(answer.into())
    }

    /// For each id its document, or `undefined`.
    pub fn get(&self, ids: Array, options: Option<Options>) -> Result<Array, Failure> {
        let include = options::include(options.as_ref())?;
        let documents = Array::new();
        for id in ids {
            let id = Input::new(id).read(IdSeed(self.engine.schema().id().kind))?;
            let document = self.engine.get(&id, &include)?;
            documents.push(
                &document.map_or(JsValue::UNDEFINED, |document| self.names.document(&document)),
            );
        }
        Ok(documents)
    }

    /// How many documents pass `options.filter`.
    pub fn count(&self, options: Option<Options>) -> Result<f64, Failure> {
        let filter = options::filter(options.as_ref())?;
        Ok(count(self.engine.count(&filter)?))
    }

    /// One page of the documents that pass, in order of their ids: `{docs, cursor}`, the cursor
    /// `undefined` after the last page.
    pub fn scroll(
        &self,
        cursor: Option<String>,
        options: Option<Options>,
    ) -> Result<Fields, Failure> {
        /// Documents of one page. Finding a page looks at every document that passes, so pages
        /// are large; and a document can be, so they are not huge.
        const PAGE_DOCUMENTS: usize = 1_000;
        const { assert!(PAGE_DOCUMENTS <= limits::SCROLL_LIMIT_MAX) };
        let options = options.as_ref();
        let (filter, include) = (options::filter(options)?, options::include(options)?);
        let schema = self.engine.schema();
        let place = |cursor: String| Place::of_cursor(&cursor, schema, None);
        let after = cursor.map(place).transpose()?;
        let scroll = Scroll { filter, include, ..Scroll::new(PAGE_DOCUMENTS) };
        let page = self.engine.scroll(&scroll, after.as_ref())?;
        let last = page.last().filter(|_| page.len() == PAGE_DOCUMENTS);
        let cursor = last.map(|(place, _)| place.cursor(schema, None)).transpose()?;
        let cursor = cursor.map_or(JsValue::UNDEFINED, Into::into);
        let docs = page.iter().map(|(_, document)| self.names.document(document));
        let answer = Fields::new();
        answer.set(&"docs".into(), &docs.collect::<Array>());
        answer.set(&"cursor".into(), &cursor);
        Ok(answer)
    }

    /// Does one slice of building indexes; false when there is nothing left to do.
    pub fn maintain(&mut self) -> Result<bool, Failure> {
        Ok(self.engine.maintain()?)
    }

    /// Vectors that wait to be added to an index; until then searches compare with each of them.
    #[wasm_bindgen(getter)]
    pub fn unindexed(&self) -> f64 {
        count(self.engine.unindexed())
    }
}
