//! The kernels under every metric: products of `f32` vectors, and of a query with the codes that
//! stand for vectors.
//!
//! `scalar` is the specification; the machine's folder-mates repeat its names with wider registers.
//! On x86-64 with `std` the kernels are chosen when first used, elsewhere when compiled.

#[cfg(feature = "bench-internals")]
pub mod bench;
mod scalar;
mod score;
#[cfg(any(
    all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"),
    all(target_arch = "wasm32", target_feature = "simd128")
))]
mod spread;
mod table;
mod turns;

#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
mod aarch64;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm32;
#[cfg(all(target_arch = "x86_64", feature = "std"))]
mod x86_64;

use crate::planted::{self, Plant};
use score::ScoreCodes;
pub(crate) use score::{CodeTerms, CodedQuery, TERMS_BYTES};

/// Codes are padded to a multiple of so many bytes, the narrowest register there is, so that
/// kernels have no single numbers left over.
pub(crate) const CODE_ALIGN: usize = 16;

/// One set of kernels.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "single code kernels are what the others are tested by")
)]
pub(crate) struct Kernels {
    /// The instructions they are made of.
    pub(crate) name: &'static str,
    /// `Σ aᵢ·bᵢ` of slices of equal length.
    pub(crate) dot: fn(&[f32], &[f32]) -> f32,
    /// `Σ (aᵢ − bᵢ)²` of slices of equal length.
    pub(crate) l2_squared: fn(&[f32], &[f32]) -> f32,
    /// `Σ cᵢ·qᵢ`; two bytes a number, little-endian IEEE 754 half precision.
    pub(crate) dot_f16: fn(&[u8], &[f32]) -> f32,
    /// `Σ cᵢ·qᵢ`; a byte a number, unsigned.
    pub(crate) dot_u8: fn(&[u8], &[i8]) -> i32,
    /// `Σ cᵢ·qᵢ`; numbers `0..16`, two in a byte: the lower half of byte `i` is number `i`, its
    /// upper half number `i + len`. The query has `2·len` numbers.
    pub(crate) dot_u4: fn(&[u8], &[i8]) -> i32,
    /// `Σ cᵢ·qᵢ`; numbers 0 and 1, eight in a byte, the lowest bit first. The query has `8·len`
    /// numbers.
    pub(crate) dot_u1: fn(&[u8], &[i8]) -> i32,
    /// The distances of many rows at once, by each of the four code kernels.
    pub(crate) score_f16: ScoreCodes,
    pub(crate) score_u8: ScoreCodes,
    pub(crate) score_u4: ScoreCodes,
    pub(crate) score_u1: ScoreCodes,
}

impl Kernels {
    /// The specification.
    #[cfg(test)]
    pub(crate) const SCALAR: Self = scalar::KERNELS;

    /// The fastest kernels this machine has.
    pub(crate) fn best() -> Self {
        if planted::is(Plant::ScalarKernels) {
            return scalar::KERNELS;
        }
        if planted::is(Plant::KernelWithoutTail) {
            let dot: fn(&[f32], &[f32]) -> f32 = |a, b| {
                let whole = a.len() - a.len() % 8;
                scalar::dot(&a[..whole], &b[..whole])
            };
            return Self { dot, ..scalar::KERNELS };
        }
        Self::of_machine().next().unwrap_or(scalar::KERNELS)
    }

    /// Every set of kernels besides the specification that this machine can run, the fastest first.
    fn of_machine() -> impl Iterator<Item = Self> {
        cfg_select! {
            all(target_arch = "x86_64", feature = "std") => x86_64::sets(),
            all(target_arch = "aarch64", target_feature = "neon", target_endian = "little") => {
                [aarch64::KERNELS].into_iter()
            }
            all(target_arch = "wasm32", target_feature = "simd128") => {
                [wasm32::KERNELS].into_iter()
            }
            _ => core::iter::empty(),
        }
    }
}

/// Whether what is asked for comes near while other work goes on. WebAssembly asks by reading, and
/// no instruction after a read is finished before it: there, asking for what may not be needed
/// costs more than it saves.
pub(crate) const PREFETCH_IS_ASIDE: bool = !cfg!(target_arch = "wasm32");

/// Asks for the beginning of a row to be brought near, where the machine can be asked; the rest
/// follows by itself once it is read in order.
#[inline(always)]
pub(crate) fn prefetch<T>(row: &[T]) {
    const LINE_BYTES: usize = 64;
    const LINES: usize = 8;
    let start = row.as_ptr().cast::<i8>();
    let bytes = size_of_val(row).min(LINES * LINE_BYTES);
    for offset in (0..bytes).step_by(LINE_BYTES) {
        let line = start.wrapping_add(offset);
        #[cfg(target_arch = "x86_64")]
        // SAFETY: prefetching has no effect but on caches, and SSE is part of x86-64.
        unsafe {
            use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(line);
        };
        // WebAssembly has no way to ask but to read. Nothing waits for what is read, and so all
        // lines are on their way at once.
        #[cfg(target_arch = "wasm32")]
        // SAFETY: the line begins within the row.
        let _ = unsafe { line.read_volatile() };
        #[cfg(not(any(target_arch = "x86_64", target_arch = "wasm32")))]
        let _ = line;
    }
}

/// Asks for all of a row that is going to be read as a whole.
#[inline(always)]
pub(crate) fn prefetch_all<T>(row: &[T]) {
    const BYTES: usize = 512;
    row.chunks(BYTES / size_of::<T>()).for_each(prefetch);
}

/// `Σ aᵢ·bᵢ` by the specification kernel, the same on every machine: for checks that must agree.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    scalar::dot(a, b)
}

#[cfg(test)]
mod tests;
