//! What is kept of the vectors of one field: all of each, or each reduced.

use super::{Section, codes::Codes, rows::Rows};
use crate::{
    Result,
    rest::{ReadPage, RestingPages},
    schema::VectorField,
};
use alloc::{borrow::Cow, vec::Vec};

/// Vectors by slot, in memory or at rest.
#[derive(Clone)]
pub(super) enum Kept {
    Full(Rows<f32>),
    /// As codes, which vectors can be had from and which can be compared with as they are.
    Reduced(Codes),
}

impl Kept {
    /// No vectors yet, in memory.
    pub(super) fn new(field: &VectorField) -> Self {
        let reduced = Codes::keeping(field.metric, field.dim, field.precision);
        reduced.map_or_else(|| Self::Full(Rows::in_memory(field.dim)), Self::Reduced)
    }

    /// The same at rest.
    pub(super) fn at_rest(self, dim: usize, pages: RestingPages) -> Self {
        match self {
            Self::Full(_) => Self::Full(Rows::at_rest(dim, pages)),
            Self::Reduced(codes) => Self::Reduced(codes.at_rest(pages)),
        }
    }

    /// The codes that the vectors are kept as.
    #[inline]
    pub(super) fn codes(&self) -> Option<&Codes> {
        match self {
            Self::Full(_) => None,
            Self::Reduced(codes) => Some(codes),
        }
    }

    pub(super) fn are_in_memory(&self) -> bool {
        match self {
            Self::Full(rows) => matches!(rows, Rows::Memory(_)),
            Self::Reduced(codes) => codes.are_in_memory(),
        }
    }

    /// The vector in `slot`, if it is in memory as it is.
    #[inline]
    pub(super) fn in_memory(&self, slot: u32) -> Option<&[f32]> {
        match self {
            Self::Full(Rows::Memory(rows)) => Some(rows.row(slot as usize)),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn get(&self, slot: u32) -> Result<Cow<'_, [f32]>> {
        match self {
            Self::Full(rows) => rows.get(slot as usize),
            Self::Reduced(codes) => codes.vector(slot as usize).map(Cow::Owned),
        }
    }

    /// One more than the largest slot.
    pub(super) fn slots(&self) -> usize {
        match self {
            Self::Full(rows) => rows.rows(),
            Self::Reduced(codes) => codes.slots(),
        }
    }

    /// What is set for `vector`, where that is not the vector itself.
    pub(super) fn code(&self, vector: &[f32]) -> Option<Vec<u8>> {
        self.codes().map(|codes| codes.code(vector))
    }

    /// Puts a vector into `slot`, whose code this is where there is one.
    pub(super) fn set(&mut self, slot: u32, vector: &[f32], code: Option<&[u8]>) {
        match (self, code) {
            (Self::Full(rows), _) => rows.set(slot as usize, vector),
            (Self::Reduced(codes), Some(code)) => codes.set(slot as usize, code),
            (Self::Reduced(codes), None) => codes.set(slot as usize, &codes.code(vector)),
        }
    }

    /// Hands all vectors to `visit`, in order and up to `at_once` together, with the slot of the
    /// first of them.
    pub(super) fn each_run(&self, at_once: usize, visit: impl FnMut(usize, &[f32])) -> Result<()> {
        match self {
            Self::Full(rows) => rows.each_run(at_once, visit),
            Self::Reduced(codes) => codes.each_run(at_once, visit),
        }
    }

    /// Hands every vector to `visit`, in order.
    pub(super) fn each(&self, dim: usize, mut visit: impl FnMut(usize, &[f32])) -> Result<()> {
        self.each_run(1, |first, run| {
            (first..).zip(run.chunks_exact(dim)).for_each(|(slot, vector)| visit(slot, vector));
        })
    }

    /// Says which vectors will be read next.
    pub(super) fn expect(&self, slots: impl Iterator<Item = u32>) {
        let rows = slots.map(|slot| slot as usize);
        match self {
            Self::Full(kept) => kept.expect(rows),
            Self::Reduced(codes) => codes.expect(rows),
        }
    }

    /// Takes pages that rest into memory; see [`Rows::take`].
    pub(super) fn take(&mut self, pages: &mut usize) -> Result<()> {
        match self {
            Self::Full(rows) => rows.take(pages),
            Self::Reduced(codes) => codes.take(pages),
        }
    }

    pub(super) fn section(&self) -> &dyn Section {
        match self {
            Self::Full(rows) => rows.section(),
            Self::Reduced(codes) => codes.section(),
        }
    }

    /// A checkpoint was stored, of whose pages these are the generations.
    pub(super) fn checkpointed(&mut self, generations: &[u64]) {
        match self {
            Self::Full(rows) => rows.checkpointed(generations),
            Self::Reduced(codes) => codes.checkpointed(generations),
        }
    }

    /// Reads the vectors back from pages with these generations.
    pub(super) fn open(
        &mut self,
        rows: usize,
        generations: &[u64],
        read: impl ReadPage,
    ) -> Result<()> {
        match self {
            Self::Full(kept) => kept.open(rows, generations, read),
            Self::Reduced(codes) => codes.open(rows, generations, read),
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Full(rows) => rows.memory_bytes(),
            Self::Reduced(codes) => codes.memory_bytes(),
        }
    }
}
