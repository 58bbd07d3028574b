//! Walking the graph on codes: down the levels greedily, then a beam on the lowest; what it finds is
//! put in the order of the exact distances.

use super::super::{Found, Nearest, Neighbour, Probe, Search, Vectors, rescored};
use super::graph::Graph;
use crate::bitset::BitSet;
use alloc::{collections::BinaryHeap, vec::Vec};
use core::cmp::Reverse;

/// Vectors asked for ahead of the one being compared.
const PREFETCHED: usize = 4;

/// The nearest allowed slots (Algorithm 5).
pub(super) fn search(
    graph: &Graph,
    probe: &Probe,
    vectors: &Vectors,
    search: &Search<'_>,
) -> Found {
    let except = search.allowed.excepted();
    let Some((entry, mut visited)) = descend(graph, probe, vectors, 0, except) else {
        return Found::default();
    };
    let mut beam = Beam { graph, probe, vectors, level: 0, except, visited: 0 };
    let nearest = beam.run(entry, search.ef.max(search.limit), search.visits_max, |slot| {
        search.allowed.contains(slot)
    });
    visited += beam.visited;
    let gave_up = beam.visited >= search.visits_max;
    let neighbours = rescored(nearest.into_sorted(), probe, vectors, search.limit);
    Found { neighbours, visited, gave_up }
}

/// The nearest slot that a greedy walk finds above `level` without passing `except`, and the
/// distances computed on the way; `None` in an empty graph.
pub(super) fn descend(
    graph: &Graph,
    probe: &Probe,
    vectors: &Vectors,
    level: usize,
    except: Option<u32>,
) -> Option<(Neighbour, usize)> {
    let slot = graph.entry()?;
    let mut nearest = Neighbour { distance: vectors.about(probe, slot), slot };
    let mut visited = 1;
    for level in (level + 1..=graph.level(slot)).rev() {
        loop {
            let here = nearest.slot;
            for link in graph.links(here, level).iter().filter(|link| Some(**link) != except) {
                let distance = vectors.about(probe, *link);
                nearest = nearest.min(Neighbour { distance, slot: *link });
                visited += 1;
            }
            if nearest.slot == here {
                break;
            }
        }
    }
    Some((nearest, visited))
}

/// A best-first walk over one level (Algorithm 2).
pub(super) struct Beam<'a> {
    pub(super) graph: &'a Graph,
    pub(super) probe: &'a Probe,
    pub(super) vectors: &'a Vectors,
    pub(super) level: usize,
    /// A slot not to pass.
    pub(super) except: Option<u32>,
    /// Distances computed.
    pub(super) visited: usize,
}

impl Beam<'_> {
    /// The `ef` nearest slots that `accept` takes. Every slot is a way, whether taken or not; the
    /// walk ends when no way leads nearer, or after `visits_max` distances.
    pub(super) fn run(
        &mut self,
        entry: Neighbour,
        ef: usize,
        visits_max: usize,
        accept: impl Fn(u32) -> bool,
    ) -> Nearest {
        let mut seen = BitSet::new(self.graph.slots());
        let mut nearest = Nearest::new(ef);
        let mut open = BinaryHeap::from([Reverse(entry)]);
        let mut fresh = Vec::with_capacity(self.graph.links_max(self.level));
        seen.insert(entry.slot);
        if let Some(slot) = self.except {
            seen.insert(slot);
        }
        if accept(entry.slot) {
            nearest.offer(entry);
        }
        while let Some(Reverse(here)) = open.pop() {
            if here.distance > nearest.worst() || self.visited >= visits_max {
                break;
            }
            fresh.clear();
            let links = self.graph.links(here.slot, self.level);
            fresh.extend(links.iter().copied().filter(|link| seen.insert(*link)));
            self.visited += fresh.len();
            fresh.iter().take(PREFETCHED).for_each(|slot| self.vectors.prefetch(*slot));
            for (position, slot) in fresh.iter().copied().enumerate() {
                if let Some(later) = fresh.get(position + PREFETCHED) {
                    self.vectors.prefetch(*later);
                }
                let distance = self.vectors.about(self.probe, slot);
                let neighbour = Neighbour { distance, slot };
                if distance < nearest.worst() || !nearest.is_full() {
                    open.push(Reverse(neighbour));
                    if accept(slot) {
                        nearest.offer(neighbour);
                    }
                }
            }
        }
        nearest
    }
}
