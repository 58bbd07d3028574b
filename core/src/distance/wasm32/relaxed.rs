//! The same by the products of relaxed SIMD, which may be any of several instructions. Here all give
//! the same sums: one factor has 7 bits, and no pair of products is beyond 16.

use core::arch::wasm32::{
    f32x4_relaxed_madd, i32x4_add, i32x4_relaxed_dot_i8x16_i7x16_add, i32x4_shl, i32x4_splat,
    u8x16_shr, u8x16_splat, v128, v128_and,
};

/// `sum + a · b` of floats, rounded once or twice.
#[inline]
pub(super) fn multiply_add(sum: v128, a: v128, b: v128) -> v128 {
    f32x4_relaxed_madd(a, b, sum)
}

/// Adds the products of unsigned with signed bytes.
#[inline]
pub(super) fn add_products(sum: v128, code: v128, query: v128) -> v128 {
    let (highest, others) = (u8x16_shr(code, 7), v128_and(code, u8x16_splat(127)));
    let highest = i32x4_relaxed_dot_i8x16_i7x16_add(query, highest, i32x4_splat(0));
    let sum = i32x4_relaxed_dot_i8x16_i7x16_add(query, others, sum);
    i32x4_add(sum, i32x4_shl(highest, 7))
}

/// Adds the products of numbers up to 15 with signed bytes, of two registers each; to a sum for
/// each, so that neither waits for the other.
#[inline]
pub(super) fn add_levels(sums: [v128; 2], levels: [v128; 2], query: [v128; 2]) -> [v128; 2] {
    [
        i32x4_relaxed_dot_i8x16_i7x16_add(query[0], levels[0], sums[0]),
        i32x4_relaxed_dot_i8x16_i7x16_add(query[1], levels[1], sums[1]),
    ]
}

/// Adds the signed bytes whose mask is all ones.
#[inline]
pub(super) fn add_chosen(sum: v128, mask: v128, query: v128) -> v128 {
    i32x4_relaxed_dot_i8x16_i7x16_add(query, v128_and(mask, u8x16_splat(1)), sum)
}
