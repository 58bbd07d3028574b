//! Tables of kernels out of the functions of a module that bear the names of the specification.

/// `KERNELS`, by a name: out of functions that any code may call, or out of functions that need
/// some features of the machine. For each of those there is a plain function, which may stand in a
/// table because the table is only handed out where the features are there.
macro_rules! kernel_table {
    ($name:literal) => {
        use alloc::vec::Vec;
        use $crate::{
            arena::Arena,
            distance::{CodedQuery, Kernels, score::score_rows},
        };

        pub(in crate::distance) const KERNELS: Kernels = Kernels {
            name: $name,
            dot,
            l2_squared,
            dot_f16,
            dot_u8,
            dot_u4,
            dot_u1,
            score_f16,
            score_u8,
            score_u4,
            score_u1,
        };

        fn score_f16(rows: &Arena<u8>, slots: &[u32], query: &CodedQuery, out: &mut Vec<f32>) {
            score_rows(rows, slots, query, out, |code| dot_f16(code, &query.floats));
        }

        fn score_u8(rows: &Arena<u8>, slots: &[u32], query: &CodedQuery, out: &mut Vec<f32>) {
            score_rows(rows, slots, query, out, |code| dot_u8(code, &query.numbers) as f32);
        }

        fn score_u4(rows: &Arena<u8>, slots: &[u32], query: &CodedQuery, out: &mut Vec<f32>) {
            score_rows(rows, slots, query, out, |code| dot_u4(code, &query.numbers) as f32);
        }

        fn score_u1(rows: &Arena<u8>, slots: &[u32], query: &CodedQuery, out: &mut Vec<f32>) {
            score_rows(rows, slots, query, out, |code| dot_u1(code, &query.numbers) as f32);
        }
    };
    ($name:literal, $features:literal) => {
        use alloc::vec::Vec;
        use $crate::{
            arena::Arena,
            distance::{CodedQuery, Kernels, score::score_rows},
        };

        pub(in crate::distance) const KERNELS: Kernels = Kernels {
            name: $name,
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
pub(in crate::distance) use kernel_table;
