//! The kernels under every metric: dot product and squared Euclidean distance of `f32` vectors, dot
//! product of 8-bit codes.
//!
//! `scalar` is the specification; the machine's folder-mate repeats its names with wider registers.
//! With `std` the kernels are chosen when first used, without it when compiled.

mod scalar;
#[cfg(all(target_arch = "x86_64", feature = "std"))]
mod x86_64;

/// One set of kernels. Both take slices of equal length.
#[derive(Clone, Copy)]
pub(crate) struct Kernels {
    /// `Σ aᵢ·bᵢ`
    pub(crate) dot: fn(&[f32], &[f32]) -> f32,
    /// `Σ (aᵢ − bᵢ)²`
    pub(crate) l2_squared: fn(&[f32], &[f32]) -> f32,
    /// `Σ aᵢ·bᵢ` of 8-bit codes
    pub(crate) dot_codes: fn(&[i8], &[i8]) -> i32,
}

impl Kernels {
    /// The fastest kernels this machine has.
    pub(crate) fn best() -> Self {
        #[cfg(all(target_arch = "x86_64", feature = "std"))]
        if let Some(kernels) = x86_64::kernels() {
            return kernels;
        }
        Self { dot: scalar::dot, l2_squared: scalar::l2_squared, dot_codes: scalar::dot_codes }
    }
}

/// Asks for the beginning of `codes` to be brought near, where the machine can be asked; the rest
/// follows by itself once it is read in order.
#[inline]
pub(crate) fn prefetch(codes: &[i8]) {
    #[cfg(target_arch = "x86_64")]
    x86_64_prefetch(codes);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = codes;
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn x86_64_prefetch(codes: &[i8]) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    const LINE_BYTES: usize = 64;
    const LINES: usize = 8;
    for line in codes.chunks(LINE_BYTES).take(LINES) {
        // SAFETY: prefetching has no effect but on caches, and SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
}

/// `Σ aᵢ·bᵢ` by the specification kernel, the same on every machine: for checks that must agree.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    scalar::dot(a, b)
}

#[cfg(test)]
mod tests {
    use super::{Kernels, scalar};
    use alloc::vec::Vec;

    /// Numbers from −1 to 1 out of a linear congruential generator.
    fn numbers(seed: u64, count: usize) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn every_kernel_agrees_with_plain_arithmetic_on_every_length() {
        let best = Kernels::best();
        for length in (0..200).chain([255, 256, 257, 384, 768, 1_000, 1_536]) {
            let (a, b) = (numbers(length as u64, length), numbers(!(length as u64), length));
            let pairs = || a.iter().zip(&b).map(|(a, b)| (f64::from(*a), f64::from(*b)));
            let dot: f64 = pairs().map(|(a, b)| a * b).sum();
            let l2: f64 = pairs().map(|(a, b)| (a - b) * (a - b)).sum();
            let close = |found: f32, expected: f64| {
                let tolerance = 1e-5 * (1.0 + length as f64);
                assert!((f64::from(found) - expected).abs() < tolerance, "length {length}");
            };
            close(scalar::dot(&a, &b), dot);
            close((best.dot)(&a, &b), dot);
            close(scalar::l2_squared(&a, &b), l2);
            close((best.l2_squared)(&a, &b), l2);
            let codes = |numbers: &[f32]| -> Vec<i8> {
                #[expect(clippy::cast_possible_truncation)]
                numbers.iter().map(|number| (number * 128.0) as i8).collect()
            };
            let (a, b) = (codes(&a), codes(&b));
            let products = a.iter().zip(&b).map(|(a, b)| i32::from(*a) * i32::from(*b));
            let expected: i32 = products.sum();
            assert_eq!((best.dot_codes)(&a, &b), expected, "length {length}");
            assert_eq!(scalar::dot_codes(&a, &b), expected, "length {length}");
        }
    }
}
