//! Writes on their way to a record.

use crate::{
    failure::Failure,
    input::Input,
    options::{self, Options},
    output,
};
use js_sys::Array;
use vectordoc::{
    Document, Error, Operation, Record, Result, Schema,
    document::{DocumentSeed, IdSeed},
    engine::Outcome,
    limits,
};
use wasm_bindgen::prelude::*;

/// Changes that happen together or not at all. It takes documents in as many calls as the caller
/// likes, so that reading many does not have to block for long.
#[wasm_bindgen]
pub struct Batch {
    schema: Schema,
    pub(crate) operations: Vec<Operation>,
}

#[wasm_bindgen]
impl Batch {
    /// Adds documents to insert or to replace what has their id.
    pub fn index(&mut self, docs: Array) -> Result<(), Failure> {
        self.add_documents(&docs, Operation::Index)
    }

    /// Adds documents that replace what has their id; an error later when nothing has.
    pub fn update(&mut self, docs: Array) -> Result<(), Failure> {
        self.add_documents(&docs, Operation::Update)
    }

    /// Adds ids to delete.
    pub fn delete(&mut self, ids: Array) -> Result<(), Failure> {
        let kind = self.schema.id().kind;
        for id in ids {
            let id = Input::new(id).read(IdSeed(kind))?;
            self.add(Operation::Delete(id))?;
        }
        Ok(())
    }

    /// Deletes what `options.filter` lets pass. Such a batch does nothing else.
    #[wasm_bindgen(js_name = deleteWhere)]
    pub fn delete_where(&mut self, options: Option<Options>) -> Result<(), Failure> {
        let filter = options::filter(options.as_ref())?;
        Ok(self.add(Operation::DeleteWhere(filter))?)
    }
}

impl Batch {
    pub(crate) fn new(schema: &Schema) -> Self {
        Self { schema: schema.clone(), operations: Vec::new() }
    }

    fn add_documents(
        &mut self,
        docs: &Array,
        operation: fn(Document) -> Operation,
    ) -> Result<(), Failure> {
        for doc in docs.iter() {
            let document = Input::new(doc).read(DocumentSeed(&self.schema)).map_err(|error| {
                error.within(format!("document at position {}", self.operations.len()))
            })?;
            self.add(operation(document))?;
        }
        Ok(())
    }

    fn add(&mut self, operation: Operation) -> Result<()> {
        if self.operations.len() == limits::BATCH_OPERATIONS_MAX {
            return Err(Error::limit_exceeded(format!(
                "a batch has more than {} operations; use several",
                limits::BATCH_OPERATIONS_MAX
            )));
        }
        self.operations.push(operation);
        Ok(())
    }
}

/// A record that was validated and numbered but not applied, and what it will have done. Between
/// the two a host makes its bytes durable.
#[wasm_bindgen]
pub struct Prepared {
    pub(crate) record: Record,
    pub(crate) outcome: Outcome,
}

#[wasm_bindgen]
impl Prepared {
    /// The bytes to keep; `Engine.replay` takes them back.
    pub fn bytes(&self) -> Vec<u8> {
        self.record.to_bytes()
    }

    /// The record's number, 1 for the first.
    #[wasm_bindgen(getter)]
    pub fn number(&self) -> u64 {
        self.record.number
    }

    /// Documents inserted or replaced.
    #[wasm_bindgen(getter)]
    pub fn indexed(&self) -> f64 {
        count(self.outcome.indexed)
    }

    /// Documents deleted.
    #[wasm_bindgen(getter)]
    pub fn deleted(&self) -> f64 {
        count(self.outcome.deleted)
    }

    /// Ids that were to be deleted and were not there.
    #[wasm_bindgen(getter)]
    pub fn missing(&self) -> Array {
        self.outcome.missing.iter().map(output::id).collect()
    }
}

/// A count of documents as a JavaScript number, exact as all of them are below 2^32.
#[expect(clippy::cast_precision_loss, reason = "counts of documents are below 2^32")]
pub(crate) fn count(documents: u64) -> f64 {
    documents as f64
}
