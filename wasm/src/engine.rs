//! The engine as a JavaScript class.

use crate::{
    batch::{Batch, Group, Prepared, count},
    failure::Failure,
    input::Input,
    options::{self, Options},
    output::{self, Fields, Names},
};
use js_sys::{Array, Float32Array};
use vectordoc::{
    Batch as Operations, Examples, Hit, HitGroup, Id, Query, Result, Schema, Scroll, Value,
    document::IdSeed,
    engine::{Place, most_frequent},
    grouped,
    index::Indexes,
    limits,
};
use wasm_bindgen::prelude::*;

/// One collection of documents in memory, with its indexes.
#[wasm_bindgen]
pub struct Engine {
    pub(crate) engine: vectordoc::Engine,
    names: Names,
    pub(crate) schema_changes: Vec<String>,
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

    /// The number of the last record applied; 0 before the first.
    #[wasm_bindgen(getter, js_name = recordNumber)]
    pub fn record_number(&self) -> u64 {
        self.engine.record_number()
    }

    /// The hits nearest to a vector, or those that have the words of `options.text`, best first:
    /// `[ids, scores and distances in turns, documents]`. With `options.groupBy`, for each group
    /// `[value, its hits]`.
    pub fn search(&self, vector: JsValue, options: Option<Options>) -> Result<Array, Failure> {
        let is_given = !vector.is_undefined() && !vector.is_null();
        let vector = is_given.then(|| Input::new(vector).vector()).transpose()?;
        let query = options::query(options.as_ref(), vector)?;
        self.answer(&query, options.as_ref())
    }

    /// The same for what is like the documents with these ids and unlike those of
    /// `options.unlike`.
    #[wasm_bindgen(js_name = searchLike)]
    pub fn search_like(&self, ids: Array, options: Option<Options>) -> Result<Array, Failure> {
        let like = ids.into_iter().map(|id| self.id(id)).collect::<Result<_>>()?;
        let unlike = options::unlike(options.as_ref(), self.engine.schema().id().kind)?;
        // The examples stand for the vector.
        let query = options::query(options.as_ref(), Some(Vec::new()))?;
        let examples = Examples { like, unlike };
        let query = examples
            .query(self.engine.schema(), query, |id, field| self.engine.example(id, field))?;
        self.answer(&query, options.as_ref())
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
        /// Values of a facet that does not say how many.
        const VALUES: usize = 100;
        let filter = options::filter(options.as_ref())?;
        let limit = options::limit(options.as_ref())?.unwrap_or(VALUES);
        let counts = self.engine.facet(field, &filter)?;
        let counts = most_frequent(self.engine.schema(), field, counts, limit)?;
        let counted = |(value, documents): (Value, u64)| {
            let counted = Fields::new();
            counted.set(&"value".into(), &output::value(&value));
            counted.set(&"count".into(), &count(documents).into());
            counted
        };
        Ok(counts.into_iter().map(counted).collect())
    }

    /// One page of the documents that pass, in order of their ids or of `options.orderBy`:
    /// `{docs, cursor}`, the cursor `undefined` after the last page.
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
        let order = options::order(options)?;
        let place = |cursor: String| Place::of_cursor(&cursor, schema, order.as_ref());
        let after = cursor.map(place).transpose()?;
        let scroll =
            Scroll { filter, include, order: order.clone(), ..Scroll::new(PAGE_DOCUMENTS) };
        let page = self.engine.scroll(&scroll, after.as_ref())?;
        let last = page.last().filter(|_| page.len() == PAGE_DOCUMENTS);
        let cursor = last.map(|(place, _)| place.cursor(schema, order.as_ref())).transpose()?;
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

impl Engine {
    pub(crate) fn of(engine: vectordoc::Engine) -> Self {
        Self { names: Names::new(engine.schema()), engine, schema_changes: Vec::new() }
    }

    fn id(&self, id: JsValue) -> Result<Id> {
        Input::new(id).read(IdSeed(self.engine.schema().id().kind))
    }

    /// The hits of a query, in groups if the options ask for them.
    fn answer(&self, query: &Query, options: Option<&Options>) -> Result<Array, Failure> {
        let Some(by) = options::group_by(options)? else {
            return Ok(self.hits(&self.engine.search(query)?));
        };
        let search = &mut |query: &Query| self.engine.search(query);
        let groups = grouped(self.engine.schema(), query, &by, search)?;
        let group =
            |group: &HitGroup| Array::of2(&output::value(&group.value), &self.hits(&group.hits));
        Ok(groups.iter().map(group).collect())
    }

    fn hits(&self, hits: &[Hit]) -> Array {
        let measures: Vec<f32> = hits.iter().flat_map(|hit| [hit.score, hit.distance]).collect();
        Array::of3(
            &hits.iter().map(|hit| output::id(&hit.id)).collect::<Array>(),
            &Float32Array::from(measures.as_slice()),
            &hits.iter().map(|hit| self.names.document(&hit.doc)).collect::<Array>(),
        )
    }
}
