//! The exact scan: every allowed vector is compared.

use super::{
    Allowed, Change, Found, Nearest, Neighbour, Plan, Probe, Search, Section, VectorIndex, Vectors,
};
use crate::Result;
use alloc::{boxed::Box, vec::Vec};

/// Compares with every allowed vector. It has no structure, so that every slot is contained.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exact;

impl VectorIndex for Exact {
    fn contains(&self, _slot: u32) -> bool {
        true
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn search(&self, probe: &Probe, vectors: &Vectors, search: &Search<'_>) -> Result<Found> {
        let (found, visited) = scan(&[probe], vectors, search.allowed, &[search.limit])?;
        let neighbours = found.into_iter().next().unwrap_or_default();
        Ok(Found { neighbours, visited, gave_up: false })
    }

    fn plan(&self, _change: &Change, _vectors: &Vectors, _threads: usize) -> Result<Plan> {
        Ok(Box::new(()))
    }

    fn commit(&mut self, _change: &Change, _plan: Plan, _vectors: &Vectors) {}

    fn memory_bytes(&self) -> usize {
        0
    }

    fn sections(&self) -> Vec<&dyn Section> {
        Vec::new()
    }

    fn mark_clean(&mut self) {}
}

/// The nearest allowed slots of each of several probes, as many as the limit of each says, and how
/// many distances were computed for each. When most slots are allowed, memory is read in order, once
/// for all probes, and what is not allowed is computed in vain.
pub(crate) fn scan(
    probes: &[&Probe],
    vectors: &Vectors,
    allowed: Allowed<'_>,
    limits: &[usize],
) -> Result<(Vec<Vec<Neighbour>>, usize)> {
    const IN_ORDER_FROM_SHARE: u64 = 2;
    let mut nearest: Vec<_> = limits.iter().map(|limit| Nearest::new(*limit)).collect();
    let count = allowed.count();
    let visited = if count.saturating_mul(IN_ORDER_FROM_SHARE) < vectors.slots() as u64 {
        for (probe, nearest) in probes.iter().zip(&mut nearest) {
            for slot in allowed.iter() {
                let distance = vectors.distance(probe, slot)?;
                nearest.offer(Neighbour { distance, slot });
            }
        }
        usize::try_from(count).unwrap_or(usize::MAX)
    } else {
        vectors.scan(probes, |number, slot, distance| {
            let nearest = &mut nearest[number];
            if distance <= nearest.worst() && allowed.contains(slot) {
                nearest.offer(Neighbour { distance, slot });
            }
        })?;
        vectors.slots()
    };
    Ok((nearest.into_iter().map(Nearest::into_sorted).collect(), visited))
}

/// Offers every allowed slot to `nearest` by the distance of its code; returns how many there are.
pub(crate) fn scan_codes(
    probe: &Probe,
    vectors: &Vectors,
    allowed: Allowed<'_>,
    nearest: &mut Nearest,
) -> usize {
    const AT_ONCE: usize = 32;
    let mut slots = allowed.iter();
    let mut next = || {
        let mut batch = Vec::with_capacity(AT_ONCE);
        batch.extend(slots.by_ref().take(AT_ONCE));
        vectors.prefetch(&batch);
        batch
    };
    let mut distances = Vec::with_capacity(AT_ONCE);
    let mut visited = 0;
    let mut batch = next();
    while !batch.is_empty() {
        // While these are compared, the next come near.
        let following = next();
        visited += batch.len();
        distances.clear();
        vectors.about(probe, &batch, &mut distances);
        for (slot, distance) in batch.iter().zip(&distances) {
            if *distance <= nearest.worst() {
                nearest.offer(Neighbour { distance: *distance, slot: *slot });
            }
        }
        batch = following;
    }
    visited
}
