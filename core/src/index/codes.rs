//! Short codes that stand for vectors where thousands are compared.
//!
//! A vector is rotated at random and rounded to whole multiples of a step that is chosen for it; what
//! products lose by the rounding is corrected without bias.
//! Source: RaBitQ (Gao & Long 2024, arXiv:2405.12497) and its extension to several bits (Gao et al.
//! 2024, arXiv:2409.09913). Half-precision codes are not rotated.
//!
//! For a vector with `r = rotated(vector)` and the code `u`, `ū = u − middle`:
//! `⟨r, q⟩ ≈ unit · ⟨ū, q⟩` with `unit = |r|² / ⟨ū, r⟩`.

use super::rotation::Rotation;
use crate::{
    Metric, Result,
    arena::Arena,
    distance::{CODE_ALIGN, CodeTerms, CodedQuery, Kernels, TERMS_BYTES},
    rest::ReadPage,
    schema::Quantization,
};
use alloc::{vec, vec::Vec};
use half::f16;

/// The codes of the vectors of one field, by slot.
#[derive(Clone)]
pub(super) struct Codes {
    metric: Metric,
    form: Form,
    kernels: Kernels,
    rotation: Rotation,
    dim: usize,
    /// `TERMS_BYTES` of terms, then the code.
    rows: Arena<u8>,
}

/// What the numbers of a code look like.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Half,
    /// Unsigned numbers of so many bits.
    Whole(u32),
}

/// Queries are rounded to multiples of their largest number / 127.
const QUERY_MAX: f32 = 127.0;
/// The step that rounds normally distributed numbers best, in standard deviations; Max 1960, table
/// II, for 2 and 16 levels; for 256 the range that leaves out one number in 10⁴.
const STEPS: [(u32, f32); 3] = [(1, 1.6), (4, 0.335), (8, 0.0307)];
/// Multiples of that step that are tried for each vector.
const STEP_FACTORS: [f32; 3] = [0.9, 1.0, 1.12];

impl Form {
    fn of(quantization: Quantization) -> Option<Self> {
        match quantization {
            Quantization::F32 => None,
            Quantization::F16 => Some(Self::Half),
            Quantization::I8 => Some(Self::Whole(8)),
            Quantization::I4 => Some(Self::Whole(4)),
            Quantization::Binary => Some(Self::Whole(1)),
        }
    }

    fn bytes(self, dim: usize) -> usize {
        match self {
            Self::Half => 2 * dim,
            Self::Whole(bits) => (dim * bits as usize).div_ceil(8).next_multiple_of(CODE_ALIGN),
        }
    }

    /// Numbers a code has room for.
    fn numbers(self, dim: usize) -> usize {
        match self {
            Self::Half => dim,
            Self::Whole(bits) => self.bytes(dim) * 8 / bits as usize,
        }
    }
}

impl Codes {
    /// No codes yet; `None` where full vectors are compared.
    pub(super) fn new(metric: Metric, dim: usize, quantization: Quantization) -> Option<Self> {
        let form = Form::of(quantization)?;
        Some(Self {
            metric,
            form,
            kernels: Kernels::best(),
            rotation: Rotation::new(dim),
            dim,
            rows: Arena::new(TERMS_BYTES + form.bytes(dim)),
        })
    }

    /// The code of `vector`, as a row.
    pub(super) fn code(&self, vector: &[f32]) -> Vec<u8> {
        let rotated = self.rotated(vector);
        let own = self.own(&rotated);
        let mut row = vec![0; self.rows.stride()];
        let (terms, code) = row.split_at_mut(TERMS_BYTES);
        let unit = match self.form {
            Form::Half => encode_half(&rotated, code),
            Form::Whole(bits) => encode_whole(&rotated, bits, self.kernels, code),
        };
        let unit = if self.metric == Metric::L2 { 2.0 * unit } else { unit };
        CodeTerms { unit, own }.write(terms);
        row
    }

    /// Puts a code into `slot`.
    pub(super) fn set(&mut self, slot: usize, code: &[u8]) {
        self.rows.grow(slot + 1, 0);
        self.rows.row_mut(slot).copy_from_slice(code);
    }

    /// `vector` prepared to be compared with codes.
    pub(super) fn query(&self, vector: &[f32]) -> CodedQuery {
        let rotated = self.rotated(vector);
        let own = self.own(&rotated);
        let Form::Whole(bits) = self.form else {
            return CodedQuery { floats: rotated, unit: 1.0, own, ..CodedQuery::default() };
        };
        let largest = rotated.iter().fold(0.0f32, |largest, number| largest.max(number.abs()));
        let unit = largest.max(f32::MIN_POSITIVE) / QUERY_MAX;
        let mut numbers = vec![0i8; self.form.numbers(rotated.len())];
        for (number, exact) in numbers.iter_mut().zip(&rotated) {
            let scaled = exact / unit;
            #[expect(clippy::cast_possible_truncation, reason = "rounded, and at most QUERY_MAX")]
            (*number = (scaled + 0.5f32.copysign(scaled)) as i32 as i8);
        }
        whole_query(numbers, bits, unit, own)
    }

    /// The vector in `slot`, as far as its code tells, prepared to be compared with codes.
    pub(super) fn query_of(&self, slot: u32) -> CodedQuery {
        let (terms, code) = CodeTerms::read(self.rows.row(slot as usize));
        let unit = if self.metric == Metric::L2 { terms.unit / 2.0 } else { terms.unit };
        let own = terms.own;
        let Form::Whole(bits) = self.form else {
            let (halves, _) = code.as_chunks::<2>();
            let floats = halves.iter().map(|half| f16::from_le_bytes(*half).to_f32() * unit);
            return CodedQuery {
                floats: floats.collect(),
                unit: 1.0,
                own,
                ..CodedQuery::default()
            };
        };
        let mut numbers = vec![0i8; self.form.numbers(self.dim)];
        decode_whole(code, bits, &mut numbers[..self.dim]);
        let unit = if bits == 8 { unit } else { unit / 2.0 };
        whole_query(numbers, bits, unit, own)
    }

    /// Appends about how far each of `slots` is from `query`, as the metric ranks.
    #[inline]
    pub(super) fn score(&self, query: &CodedQuery, slots: &[u32], out: &mut Vec<f32>) {
        let score = match self.form {
            Form::Half => self.kernels.score_f16,
            Form::Whole(8) => self.kernels.score_u8,
            Form::Whole(4) => self.kernels.score_u4,
            Form::Whole(_) => self.kernels.score_u1,
        };
        score(&self.rows, slots, query, out);
    }

    #[inline]
    pub(super) fn prefetch(&self, slots: &[u32]) {
        slots.iter().for_each(|slot| crate::distance::prefetch(self.rows.row(*slot as usize)));
    }

    pub(super) fn arena(&self) -> &Arena<u8> {
        &self.rows
    }

    pub(super) fn mark_clean(&mut self) {
        self.rows.mark_clean();
    }

    /// The codes out of their pages.
    pub(super) fn read_pages(&mut self, rows: usize, read: impl ReadPage) -> Result<()> {
        self.rows = Arena::from_pages(TERMS_BYTES + self.form.bytes(self.dim), rows, read)?;
        Ok(())
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes()
    }

    /// `vector`, rotated; under cosine brought to length 1.
    fn rotated(&self, vector: &[f32]) -> Vec<f32> {
        let scale = match self.metric {
            Metric::Cosine => 1.0 / libm::sqrtf(self.square(vector)),
            Metric::L2 | Metric::Dot => 1.0,
        };
        let mut rotated: Vec<f32> = vector.iter().map(|number| number * scale).collect();
        if self.form != Form::Half {
            self.rotation.apply(&mut rotated);
        }
        rotated
    }

    fn square(&self, vector: &[f32]) -> f32 {
        (self.kernels.dot)(vector, vector)
    }

    /// What a vector adds to every distance, of its rotated form.
    fn own(&self, rotated: &[f32]) -> f32 {
        match self.metric {
            Metric::Cosine => self.square(rotated) / 2.0,
            Metric::L2 => self.square(rotated),
            Metric::Dot => 0.0,
        }
    }
}

/// The middle of the numbers of a code: what stands for zero.
#[expect(clippy::cast_precision_loss, reason = "at most 2⁷")]
fn middle(bits: u32) -> f32 {
    let half = (1 << (bits - 1)) as f32;
    if bits == 8 { half } else { half - 0.5 }
}

#[expect(clippy::cast_precision_loss, reason = "sums are below 2²³")]
fn whole_query(numbers: Vec<i8>, bits: u32, unit: f32, own: f32) -> CodedQuery {
    let sum: i32 = numbers.iter().map(|number| i32::from(*number)).sum();
    CodedQuery { numbers, floats: Vec::new(), unit, shift: middle(bits) * sum as f32, own }
}

/// Writes the code of `vector` and returns its unit: the best of a few steps.
#[expect(clippy::cast_precision_loss, reason = "at most DIM_MAX")]
fn encode_whole(vector: &[f32], bits: u32, kernels: Kernels, code: &mut [u8]) -> f32 {
    let square = (kernels.dot)(vector, vector);
    let deviation = libm::sqrtf(square / vector.len() as f32).max(f32::MIN_POSITIVE);
    let (_, step) = STEPS[STEPS.iter().position(|(known, _)| *known == bits).unwrap_or(0)];
    let mut rounded = vec![0.0; vector.len()];
    let mut best = (f32::NEG_INFINITY, 1.0, 0.0);
    let factors: &[f32] = if bits == 1 { &[1.0] } else { &STEP_FACTORS };
    for factor in factors {
        let scale = 1.0 / (deviation * step * factor);
        round(vector, bits, scale, &mut rounded);
        let along = (kernels.dot)(&rounded, vector);
        let fit = along * along / (kernels.dot)(&rounded, &rounded).max(f32::MIN_POSITIVE);
        if fit > best.0 {
            best = (fit, scale, along);
        }
    }
    let (_, scale, along) = best;
    round(vector, bits, scale, &mut rounded);
    pack(&rounded, bits, code);
    if along > 0.0 { square / along } else { 0.0 }
}

/// Each number in steps, as the nearest there is a code for.
fn round(vector: &[f32], bits: u32, scale: f32, rounded: &mut [f32]) {
    let middle = middle(bits);
    #[expect(clippy::cast_precision_loss, reason = "at most 255")]
    let (lowest, highest) = (if bits == 8 { 1.0 } else { 0.0 }, ((1 << bits) - 1) as f32);
    for (rounded, number) in rounded.iter_mut().zip(vector) {
        let level = (number * scale + middle + 0.5).clamp(lowest, highest);
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
        let level = level as i32 as f32;
        *rounded = level - middle;
    }
}

/// Numbers as [`Kernels`] reads them.
fn pack(rounded: &[f32], bits: u32, code: &mut [u8]) {
    let middle = middle(bits);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 2⁸")]
    let level = |number: f32| (number + middle) as u8;
    code.fill(0);
    let half = code.len();
    for (at, number) in rounded.iter().enumerate() {
        match bits {
            8 => code[at] = level(*number),
            4 => code[at % half] |= level(*number) << (4 * (at / half)),
            _ => code[at / 8] |= level(*number) << (at % 8),
        }
    }
}

/// The numbers of a code around zero: by 8 bits as they are, else doubled to be whole.
fn decode_whole(code: &[u8], bits: u32, numbers: &mut [i8]) {
    let centred = |level: u8| (2 * level).cast_signed();
    match bits {
        8 => {
            for (number, level) in numbers.iter_mut().zip(code) {
                *number = level.wrapping_sub(128).cast_signed();
            }
        }
        4 => {
            let (first, second) = numbers.split_at_mut(numbers.len().min(code.len()));
            for (number, levels) in first.iter_mut().zip(code) {
                *number = centred(levels & 15) - 15;
            }
            for (number, levels) in second.iter_mut().zip(code) {
                *number = centred(levels >> 4) - 15;
            }
        }
        _ => {
            for (numbers, levels) in numbers.chunks_mut(8).zip(code) {
                for (bit, number) in numbers.iter_mut().enumerate() {
                    *number = centred(levels >> bit & 1) - 1;
                }
            }
        }
    }
}

/// Writes half-precision numbers in multiples of the largest, and returns that.
fn encode_half(vector: &[f32], code: &mut [u8]) -> f32 {
    let largest = vector.iter().fold(0.0f32, |largest, number| largest.max(number.abs()));
    let unit = largest.max(f32::MIN_POSITIVE);
    let (halves, _) = code.as_chunks_mut::<2>();
    for (half, number) in halves.iter_mut().zip(vector) {
        *half = f16::from_f32(number / unit).to_le_bytes();
    }
    unit
}
