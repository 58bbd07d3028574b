//! The engine as a JavaScript class.

use crate::{
    batch::{Batch, Group, Prepared, count},
    failure::Failure,
    input::Input,
    opening::Sleep,
    options::{self, Options},
    output::{self, Fields, Names},
};
use js_sys::Array;
use vectordoc::{
    Batch as Operations, Id, Query, Result, Schema,
    document::IdSeed,
    engine::{Place, most_frequent, page},
    grouped,
    index::Indexes,
};
use wasm_bindgen::prelude::*;

/// One collection of documents in memory, with its indexes.
#[wasm_bindgen]
pub struct Engine {
    pub(crate) engine: vectordoc::Engine,
    names: Names,
    /// Empty once it is awake.
    pub(crate) sleep: Sleep,
}

#[wasm_bindgen]
impl Engine {
    /// An empty engine for documents of a schema, given as JSON text.
    #[wasm_bindgen(constructor)]
    pub fn new(schema_json: &str) -> Result<Engine, Failure> {
        let schema = Schema::from_json_str(schema_json)?;
        Ok(Self::of(vectordoc::Engine::new(schema, &Indexes::default())?))
    }

    /// The schema as JSON text, defaults left out.
    pub fn schema(&self) -> String {
        self.engine.schema().to_json_string()
    }

    /// An empty batch.
    pub fn batch(&self) -> Batch {
        Batch::new(self.engine.schema())
    }

    /// Validates a batch as if the records of `group` were applied, and makes it the record after
    /// them. Nothing changes. A batch with a filter needs an empty group.
    pub fn prepare(&self, group: &mut Group, batch: Batch) -> Result<Prepared, Failure> {
        let operations = Operations { operations: batch.operations };
        let (record, outcome) = self.engine.prepare_in(&mut group.0, operations)?;
        Ok(Prepared { record, outcome })
    }

    /// Applies the record that comes next.
    pub fn apply(&mut self, prepared: Prepared) -> Result<(), Failure> {
        Ok(self.engine.apply(&prepared.record)?)
    }

    /// The hits nearest to a vector, or those that have the words of `options.text`, best first:
    /// `[ids, scores and distances in turns, documents]`. With `options.groupBy`, for each group
    /// `[value, its hits]`.
    pub fn search(&self, vector: JsValue, options: Option<Options>) -> Result<Array, Failure> {
        let query = options::search(vector, options.as_ref())?;
        self.found(&query, options.as_ref())
    }

    /// The hits nearest to a vector, without groups, and how they came about:
    /// `{hits, plan, visited, exact, ef, allowed}`, and with `path` the way through the graph,
    /// hop by hop as `[level, at, ids, distances]`, of which `at` can be `undefined`.
    pub fn explain(
        &self,
        vector: JsValue,
        options: Option<Options>,
        path: bool,
    ) -> Result<Fields, Failure> {
        let query = options::search(vector, options.as_ref())?;
        let (hits, explanation) = self.engine.explain(&query)?;
        let hops = path.then(|| self.engine.trace(&query)).transpose()?;
        Ok(self.names.explained(&hits, &explanation, hops.as_deref()))
    }

    /// As `search`, for what is like the documents with these ids and unlike those of
    /// `options.unlike`.
    #[wasm_bindgen(js_name = searchLike)]
    pub fn search_like(&self, ids: Array, options: Option<Options>) -> Result<Array, Failure> {
        let kind = self.engine.schema().id().kind;
        let (query, examples) = options::search_like(ids, options.as_ref(), kind)?;
        let query = examples
            .query(self.engine.schema(), query, |id, field| self.engine.example(id, field))?;
        self.found(&query, options.as_ref())
    }

    /// For each id its document, or `undefined`.
    pub fn get(&self, ids: Array, options: Option<Options>) -> Result<Array, Failure> {
        let include = options::include(options.as_ref())?;
        let documents = Array::new();
        for id in ids {
            let document = self.engine.get(&self.id(id)?, &include)?;
            documents.push(
                &document.map_or(JsValue::UNDEFINED, |document| self.names.document(&document)),
            );
        }
        Ok(documents)
    }

    /// For each id the version of its document, or `undefined`.
    pub fn versions(&self, ids: Array) -> Result<Array, Failure> {
        let versions = Array::new();
        for id in ids {
            let version = self.engine.version(&self.id(id)?)?;
            versions.push(&version.map_or(JsValue::UNDEFINED, |version| count(version).into()));
        }
        Ok(versions)
    }

    /// How many documents pass `options.filter`.
    pub fn count(&self, options: Option<Options>) -> Result<f64, Failure> {
        let filter = options::filter(options.as_ref())?;
        Ok(count(self.engine.count(&filter)?))
    }

    /// How many of the documents that pass `options.filter` have each value of a field, the most
    /// frequent first: `{value, count}`.
    pub fn facet(&self, field: &str, options: Option<Options>) -> Result<Array, Failure> {
        let (filter, limit) = options::facet(options.as_ref())?;
        let counts = self.engine.facet(field, &filter)?;
        Ok(output::counts(&most_frequent(self.engine.schema(), field, counts, limit)?))
    }

    /// One page of the documents that pass, in order of their ids or of `options.orderBy`:
    /// `{docs, cursor}`, the cursor `undefined` after the last page.
    pub fn scroll(
        &self,
        cursor: Option<String>,
        options: Option<Options>,
    ) -> Result<Fields, Failure> {
        let scroll = options::scroll(cursor, options.as_ref())?;
        let schema = self.engine.schema();
        let place = |cursor: &String| Place::of_cursor(cursor, schema, scroll.order.as_ref());
        let after = scroll.cursor.as_ref().map(place).transpose()?;
        let found = self.engine.scroll(&scroll, after.as_ref())?;
        Ok(self.names.page(&page(schema, &scroll, found)?))
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

    /// Bytes of memory that documents, vectors, filter columns and indexes take.
    #[wasm_bindgen(getter, js_name = memoryBytes)]
    pub fn memory_bytes(&self) -> f64 {
        count(self.engine.memory_bytes())
    }
}

impl Engine {
    pub(crate) fn of(engine: vectordoc::Engine) -> Self {
        let names = Names::new(engine.schema());
        Self { names, engine, sleep: Sleep::default() }
    }

    fn id(&self, id: JsValue) -> Result<Id> {
        Input::new(id).read(IdSeed(self.engine.schema().id().kind))
    }

    /// The hits of a query, in groups if the options ask for them.
    fn found(&self, query: &Query, options: Option<&Options>) -> Result<Array, Failure> {
        let Some(by) = options::group_by(options)? else {
            return Ok(self.names.hits(&self.engine.search(query)?));
        };
        let search = &mut |query: &Query| self.engine.search(query);
        Ok(self.names.groups(&grouped(self.engine.schema(), query, &by, search)?))
    }
}
