//! Sums that take turns.

/// Folds pairs into sums that take turns, so that none waits for the addition before; as many as
/// hide how long an addition takes. Inlined, so that `add` may use what its place has.
#[allow(dead_code, reason = "the specification does without")]
#[inline(always)]
pub(super) fn fold_in_turns<S: Copy, A, B, const SUMS: usize>(
    mut sums: [S; SUMS],
    a: &[A],
    b: &[B],
    add: impl Fn(S, &A, &B) -> S,
) -> [S; SUMS] {
    let (a_wide, a) = a.as_chunks::<SUMS>();
    let (b_wide, b) = b.as_chunks::<SUMS>();
    for (a, b) in a_wide.iter().zip(b_wide) {
        // Indices known when compiled keep the sums in registers.
        for turn in 0..SUMS {
            sums[turn] = add(sums[turn], &a[turn], &b[turn]);
        }
    }
    for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
        *sum = add(*sum, a, b);
    }
    sums
}
