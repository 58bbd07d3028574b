//! Writes on their way to a record.

use crate::{
    failure::Failure,
    input::Input,
    options::{self, Options},
    output,
    rest::text_of,
};
use js_sys::Array;
use vectordoc::{
    Document, Error, Id, Operation, Patch, Record, Result, Schema, Value,
    document::{DocumentSeed, IdSeed},
    engine::Outcome,
    key::Key,
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
        for id in ids {
            let id = self.id(id)?;
            self.add(Operation::Delete(id))?;
        }
        Ok(())
    }

    /// Adds changes to fields of the document with this id: `{ set, unset, increment }`.
    pub fn patch(&mut self, id: JsValue, changes: JsValue) -> Result<(), Failure> {
        let operation = Operation::Patch(self.id(id)?, patch(changes)?);
        Ok(self.add(operation)?)
    }

    /// Changes fields of what `options.filter` lets pass. Such a batch does nothing else.
    #[wasm_bindgen(js_name = patchWhere)]
    pub fn patch_where(
        &mut self,
        options: Option<Options>,
        changes: JsValue,
    ) -> Result<(), Failure> {
        let filter = options::filter(options.as_ref())?;
        Ok(self.add(Operation::PatchWhere(filter, patch(changes)?))?)
    }

    /// Puts the batch, which is about one document, on the condition that this has the version
    /// `options.ifVersion`, if that is given.
    pub fn expect(&mut self, options: Option<Options>) -> Result<(), Failure> {
        let Some(version) = options::if_version(options.as_ref())? else { return Ok(()) };
        let id = match &self.operations[..] {
            [Operation::Index(document) | Operation::Update(document)] => document.id.clone(),
            [Operation::Delete(id) | Operation::Patch(id, _)] => id.clone(),
            _ => return Err(Error::invalid("ifVersion is about one document; give one").into()),
        };
        self.operations.insert(0, Operation::Expect(id, version));
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

    fn id(&self, id: JsValue) -> Result<Id> {
        Input::new(id).read(IdSeed(self.schema.id().kind))
    }

    fn add_documents(
        &mut self,
        docs: &Array,
        operation: fn(Document) -> Operation,
    ) -> Result<(), Failure> {
        for doc in docs.iter() {
            let document = document(doc, DocumentSeed(&self.schema), self.operations.len())?;
            self.add(operation(document))?;
        }
        Ok(())
    }

    fn add(&mut self, operation: Operation) -> Result<()> {
        check_length(self.operations.len() + 1)?;
        self.operations.push(operation);
        Ok(())
    }
}

/// Refuses a batch of more operations than one may have.
pub(crate) fn check_length(operations: usize) -> Result<()> {
    let max = limits::BATCH_OPERATIONS_MAX;
    if operations <= max {
        return Ok(());
    }
    Err(Error::limit_exceeded(format!("a batch has more than {max} operations; use several")))
}

/// Reads a document, which has this place among those of its batch.
pub(crate) fn document(doc: JsValue, seed: DocumentSeed<'_>, place: usize) -> Result<Document> {
    let document = Input::new(doc).read(seed);
    document.map_err(|error| error.within(format!("document at position {place}")))
}

/// Reads the changes of a patch; parts that are undefined are as if not given.
pub(crate) fn patch(changes: JsValue) -> Result<Patch> {
    let mut changes = Input::new(changes).value()?;
    if let Value::Object(parts) = &mut changes {
        parts.retain(|_, part| !part.is_null());
        if parts.is_empty() {
            return Err(Error::invalid("the patch changes nothing; give set, unset or increment"));
        }
    }
    Patch::from_value(changes)
}

/// Records that are prepared one after the other before the first of them is applied.
#[wasm_bindgen]
#[derive(Default)]
pub struct Group(pub(crate) vectordoc::engine::Group);

#[wasm_bindgen]
impl Group {
    /// An empty group.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
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

    /// The key to keep them by.
    #[wasm_bindgen(getter)]
    pub fn key(&self) -> String {
        text_of(Key::Record(self.record.number))
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

    /// The version of every document written.
    #[wasm_bindgen(getter)]
    pub fn version(&self) -> f64 {
        count(self.outcome.version)
    }

    /// Ids that were to be deleted and were not there.
    #[wasm_bindgen(getter)]
    pub fn missing(&self) -> Array {
        self.outcome.missing.iter().map(output::id).collect()
    }
}

/// A count of documents or records as a JavaScript number, exact as all of them are below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub(crate) fn count(items: u64) -> f64 {
    items as f64
}
