//! How the numbers of a vector become those of a code.
//!
//! A short code is of the vector rotated at random and rounded to whole multiples of a step that is
//! chosen for it; what products lose by the rounding is corrected without bias.
//! Source: RaBitQ (Gao & Long 2024, arXiv:2405.12497) and its extension to several bits (Gao et al.
//! 2024, arXiv:2409.09913). A code of 8 or 16 bits may also be the vector itself, reduced.
//!
//! For a vector with `r = rotated(vector)` and the code `u`, `ū = u − middle`:
//! `⟨r, q⟩ ≈ unit · ⟨ū, q⟩` with `unit = |r|² / ⟨ū, r⟩`. Of a reduced vector, `unit` is its step and
//! the products are equal.

use super::rotation::Rotation;
use crate::{
    distance::{CODE_ALIGN, Kernels},
    reduction::Reduction,
    schema::{Precision, Quantization},
};
use alloc::{vec, vec::Vec};

/// What codes are made of.
#[derive(Clone)]
pub(super) enum Coding {
    /// The rotated vector in unsigned numbers of so many bits.
    Rotated(Rotation, u32),
    /// The vector itself. Its step stands in the last bytes, where queries are zero.
    Reduced(Reduction),
}

/// The step that rounds normally distributed numbers best, in standard deviations; Max 1960, table
/// II, for 2 and 16 levels; for 256 the range that leaves out one number in 10⁴.
const STEPS: [(u32, f32); 3] = [(1, 1.6), (4, 0.335), (8, 0.0307)];
/// Multiples of that step that are tried for each vector.
const STEP_FACTORS: [f32; 3] = [0.9, 1.0, 1.12];
/// Bytes of the step of a reduced vector.
const STEP_BYTES: usize = size_of::<f32>();

impl Coding {
    /// The coding of a quantization of vectors of `dim` numbers; `None` where they are compared in
    /// full.
    pub(super) fn of(quantization: Quantization, dim: usize) -> Option<Self> {
        let rotated = |bits| Some(Self::Rotated(Rotation::new(dim), bits));
        match quantization {
            Quantization::F32 => None,
            Quantization::F16 => Some(Self::Reduced(Reduction::Half)),
            Quantization::I8 => rotated(8),
            Quantization::I4 => rotated(4),
            Quantization::Binary => rotated(1),
        }
    }

    /// The coding that keeps what a precision keeps; `None` where that is all.
    pub(super) fn keeping(precision: Precision) -> Option<Self> {
        precision.reduction().map(Self::Reduced)
    }

    /// Bits of the unsigned numbers of a code; `None` of halves.
    pub(super) fn whole_bits(&self) -> Option<u32> {
        match self {
            Self::Rotated(_, bits) => Some(*bits),
            Self::Reduced(Reduction::Whole) => Some(8),
            Self::Reduced(Reduction::Half) => None,
        }
    }

    /// Bytes of a code.
    pub(super) fn bytes(&self, dim: usize) -> usize {
        match self {
            Self::Rotated(_, bits) => {
                (dim * *bits as usize).div_ceil(8).next_multiple_of(CODE_ALIGN)
            }
            Self::Reduced(Reduction::Whole) => (dim + STEP_BYTES).next_multiple_of(CODE_ALIGN),
            Self::Reduced(Reduction::Half) => Reduction::Half.bytes(dim) + STEP_BYTES,
        }
    }

    /// Numbers a code has room for.
    pub(super) fn numbers(&self, dim: usize) -> usize {
        match self.whole_bits() {
            Some(bits) => self.bytes(dim) * 8 / bits as usize,
            None => self.bytes(dim) / 2,
        }
    }

    /// Writes the code of `vector`, rotated already, and returns its unit.
    pub(super) fn encode(&self, vector: &[f32], kernels: Kernels, code: &mut [u8]) -> f32 {
        match self {
            Self::Rotated(_, bits) => encode_whole(vector, *bits, kernels, code),
            Self::Reduced(reduction) => {
                let (numbers, rest) = code.split_at_mut(reduction.bytes(vector.len()));
                let step = reduction.encode(vector, numbers);
                if let Some(last) = rest.last_chunk_mut() {
                    *last = step.to_le_bytes();
                }
                step
            }
        }
    }

    /// The vector of `dim` numbers that a code keeps; nothing of one that keeps none.
    pub(super) fn decode(&self, code: &[u8], dim: usize) -> Vec<f32> {
        let mut vector = Vec::with_capacity(dim);
        if let (Self::Reduced(reduction), Some(step)) = (self, code.last_chunk()) {
            let step = f32::from_le_bytes(*step);
            reduction.decode(step, &code[..reduction.bytes(dim)], &mut vector);
        }
        vector
    }
}

/// The middle of the numbers of a code: what stands for zero.
#[expect(clippy::cast_precision_loss, reason = "at most 2⁷")]
pub(super) fn middle(bits: u32) -> f32 {
    let half = (1 << (bits - 1)) as f32;
    if bits == 8 { half } else { half - 0.5 }
}

/// Writes whole numbers and returns their unit: the best of a few steps.
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
pub(super) fn decode_whole(code: &[u8], bits: u32, numbers: &mut [i8]) {
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
