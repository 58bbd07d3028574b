//! From a batch to a record: everything that can be wrong is found here, before anything is
//! written.

use super::{Engine, read_version};
use crate::{
    Batch, Error, Filter, Id, Include, Patch, Result, Schema,
    batch::Operation,
    bytes::Reader,
    document::Document,
    limits,
    planted::{self, Plant},
    record::{Change, Record, Stored},
    schema::IdKind,
};
use alloc::{collections::BTreeMap, format, sync::Arc, vec::Vec};

/// What a record did, or will have done once it is applied.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Documents inserted, replaced or patched.
    pub indexed: u64,
    /// Documents deleted.
    pub deleted: u64,
    /// Ids that were to be deleted and were not there.
    pub missing: Vec<Id>,
    /// The version of every document written.
    pub version: u64,
}

/// Records prepared one after the other before the first of them is applied, so that a host can
/// make them durable together.
#[derive(Default)]
pub struct Group {
    /// What there will be for each id the records touch.
    touched: BTreeMap<Id, Touched>,
    records: u64,
}

/// What there will be for an id once a record is applied.
#[derive(Clone)]
struct Touched {
    document: Option<Arc<Stored>>,
    /// The number of that record.
    version: u64,
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
    /// them. A batch with a filter needs an empty group: filters see applied records only.
    pub fn prepare_in(&self, group: &mut Group, batch: Batch) -> Result<(Record, Outcome)> {
        let what = "number of operations in a batch";
        limits::at_most(batch.operations.len(), limits::BATCH_OPERATIONS_MAX, what)?;
        let mut preparing = Preparing {
            engine: self,
            group,
            touched: BTreeMap::new(),
            version: self.record_number + group.records + 1,
            changes: Vec::with_capacity(batch.operations.len()),
            outcome: Outcome::default(),
        };
        for operation in batch.operations {
            preparing.add(operation)?;
        }
        let Preparing { touched, changes, mut outcome, version, .. } = preparing;
        outcome.version = version;
        let inserted = touched.values().filter(|touched| touched.document.is_some()).count();
        let total = usize::try_from(self.len()).unwrap_or(usize::MAX).saturating_add(inserted);
        limits::at_most(total, limits::DOCUMENTS_PER_SHARD_MAX, "number of documents in a shard")?;
        group.touched.extend(touched);
        group.records += 1;
        Ok((Record { number: version, changes }, outcome))
    }

    /// Whether there is a document with this id.
    pub fn contains(&self, id: &Id) -> Result<bool> {
        Ok(self.slot_of(id)?.is_some())
    }

    /// The version of the document with this id: the number of the record that wrote it.
    pub fn version(&self, id: &Id) -> Result<Option<u64>> {
        check_id(&self.schema, id)?;
        let slot = self.slot_of(id)?;
        slot.map(|slot| read_version(&mut Reader::new(&self.documents.get(slot)?))).transpose()
    }

    /// Refuses a document that may not be stored: see [`Document::check`].
    pub fn check_document(&self, document: &Document) -> Result<()> {
        check_document(&self.schema, document)
    }
}

/// The same without an engine.
pub(crate) fn check_document(schema: &Schema, document: &Document) -> Result<()> {
    check_id(schema, &document.id)?;
    document.check(schema)
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
    /// As [`Group::touched`], for this batch.
    touched: BTreeMap<Id, Touched>,
    /// The number of the record it becomes.
    version: u64,
    changes: Vec<Change>,
    outcome: Outcome,
}

impl Preparing<'_> {
    fn add(&mut self, operation: Operation) -> Result<()> {
        match operation {
            Operation::Index(document) => self.put(document),
            Operation::Update(document) => {
                if self.version_of(&document.id)? == 0 {
                    return Err(no_document(&document.id, "update"));
                }
                self.put(document)
            }
            Operation::Delete(id) => {
                check_id(&self.engine.schema, &id)?;
                if self.version_of(&id)? == 0 {
                    self.outcome.missing.push(id);
                } else {
                    self.delete(id);
                }
                Ok(())
            }
            Operation::DeleteWhere(filter) => {
                self.ids_where(&filter)?.into_iter().for_each(|id| self.delete(id));
                Ok(())
            }
            Operation::Patch(id, patch) => {
                check_id(&self.engine.schema, &id)?;
                patch.check(&self.engine.schema)?;
                self.patch(id, &patch)
            }
            Operation::PatchWhere(filter, patch) => {
                patch.check(&self.engine.schema)?;
                self.ids_where(&filter)?.into_iter().try_for_each(|id| self.patch(id, &patch))
            }
            Operation::Expect(id, version) => {
                check_id(&self.engine.schema, &id)?;
                if planted::is(Plant::ExpectationIgnored) {
                    return Ok(());
                }
                self.expect(&id, version)
            }
        }
    }

    fn put(&mut self, document: Document) -> Result<()> {
        self.engine.check_document(&document)?;
        let stored = Stored::new(document, &self.engine.schema);
        let bytes = stored.bytes.len();
        limits::at_most(bytes, limits::DOCUMENT_BYTES_MAX, "size of the document in bytes")
            .map_err(|error| error.within(format!("document {:?}", stored.id)))?;
        let stored = Arc::new(stored);
        self.touch(stored.id.clone(), Some(Arc::clone(&stored)));
        self.changes.push(Change::Put(stored));
        self.outcome.indexed += 1;
        Ok(())
    }

    fn patch(&mut self, id: Id, patch: &Patch) -> Result<()> {
        let schema = &self.engine.schema;
        let stored = self.touched(&id).map(|touched| touched.document(schema)).transpose()?;
        let document = match stored {
            Some(document) => document,
            None => self.engine.get(&id, &Include::Everything)?,
        };
        let mut document = document.ok_or_else(|| no_document(&id, "patch"))?;
        let apply = patch.apply(schema, &mut document);
        apply.map_err(|error| error.within(format!("document {id:?}")))?;
        self.put(document)
    }

    fn delete(&mut self, id: Id) {
        self.touch(id.clone(), None);
        self.changes.push(Change::Delete(id));
        self.outcome.deleted += 1;
    }

    fn expect(&self, id: &Id, version: u64) -> Result<()> {
        match (self.version_of(id)?, version) {
            (found, version) if found == version => Ok(()),
            (0, version) => {
                Err(Error::conflict(format!("document {id:?} is gone, not of version {version}")))
            }
            (found, 0) => Err(Error::conflict(format!(
                "document {id:?} is there already, of version {found}"
            ))),
            (found, version) => Err(Error::conflict(format!(
                "document {id:?} has version {found}, not {version}; get it again and retry"
            ))),
        }
    }

    fn touch(&mut self, id: Id, document: Option<Arc<Stored>>) {
        self.touched.insert(id, Touched { document, version: self.version });
    }

    fn ids_where(&self, filter: &Filter) -> Result<Vec<Id>> {
        if !self.group.is_empty() || !self.touched.is_empty() {
            return Err(Error::internal("a write by filter shares its group"));
        }
        self.engine.ids_where(filter)
    }

    /// What the records before this one, and the operations before, leave of a document.
    fn touched(&self, id: &Id) -> Option<&Touched> {
        self.touched.get(id).or_else(|| self.group.touched.get(id))
    }

    /// The version of a document; 0 if there is none.
    fn version_of(&self, id: &Id) -> Result<u64> {
        match self.touched(id) {
            Some(touched) => Ok(touched.document.as_ref().map_or(0, |_| touched.version)),
            None => Ok(self.engine.version(id)?.unwrap_or(0)),
        }
    }
}

impl Touched {
    fn document(&self, schema: &Schema) -> Result<Option<Document>> {
        self.document.as_ref().map(|stored| stored.to_document(schema)).transpose()
    }
}

fn no_document(id: &Id, verb: &str) -> Error {
    Error::not_found(format!("there is no document {id:?} to {verb}; index it instead"))
}
