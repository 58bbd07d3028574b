//! Which of many candidates a row links to.

use super::super::{Neighbour, Vectors};
use alloc::vec::Vec;

/// `kept` and more of `candidates`, which are sorted nearest first, up to `count` in all: one that is
/// nearer to a chosen one than to the base is left out, as the way over that one is short
/// (Algorithm 4, without `keepPrunedConnections`).
pub(super) fn diverse(
    kept: Vec<u32>,
    candidates: &[Neighbour],
    count: usize,
    vectors: &Vectors,
) -> Vec<u32> {
    const AT_ONCE: usize = 4;
    let mut chosen = kept;
    let mut distances = Vec::with_capacity(AT_ONCE);
    for candidate in candidates {
        if chosen.len() == count {
            break;
        }
        if chosen.contains(&candidate.slot) {
            continue;
        }
        let query = vectors.coded(candidate.slot);
        let mut covers = |others: &[u32]| {
            distances.clear();
            vectors.score(&query, others, &mut distances);
            distances.iter().any(|distance| *distance < candidate.distance)
        };
        if !chosen.chunks(AT_ONCE).any(&mut covers) {
            chosen.push(candidate.slot);
        }
    }
    chosen
}

/// The neighbours that `others` are to `slot`, nearest first.
pub(super) fn about(slot: u32, others: &[u32], vectors: &Vectors) -> Vec<Neighbour> {
    let mut distances = Vec::with_capacity(others.len());
    vectors.prefetch(others);
    vectors.score(&vectors.coded(slot), others, &mut distances);
    let pairs = others.iter().zip(distances);
    let mut neighbours: Vec<_> =
        pairs.map(|(slot, distance)| Neighbour { distance, slot: *slot }).collect();
    neighbours.sort_unstable();
    neighbours
}
