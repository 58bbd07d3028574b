//! Which of many candidates a row links to.

use super::super::{Neighbour, Vectors};
use alloc::vec::Vec;

/// At most `count` of `candidates`, which are sorted nearest first: one that is nearer to a chosen
/// one than to the base is left out, as the way over that one is short (Algorithm 4, without
/// `keepPrunedConnections`).
pub(super) fn diverse(candidates: &[Neighbour], count: usize, vectors: &Vectors) -> Vec<u32> {
    let mut chosen: Vec<u32> = Vec::with_capacity(count);
    for candidate in candidates {
        if chosen.len() == count {
            break;
        }
        let covered = chosen
            .iter()
            .any(|other| vectors.about_between(*other, candidate.slot) < candidate.distance);
        if !covered {
            chosen.push(candidate.slot);
        }
    }
    chosen
}
