//! The kernels for simd128, with the products of relaxed SIMD where the target has it.
//!
//! A module with an instruction that its engine does not know is not loaded at all, so both are
//! chosen when it is compiled.

#[cfg(target_feature = "relaxed-simd")]
mod relaxed;
#[cfg(not(target_feature = "relaxed-simd"))]
mod simd128;

#[cfg(target_feature = "relaxed-simd")]
use relaxed::{add_chosen, add_levels, add_products, multiply_add};
#[cfg(not(target_feature = "relaxed-simd"))]
use simd128::{add_chosen, add_levels, add_products, multiply_add};

use super::{
    scalar,
    spread::{OWN_BIT, SPREAD},
    table::kernel_table,
    turns::fold_in_turns,
};
use core::arch::wasm32::{
    f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat, f32x4_sub, i8x16_swizzle, i32x4_add,
    i32x4_extend_high_i16x8, i32x4_extend_low_i16x8, i32x4_extract_lane, i32x4_shl, i32x4_splat,
    u8x16_eq, u8x16_splat, u16x8_shr, v128, v128_and, v128_load,
};

#[cfg(target_feature = "relaxed-simd")]
kernel_table!("relaxed-simd");
#[cfg(not(target_feature = "relaxed-simd"))]
kernel_table!("simd128");

/// Numbers of a register of floats, and of one of bytes.
const FLOATS: usize = 4;
const BYTES: usize = 16;

fn dot(a: &[f32], b: &[f32]) -> f32 {
    fold(a, b, multiply_add)
}

fn l2_squared(a: &[f32], b: &[f32]) -> f32 {
    fold(a, b, |sum, a, b| {
        let difference = f32x4_sub(a, b);
        multiply_add(sum, difference, difference)
    })
}

/// Folds pairs with `add`, to which two zeros must add nothing, in as many independent sums as hide
/// how long a product takes.
#[inline(always)]
fn fold(a: &[f32], b: &[f32], add: impl Fn(v128, v128, v128) -> v128) -> f32 {
    const SUMS: usize = 8;
    debug_assert_eq!(a.len(), b.len());
    let (a, a_rest) = a.as_chunks::<FLOATS>();
    let (b, b_rest) = b.as_chunks::<FLOATS>();
    let sums = [f32x4_splat(0.0); SUMS];
    let mut sums = fold_in_turns(sums, a, b, |sum, a, b| add(sum, load(a), load(b)));
    sums[SUMS - 1] = add(sums[SUMS - 1], load(&padded(a_rest)), load(&padded(b_rest)));
    sum_of_floats(&sums)
}

#[inline]
fn dot_f16(code: &[u8], query: &[f32]) -> f32 {
    const HALVES: usize = BYTES / 2;
    let (wide, rest) = code.as_chunks::<BYTES>();
    let (query_wide, query_rest) = query.as_chunks::<HALVES>();
    let sums = [[f32x4_splat(0.0); 2]; 4];
    let sums = fold_in_turns(sums, wide, query_wide, |sums, code, query| {
        let halves = load(code);
        let (first, second) = (i32x4_extend_low_i16x8(halves), i32x4_extend_high_i16x8(halves));
        let (query, _) = query.as_chunks::<FLOATS>();
        [
            multiply_add(sums[0], floats(first), load(&query[0])),
            multiply_add(sums[1], floats(second), load(&query[1])),
        ]
    });
    sum_of_floats(sums.as_flattened()) + scalar::dot_f16(rest, query_rest)
}

/// What half-precision numbers with their signs extended stand for; they must be finite, as those
/// of codes are.
#[inline]
fn floats(halves: v128) -> v128 {
    /// 2¹¹², by which the exponents of the two formats differ.
    const BIAS: f32 = f32::from_bits((127 + 112) << 23);
    const SIGN_AND_HALF: i32 = 0x8fff_e000_u32.cast_signed();
    let shifted = v128_and(i32x4_shl(halves, 13), i32x4_splat(SIGN_AND_HALF));
    f32x4_mul(shifted, f32x4_splat(BIAS))
}

#[inline]
fn dot_u8(code: &[u8], query: &[i8]) -> i32 {
    let mut sum = i32x4_splat(0);
    let (code, _) = code.as_chunks::<BYTES>();
    let (query, _) = query.as_chunks::<BYTES>();
    for (code, query) in code.iter().zip(query) {
        sum = add_products(sum, load(code), load(query));
    }
    sum_of(sum)
}

#[inline]
fn dot_u4(code: &[u8], query: &[i8]) -> i32 {
    let low = u8x16_splat(15);
    let (first, second) = query.split_at(code.len());
    let (code, _) = code.as_chunks::<BYTES>();
    let (first, _) = first.as_chunks::<BYTES>();
    let (second, _) = second.as_chunks::<BYTES>();
    let mut sums = [i32x4_splat(0); 2];
    for ((code, first), second) in code.iter().zip(first).zip(second) {
        let code = load(code);
        // Of wider lanes, as no x86-64 shifts bytes; the mask is there already.
        let levels = [v128_and(code, low), v128_and(u16x8_shr(code, 4), low)];
        sums = add_levels(sums, levels, [load(first), load(second)]);
    }
    sum_of(i32x4_add(sums[0], sums[1]))
}

#[inline]
fn dot_u1(code: &[u8], query: &[i8]) -> i32 {
    let own_bit = load(&OWN_BIT);
    let mut sum = i32x4_splat(0);
    let (code, _) = code.as_chunks::<BYTES>();
    let (query, _) = query.as_chunks::<{ 8 * BYTES }>();
    for (code, query) in code.iter().zip(query) {
        let code = load(code);
        let (query, _) = query.as_chunks::<BYTES>();
        for (spread, query) in SPREAD.iter().zip(query) {
            let bits = v128_and(i8x16_swizzle(code, load(spread)), own_bit);
            sum = add_chosen(sum, u8x16_eq(bits, own_bit), load(query));
        }
    }
    sum_of(sum)
}

/// Less than a register of numbers, zeros beyond.
fn padded(rest: &[f32]) -> [f32; FLOATS] {
    core::array::from_fn(|lane| rest.get(lane).copied().unwrap_or(0.0))
}

#[inline]
fn load<T, const LENGTH: usize>(numbers: &[T; LENGTH]) -> v128 {
    const { assert!(size_of::<[T; LENGTH]>() == BYTES) };
    // SAFETY: the array is as long as what is read, and wasm reads at any alignment.
    unsafe { v128_load(numbers.as_ptr().cast()) }
}

#[inline]
fn sum_of_floats(sums: &[v128]) -> f32 {
    let sum = sums.iter().fold(f32x4_splat(0.0), |sum, part| f32x4_add(sum, *part));
    f32x4_extract_lane::<0>(sum)
        + f32x4_extract_lane::<1>(sum)
        + f32x4_extract_lane::<2>(sum)
        + f32x4_extract_lane::<3>(sum)
}

#[inline]
fn sum_of(sum: v128) -> i32 {
    i32x4_extract_lane::<0>(sum)
        + i32x4_extract_lane::<1>(sum)
        + i32x4_extract_lane::<2>(sum)
        + i32x4_extract_lane::<3>(sum)
}
