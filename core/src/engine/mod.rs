//! The engine: a value that changes only by applying records.
//!
//! It does no I/O, has no clock, no threads of its own and no randomness. A host asks it to
//! [`prepare`](Engine::prepare) a batch, makes the record durable in its own way, and lets the
//! engine [`apply`](Engine::apply) it. Searches read; [`maintain`](Engine::maintain) builds indexes
//! a slice at a time and is the only thing that changes them.
//!
//! **Invariant:** a slot is taken by a document, or still known to an index, or free; a free slot
//! is in no column, no index and no id table.

mod allowed;
mod apply;
mod checkpoint;
mod evolve;
mod field;
mod gather;
#[cfg(feature = "native")]
mod load;
mod maintenance;
mod manifest;
mod open;
mod order;
mod part;
mod prepare;
mod read;
mod search;
mod text;
mod trace;
mod tuning;
mod waking;
mod warnings;

use crate::{
    Error, Id, Result, Schema, Value,
    arena::Arena,
    bytes::Reader,
    column::{Columns, Slots},
    document::{read_id, read_values},
    heap::Heap,
    index::{Indexes, Vectors},
    rest::{PageSource, RestingPages},
    schema::VectorField,
};
use alloc::{format, sync::Arc, vec::Vec};
use allowed::FilterCache;
use field::Field;
use hashbrown::HashTable;
use manifest::{FIELD_FIRST, FIELD_SECTIONS, FIELD_VECTORS, Manifest, SECTION_DOCUMENTS};

pub use apply::Digested;
pub use checkpoint::Checkpoint;
#[cfg(feature = "native")]
pub(crate) use gather::{Engines, held, search, search_batch};
pub(crate) use gather::{Found, gather};
#[cfg(feature = "native")]
pub(crate) use load::Loaded;
pub use maintenance::Maintenance;
pub use order::{Place, most_frequent, page};
pub(crate) use part::{Candidate, Part};
#[cfg(feature = "native")]
pub(crate) use prepare::check_document;
pub use prepare::{Group, Outcome};
pub use waking::StoredPages;

/// Where documents and full vectors are.
#[derive(Clone, Copy)]
enum Residence<'a> {
    Memory,
    /// Where checkpoints are stored.
    Rest(&'a Arc<dyn PageSource>),
    /// There, but for vectors of which searches would read many.
    Waking(&'a Arc<dyn PageSource>),
}

impl<'a> Residence<'a> {
    /// Where documents rest.
    fn of_documents(self) -> Option<&'a Arc<dyn PageSource>> {
        match self {
            Self::Memory => None,
            Self::Rest(source) | Self::Waking(source) => Some(source),
        }
    }

    /// Where the vectors of a field rest.
    fn of_vectors(self, spec: &VectorField) -> Option<&'a Arc<dyn PageSource>> {
        match self {
            Self::Waking(_) if !Vectors::can_rest(spec) => None,
            _ => self.of_documents(),
        }
    }
}

/// The vector fields of a schema, each with the number of its first section.
fn numbered(schema: &Schema) -> impl Iterator<Item = (u32, &VectorField)> {
    (FIELD_FIRST..).step_by(FIELD_SECTIONS as usize).zip(schema.vectors())
}

/// One collection of documents in memory, with its indexes.
pub struct Engine {
    schema: Schema,
    /// The number of the last record applied.
    record_number: u64,
    /// By slot the version of a document and its bytes, empty where there is none.
    documents: Heap,
    ids: HashTable<u32>,
    /// By slot, of its document's id; see [`hash_of`].
    id_hashes: Arena<u32>,
    columns: Columns,
    /// By number of the vector field.
    fields: Vec<Field>,
    free: Slots,
    /// One more than the largest slot ever taken.
    slots: u32,
    checkpoint: Manifest,
    filters: FilterCache,
}

impl Engine {
    /// An empty engine for documents of `schema`, all in memory, with the indexes it names;
    /// `unsupported` when one of them is not there.
    pub fn new(schema: Schema, indexes: &Indexes) -> Result<Self> {
        Self::empty(schema, indexes, Residence::Memory)
    }

    /// The same with documents and full vectors resting where checkpoints are stored, in memory
    /// only until then. Refuses a field that has no codes to be searched by.
    pub fn at_rest(
        schema: Schema,
        indexes: &Indexes,
        source: &Arc<dyn PageSource>,
    ) -> Result<Self> {
        Self::empty(schema, indexes, Residence::Rest(source))
    }

    fn empty(schema: Schema, indexes: &Indexes, residence: Residence<'_>) -> Result<Self> {
        indexes.check(&schema)?;
        let fields = numbered(&schema).map(|(first, spec)| {
            let field = Field::new(spec, indexes.create(spec)?);
            let Some(source) = residence.of_vectors(spec) else { return Ok(field) };
            let pages = RestingPages::new(Arc::clone(source), first + FIELD_VECTORS);
            Ok(Field { vectors: Vectors::at_rest(spec, pages)?, ..field })
        });
        let fields = fields.collect::<Result<_>>()?;
        let documents = match residence.of_documents() {
            Some(source) => Heap::at_rest(RestingPages::new(Arc::clone(source), SECTION_DOCUMENTS)),
            None => Heap::in_memory(),
        };
        Ok(Self::with(schema, documents, fields))
    }

    fn with(schema: Schema, documents: Heap, fields: Vec<Field>) -> Self {
        Self {
            columns: Columns::new(&schema),
            fields,
            schema,
            record_number: 0,
            documents,
            ids: HashTable::new(),
            id_hashes: Arena::new(1),
            free: Slots::new(),
            slots: 0,
            checkpoint: Manifest::default(),
            filters: FilterCache::default(),
        }
    }

    /// The shape of the documents.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The number of the last record applied; 0 before the first.
    pub fn record_number(&self) -> u64 {
        self.record_number
    }

    /// Documents there are.
    pub fn len(&self) -> u64 {
        self.columns.live().len()
    }

    /// Whether there is no document.
    pub fn is_empty(&self) -> bool {
        self.columns.live().is_empty()
    }

    /// Vectors that wait to be added to an index; until then searches compare with each of them.
    pub fn unindexed(&self) -> u64 {
        self.fields.iter().map(Field::unindexed).sum()
    }

    /// Bytes of memory held by documents, vectors, filter columns and indexes.
    pub fn memory_bytes(&self) -> u64 {
        let fields: usize = self.fields.iter().map(Field::memory_bytes).sum();
        let ids = self.ids.capacity() * (size_of::<u32>() + 1) + self.id_hashes.memory_bytes();
        let filters = self.columns.memory_bytes() + self.filters.memory_bytes();
        (self.documents.memory_bytes() + fields + ids + filters) as u64
    }

    /// Documents that could come without any memory for slots and vectors.
    #[cfg(feature = "native")]
    pub(crate) fn free_slots(&self) -> u64 {
        self.free.len()
    }

    fn slot_of(&self, id: &Id) -> Result<Option<u32>> {
        let mut failed = None;
        let hash = hash_of(id);
        let found = self.ids.find(spread(hash), |slot| {
            let same_hash = self.id_hashes.row(*slot as usize)[0] == hash;
            same_hash
                && id_of(&self.documents, *slot).map_or_else(
                    |error| {
                        failed = Some(error);
                        true
                    },
                    |found| found == *id,
                )
        });
        let found = found.copied();
        failed.map_or(Ok(found), Err)
    }

    /// The id of the document in `slot`.
    fn id(&self, slot: u32) -> Result<Id> {
        id_of(&self.documents, slot)
    }

    /// The values of the document in `slot`.
    fn values(&self, slot: u32) -> Result<Vec<Value>> {
        let document = self.documents.get(slot)?;
        let mut reader = Reader::new(&document);
        read_version(&mut reader)?;
        read_id(&mut reader)?;
        read_values(&mut reader, self.schema.values().len())
    }

    /// Walks every structure and names the first thing wrong. For tests.
    pub fn check(&self) -> Result<()> {
        for field in &self.fields {
            field.check(self.columns.live())?;
        }
        for slot in self.columns.live().iter() {
            let id = self.id(slot)?;
            if self.slot_of(&id)? != Some(slot) {
                return Err(Error::corrupt(format!("id {id:?} does not lead to its slot")));
            }
        }
        let waiting: Slots = self.fields.iter().fold(Slots::new(), |all, field| all | field.dead());
        let known = self.columns.live().len() + (&self.free | &waiting).len();
        let is_live = |slot: u32| self.columns.live().contains(slot);
        if known != u64::from(self.slots) || self.free.iter().any(is_live) {
            return Err(Error::corrupt(format!("{} slots, {known} accounted for", self.slots)));
        }
        Ok(())
    }
}

fn id_of(documents: &Heap, slot: u32) -> Result<Id> {
    let document = documents.get(slot)?;
    let mut reader = Reader::new(&document);
    read_version(&mut reader)?;
    read_id(&mut reader)
}

fn version_and_id_of(documents: &Heap, slot: u32) -> Result<(u64, Id)> {
    let document = documents.get(slot)?;
    let mut reader = Reader::new(&document);
    Ok((read_version(&mut reader)?, read_id(&mut reader)?))
}

/// The version of a document stands before its bytes.
fn read_version(reader: &mut Reader<'_>) -> Result<u64> {
    u64::try_from(reader.varint()?).map_err(|_| Error::corrupt("a version exceeds 64 bits"))
}

/// What is kept of an id in memory, so that the id table needs no documents.
#[expect(clippy::cast_possible_truncation, reason = "half of the hash is enough")]
fn hash_of(id: &Id) -> u32 {
    id.hash64() as u32
}

/// The hash by which the id table holds what is kept of an id.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
