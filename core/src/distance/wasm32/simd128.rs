//! What every engine has.

use core::arch::wasm32::{
    f32x4_add, f32x4_mul, i16x8_add, i16x8_extadd_pairwise_i8x16, i16x8_extend_high_i8x16,
    i16x8_extend_high_u8x16, i16x8_extend_low_i8x16, i16x8_extend_low_u8x16,
    i16x8_extmul_high_i8x16, i16x8_extmul_low_i8x16, i32x4_add, i32x4_dot_i16x8,
    i32x4_extadd_pairwise_i16x8, v128, v128_and,
};

/// `sum + a · b` of floats.
#[inline]
pub(super) fn multiply_add(sum: v128, a: v128, b: v128) -> v128 {
    f32x4_add(sum, f32x4_mul(a, b))
}

/// Adds the products of unsigned with signed bytes.
#[inline]
pub(super) fn add_products(sum: v128, code: v128, query: v128) -> v128 {
    let low = i32x4_dot_i16x8(i16x8_extend_low_u8x16(code), i16x8_extend_low_i8x16(query));
    let high = i32x4_dot_i16x8(i16x8_extend_high_u8x16(code), i16x8_extend_high_i8x16(query));
    i32x4_add(sum, i32x4_add(low, high))
}

/// Adds the products of numbers up to 15 with signed bytes, of two registers each.
#[inline]
pub(super) fn add_levels(sums: [v128; 2], levels: [v128; 2], query: [v128; 2]) -> [v128; 2] {
    let products = |levels, query| {
        i16x8_add(i16x8_extmul_low_i8x16(levels, query), i16x8_extmul_high_i8x16(levels, query))
    };
    // Four products are at most 4 · 15 · 128.
    let fours = i16x8_add(products(levels[0], query[0]), products(levels[1], query[1]));
    [i32x4_add(sums[0], i32x4_extadd_pairwise_i16x8(fours)), sums[1]]
}

/// Adds the signed bytes whose mask is all ones.
#[inline]
pub(super) fn add_chosen(sum: v128, mask: v128, query: v128) -> v128 {
    let pairs = i16x8_extadd_pairwise_i8x16(v128_and(mask, query));
    i32x4_add(sum, i32x4_extadd_pairwise_i16x8(pairs))
}
