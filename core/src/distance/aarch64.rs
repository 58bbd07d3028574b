//! The kernels for NEON, which every aarch64 with registers for numbers has.
//!
//! The byte products of `dotprod` wait for their intrinsics to be stable (rust-lang/rust#117224).

use super::{
    scalar,
    spread::{OWN_BIT, SPREAD},
    table::kernel_table,
    turns::fold_in_turns,
};
use core::arch::aarch64::{
    float32x4_t, int8x16_t, int16x8_t, int32x4_t, uint8x16_t, vaddq_f32, vaddq_s32, vaddvq_f32,
    vaddvq_s32, vandq_s8, vandq_u8, vcvt_f32_f16, vcvt_high_f32_f16, vdupq_n_f32, vdupq_n_s16,
    vdupq_n_s32, vdupq_n_u8, vfmaq_f32, vget_low_f16, vget_low_s8, vget_low_s16, vget_low_u8,
    vld1q_f32, vld1q_s8, vld1q_u8, vmlal_high_s8, vmlal_high_s16, vmlal_s16, vmovl_high_s8,
    vmovl_high_u8, vmovl_s8, vmovl_u8, vmull_s8, vpadalq_s8, vpadalq_s16, vqtbl1q_u8,
    vreinterpretq_f16_u8, vreinterpretq_s8_u8, vreinterpretq_s16_u16, vshrq_n_u8, vsubq_f32,
    vtstq_u8,
};

kernel_table!("neon", "neon");

/// Numbers of a register of floats, and of one of bytes.
const FLOATS: usize = 4;
const BYTES: usize = 16;

#[target_feature(enable = "neon")]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    fold(a, b, |sum, a, b| vfmaq_f32(sum, a, b))
}

#[target_feature(enable = "neon")]
fn l2_squared(a: &[f32], b: &[f32]) -> f32 {
    fold(a, b, |sum, a, b| {
        let difference = vsubq_f32(a, b);
        vfmaq_f32(sum, difference, difference)
    })
}

/// Folds pairs with `add`, to which two zeros must add nothing, in as many independent sums as hide
/// how long a product takes.
#[inline]
#[target_feature(enable = "neon")]
fn fold(
    a: &[f32],
    b: &[f32],
    add: impl Fn(float32x4_t, float32x4_t, float32x4_t) -> float32x4_t,
) -> f32 {
    const SUMS: usize = 8;
    debug_assert_eq!(a.len(), b.len());
    let (a, a_rest) = a.as_chunks::<FLOATS>();
    let (b, b_rest) = b.as_chunks::<FLOATS>();
    let sums = [vdupq_n_f32(0.0); SUMS];
    let mut sums = fold_in_turns(sums, a, b, |sum, a, b| add(sum, load_floats(a), load_floats(b)));
    sums[SUMS - 1] =
        add(sums[SUMS - 1], load_floats(&padded(a_rest)), load_floats(&padded(b_rest)));
    sum_of_floats(&sums)
}

#[target_feature(enable = "neon")]
fn dot_f16(code: &[u8], query: &[f32]) -> f32 {
    const HALVES: usize = BYTES / 2;
    let (wide, rest) = code.as_chunks::<BYTES>();
    let (query_wide, query_rest) = query.as_chunks::<HALVES>();
    let sums = [[vdupq_n_f32(0.0); 2]; 4];
    let sums = fold_in_turns(sums, wide, query_wide, |sums, code, query| {
        let halves = vreinterpretq_f16_u8(load_unsigned(code));
        let (first, second) = (vcvt_f32_f16(vget_low_f16(halves)), vcvt_high_f32_f16(halves));
        let (query, _) = query.as_chunks::<FLOATS>();
        [
            vfmaq_f32(sums[0], first, load_floats(&query[0])),
            vfmaq_f32(sums[1], second, load_floats(&query[1])),
        ]
    });
    sum_of_floats(sums.as_flattened()) + scalar::dot_f16(rest, query_rest)
}

#[inline]
#[target_feature(enable = "neon")]
fn dot_u8(code: &[u8], query: &[i8]) -> i32 {
    let mut sums = [vdupq_n_s32(0); 4];
    let (code, _) = code.as_chunks::<BYTES>();
    let (query, _) = query.as_chunks::<BYTES>();
    for (code, query) in code.iter().zip(query) {
        let (code, query) = (load_unsigned(code), load(query));
        let widened = |code| vreinterpretq_s16_u16(code);
        let first = (widened(vmovl_u8(vget_low_u8(code))), vmovl_s8(vget_low_s8(query)));
        let second = (widened(vmovl_high_u8(code)), vmovl_high_s8(query));
        sums[0] = vmlal_s16(sums[0], vget_low_s16(first.0), vget_low_s16(first.1));
        sums[1] = vmlal_high_s16(sums[1], first.0, first.1);
        sums[2] = vmlal_s16(sums[2], vget_low_s16(second.0), vget_low_s16(second.1));
        sums[3] = vmlal_high_s16(sums[3], second.0, second.1);
    }
    sum_of(sums)
}

#[inline]
#[target_feature(enable = "neon")]
fn dot_u4(code: &[u8], query: &[i8]) -> i32 {
    let low = vdupq_n_u8(15);
    let (first, second) = query.split_at(code.len());
    let (code, _) = code.as_chunks::<BYTES>();
    let (first, _) = first.as_chunks::<BYTES>();
    let (second, _) = second.as_chunks::<BYTES>();
    let mut sums = [vdupq_n_s32(0); 2];
    for ((code, first), second) in code.iter().zip(first).zip(second) {
        let code = load_unsigned(code);
        let levels =
            [vandq_u8(code, low), vshrq_n_u8::<4>(code)].map(|half| vreinterpretq_s8_u8(half));
        // Pairs of products are at most 2 · 15 · 128.
        sums[0] = vpadalq_s16(sums[0], products(levels[0], load(first)));
        sums[1] = vpadalq_s16(sums[1], products(levels[1], load(second)));
    }
    sum_of(sums)
}

/// Pairwise sums of products, which must fit.
#[inline]
#[target_feature(enable = "neon")]
fn products(a: int8x16_t, b: int8x16_t) -> int16x8_t {
    vmlal_high_s8(vmull_s8(vget_low_s8(a), vget_low_s8(b)), a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn dot_u1(code: &[u8], query: &[i8]) -> i32 {
    let (spread, own_bit) = (SPREAD.map(|bytes| load_unsigned(&bytes)), load_unsigned(&OWN_BIT));
    let mut sum = vdupq_n_s32(0);
    let (code, _) = code.as_chunks::<BYTES>();
    let (query, _) = query.as_chunks::<{ 8 * BYTES }>();
    for (code, query) in code.iter().zip(query) {
        let code = load_unsigned(code);
        let (query, _) = query.as_chunks::<BYTES>();
        // Eight pairs are at most 8 · 2 · 128.
        let mut pairs = vdupq_n_s16(0);
        for (spread, query) in spread.iter().zip(query) {
            let is_set = vtstq_u8(vqtbl1q_u8(code, *spread), own_bit);
            pairs = vpadalq_s8(pairs, vandq_s8(vreinterpretq_s8_u8(is_set), load(query)));
        }
        sum = vpadalq_s16(sum, pairs);
    }
    vaddvq_s32(sum)
}

/// Less than a register of numbers, zeros beyond.
fn padded(rest: &[f32]) -> [f32; FLOATS] {
    core::array::from_fn(|lane| rest.get(lane).copied().unwrap_or(0.0))
}

#[inline]
#[target_feature(enable = "neon")]
fn load_floats(numbers: &[f32; FLOATS]) -> float32x4_t {
    // SAFETY: the array is as long as what is read.
    unsafe { vld1q_f32(numbers.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load(numbers: &[i8; BYTES]) -> int8x16_t {
    // SAFETY: the array is as long as what is read.
    unsafe { vld1q_s8(numbers.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load_unsigned(bytes: &[u8; BYTES]) -> uint8x16_t {
    // SAFETY: the array is as long as what is read.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn sum_of_floats(sums: &[float32x4_t]) -> f32 {
    vaddvq_f32(sums.iter().fold(vdupq_n_f32(0.0), |sum, part| vaddq_f32(sum, *part)))
}

#[inline]
#[target_feature(enable = "neon")]
fn sum_of<const SUMS: usize>(sums: [int32x4_t; SUMS]) -> i32 {
    vaddvq_s32(sums.into_iter().fold(vdupq_n_s32(0), |sum, part| vaddq_s32(sum, part)))
}
