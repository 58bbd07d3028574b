//! The vectors of one field by slot, and their distances.

use crate::{Metric, Result, arena::Arena, distance::Kernels, schema::VectorField};
use alloc::vec::Vec;

/// The vectors of one field by slot, exactly as documents gave them.
#[derive(Clone)]
pub struct Vectors {
    metric: Metric,
    kernels: Kernels,
    rows: Arena<f32>,
    /// `1 / |v|` by slot under cosine; empty otherwise.
    inverse_norms: Arena<f32>,
}

/// A vector to compare with, prepared once for many comparisons.
#[derive(Clone, Debug)]
pub struct Probe {
    vector: Vec<f32>,
    inverse_norm: f32,
}

impl Vectors {
    pub(crate) fn new(field: &VectorField) -> Self {
        Self {
            metric: field.metric,
            kernels: Kernels::best(),
            rows: Arena::new(field.dim),
            inverse_norms: Arena::new(1),
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
        Probe { vector: vector.to_vec(), inverse_norm: self.inverse_norm(vector) }
    }

    /// The vector in `slot`, prepared.
    pub fn probe_of(&self, slot: u32) -> Probe {
        self.probe(self.get(slot))
    }

    /// How far `slot` is from `probe`, as the metric ranks: cosine distance, squared Euclidean
    /// distance, or the negative product.
    #[inline]
    pub fn distance(&self, probe: &Probe, slot: u32) -> f32 {
        let vector = self.rows.row(slot as usize);
        self.rank(&probe.vector, vector, probe.inverse_norm, slot)
    }

    /// Announces that the distance of `slot` will be asked for soon.
    #[inline]
    pub fn prefetch(&self, slot: u32) {
        crate::distance::prefetch(self.get(slot));
    }

    /// How far two slots are from each other.
    #[inline]
    pub fn distance_between(&self, a: u32, b: u32) -> f32 {
        let inverse_norm = match self.metric {
            Metric::Cosine => self.inverse_norms.row(a as usize)[0],
            Metric::L2 | Metric::Dot => 1.0,
        };
        self.rank(self.get(a), self.get(b), inverse_norm, b)
    }

    /// The distances of `probe` to a run of adjacent slots.
    pub(crate) fn scan(&self, probe: &Probe, mut visit: impl FnMut(u32, f32)) {
        let dim = probe.vector.len();
        let mut slot = 0;
        for (_, run) in self.rows.runs() {
            for vector in run.chunks_exact(dim) {
                visit(slot, self.rank(&probe.vector, vector, probe.inverse_norm, slot));
                slot += 1;
            }
        }
    }

    #[inline]
    fn rank(&self, probe: &[f32], vector: &[f32], inverse_norm: f32, slot: u32) -> f32 {
        match self.metric {
            Metric::Cosine => {
                let product = (self.kernels.dot)(probe, vector);
                1.0 - product * inverse_norm * self.inverse_norms.row(slot as usize)[0]
            }
            Metric::L2 => (self.kernels.l2_squared)(probe, vector),
            Metric::Dot => -(self.kernels.dot)(probe, vector),
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

    fn inverse_norm(&self, vector: &[f32]) -> f32 {
        match self.metric {
            Metric::Cosine => 1.0 / libm::sqrtf((self.kernels.dot)(vector, vector)),
            Metric::L2 | Metric::Dot => 1.0,
        }
    }

    pub(crate) fn set(&mut self, slot: u32, vector: &[f32]) {
        let rows = slot as usize + 1;
        self.rows.grow(rows, 0.0);
        self.rows.row_mut(slot as usize).copy_from_slice(vector);
        if self.metric == Metric::Cosine {
            let inverse_norm = self.inverse_norm(vector);
            self.inverse_norms.grow(rows, 0.0);
            self.inverse_norms.row_mut(slot as usize)[0] = inverse_norm;
        }
    }

    pub(crate) fn arena(&self) -> &Arena<f32> {
        &self.rows
    }

    pub(crate) fn mark_clean(&mut self) {
        self.rows.mark_clean();
    }

    /// The vectors of `field` out of pages; the norms are computed again.
    pub(crate) fn from_pages(
        field: &VectorField,
        rows: usize,
        page: impl FnMut(usize) -> Result<Vec<u8>>,
    ) -> Result<Self> {
        let mut vectors = Self::new(field);
        vectors.rows = Arena::from_pages(field.dim, rows, page)?;
        if vectors.metric == Metric::Cosine {
            vectors.inverse_norms.grow(rows, 0.0);
            for row in 0..rows {
                let inverse_norm = vectors.inverse_norm(vectors.rows.row(row));
                vectors.inverse_norms.row_mut(row)[0] = inverse_norm;
            }
        }
        Ok(vectors)
    }

    /// Bytes of memory held.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes() + self.inverse_norms.memory_bytes()
    }
}
