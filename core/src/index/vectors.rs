//! The vectors of one field by slot, their distances, and the short codes that stand for them where
//! thousands are compared.

use crate::{Metric, Result, arena::Arena, distance::Kernels, schema::VectorField};
use alloc::vec::Vec;

/// The vectors of one field by slot, exactly as documents gave them, and an 8-bit code of each:
/// its numbers as multiples of the largest of them / 127.
#[derive(Clone)]
pub struct Vectors {
    metric: Metric,
    kernels: Kernels,
    rows: Arena<f32>,
    codes: Arena<i8>,
    /// By slot: what [`Terms`] has.
    terms: Arena<f32>,
}

/// A vector to compare with, prepared once for many comparisons.
#[derive(Clone, Debug)]
pub struct Probe {
    vector: Vec<f32>,
    code: Vec<i8>,
    terms: Terms,
}

/// What the distance of two vectors is made of besides their products.
#[derive(Clone, Copy, Debug)]
struct Terms {
    /// Cosine: `1 / |v|`. L2: `|v|²`. Dot: unused.
    own: f32,
    /// What one unit of the code is worth; under cosine, of the vector of length 1.
    unit: f32,
}

const TERMS: usize = 2;
const CODE_MAX: f32 = 127.0;

impl Vectors {
    pub(crate) fn new(field: &VectorField) -> Self {
        Self {
            metric: field.metric,
            kernels: Kernels::best(),
            rows: Arena::new(field.dim),
            codes: Arena::new(field.dim),
            terms: Arena::new(TERMS),
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
        let mut code = alloc::vec![0; vector.len()];
        let terms = encode(self.metric, self.kernels, vector, &mut code);
        Probe { vector: vector.to_vec(), code, terms }
    }

    /// The vector in `slot`, prepared.
    pub fn probe_of(&self, slot: u32) -> Probe {
        self.probe(self.get(slot))
    }

    /// How far `slot` is from `probe`, as the metric ranks: cosine distance, squared Euclidean
    /// distance, or the negative product.
    #[inline]
    pub fn distance(&self, probe: &Probe, slot: u32) -> f32 {
        self.exact(probe, self.get(slot), slot)
    }

    /// The same, about: computed from the codes, which are a quarter as long.
    #[inline]
    pub fn about(&self, probe: &Probe, slot: u32) -> f32 {
        self.coded(&probe.code, probe.terms, slot)
    }

    /// About how far two slots are from each other.
    #[inline]
    pub fn about_between(&self, a: u32, b: u32) -> f32 {
        self.coded(self.codes.row(a as usize), self.terms(a), b)
    }

    /// Announces that [`about`](Self::about) will be asked of `slot` soon.
    #[inline]
    pub fn prefetch(&self, slot: u32) {
        crate::distance::prefetch(self.codes.row(slot as usize));
    }

    /// The distance of `probe` to every slot, in order.
    pub(crate) fn scan(&self, probe: &Probe, mut visit: impl FnMut(u32, f32)) {
        let mut slot = 0;
        for (_, run) in self.rows.runs() {
            for vector in run.chunks_exact(probe.vector.len()) {
                visit(slot, self.exact(probe, vector, slot));
                slot += 1;
            }
        }
    }

    #[inline]
    fn exact(&self, probe: &Probe, vector: &[f32], slot: u32) -> f32 {
        match self.metric {
            Metric::Cosine => {
                let product = (self.kernels.dot)(&probe.vector, vector);
                1.0 - product * probe.terms.own * self.terms(slot).own
            }
            Metric::L2 => (self.kernels.l2_squared)(&probe.vector, vector),
            Metric::Dot => -(self.kernels.dot)(&probe.vector, vector),
        }
    }

    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "the codes themselves are less precise")]
    fn coded(&self, code: &[i8], terms: Terms, slot: u32) -> f32 {
        let other = self.terms(slot);
        let product = (self.kernels.dot_codes)(code, self.codes.row(slot as usize)) as f32;
        let product = product * terms.unit * other.unit;
        match self.metric {
            Metric::Cosine => 1.0 - product,
            Metric::L2 => terms.own + other.own - 2.0 * product,
            Metric::Dot => -product,
        }
    }

    #[inline]
    fn terms(&self, slot: u32) -> Terms {
        let row = self.terms.row(slot as usize);
        Terms { own: row[0], unit: row[1] }
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
        self.rows.grow(slot as usize + 1, 0.0);
        self.rows.row_mut(slot as usize).copy_from_slice(vector);
        self.set_code(slot as usize);
    }

    /// Derives the code and the terms of a row.
    fn set_code(&mut self, row: usize) {
        self.codes.grow(row + 1, 0);
        let (vector, code) = (self.rows.row(row), self.codes.row_mut(row));
        let terms = encode(self.metric, self.kernels, vector, code);
        self.terms.grow(row + 1, 0.0);
        self.terms.row_mut(row).copy_from_slice(&[terms.own, terms.unit]);
    }

    pub(crate) fn arena(&self) -> &Arena<f32> {
        &self.rows
    }

    pub(crate) fn mark_clean(&mut self) {
        self.rows.mark_clean();
    }

    /// The vectors of `field` out of pages; codes and terms are derived again.
    pub(crate) fn from_pages(
        field: &VectorField,
        rows: usize,
        page: impl FnMut(usize) -> Result<Vec<u8>>,
    ) -> Result<Self> {
        let mut vectors = Self::new(field);
        vectors.rows = Arena::from_pages(field.dim, rows, page)?;
        vectors.codes.grow(rows, 0);
        vectors.terms.grow(rows, 0.0);
        (0..rows).for_each(|row| vectors.set_code(row));
        Ok(vectors)
    }

    /// Bytes of memory held.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes() + self.codes.memory_bytes() + self.terms.memory_bytes()
    }
}

/// Writes the code of `vector`, and returns its terms.
#[expect(clippy::cast_possible_truncation, reason = "rounded, and at most CODE_MAX")]
fn encode(metric: Metric, kernels: Kernels, vector: &[f32], code: &mut [i8]) -> Terms {
    let largest = vector.iter().fold(0.0f32, |largest, number| largest.max(number.abs()));
    let unit = largest.max(f32::MIN_POSITIVE) / CODE_MAX;
    let units = 1.0 / unit;
    for (code, number) in code.iter_mut().zip(vector) {
        let scaled = number * units;
        *code = (scaled + 0.5f32.copysign(scaled)) as i32 as i8;
    }
    let square = (kernels.dot)(vector, vector);
    match metric {
        Metric::Cosine => {
            let own = 1.0 / libm::sqrtf(square);
            Terms { own, unit: unit * own }
        }
        Metric::L2 | Metric::Dot => Terms { own: square, unit },
    }
}
