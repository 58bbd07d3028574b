//! The candidates of a walk in one sorted array: for the few hundred that a walk keeps, moving
//! them is cheaper than two heaps (as in NSG, Fu et al. 2019).

use super::super::Neighbour;
use alloc::vec::Vec;

/// Stands in a slot whose links were followed; slots have 31 bits.
const FOLLOWED: u32 = 1 << 31;

/// The nearest candidates so far, nearest first, and which of them were followed.
#[derive(Debug)]
pub(super) struct Pool {
    limit: usize,
    candidates: Vec<Neighbour>,
    /// All before it were followed.
    next: usize,
}

impl Pool {
    /// Room for `limit` candidates.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, candidates: Vec::with_capacity(limit + 1), next: 0 }
    }

    /// Adds a candidate that was not offered before; false when it is not near enough.
    #[inline]
    pub(super) fn offer(&mut self, candidate: Neighbour) -> bool {
        if self.candidates.len() == self.limit {
            match self.candidates.last() {
                Some(last) if candidate.distance < last.distance => self.candidates.pop(),
                _ => return false,
            };
        }
        let nearer = |other: &Neighbour| other.distance <= candidate.distance;
        let place = self.candidates.partition_point(nearer);
        self.candidates.insert(place, candidate);
        self.next = self.next.min(place);
        true
    }

    /// The nearest candidate not followed yet, which counts as followed from now on.
    #[inline]
    pub(super) fn follow(&mut self) -> Option<u32> {
        let rest = self.candidates.get_mut(self.next..)?;
        let ahead = rest.iter().position(|candidate| candidate.slot & FOLLOWED == 0)?;
        let candidate = &mut rest[ahead];
        let slot = candidate.slot;
        candidate.slot |= FOLLOWED;
        self.next += ahead + 1;
        Some(slot)
    }

    /// The candidate that would be followed next.
    #[inline]
    pub(super) fn peek(&self) -> Option<u32> {
        let rest = self.candidates.get(self.next..)?;
        let next = rest.iter().find(|candidate| candidate.slot & FOLLOWED == 0)?;
        Some(next.slot)
    }

    /// The candidates, nearest first.
    pub(super) fn into_sorted(mut self) -> Vec<Neighbour> {
        self.candidates.iter_mut().for_each(|candidate| candidate.slot &= !FOLLOWED);
        self.candidates
    }
}
