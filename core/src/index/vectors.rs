//! The vectors of one field by slot, their distances, and the short codes that stand for them where
//! thousands are compared.

use super::{Section, codes::Codes, kept::Kept};
use crate::{
    Error, Metric, Result,
    arena::Arena,
    distance::{CodedQuery, Kernels, prefetch_all},
    rest::{ReadPage, RestingPages},
    schema::{IndexKind, VectorField},
};
use alloc::{borrow::Cow, format, vec::Vec};

/// The vectors of one field by slot, as its precision keeps them, and a code of each.
#[derive(Clone)]
pub struct Vectors {
    dim: usize,
    metric: Metric,
    kernels: Kernels,
    kept: Kept,
    /// `1 / |v|` by slot under cosine when vectors are in memory, else empty.
    scales: Arena<f32>,
    /// Where what is kept is not compared itself.
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

/// What is computed of a vector before it is set: all that takes long.
pub(crate) struct CodedVector {
    /// `1 / |v|` under cosine.
    scale: f32,
    /// Where vectors are kept as codes.
    kept: Option<Vec<u8>>,
    /// Where the field has other codes.
    code: Option<Vec<u8>>,
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
        let quantization = field.index.quantization(field.dim, field.precision);
        let is_kept = quantization == field.precision.quantization();
        let codes = || Codes::new(field.metric, field.dim, quantization);
        Self {
            dim: field.dim,
            metric: field.metric,
            kernels: Kernels::best(),
            kept: Kept::new(field),
            scales: Arena::new(1),
            codes: if is_kept { None } else { codes() },
        }
    }

    /// The same, with what is not compared here and there at rest; refuses a field that is searched
    /// by comparing with full vectors so.
    pub(crate) fn at_rest(field: &VectorField, pages: RestingPages) -> Result<Self> {
        let vectors = Self::new(field);
        if vectors.codes.is_none() && !is_compared_in_order(field) {
            if vectors.kept.codes().is_some() {
                return Ok(vectors);
            }
            return Err(Error::invalid(format!(
                "field {:?} compares full vectors, so they cannot rest on the disk; choose another \
                 quantization than \"f32\", or keep vectors in memory",
                field.name
            )));
        }
        Ok(Self { kept: vectors.kept.at_rest(field.dim, pages), ..vectors })
    }

    /// Whether vectors can rest so that a search reads few of them.
    pub(crate) fn can_rest(field: &VectorField) -> bool {
        Self::new(field).codes.is_some() && !is_compared_in_order(field)
    }

    /// Whether there is anything in memory to compare with: codes or the vectors themselves.
    pub(crate) fn can_score(&self) -> bool {
        self.codes.is_some() || self.are_in_memory()
    }

    /// Whether what is kept of the vectors is in memory.
    pub fn are_in_memory(&self) -> bool {
        self.kept.are_in_memory()
    }

    /// What stands for vectors where thousands are compared.
    #[inline]
    fn short(&self) -> Option<&Codes> {
        self.codes.as_ref().or_else(|| self.kept.codes())
    }

    /// The metric by which distances rank.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The vector in `slot`; an error when it rests on a disk and cannot be read.
    #[inline]
    pub fn get(&self, slot: u32) -> Result<Cow<'_, [f32]>> {
        self.kept.get(slot)
    }

    /// One more than the largest slot.
    pub fn slots(&self) -> usize {
        self.kept.slots()
    }

    /// `vector`, prepared.
    pub fn probe(&self, vector: &[f32]) -> Probe {
        let coded = match self.short() {
            Some(codes) => codes.query(vector),
            None => self.full_query(vector),
        };
        Probe { vector: vector.to_vec(), scale: self.scale(vector), coded }
    }

    /// The vector in `slot`, prepared.
    pub fn probe_of(&self, slot: u32) -> Result<Probe> {
        Ok(self.probe(&self.get(slot)?))
    }

    /// The vector in `slot` as far as its code tells, to be compared with codes only.
    pub(crate) fn coded(&self, slot: u32) -> CodedQuery {
        match self.short() {
            Some(codes) => codes.query_of(slot),
            None => self.full_query(self.in_memory(slot)),
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
    pub fn distance(&self, probe: &Probe, slot: u32) -> Result<f32> {
        Ok(self.exact(&probe.vector, probe.scale, &self.get(slot)?, slot))
    }

    /// Appends about how far each of `slots` is from `probe`: computed from the codes, which are
    /// an eighth as long by default.
    pub fn about(&self, probe: &Probe, slots: &[u32], distances: &mut Vec<f32>) {
        self.score(&probe.coded, slots, distances);
    }

    /// The same for a prepared query alone.
    #[inline]
    pub(crate) fn score(&self, query: &CodedQuery, slots: &[u32], distances: &mut Vec<f32>) {
        match self.short() {
            Some(codes) => codes.score(query, slots, distances),
            None => {
                distances.extend(slots.iter().map(|slot| {
                    self.exact(&query.floats, query.unit, self.in_memory(*slot), *slot)
                }))
            }
        }
    }

    /// Announces that [`about`](Self::about) will be asked of `slots` soon.
    #[inline]
    pub fn prefetch(&self, slots: &[u32]) {
        match self.short() {
            Some(codes) => codes.prefetch(slots),
            None => {
                slots.iter().for_each(|slot| crate::distance::prefetch(self.in_memory(*slot)));
            }
        }
    }

    /// Announces that [`distance`](Self::distance) will be asked of `slot` soon.
    #[inline]
    pub(crate) fn prefetch_full(&self, slot: u32) {
        if let Some(vector) = self.kept.in_memory(slot) {
            crate::distance::prefetch(vector);
        }
    }

    /// The distances of all `probes` to every slot, in order of the slots. Of several probes, each
    /// is compared with a few vectors while those are near.
    pub(crate) fn scan(
        &self,
        probes: &[&Probe],
        mut visit: impl FnMut(usize, u32, f32),
    ) -> Result<()> {
        /// Bytes of vectors that stay near a core while all probes are compared with them.
        const NEAR_BYTES: usize = 24 * 1024;
        /// Vectors asked for ahead.
        const AHEAD: usize = 4;
        let at_once = NEAR_BYTES / (self.dim * size_of::<f32>()) + 1;
        self.kept.each_run(at_once, |first, run| {
            let first = u32::try_from(first).expect("a row is a slot");
            for (number, probe) in probes.iter().enumerate() {
                for (offset, (slot, vector)) in
                    (first..).zip(run.chunks_exact(self.dim)).enumerate()
                {
                    if number == 0 {
                        let start = (offset + AHEAD) * self.dim;
                        run.get(start..start + self.dim).into_iter().for_each(prefetch_all);
                    }
                    visit(number, slot, self.exact(&probe.vector, probe.scale, vector, slot));
                }
            }
        })
    }

    /// The vector in `slot`, of a field without codes: such vectors are in memory.
    #[inline]
    fn in_memory(&self, slot: u32) -> &[f32] {
        self.kept.in_memory(slot).unwrap_or_default()
    }

    #[inline]
    fn exact(&self, query: &[f32], scale: f32, vector: &[f32], slot: u32) -> f32 {
        match self.metric {
            Metric::Cosine => {
                let product = (self.kernels.dot)(query, vector);
                let own = match self.are_in_memory() {
                    true => self.scales.row(slot as usize)[0],
                    false => self.scale(vector),
                };
                1.0 - product * scale * own
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

    /// What is computed of `vector` before it is set.
    pub(crate) fn coded_vector(&self, vector: &[f32]) -> CodedVector {
        let code = self.codes.as_ref().map(|codes| codes.code(vector));
        CodedVector { scale: self.scale(vector), kept: self.kept.code(vector), code }
    }

    pub(crate) fn set(&mut self, slot: u32, vector: &[f32], coded: &CodedVector) {
        let row = slot as usize;
        self.kept.set(slot, vector, coded.kept.as_deref());
        if self.metric == Metric::Cosine && self.are_in_memory() {
            self.scales.grow(row + 1, 0.0);
            self.scales.row_mut(row)[0] = coded.scale;
        }
        if let (Some(codes), Some(code)) = (&mut self.codes, &coded.code) {
            codes.set(row, code);
        }
    }

    /// What is kept of the vectors, and their codes, as sections of a checkpoint.
    pub(crate) fn sections(&self) -> (&dyn Section, Option<&dyn Section>) {
        (self.kept.section(), self.codes.as_ref().map(Codes::section))
    }

    /// A checkpoint was stored; these are the generations of the pages of what is kept.
    pub(crate) fn checkpointed(&mut self, generations: &[u64]) {
        self.kept.checkpointed(generations);
        if let Some(codes) = &mut self.codes {
            codes.checkpointed(&[]);
        }
    }

    /// Reads the vectors back from pages with these generations.
    pub(crate) fn open(
        &mut self,
        rows: usize,
        generations: &[u64],
        read: impl ReadPage,
    ) -> Result<()> {
        self.kept.open(rows, generations, read)?;
        self.keep_scales()
    }

    /// Takes pages that rest into memory, as many as `pages` says, which then says how many more
    /// could have been; all vectors are in memory if that is not 0.
    pub(crate) fn take(&mut self, pages: &mut usize) -> Result<()> {
        if !self.are_in_memory() {
            self.kept.take(pages)?;
            self.keep_scales()?;
        }
        Ok(())
    }

    /// Says which vectors will be read next.
    pub(crate) fn expect(&self, slots: impl Iterator<Item = u32>) {
        self.kept.expect(slots);
    }

    /// Works out the scale of every vector, if they are in memory.
    fn keep_scales(&mut self) -> Result<()> {
        if self.metric == Metric::Cosine && self.are_in_memory() {
            let mut scales = Arena::new(1);
            scales.grow(self.slots(), 0.0);
            self.kept.each(self.dim, |row, vector| scales.row_mut(row)[0] = self.scale(vector))?;
            self.scales = scales;
        }
        Ok(())
    }

    /// Reads codes back from pages. Where they cannot be, [`code_all`](Self::code_all) makes them
    /// anew.
    pub(crate) fn open_codes(&mut self, read: impl ReadPage) -> Result<()> {
        match &mut self.codes {
            Some(codes) => codes.open(self.kept.slots(), &[], read),
            None => Ok(()),
        }
    }

    /// Codes every vector.
    pub(crate) fn code_all(&mut self) -> Result<()> {
        match &mut self.codes {
            Some(codes) => {
                self.kept.each(self.dim, |row, vector| codes.set(row, &codes.code(vector)))
            }
            None => Ok(()),
        }
    }

    /// Bytes of memory held.
    pub(crate) fn memory_bytes(&self) -> usize {
        let codes = self.codes.as_ref().map_or(0, Codes::memory_bytes);
        self.kept.memory_bytes() + self.scales.memory_bytes() + codes
    }
}

/// Whether all vectors of a field are read to compare with them.
fn is_compared_in_order(field: &VectorField) -> bool {
    matches!(field.index.kind, IndexKind::Exact | IndexKind::HnswRs)
}
