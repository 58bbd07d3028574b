//! Codes by slot: what stands for vectors where thousands are compared, or is all that is kept of
//! them.

use super::{
    Section,
    coding::{Coding, decode_whole, middle},
    rows::Rows,
};
use crate::{
    Metric, Result,
    arena::Arena,
    distance::{CodeTerms, CodedQuery, Kernels, TERMS_BYTES},
    reduction::Reduction,
    rest::{ReadPage, RestingPages},
    schema::{Precision, Quantization},
};
use alloc::{vec, vec::Vec};

/// The codes of the vectors of one field, by slot.
#[derive(Clone)]
pub(super) struct Codes {
    metric: Metric,
    coding: Coding,
    kernels: Kernels,
    dim: usize,
    /// `TERMS_BYTES` of terms, then the code.
    rows: Rows<u8>,
}

/// Queries are rounded to multiples of their largest number / 127.
const QUERY_MAX: f32 = 127.0;

impl Codes {
    /// No codes yet; `None` where full vectors are compared.
    pub(super) fn new(metric: Metric, dim: usize, quantization: Quantization) -> Option<Self> {
        let coding = Coding::of(quantization, dim)?;
        let rows = Arena::new(TERMS_BYTES + coding.bytes(dim));
        Some(Self { metric, coding, kernels: Kernels::best(), dim, rows: Rows::Memory(rows) })
    }

    /// No codes yet, of which each keeps its vector; `None` where vectors are kept in full.
    pub(super) fn keeping(metric: Metric, dim: usize, precision: Precision) -> Option<Self> {
        let coding = Coding::keeping(precision)?;
        let rows = Rows::in_memory(TERMS_BYTES + coding.bytes(dim));
        Some(Self { metric, coding, kernels: Kernels::best(), dim, rows })
    }

    /// The same at rest, where they can only be read one by one.
    pub(super) fn at_rest(self, pages: RestingPages) -> Self {
        let rows = Rows::at_rest(TERMS_BYTES + self.coding.bytes(self.dim), pages);
        Self { rows, ..self }
    }

    /// The code of `vector`, as a row.
    pub(super) fn code(&self, vector: &[f32]) -> Vec<u8> {
        let prepared = self.prepared(vector);
        let own = self.own(&prepared);
        let mut row = vec![0; TERMS_BYTES + self.coding.bytes(self.dim)];
        let (terms, code) = row.split_at_mut(TERMS_BYTES);
        let unit = match self.coding {
            Coding::Rotated(..) => self.coding.encode(&prepared, self.kernels, code),
            // As it is, so that it can be had again.
            Coding::Reduced(_) => {
                self.coding.encode(vector, self.kernels, code) * self.scale(vector)
            }
        };
        let unit = if self.metric == Metric::L2 { 2.0 * unit } else { unit };
        CodeTerms { unit, own }.write(terms);
        row
    }

    /// Puts a code into `slot`.
    pub(super) fn set(&mut self, slot: usize, code: &[u8]) {
        self.rows.set(slot, code);
    }

    /// The vector that the code in `slot` keeps.
    pub(super) fn vector(&self, slot: usize) -> Result<Vec<f32>> {
        Ok(self.decode(&self.rows.get(slot)?))
    }

    /// Hands what all codes keep to `visit`, in order and up to `at_once` vectors together, with the
    /// slot of the first of them.
    pub(super) fn each_run(
        &self,
        at_once: usize,
        mut visit: impl FnMut(usize, &[f32]),
    ) -> Result<()> {
        let stride = TERMS_BYTES + self.coding.bytes(self.dim);
        let mut vectors = Vec::new();
        self.rows.each_run(at_once, |first, rows| {
            vectors.clear();
            rows.chunks_exact(stride).for_each(|row| vectors.extend(self.decode(row)));
            visit(first, &vectors);
        })
    }

    fn decode(&self, row: &[u8]) -> Vec<f32> {
        self.coding.decode(&row[TERMS_BYTES..], self.dim)
    }

    /// `vector` prepared to be compared with codes.
    pub(super) fn query(&self, vector: &[f32]) -> CodedQuery {
        let mut prepared = self.prepared(vector);
        let own = self.own(&prepared);
        let room = self.coding.numbers(self.dim);
        let Some(bits) = self.coding.whole_bits() else {
            prepared.resize(room, 0.0);
            return CodedQuery { floats: prepared, unit: 1.0, own, ..CodedQuery::default() };
        };
        let largest = prepared.iter().fold(0.0f32, |largest, number| largest.max(number.abs()));
        let unit = largest.max(f32::MIN_POSITIVE) / QUERY_MAX;
        let mut numbers = vec![0i8; room];
        for (number, exact) in numbers.iter_mut().zip(&prepared) {
            let scaled = exact / unit;
            #[expect(clippy::cast_possible_truncation, reason = "rounded, and at most QUERY_MAX")]
            (*number = (scaled + 0.5f32.copysign(scaled)) as i32 as i8);
        }
        whole_query(numbers, bits, unit, own)
    }

    /// The vector in `slot`, as far as its code tells, prepared to be compared with codes.
    pub(super) fn query_of(&self, slot: u32) -> CodedQuery {
        let Rows::Memory(rows) = &self.rows else { return CodedQuery::default() };
        let (terms, code) = CodeTerms::read(rows.row(slot as usize));
        let unit = if self.metric == Metric::L2 { terms.unit / 2.0 } else { terms.unit };
        let own = terms.own;
        let room = self.coding.numbers(self.dim);
        let Some(bits) = self.coding.whole_bits() else {
            let mut floats = Vec::with_capacity(room);
            let halves = &code[..Reduction::Half.bytes(self.dim)];
            Reduction::Half.decode(unit, halves, &mut floats);
            floats.resize(room, 0.0);
            return CodedQuery { floats, unit: 1.0, own, ..CodedQuery::default() };
        };
        let mut numbers = vec![0i8; room];
        decode_whole(code, bits, &mut numbers[..self.dim]);
        let unit = if bits == 8 { unit } else { unit / 2.0 };
        whole_query(numbers, bits, unit, own)
    }

    /// Appends about how far each of `slots` is from `query`, as the metric ranks. Only codes in
    /// memory are scored.
    #[inline]
    pub(super) fn score(&self, query: &CodedQuery, slots: &[u32], out: &mut Vec<f32>) {
        let Rows::Memory(rows) = &self.rows else { return };
        let score = match self.coding.whole_bits() {
            None => self.kernels.score_f16,
            Some(8) => self.kernels.score_u8,
            Some(4) => self.kernels.score_u4,
            Some(_) => self.kernels.score_u1,
        };
        score(rows, slots, query, out);
    }

    #[inline]
    pub(super) fn prefetch(&self, slots: &[u32]) {
        let Rows::Memory(rows) = &self.rows else { return };
        slots.iter().for_each(|slot| crate::distance::prefetch(rows.row(*slot as usize)));
    }

    /// How many slots there are.
    pub(super) fn slots(&self) -> usize {
        self.rows.rows()
    }

    pub(super) fn are_in_memory(&self) -> bool {
        matches!(self.rows, Rows::Memory(_))
    }

    /// Says which vectors will be read next.
    pub(super) fn expect(&self, slots: impl Iterator<Item = usize>) {
        self.rows.expect(slots);
    }

    /// Takes pages that rest into memory; see [`Rows::take`].
    pub(super) fn take(&mut self, pages: &mut usize) -> Result<()> {
        self.rows.take(pages)
    }

    pub(super) fn section(&self) -> &dyn Section {
        self.rows.section()
    }

    /// A checkpoint was stored; these are the generations of its pages of codes.
    pub(super) fn checkpointed(&mut self, generations: &[u64]) {
        self.rows.checkpointed(generations);
    }

    /// The codes out of their pages, which have these generations.
    pub(super) fn open(
        &mut self,
        rows: usize,
        generations: &[u64],
        read: impl ReadPage,
    ) -> Result<()> {
        self.rows.open(rows, generations, read)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes()
    }

    /// `vector`, under cosine brought to length 1, and rotated where codes are.
    fn prepared(&self, vector: &[f32]) -> Vec<f32> {
        let scale = self.scale(vector);
        let mut prepared: Vec<f32> = vector.iter().map(|number| number * scale).collect();
        if let Coding::Rotated(rotation, _) = &self.coding {
            rotation.apply(&mut prepared);
        }
        prepared
    }

    /// What a vector is multiplied by to be compared: under cosine, to have length 1.
    fn scale(&self, vector: &[f32]) -> f32 {
        match self.metric {
            Metric::Cosine => 1.0 / libm::sqrtf(self.square(vector)),
            Metric::L2 | Metric::Dot => 1.0,
        }
    }

    fn square(&self, vector: &[f32]) -> f32 {
        (self.kernels.dot)(vector, vector)
    }

    /// What a vector adds to every distance, of its prepared form.
    fn own(&self, prepared: &[f32]) -> f32 {
        match self.metric {
            Metric::Cosine => self.square(prepared) / 2.0,
            Metric::L2 => self.square(prepared),
            Metric::Dot => 0.0,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sums are below 2²³")]
fn whole_query(numbers: Vec<i8>, bits: u32, unit: f32, own: f32) -> CodedQuery {
    let sum: i32 = numbers.iter().map(|number| i32::from(*number)).sum();
    CodedQuery { numbers, floats: Vec::new(), unit, shift: middle(bits) * sum as f32, own }
}
