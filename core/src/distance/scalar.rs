//! The kernels in portable Rust: the specification, and the code for every machine without a file
//! of its own. Sums run in lanes, which compilers turn into whatever vectors the target has.

use super::table::kernel_table;
use half::f16;

kernel_table!("scalar");

/// `Σ aᵢ·bᵢ`
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum_in_lanes::<16>(a, b, |sum, a, b| sum + a * b)
}

/// `Σ (aᵢ − bᵢ)²`
pub(super) fn l2_squared(a: &[f32], b: &[f32]) -> f32 {
    sum_in_lanes::<16>(a, b, |sum, a, b| sum + (a - b) * (a - b))
}

/// See [`Kernels::dot_f16`](super::Kernels::dot_f16).
pub(super) fn dot_f16(code: &[u8], query: &[f32]) -> f32 {
    let (code, _) = code.as_chunks::<2>();
    let products = code.iter().zip(query).map(|(a, b)| f16::from_le_bytes(*a).to_f32() * b);
    products.sum()
}

/// See [`Kernels::dot_u8`](super::Kernels::dot_u8); at most
/// [`DIM_MAX`](crate::limits::DIM_MAX) products of 2¹⁵ fit.
#[inline(always)]
pub(super) fn dot_u8(code: &[u8], query: &[i8]) -> i32 {
    code.iter().zip(query).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
}

/// See [`Kernels::dot_u4`](super::Kernels::dot_u4).
#[inline(always)]
pub(super) fn dot_u4(code: &[u8], query: &[i8]) -> i32 {
    let (first, second) = query.split_at(code.len());
    let low = code.iter().zip(first).map(|(a, b)| i32::from(a & 15) * i32::from(*b));
    let high = code.iter().zip(second).map(|(a, b)| i32::from(a >> 4) * i32::from(*b));
    low.sum::<i32>() + high.sum::<i32>()
}

/// See [`Kernels::dot_u1`](super::Kernels::dot_u1).
pub(super) fn dot_u1(code: &[u8], query: &[i8]) -> i32 {
    let (query, _) = query.as_chunks::<8>();
    let bytes = code.iter().zip(query).map(|(byte, query)| {
        let bits = (0..8).map(|bit| i32::from(byte >> bit & 1));
        bits.zip(query).map(|(bit, number)| bit * i32::from(*number)).sum::<i32>()
    });
    bytes.sum()
}

/// Folds pairs with `add` in `LANES` independent sums, the rest in 8 and then in one.
#[inline(always)]
pub(super) fn sum_in_lanes<const LANES: usize>(
    a: &[f32],
    b: &[f32],
    add: impl Fn(f32, f32, f32) -> f32 + Copy,
) -> f32 {
    debug_assert_eq!(a.len(), b.len());
    let (a_wide, a) = a.as_chunks::<LANES>();
    let (b_wide, b) = b.as_chunks::<LANES>();
    let (a_narrow, a) = a.as_chunks::<8>();
    let (b_narrow, b) = b.as_chunks::<8>();
    let rest = a.iter().zip(b).fold(0.0, |sum, (a, b)| add(sum, *a, *b));
    sum_chunks(a_wide, b_wide, add) + sum_chunks(a_narrow, b_narrow, add) + rest
}

#[inline(always)]
fn sum_chunks<const LANES: usize>(
    a: &[[f32; LANES]],
    b: &[[f32; LANES]],
    add: impl Fn(f32, f32, f32) -> f32,
) -> f32 {
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] = add(sums[lane], a[lane], b[lane]);
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    sums[0]
}
