//! Records into the engine: digested while the engine is only read, then applied in one go, so that
//! a search sees a record whole or not at all and hardly waits for it.

use super::{Engine, hash_of, spread};
use crate::{
    Error, Id, Result, Value,
    bytes::{Reader, Writer},
    document::{read_id, read_values},
    index::CodedVector,
    record::{Change, Kept, Record, Stored},
};
use alloc::{collections::BTreeSet, format, vec::Vec};

/// Bytes of a version at most.
const VERSION_BYTES_MAX: usize = 10;

/// A record and what it comes down to: all that can fail or takes long is done. To be applied with
/// [`Engine::apply_digested`] before another record is.
pub struct Digested<'r> {
    pub(super) number: u64,
    pub(super) steps: Vec<Step<'r>>,
}

/// What one document's slots and values become.
pub(super) struct Step<'r> {
    id: &'r Id,
    /// The document there is: its slot and values.
    old: Option<(u32, Vec<Value>)>,
    new: Option<New<'r>>,
}

struct New<'r> {
    stored: &'r Stored,
    /// Its version and its bytes.
    bytes: Vec<u8>,
    values: Vec<Value>,
    /// By number of the vector field; `None` when the vectors are those the old document has, which
    /// keeps its slot.
    vectors: Option<Vec<Option<CodedVector>>>,
}

impl Engine {
    /// Applies the record after the last one applied. Nothing else changes documents.
    pub fn apply(&mut self, record: &Record) -> Result<()> {
        let digested = self.digest(record)?;
        self.apply_digested(digested)
    }

    /// Works out what the record after the last one applied comes down to. It fails where the record
    /// does not fit the schema, or where documents rest on a disk and cannot be read.
    pub fn digest<'r>(&self, record: &'r Record) -> Result<Digested<'r>> {
        self.expect_next(record.number)?;
        // Of several changes of one document, nothing but the last is ever seen.
        let mut seen = BTreeSet::new();
        let mut last: Vec<_> = record.changes.iter().rev().collect();
        last.retain(|change| seen.insert(change.id()));
        let steps = last.into_iter().rev().map(|change| self.step(record.number, change));
        Ok(Digested { number: record.number, steps: steps.collect::<Result<_>>()? })
    }

    /// Applies a digested record: copies only, and nothing that can fail but for a record that is
    /// not the next.
    pub fn apply_digested(&mut self, digested: Digested<'_>) -> Result<()> {
        self.expect_next(digested.number)?;
        digested.steps.into_iter().for_each(|step| self.take(step));
        self.record_number = digested.number;
        Ok(())
    }

    fn expect_next(&self, number: u64) -> Result<()> {
        if number == self.record_number + 1 {
            return Ok(());
        }
        Err(Error::corrupt(format!("record {number} follows record {}", self.record_number)))
    }

    pub(super) fn step<'r>(&self, number: u64, change: &'r Change) -> Result<Step<'r>> {
        let slot = self.slot_of(change.id())?;
        let new = match change {
            Change::Put(stored) => Some(self.digest_document(stored, number, slot)?),
            Change::Delete(_) => None,
        };
        let old = slot.map(|slot| self.values(slot).map(|values| (slot, values))).transpose()?;
        Ok(Step { id: change.id(), old, new })
    }

    fn digest_document<'r>(
        &self,
        stored: &'r Stored,
        version: u64,
        old: Option<u32>,
    ) -> Result<New<'r>> {
        let mut reader = Reader::new(&stored.bytes);
        read_id(&mut reader)?;
        let values = read_values(&mut reader, self.schema.values().len())?;
        let keeps_slot = old.map_or(Ok(false), |slot| self.has_vectors(slot, &stored.vectors))?;
        let code = || {
            let pairs = self.fields.iter().zip(&stored.vectors);
            pairs.map(|(field, vector)| vector.as_deref().map(|v| field.vectors.coded_vector(v)))
        };
        let vectors = (!keeps_slot).then(|| code().collect());
        let mut writer = Writer::with_capacity(VERSION_BYTES_MAX + stored.bytes.len());
        writer.varint(version.into());
        writer.raw(&stored.bytes);
        Ok(New { stored, bytes: writer.into_bytes(), values, vectors })
    }

    pub(super) fn take(&mut self, step: Step<'_>) {
        let Step { id, old, new } = step;
        let slot = match (&old, &new) {
            (Some((slot, values)), Some(New { vectors: None, .. })) => {
                self.columns.remove(*slot, values);
                Some(*slot)
            }
            (Some((slot, values)), _) => {
                self.retire(*slot, id, values);
                None
            }
            (None, _) => None,
        };
        if let Some(New { stored, bytes, values, vectors }) = new {
            let place = || self.place(stored, &vectors.unwrap_or_default());
            let slot = slot.unwrap_or_else(place);
            self.documents.set(slot, &bytes);
            self.columns.insert(slot, &values);
            self.filters.changed(slot, Some(&values), &self.columns, &self.fields);
        }
    }

    /// Gives a document a slot, its vectors and its place in the id table.
    fn place(&mut self, stored: &Stored, coded: &[Option<CodedVector>]) -> u32 {
        let slot = self.free.min().unwrap_or(self.slots);
        self.free.remove(slot);
        self.slots = self.slots.max(slot + 1);
        for (field, pair) in self.fields.iter_mut().zip(stored.vectors.iter().zip(coded)) {
            if let (Some(vector), Some(coded)) = pair {
                field.insert(slot, vector, coded);
            }
        }
        let hash = hash_of(&stored.id);
        self.id_hashes.grow(slot as usize + 1, 0);
        self.id_hashes.row_mut(slot as usize)[0] = hash;
        let hashes = &self.id_hashes;
        let hash_at = |slot: &u32| spread(hashes.row(*slot as usize)[0]);
        self.ids.insert_unique(spread(hash), slot, hash_at);
        slot
    }

    /// Takes the document with these values out of a slot. The slot is free once no index knows it.
    fn retire(&mut self, slot: u32, id: &Id, values: &[Value]) {
        if let Ok(entry) = self.ids.find_entry(spread(hash_of(id)), |other| *other == slot) {
            entry.remove();
        }
        self.columns.remove(slot, values);
        self.documents.set(slot, &[]);
        self.fields.iter_mut().for_each(|field| field.remove(slot));
        self.filters.changed(slot, None, &self.columns, &self.fields);
        self.release(slot);
    }

    /// Frees a slot that holds no document, unless an index still knows it.
    pub(super) fn release(&mut self, slot: u32) {
        if !self.fields.iter().any(|field| field.awaits_removal(slot)) {
            self.free.insert(slot);
        }
    }

    /// Whether the document in `slot` has exactly these vectors, bit for bit.
    fn has_vectors(&self, slot: u32, vectors: &[Option<Kept>]) -> Result<bool> {
        for (field, new) in self.fields.iter().zip(vectors) {
            let is_same = match (field.get(slot)?, new) {
                (None, None) => true,
                (Some(old), Some(new)) => {
                    old.iter().zip(new.iter()).all(|(old, new)| old.to_bits() == new.to_bits())
                }
                _ => false,
            };
            if !is_same {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
