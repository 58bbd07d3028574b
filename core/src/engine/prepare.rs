//! From a batch to a record: everything that can be wrong is found here, before anything is
//! written.

use super::Engine;
use crate::{
    Batch, Error, Id, Result, Schema,
    batch::Operation,
    document::Document,
    limits,
    record::{Change, Record, Stored},
    schema::IdKind,
};
use alloc::{collections::BTreeMap, format, vec::Vec};

/// What a record did, or will have done once it is applied.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Documents inserted or replaced.
    pub indexed: u64,
    /// Documents deleted.
    pub deleted: u64,
    /// Ids that were to be deleted and were not there.
    pub missing: Vec<Id>,
}

/// Records prepared one after the other before the first of them is applied, so that a host can
/// make them durable together.
#[derive(Default)]
pub struct Group {
    /// Whether a document will be there, for each id the records touch.
    present: BTreeMap<Id, bool>,
    records: u64,
}

impl Group {
    /// Records prepared so far.
    pub fn len(&self) -> u64 {
        self.records
    }

    /// Whether no record was prepared.
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }
}

impl Engine {
    /// Validates a batch and makes it the record to apply next. Nothing changes.
    pub fn prepare(&self, batch: Batch) -> Result<(Record, Outcome)> {
        self.prepare_in(&mut Group::default(), batch)
    }

    /// Validates a batch as if the records of `group` were applied, and makes it the record after
    /// them. A batch that deletes by filter needs an empty group: filters see applied records only.
    pub fn prepare_in(&self, group: &mut Group, batch: Batch) -> Result<(Record, Outcome)> {
        let what = "number of operations in a batch";
        limits::at_most(batch.operations.len(), limits::BATCH_OPERATIONS_MAX, what)?;
        let mut preparing = Preparing {
            engine: self,
            group,
            touched: BTreeMap::new(),
            changes: Vec::with_capacity(batch.operations.len()),
            outcome: Outcome::default(),
        };
        for operation in batch.operations {
            preparing.add(operation)?;
        }
        let Preparing { touched, changes, outcome, .. } = preparing;
        let inserted = touched.values().filter(|present| **present).count();
        let total = usize::try_from(self.len()).unwrap_or(usize::MAX).saturating_add(inserted);
        limits::at_most(total, limits::DOCUMENTS_PER_SHARD_MAX, "number of documents in a shard")?;
        group.present.extend(touched);
        group.records += 1;
        Ok((Record { number: self.record_number + group.records, changes }, outcome))
    }

    /// Whether there is a document with this id.
    pub fn contains(&self, id: &Id) -> Result<bool> {
        Ok(self.slot_of(id)?.is_some())
    }

    /// Refuses a document that may not be stored: see [`Document::check`].
    pub fn check_document(&self, document: &Document) -> Result<()> {
        check_id(&self.schema, &document.id)?;
        document.check(&self.schema)
    }
}

/// Refuses an id of another kind than the schema's.
pub(crate) fn check_id(schema: &Schema, id: &Id) -> Result<()> {
    let (fits, wanted) = match schema.id().kind {
        IdKind::Int => (matches!(id, Id::Int(_)), "an integer"),
        IdKind::Text => (matches!(id, Id::Text(_)), "a string"),
        IdKind::Uuid => (matches!(id, Id::Uuid(_)), "a UUID"),
    };
    if fits { Ok(()) } else { Err(Error::invalid(format!("id {id:?} is not {wanted}"))) }
}

/// One batch on its way to a record.
struct Preparing<'a> {
    engine: &'a Engine,
    group: &'a Group,
    /// As [`Group::present`], for this batch.
    touched: BTreeMap<Id, bool>,
    changes: Vec<Change>,
    outcome: Outcome,
}

impl Preparing<'_> {
    fn add(&mut self, operation: Operation) -> Result<()> {
        match operation {
            Operation::Index(document) => self.put(document),
            Operation::Update(document) => {
                if !self.is_present(&document.id)? {
                    return Err(Error::not_found(format!(
                        "there is no document {:?} to update; index it instead",
                        document.id
                    )));
                }
                self.put(document)
            }
            Operation::Delete(id) => {
                check_id(&self.engine.schema, &id)?;
                if self.is_present(&id)? {
                    self.delete(id);
                } else {
                    self.outcome.missing.push(id);
                }
                Ok(())
            }
            Operation::DeleteWhere(filter) => {
                if !self.group.is_empty() || !self.touched.is_empty() {
                    return Err(Error::internal("a delete by filter shares its group"));
                }
                for id in self.engine.ids_where(&filter)? {
                    self.delete(id);
                }
                Ok(())
            }
        }
    }

    fn put(&mut self, document: Document) -> Result<()> {
        self.engine.check_document(&document)?;
        let stored = Stored::from(document);
        let bytes = stored.bytes.len();
        limits::at_most(bytes, limits::DOCUMENT_BYTES_MAX, "size of the document in bytes")
            .map_err(|error| error.within(format!("document {:?}", stored.id)))?;
        self.touched.insert(stored.id.clone(), true);
        self.changes.push(Change::Put(stored));
        self.outcome.indexed += 1;
        Ok(())
    }

    fn delete(&mut self, id: Id) {
        self.touched.insert(id.clone(), false);
        self.changes.push(Change::Delete(id));
        self.outcome.deleted += 1;
    }

    fn is_present(&self, id: &Id) -> Result<bool> {
        match self.touched.get(id).or_else(|| self.group.present.get(id)) {
            Some(prepared) => Ok(*prepared),
            None => self.engine.contains(id),
        }
    }
}
