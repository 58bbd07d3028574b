//! The kernels for x86-64: AVX-512 with VNNI, AVX2 with FMA, chosen by what the processor has.

mod avx2;
mod avx512;

use super::Kernels;

/// The widest kernels of this processor.
pub(super) fn kernels() -> Kernels {
    if avx512::is_available() {
        return avx512::KERNELS;
    }
    if avx2::is_available() {
        return avx2::KERNELS;
    }
    Kernels::SCALAR
}

/// All sets of kernels this processor can run.
#[cfg(test)]
pub(super) fn available() -> alloc::vec::Vec<Kernels> {
    let sets = [(avx512::is_available(), avx512::KERNELS), (avx2::is_available(), avx2::KERNELS)];
    sets.into_iter().filter_map(|(available, kernels)| available.then_some(kernels)).collect()
}

/// A set of kernels out of functions that need some features: for each a plain function that may
/// stand in a table because the table is only handed out when the processor has the features.
macro_rules! kernel_table {
    ($features:literal) => {
        use super::super::{CodedQuery, Kernels, score::score_rows};
        use crate::arena::Arena;
        use alloc::vec::Vec;

        pub(super) const KERNELS: Kernels = Kernels {
            dot: |a, b| {
                // SAFETY: this table is handed out only where the features are there.
                unsafe { dot(a, b) }
            },
            l2_squared: |a, b| {
                // SAFETY: as above.
                unsafe { l2_squared(a, b) }
            },
            dot_f16: |code, query| {
                // SAFETY: as above.
                unsafe { dot_f16(code, query) }
            },
            dot_u8: |code, query| {
                // SAFETY: as above.
                unsafe { dot_u8(code, query) }
            },
            dot_u4: |code, query| {
                // SAFETY: as above.
                unsafe { dot_u4(code, query) }
            },
            dot_u1: |code, query| {
                // SAFETY: as above.
                unsafe { dot_u1(code, query) }
            },
            score_f16: |rows, slots, query, out| {
                // SAFETY: as above.
                unsafe { score_f16(rows, slots, query, out) }
            },
            score_u8: |rows, slots, query, out| {
                // SAFETY: as above.
                unsafe { score_u8(rows, slots, query, out) }
            },
            score_u4: |rows, slots, query, out| {
                // SAFETY: as above.
                unsafe { score_u4(rows, slots, query, out) }
            },
            score_u1: |rows, slots, query, out| {
                // SAFETY: as above.
                unsafe { score_u1(rows, slots, query, out) }
            },
        };

        #[target_feature(enable = $features)]
        fn score_f16(rows: &Arena<u8>, slots: &[u32], query: &CodedQuery, out: &mut Vec<f32>) {
            score_rows(rows, slots, query, out, |code| dot_f16(code, &query.floats));
        }

        #[target_feature(enable = $features)]
        fn score_u8(rows: &Arena<u8>, slots: &[u32], query: &CodedQuery, out: &mut Vec<f32>) {
            score_rows(rows, slots, query, out, |code| dot_u8(code, &query.numbers) as f32);
        }

        #[target_feature(enable = $features)]
        fn score_u4(rows: &Arena<u8>, slots: &[u32], query: &CodedQuery, out: &mut Vec<f32>) {
            score_rows(rows, slots, query, out, |code| dot_u4(code, &query.numbers) as f32);
        }

        #[target_feature(enable = $features)]
        fn score_u1(rows: &Arena<u8>, slots: &[u32], query: &CodedQuery, out: &mut Vec<f32>) {
            score_rows(rows, slots, query, out, |code| dot_u1(code, &query.numbers) as f32);
        }
    };
}
use kernel_table;
