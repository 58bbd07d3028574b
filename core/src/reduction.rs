//! Vectors in fewer bits, for the fields that keep less than `f32` of them.
//!
//! A vector has a step of its own. In half precision it is the power of two that brings the largest
//! number just below the largest half; in 8 bits it is the largest number / 127, rounded up to 17
//! significant bits, so that each of its multiples is an `f32`. Either way no multiplication rounds,
//! and a vector that was reduced once is not changed by being reduced again.
//!
//! **Invariant:** nothing here depends on the machine, as records, replicas and pages must agree.

use crate::{
    Result,
    bytes::{Reader, Writer},
    schema::Precision,
};
use alloc::{vec, vec::Vec};
use half::f16;

/// How a vector is reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reduction {
    /// Half-precision multiples of the step, two bytes each.
    Half,
    /// Whole multiples of the step and 128, a byte each.
    Whole,
}

/// The largest whole multiple.
const WHOLE_MAX: f32 = 127.0;
/// What a byte holds for zero.
const WHOLE_ZERO: u8 = 128;
/// Bits of a step that its multiples need.
const WHOLE_BITS: u32 = 0x7f;
/// Bits of an `f32` that a half has not, and half of their range.
const HALF_BITS: u32 = 0x1fff;
const HALF_TIE: u32 = 0x1000;
const EXPONENT_SHIFT: u32 = 23;
/// The exponent of the largest halves.
const HALF_EXPONENT_MAX: u32 = 15;
/// The exponent of the smallest step of halves, so that no multiple is subnormal, plus the bias.
const HALF_STEP_EXPONENT_MIN: u32 = 27;

impl Precision {
    /// How vectors are reduced; `None` where all of them is kept.
    pub(crate) fn reduction(self) -> Option<Reduction> {
        match self {
            Self::F32 => None,
            Self::F16 => Some(Reduction::Half),
            Self::I8 => Some(Reduction::Whole),
        }
    }

    /// What is kept of `vector`.
    pub(crate) fn reduce(self, vector: &mut Vec<f32>) {
        let Some(reduction) = self.reduction() else { return };
        let mut code = vec![0; reduction.bytes(vector.len())];
        let step = reduction.encode(vector, &mut code);
        vector.clear();
        reduction.decode(step, &code, vector);
    }

    /// Writes a vector that was reduced.
    pub(crate) fn write(self, vector: &[f32], writer: &mut Writer) {
        let Some(reduction) = self.reduction() else { return writer.f32s(vector) };
        let mut code = vec![0; reduction.bytes(vector.len())];
        let step = reduction.encode(vector, &mut code);
        writer.f32s(&[step]);
        writer.raw(&code);
    }

    /// Reads a vector of `dim` numbers back.
    pub(crate) fn read(self, dim: usize, reader: &mut Reader<'_>) -> Result<Vec<f32>> {
        let Some(reduction) = self.reduction() else { return reader.f32s(dim) };
        let step = reader.f32s(1)?[0];
        let mut vector = Vec::with_capacity(dim);
        reduction.decode(step, reader.raw(reduction.bytes(dim))?, &mut vector);
        Ok(vector)
    }
}

impl Reduction {
    /// Bytes of `dim` numbers.
    pub(crate) fn bytes(self, dim: usize) -> usize {
        match self {
            Self::Half => 2 * dim,
            Self::Whole => dim,
        }
    }

    /// Writes the numbers of `vector` in steps, and returns the step.
    pub(crate) fn encode(self, vector: &[f32], code: &mut [u8]) -> f32 {
        let step = self.step(vector);
        match self {
            Self::Half => {
                let (halves, _) = code.as_chunks_mut();
                for (half, number) in halves.iter_mut().zip(vector) {
                    *half = f16::from_f32(number / step).to_le_bytes();
                }
            }
            Self::Whole => {
                for (byte, number) in code.iter_mut().zip(vector) {
                    let scaled = number / step;
                    #[expect(clippy::cast_possible_truncation, reason = "at most WHOLE_MAX")]
                    let whole = (scaled + 0.5f32.copysign(scaled)) as i8;
                    *byte = WHOLE_ZERO.wrapping_add_signed(whole);
                }
            }
        }
        step
    }

    /// Appends the numbers that `code` stands for.
    pub(crate) fn decode(self, step: f32, code: &[u8], vector: &mut Vec<f32>) {
        match self {
            Self::Half => {
                let (halves, _) = code.as_chunks();
                let numbers = halves.iter().map(|half| f16::from_le_bytes(*half).to_f32());
                vector.extend(numbers.map(|number| number * step));
            }
            Self::Whole => {
                let numbers = code.iter().map(|byte| byte.wrapping_sub(WHOLE_ZERO).cast_signed());
                vector.extend(numbers.map(|number| f32::from(number) * step));
            }
        }
    }

    fn step(self, vector: &[f32]) -> f32 {
        let largest = vector.iter().fold(0.0f32, |largest, number| largest.max(number.abs()));
        match self {
            Self::Half => {
                let rounded = (largest.to_bits() + HALF_TIE) & !HALF_BITS;
                let exponent = (rounded >> EXPONENT_SHIFT).saturating_sub(HALF_EXPONENT_MAX);
                f32::from_bits(exponent.max(HALF_STEP_EXPONENT_MIN) << EXPONENT_SHIFT)
            }
            Self::Whole => {
                let bits = (largest / WHOLE_MAX).to_bits();
                f32::from_bits((bits + WHOLE_BITS) & !WHOLE_BITS).max(f32::MIN_POSITIVE)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::Precision;
    use alloc::{vec, vec::Vec};

    /// Numbers of every size, the same each time.
    fn vectors() -> impl Iterator<Item = Vec<f32>> {
        let mut state = 1u64;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            f32::from_bits((state >> 32) as u32)
        };
        let is_allowed = |number: &f32| number.abs() < 1e18;
        let mut number = move || core::iter::repeat_with(&mut next).find(is_allowed).unwrap_or(0.0);
        let sizes = (0..20_000).map(|turn| 1 + turn % 40);
        let random = sizes.map(move |dim| {
            let (centre, range) = (number(), number());
            let around = |_| centre + range * (number() % 1.0);
            (0..dim).map(around).collect()
        });
        let edges = [0.0, -0.0, f32::MIN_POSITIVE, 1e-45, 1e18, 65_519.9, 32_767.9, 127.5, -1.0];
        random.chain(edges.map(|edge| vec![edge, edge / 3.0, 0.0]))
    }

    #[test]
    fn what_was_reduced_is_not_changed_by_being_reduced_again() {
        for (name, precision) in Precision::NAMES {
            for vector in vectors() {
                let mut once = vector.clone();
                precision.reduce(&mut once);
                let mut twice = once.clone();
                precision.reduce(&mut twice);
                let bits = |vector: &[f32]| vector.iter().map(|n| n.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&once), bits(&twice), "{name}: {vector:?}");
                assert!(once.iter().all(|number| number.is_finite()), "{name}: {vector:?}");
            }
        }
    }

    #[test]
    fn no_number_is_off_by_more_than_its_precision() {
        for vector in vectors() {
            let largest = vector.iter().fold(0.0f32, |largest, number| largest.max(number.abs()));
            for (precision, relative, absolute) in [
                (Precision::F16, 1.0 / 2048.0, largest / 1e9),
                (Precision::I8, 0.0, largest / 253.9),
            ] {
                let mut reduced = vector.clone();
                precision.reduce(&mut reduced);
                for (number, kept) in vector.iter().zip(&reduced) {
                    let bound = number.abs() * relative + absolute + 4.0 * f32::MIN_POSITIVE;
                    assert!((number - kept).abs() <= bound, "{precision:?}: {number} is {kept}");
                }
            }
        }
    }
}
