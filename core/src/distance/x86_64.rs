//! The kernels for x86-64: the scalar ones compiled for AVX-512 and for AVX2 with FMA, chosen by
//! what the processor has.

use super::{
    Kernels,
    scalar::{self, sum_in_lanes},
};

/// The widest kernels of this processor, or `None` when it has neither AVX-512 nor AVX2 with FMA.
pub(super) fn kernels() -> Option<Kernels> {
    if std::is_x86_feature_detected!("avx512f") && std::is_x86_feature_detected!("avx512bw") {
        return Some(Kernels {
            dot: dot_avx512_checked,
            l2_squared: l2_squared_avx512_checked,
            dot_codes: dot_codes_avx512_checked,
        });
    }
    if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
        return Some(Kernels {
            dot: dot_avx2_checked,
            l2_squared: l2_squared_avx2_checked,
            dot_codes: dot_codes_avx2_checked,
        });
    }
    None
}

/// A kernel for some features, and a plain function that may stand in a table because the table
/// is only handed out when the processor has them.
macro_rules! kernel {
    ($name:ident, $checked:ident, $features:literal, $number:ty => $sum:ty, $body:expr) => {
        #[target_feature(enable = $features)]
        fn $name(a: &[$number], b: &[$number]) -> $sum {
            $body(a, b)
        }

        fn $checked(a: &[$number], b: &[$number]) -> $sum {
            // SAFETY: `kernels` hands this function out only after it detected the features.
            unsafe { $name(a, b) }
        }
    };
}

#[inline(always)]
fn dot<const LANES: usize>(a: &[f32], b: &[f32]) -> f32 {
    sum_in_lanes::<LANES>(a, b, |sum, a, b| f32::mul_add(a, b, sum))
}

#[inline(always)]
fn l2_squared<const LANES: usize>(a: &[f32], b: &[f32]) -> f32 {
    sum_in_lanes::<LANES>(a, b, |sum, a, b| f32::mul_add(a - b, a - b, sum))
}

kernel!(dot_avx512, dot_avx512_checked, "avx512f", f32 => f32, dot::<64>);
kernel!(dot_avx2, dot_avx2_checked, "avx2,fma", f32 => f32, dot::<32>);
kernel!(l2_squared_avx512, l2_squared_avx512_checked, "avx512f", f32 => f32, l2_squared::<64>);
kernel!(l2_squared_avx2, l2_squared_avx2_checked, "avx2,fma", f32 => f32, l2_squared::<32>);
kernel!(
    dot_codes_avx512, dot_codes_avx512_checked, "avx512f,avx512bw", i8 => i32, scalar::dot_codes
);
kernel!(dot_codes_avx2, dot_codes_avx2_checked, "avx2", i8 => i32, scalar::dot_codes);
