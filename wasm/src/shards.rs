//! A database in several engines that do not share memory: which of them has what, and requests to
//! all of them.

use crate::{
    batch,
    engine::Engine,
    failure::Failure,
    input::Input,
    options::{self, Options},
    output::{self, Names},
};
use js_sys::{Array, Uint8Array, Uint32Array};
use vectordoc::{
    Error, Id, Result, Schema,
    document::{DocumentSeed, IdSeed},
    shards::{Gathered, Gathering as Steps},
};
use wasm_bindgen::{JsCast, prelude::*};

#[wasm_bindgen]
impl Engine {
    /// Answers what a `Gathering` asks this engine, which is one of those that have a database
    /// between them.
    pub fn answer(&self, question: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(self.engine.answer(question)?)
    }
}

/// The shards of one database.
#[wasm_bindgen]
pub struct Shards {
    schema: Schema,
    names: Names,
    count: usize,
}

#[wasm_bindgen]
impl Shards {
    /// So many shards for documents of a schema, given as JSON text.
    #[wasm_bindgen(constructor)]
    pub fn new(schema_json: &str, count: usize) -> Result<Shards, Failure> {
        let schema = Schema::from_json_str(schema_json)?;
        Ok(Self { names: Names::new(&schema), schema, count })
    }

    /// The ids as they come back, and the number of the shard of each: `[ids, shards]`.
    pub fn locate(&self, ids: Array) -> Result<Array, Failure> {
        let ids = ids.into_iter().map(|id| Input::new(id).read(IdSeed(self.schema.id().kind)));
        Ok(self.located(ids.collect::<Result<Vec<_>>>()?.into_iter()))
    }

    /// The same for documents, each of which could be written; `place` is that of the first of them
    /// among all.
    #[wasm_bindgen(js_name = locateDocuments)]
    pub fn locate_documents(&self, docs: Array, place: usize) -> Result<Array, Failure> {
        batch::check_length(place.saturating_add(docs.length() as usize))?;
        let document = |(place, doc)| batch::document(doc, DocumentSeed(&self.schema), place);
        let documents = (place..).zip(docs).map(document).collect::<Result<Vec<_>>>()?;
        documents.iter().try_for_each(|document| document.check(&self.schema))?;
        Ok(self.located(documents.into_iter().map(|document| document.id)))
    }

    /// Refuses changes that no document could take.
    #[wasm_bindgen(js_name = checkPatch)]
    pub fn check_patch(&self, changes: JsValue) -> Result<(), Failure> {
        Ok(batch::patch(changes)?.check(&self.schema)?)
    }

    /// The error of an update of a document that is not there.
    #[wasm_bindgen(js_name = refuseUpdate)]
    pub fn refuse_update(&self, id: JsValue) -> Result<(), Failure> {
        let id = Input::new(id).read(IdSeed(self.schema.id().kind))?;
        let message = format!("there is no document {id:?} to update; index it instead");
        Err(Error::not_found(message).into())
    }

    /// As `Engine.search`.
    pub fn search(&self, vector: JsValue, options: Option<Options>) -> Result<Gathering, Failure> {
        let query = options::search(vector, options.as_ref())?;
        let by = options::group_by(options.as_ref())?;
        self.gathering(|schema, count| Steps::search(schema, count, query, None, by))
    }

    /// As `Engine.searchLike`.
    #[wasm_bindgen(js_name = searchLike)]
    pub fn search_like(&self, ids: Array, options: Option<Options>) -> Result<Gathering, Failure> {
        let kind = self.schema.id().kind;
        let (query, examples) = options::search_like(ids, options.as_ref(), kind)?;
        let by = options::group_by(options.as_ref())?;
        self.gathering(|schema, count| Steps::search(schema, count, query, Some(examples), by))
    }

    /// As `Engine.facet`.
    pub fn facet(&self, field: String, options: Option<Options>) -> Result<Gathering, Failure> {
        let (filter, limit) = options::facet(options.as_ref())?;
        self.gathering(|schema, count| Steps::facet(schema, count, field, filter, limit))
    }

    /// As `Engine.scroll`.
    pub fn scroll(
        &self,
        cursor: Option<String>,
        options: Option<Options>,
    ) -> Result<Gathering, Failure> {
        let scroll = options::scroll(cursor, options.as_ref())?;
        self.gathering(|schema, count| Steps::scroll(schema, count, scroll))
    }

    /// The answer of a gathering that has no more questions, as `Engine` gives it.
    pub fn answer(&self, gathering: &Gathering) -> Result<JsValue, Failure> {
        Ok(match gathering.0.gathered()? {
            Gathered::Hits(hits) => self.names.hits(hits).into(),
            Gathered::Groups(groups) => self.names.groups(groups).into(),
            Gathered::Counts(counts) => output::counts(counts).into(),
            Gathered::Page(page) => self.names.page(page).into(),
        })
    }
}

impl Shards {
    fn located(&self, ids: impl Iterator<Item = Id>) -> Array {
        #[expect(clippy::cast_possible_truncation, reason = "a number of shards is small")]
        let located = |id: Id| (output::id(&id), id.shard(self.count) as u32);
        let (ids, shards): (Vec<JsValue>, Vec<u32>) = ids.map(located).unzip();
        Array::of2(&ids.into_iter().collect::<Array>(), &Uint32Array::from(shards.as_slice()))
    }

    fn gathering(
        &self,
        begin: impl FnOnce(Schema, usize) -> Result<Steps>,
    ) -> Result<Gathering, Failure> {
        Ok(Gathering(begin(self.schema.clone(), self.count)?))
    }
}

/// A request on its way through all shards.
#[wasm_bindgen]
pub struct Gathering(Steps);

#[wasm_bindgen]
impl Gathering {
    /// What to ask each shard now, `undefined` for those that are not asked; `undefined` when
    /// nothing is left to ask.
    pub fn questions(&self) -> Option<Array> {
        let bytes = |bytes: Vec<u8>| Uint8Array::from(bytes.as_slice()).into();
        let questions = self.0.questions()?.into_iter();
        Some(questions.map(|question| question.map_or(JsValue::UNDEFINED, bytes)).collect())
    }

    /// Takes what `Engine.answer` made of the questions, in their order.
    pub fn take(&mut self, answers: Array) -> Result<(), Failure> {
        let bytes = |answer: JsValue| answer.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec);
        let answers: Vec<_> = answers.into_iter().map(bytes).collect();
        Ok(self.0.take(&answers)?)
    }
}
