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
mod checkpoint;
mod field;
mod maintenance;
mod manifest;
mod open;
mod prepare;
mod read;
mod search;
mod tuning;

use crate::{
    Error, Id, Result, Schema, Value,
    bytes::Reader,
    column::{Columns, Slots},
    document::{read_id, read_values},
    heap::Heap,
    index::Indexes,
    record::{Change, Record, Stored},
};
use alloc::{format, vec::Vec};
use allowed::FilterCache;
use field::Field;
use hashbrown::HashTable;
use manifest::Manifest;

pub use checkpoint::Checkpoint;
pub use maintenance::Maintenance;
pub use prepare::{Group, Outcome};
pub use read::Run;

/// One collection of documents in memory, with its indexes.
pub struct Engine {
    schema: Schema,
    /// The number of the last record applied.
    record_number: u64,
    /// Document bytes by slot, empty where there is none.
    documents: Heap,
    ids: HashTable<u32>,
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
    /// An empty engine for documents of `schema`, with the indexes it names; `unsupported` when one
    /// of them is not there.
    pub fn new(schema: Schema, indexes: &Indexes) -> Result<Self> {
        indexes.check(&schema)?;
        let field = |spec| Ok(Field::new(spec, indexes.create(spec)?));
        let fields = schema.vectors().iter().map(field).collect::<Result<_>>()?;
        Ok(Self::with_fields(schema, fields))
    }

    fn with_fields(schema: Schema, fields: Vec<Field>) -> Self {
        Self {
            columns: Columns::new(&schema),
            fields,
            schema,
            record_number: 0,
            documents: Heap::default(),
            ids: HashTable::new(),
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

    /// Bytes of memory held by documents, vectors and their indexes.
    pub fn memory_bytes(&self) -> u64 {
        let fields: usize = self.fields.iter().map(Field::memory_bytes).sum();
        let ids = self.ids.capacity() * (size_of::<u32>() + 1);
        (self.documents.memory_bytes() + fields + ids) as u64
    }

    /// Applies the record after the last one applied. Nothing else changes documents.
    pub fn apply(&mut self, record: &Record) -> Result<()> {
        if record.number != self.record_number + 1 {
            return Err(Error::corrupt(format!(
                "record {} follows record {}",
                record.number, self.record_number
            )));
        }
        for change in &record.changes {
            match change {
                Change::Put(stored) => self.put(stored)?,
                Change::Delete(id) => self.remove(id)?,
            }
        }
        self.record_number = record.number;
        Ok(())
    }

    fn put(&mut self, stored: &Stored) -> Result<()> {
        let mut reader = Reader::new(&stored.bytes);
        read_id(&mut reader)?;
        let values = read_values(&mut reader, self.schema.values().len())?;
        let slot = match self.slot_of(&stored.id) {
            Some(slot) if self.has_vectors(slot, &stored.vectors) => {
                let old = self.values(slot)?;
                self.columns.remove(slot, &old);
                slot
            }
            Some(slot) => {
                self.retire(slot, &stored.id)?;
                self.place(stored)
            }
            None => self.place(stored),
        };
        self.documents.set(slot, &stored.bytes);
        self.columns.insert(slot, &values);
        Ok(())
    }

    fn remove(&mut self, id: &Id) -> Result<()> {
        match self.slot_of(id) {
            Some(slot) => self.retire(slot, id),
            None => Ok(()),
        }
    }

    /// Gives a document a slot, its vectors and its place in the id table.
    fn place(&mut self, stored: &Stored) -> u32 {
        let slot = self.free.min().unwrap_or(self.slots);
        self.free.remove(slot);
        self.slots = self.slots.max(slot + 1);
        for (field, vector) in self.fields.iter_mut().zip(&stored.vectors) {
            if let Some(vector) = vector {
                field.insert(slot, vector);
            }
        }
        let documents = &self.documents;
        self.ids.insert_unique(stored.id.hash64(), slot, |slot| hash_of(documents, *slot));
        slot
    }

    /// Takes the document out of a slot. The slot is free once no index knows it.
    fn retire(&mut self, slot: u32, id: &Id) -> Result<()> {
        let values = self.values(slot)?;
        if let Ok(entry) = self.ids.find_entry(id.hash64(), |other| *other == slot) {
            entry.remove();
        }
        self.columns.remove(slot, &values);
        self.documents.set(slot, &[]);
        self.fields.iter_mut().for_each(|field| field.remove(slot));
        self.release(slot);
        Ok(())
    }

    /// Frees a slot that holds no document, unless an index still knows it.
    fn release(&mut self, slot: u32) {
        if !self.fields.iter().any(|field| field.awaits_removal(slot)) {
            self.free.insert(slot);
        }
    }

    /// Whether the document in `slot` has exactly these vectors, bit for bit.
    fn has_vectors(&self, slot: u32, vectors: &[Option<Vec<f32>>]) -> bool {
        let same = |(field, new): (&Field, &Option<Vec<f32>>)| match (field.get(slot), new) {
            (None, None) => true,
            (Some(old), Some(new)) => {
                old.iter().zip(new).all(|(old, new)| old.to_bits() == new.to_bits())
            }
            _ => false,
        };
        self.fields.iter().zip(vectors).all(same)
    }

    fn slot_of(&self, id: &Id) -> Option<u32> {
        let is = |slot: &u32| id_of(&self.documents, *slot).is_ok_and(|found| found == *id);
        self.ids.find(id.hash64(), is).copied()
    }

    /// The id of the document in `slot`.
    fn id(&self, slot: u32) -> Result<Id> {
        id_of(&self.documents, slot)
    }

    /// The values of the document in `slot`.
    fn values(&self, slot: u32) -> Result<Vec<Value>> {
        let mut reader = Reader::new(self.documents.get(slot));
        read_id(&mut reader)?;
        read_values(&mut reader, self.schema.values().len())
    }

    /// Walks every structure and names the first thing wrong. For tests.
    pub fn check(&self) -> Result<()> {
        for field in &self.fields {
            field.check(self.columns.live())?;
        }
        for slot in self.columns.live() {
            let id = self.id(slot)?;
            if self.slot_of(&id) != Some(slot) {
                return Err(Error::corrupt(format!("id {id:?} does not lead to its slot")));
            }
        }
        let waiting: Slots = self.fields.iter().fold(Slots::new(), |all, field| all | field.dead());
        let known = self.columns.live().len() + (&self.free | &waiting).len();
        if known != u64::from(self.slots) || !self.free.is_disjoint(self.columns.live()) {
            return Err(Error::corrupt(format!("{} slots, {known} accounted for", self.slots)));
        }
        Ok(())
    }
}

fn id_of(documents: &Heap, slot: u32) -> Result<Id> {
    read_id(&mut Reader::new(documents.get(slot)))
}

/// The hash by which the id table holds `slot`.
fn hash_of(documents: &Heap, slot: u32) -> u64 {
    id_of(documents, slot).map_or(0, |id| id.hash64())
}
