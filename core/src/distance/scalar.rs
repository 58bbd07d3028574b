//! The kernels in portable Rust: the specification, and the code for every machine without a file
//! of its own. Sums run in lanes, which compilers turn into whatever vectors the target has.

/// `Σ aᵢ·bᵢ`
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum_in_lanes::<16>(a, b, |sum, a, b| sum + a * b)
}

/// `Σ (aᵢ − bᵢ)²`
pub(super) fn l2_squared(a: &[f32], b: &[f32]) -> f32 {
    sum_in_lanes::<16>(a, b, |sum, a, b| sum + (a - b) * (a - b))
}

/// `Σ aᵢ·bᵢ`; at most [`DIM_MAX`](crate::limits::DIM_MAX) products of 2¹⁴ fit.
#[inline(always)]
pub(super) fn dot_codes(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
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
