//! The exact order of what was found by codes.

use super::{Nearest, Neighbour, Probe, Vectors};
use crate::Result;
use alloc::vec::Vec;

/// Errors of codes beyond so many standard deviations do not count.
const DEVIATIONS: f32 = 3.0;
/// Candidates compared before the spread of the errors is believed.
const SAMPLE: usize = 10;
/// Vectors asked for ahead of the one being compared.
const AHEAD: usize = 2;

/// Vectors that are asked for first where they rest: most searches need no more.
const EXPECTED: usize = 32;

/// The nearest `limit` of `found`, which is sorted by about distances, by their exact ones. What
/// codes err by is seen on the first; the rest is left alone once even such an error could not
/// bring it in.
pub(crate) fn rescored(
    found: &[Neighbour],
    probe: &Probe,
    vectors: &Vectors,
    limit: usize,
) -> Result<Vec<Neighbour>> {
    let mut nearest = Nearest::new(limit);
    let (mut squares, mut count) = (0.0f32, 0.0f32);
    let mut expected = 0;
    found.iter().take(AHEAD).for_each(|next| vectors.prefetch_full(next.slot));
    for (position, about) in found.iter().enumerate() {
        if position == expected {
            expected = (2 * position).max(EXPECTED);
            let next = found[position..].iter().take(expected - position);
            vectors.expect(next.map(|neighbour| neighbour.slot));
        }
        if position >= limit.max(SAMPLE) {
            let margin = DEVIATIONS * libm::sqrtf(squares / count);
            if about.distance - margin > nearest.worst() {
                break;
            }
        }
        if let Some(later) = found.get(position + AHEAD) {
            vectors.prefetch_full(later.slot);
        }
        let distance = vectors.distance(probe, about.slot)?;
        let error = distance - about.distance;
        squares += error * error;
        count += 1.0;
        nearest.offer(Neighbour { distance, slot: about.slot });
    }
    Ok(nearest.into_sorted())
}
