//! The vectors of one field by slot, their distances, and the short codes that stand for them where
//! thousands are compared.

use super::codes::Codes;
use crate::{
    Metric, Result,
    arena::Arena,
    distance::{CodedQuery, Kernels},
    schema::VectorField,
};
use alloc::vec::Vec;

/// The vectors of one field by slot, exactly as documents gave them, and a code of each.
#[derive(Clone)]
pub struct Vectors {
    metric: Metric,
    kernels: Kernels,
    rows: Arena<f32>,
    /// `1 / |v|` by slot under cosine, else empty.
    scales: Arena<f32>,
    codes: Option<Codes>,
}

/// A vector to compare with, prepared once for many comparisons.
#[derive(Clone, Debug)]
pub struct Probe {
    vector: Vec<f32>,
    /// `1 / |v|` under cosine.
    scale: f32,
    coded: CodedQuery,
}

impl Probe {
    /// The vector itself.
    pub fn vector(&self) -> &[f32] {
        &self.vector
    }

    pub(crate) fn coded(&self) -> &CodedQuery {
        &self.coded
    }
}

impl Vectors {
    pub(crate) fn new(field: &VectorField) -> Self {
        let quantization = field.index.quantization(field.dim);
        Self {
            metric: field.metric,
            kernels: Kernels::best(),
            rows: Arena::new(field.dim),
            scales: Arena::new(1),
            codes: Codes::new(field.metric, field.dim, quantization),
        }
    }

    /// The metric by which distances rank.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The vector in `slot`.
    pub fn get(&self, slot: u32) -> &[f32] {
        self.rows.row(slot as usize)
    }

    /// One more than the largest slot.
    pub fn slots(&self) -> usize {
        self.rows.rows()
    }

    /// `vector`, prepared.
    pub fn probe(&self, vector: &[f32]) -> Probe {
        let coded = match &self.codes {
            Some(codes) => codes.query(vector),
            None => self.full_query(vector),
        };
        Probe { vector: vector.to_vec(), scale: self.scale(vector), coded }
    }

    /// The vector in `slot`, prepared.
    pub fn probe_of(&self, slot: u32) -> Probe {
        self.probe(self.get(slot))
    }

    /// The vector in `slot` as far as its code tells, to be compared with codes only.
    pub(crate) fn coded(&self, slot: u32) -> CodedQuery {
        match &self.codes {
            Some(codes) => codes.query_of(slot),
            None => self.full_query(self.get(slot)),
        }
    }

    fn full_query(&self, vector: &[f32]) -> CodedQuery {
        CodedQuery { floats: vector.to_vec(), unit: self.scale(vector), ..CodedQuery::default() }
    }

    fn scale(&self, vector: &[f32]) -> f32 {
        match self.metric {
            Metric::Cosine => 1.0 / libm::sqrtf((self.kernels.dot)(vector, vector)),
            Metric::L2 | Metric::Dot => 1.0,
        }
    }

    /// How far `slot` is from `probe`, as the metric ranks: cosine distance, squared Euclidean
    /// distance, or the negative product.
    #[inline]
    pub fn distance(&self, probe: &Probe, slot: u32) -> f32 {
        self.exact(&probe.vector, probe.scale, self.get(slot), slot)
    }

    /// Appends about how far each of `slots` is from `probe`: computed from the codes, which are
    /// an eighth as long by default.
    pub fn about(&self, probe: &Probe, slots: &[u32], distances: &mut Vec<f32>) {
        self.score(&probe.coded, slots, distances);
    }

    /// The same for a prepared query alone.
    #[inline]
    pub(crate) fn score(&self, query: &CodedQuery, slots: &[u32], distances: &mut Vec<f32>) {
        match &self.codes {
            Some(codes) => codes.score(query, slots, distances),
            None => distances.extend(
                slots
                    .iter()
                    .map(|slot| self.exact(&query.floats, query.unit, self.get(*slot), *slot)),
            ),
        }
    }

    /// Announces that the distance of `slot` will be asked for soon.
    #[inline]
    pub fn prefetch(&self, slot: u32) {
        match &self.codes {
            Some(codes) => codes.prefetch(slot),
            None => crate::distance::prefetch(self.get(slot)),
        }
    }

    /// Announces that [`distance`](Self::distance) will be asked of `slot` soon.
    #[inline]
    pub(crate) fn prefetch_full(&self, slot: u32) {
        crate::distance::prefetch(self.get(slot));
    }

    /// The distance of `probe` to every slot, in order.
    pub(crate) fn scan(&self, probe: &Probe, mut visit: impl FnMut(u32, f32)) {
        let mut slot = 0;
        for (_, run) in self.rows.runs() {
            for vector in run.chunks_exact(probe.vector.len()) {
                visit(slot, self.exact(&probe.vector, probe.scale, vector, slot));
                slot += 1;
            }
        }
    }

    #[inline]
    fn exact(&self, query: &[f32], scale: f32, vector: &[f32], slot: u32) -> f32 {
        match self.metric {
            Metric::Cosine => {
                let product = (self.kernels.dot)(query, vector);
                1.0 - product * scale * self.scales.row(slot as usize)[0]
            }
            Metric::L2 => (self.kernels.l2_squared)(query, vector),
            Metric::Dot => -(self.kernels.dot)(query, vector),
        }
    }

    /// The metric's own value of a distance that [`distance`](Self::distance) returned.
    pub(crate) fn reported(&self, distance: f32) -> f32 {
        match self.metric {
            Metric::L2 => libm::sqrtf(distance),
            Metric::Cosine => distance.clamp(0.0, 2.0),
            Metric::Dot => distance,
        }
    }

    pub(crate) fn set(&mut self, slot: u32, vector: &[f32]) {
        let row = slot as usize;
        self.rows.grow(row + 1, 0.0);
        self.rows.row_mut(row).copy_from_slice(vector);
        self.set_scale(row);
        if let Some(codes) = &mut self.codes {
            codes.set(row, vector);
        }
    }

    fn set_scale(&mut self, row: usize) {
        if self.metric == Metric::Cosine {
            let scale = self.scale(self.rows.row(row));
            self.scales.grow(row + 1, 0.0);
            self.scales.row_mut(row)[0] = scale;
        }
    }

    pub(crate) fn arena(&self) -> &Arena<f32> {
        &self.rows
    }

    pub(crate) fn mark_clean(&mut self) {
        self.rows.mark_clean();
        if let Some(codes) = &mut self.codes {
            codes.mark_clean();
        }
    }

    /// The vectors of `field` out of pages; codes and scales are derived again.
    pub(crate) fn from_pages(
        field: &VectorField,
        rows: usize,
        page: impl FnMut(usize) -> Result<Vec<u8>>,
    ) -> Result<Self> {
        let mut vectors = Self::new(field);
        vectors.rows = Arena::from_pages(field.dim, rows, page)?;
        for row in 0..rows {
            vectors.set_scale(row);
            if let Some(codes) = &mut vectors.codes {
                codes.set(row, vectors.rows.row(row));
            }
        }
        Ok(vectors)
    }

    /// Bytes of memory held.
    pub(crate) fn memory_bytes(&self) -> usize {
        let codes = self.codes.as_ref().map_or(0, Codes::memory_bytes);
        self.rows.memory_bytes() + self.scales.memory_bytes() + codes
    }
}
