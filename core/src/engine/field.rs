//! One vector field: its vectors, its index, and what the index has yet to learn.

use super::tuning::Tuning;
use crate::{
    Error, Result,
    bitset::BitSet,
    column::Slots,
    index::{CodedVector, Hnsw, VectorIndex, Vectors},
    schema::{IndexKind, VectorField},
};
use alloc::{borrow::Cow, boxed::Box, format};

/// Documents up to which `auto` scans codes. A scan of as many costs what a walk with a default
/// `ef` does: some 1,000 codes read where links lead, each at the price of 2 in order.
const SCAN_DOCUMENTS_MAX: u64 = 2_048;
/// Documents from which `auto` scans codes rather than the vectors themselves, which takes
/// preparing a query.
const CODES_FROM: u64 = 256;

pub(super) struct Field {
    pub(super) spec: VectorField,
    pub(super) vectors: Vectors,
    pub(super) index: Box<dyn VectorIndex>,
    /// Slots that have a vector and a document.
    pub(super) present: BitSet,
    /// Of those, the ones the index does not have yet.
    pub(super) unindexed: Slots,
    /// Slots without a document that the index still has.
    pub(super) dead: Slots,
    pub(super) tuning: Tuning,
}

impl Field {
    pub(super) fn new(spec: &VectorField, index: Box<dyn VectorIndex>) -> Self {
        Self {
            spec: spec.clone(),
            vectors: Vectors::new(spec),
            index,
            present: BitSet::default(),
            unindexed: Slots::new(),
            dead: Slots::new(),
            tuning: Tuning::default(),
        }
    }

    pub(super) fn get(&self, slot: u32) -> Result<Option<Cow<'_, [f32]>>> {
        self.present.contains(slot).then(|| self.vectors.get(slot)).transpose()
    }

    pub(super) fn insert(&mut self, slot: u32, vector: &[f32], coded: &CodedVector) {
        self.vectors.set(slot, vector, coded);
        self.present.insert(slot);
        if !self.index.contains(slot) {
            self.unindexed.insert(slot);
        }
    }

    pub(super) fn remove(&mut self, slot: u32) {
        let was_present = self.present.contains(slot);
        self.present.remove(slot);
        let was_waiting = self.unindexed.remove(slot);
        if was_present && !was_waiting && !self.index.is_exact() {
            self.dead.insert(slot);
        }
    }

    /// Whether `slot` has to stay as it is until the index let go of it.
    pub(super) fn awaits_removal(&self, slot: u32) -> bool {
        self.dead.contains(slot)
    }

    pub(super) fn dead(&self) -> &Slots {
        &self.dead
    }

    pub(super) fn unindexed(&self) -> u64 {
        self.unindexed.len()
    }

    /// Documents that the index has.
    pub(super) fn indexed(&self) -> u64 {
        self.present.len() - self.unindexed.len()
    }

    /// Whether there are so many vectors that `auto` should change from scanning to a graph.
    pub(super) fn outgrew_scan(&self) -> bool {
        let is_many = self.present.len() > SCAN_DOCUMENTS_MAX;
        self.spec.index.kind == IndexKind::Auto && self.index.is_exact() && is_many
    }

    /// Whether a scan goes over codes when exactness is not asked for.
    pub(super) fn scans_codes(&self) -> bool {
        let is_many = self.present.len() >= CODES_FROM;
        self.spec.index.kind == IndexKind::Auto && is_many || !self.vectors.are_in_memory()
    }

    /// Changes from scanning to an empty graph, which all vectors wait for.
    pub(super) fn switch_to_graph(&mut self) {
        self.index = Box::new(Hnsw::new(&self.spec.index));
        self.unindexed = self.present.iter().collect();
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.vectors.memory_bytes() + self.index.memory_bytes() + self.present.memory_bytes()
    }

    pub(super) fn check(&self, live: &BitSet) -> Result<()> {
        if !self.present.iter().all(|slot| live.contains(slot)) {
            return Err(Error::corrupt("a vector belongs to no document"));
        }
        self.index.check()?;
        for slot in self.present.iter() {
            if self.index.contains(slot) == self.unindexed.contains(slot) {
                return Err(Error::corrupt(format!("slot {slot} is indexed and waits for it")));
            }
        }
        Ok(())
    }
}
