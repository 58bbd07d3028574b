//! Walking the graph on codes: down the levels greedily, then best-first on the lowest.

use super::super::{Found, Nearest, Neighbour, Probe, Search, Vectors};
use super::graph::Graph;
use super::pool::Pool;
use super::visited::{VisitedPool, VisitedSet};
use crate::distance::CodedQuery;
use alloc::{collections::BinaryHeap, vec::Vec};
use core::cmp::Reverse;

/// Candidates up to which they are kept in one array.
const POOL_MAX: usize = 1_024;

/// The nearest allowed slots (Algorithm 5).
pub(super) fn search(
    graph: &Graph,
    visited: &VisitedPool,
    probe: &Probe,
    vectors: &Vectors,
    search: &Search<'_>,
) -> Found {
    let mut visited = visited.take(graph.slots());
    let mut walk = Walk::new(graph, vectors, probe.coded(), &mut visited);
    walk.except = search.allowed.excepted();
    let Some(entry) = walk.descend(0) else { return Found::default() };
    let ef = search.ef.max(search.limit);
    let neighbours = match search.allowed.are_all() && ef <= POOL_MAX {
        true => walk.nearest(entry, 0, ef),
        false => {
            walk.nearest_accepted(entry, ef, search.visits_max, |slot| search.allowed.contains(slot))
        }
    };
    let gave_up = walk.distances >= search.visits_max;
    Found { neighbours, visited: walk.distances, gave_up }
}

/// One query on its way through a graph.
pub(super) struct Walk<'a> {
    graph: &'a Graph,
    vectors: &'a Vectors,
    query: &'a CodedQuery,
    visited: &'a mut VisitedSet,
    /// A slot not to pass.
    except: Option<u32>,
    /// Distances computed.
    distances: usize,
    scores: Vec<f32>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        graph: &'a Graph,
        vectors: &'a Vectors,
        query: &'a CodedQuery,
        visited: &'a mut VisitedSet,
    ) -> Self {
        let scores = Vec::with_capacity(graph.links_max(0));
        Self { graph, vectors, query, visited, except: None, distances: 0, scores }
    }

    /// The slots visited after the first `count`, with their distances.
    #[inline]
    fn score_after(&mut self, count: usize) -> impl Iterator<Item = Neighbour> + '_ {
        self.scores.clear();
        let fresh = self.visited.after(count);
        self.vectors.score(self.query, fresh, &mut self.scores);
        self.distances += fresh.len();
        let pairs = fresh.iter().zip(&self.scores);
        pairs.map(|(slot, distance)| Neighbour { distance: *distance, slot: *slot })
    }

    /// The nearest slot that a greedy walk finds above `level`; `None` in an empty graph.
    pub(super) fn descend(&mut self, level: usize) -> Option<Neighbour> {
        let entry = self.graph.entry()?;
        self.visited.clear();
        self.visited.extend(&[entry]);
        let mut nearest = self.score_after(0).next()?;
        for level in (level + 1..=self.graph.level(entry)).rev() {
            self.begin(nearest);
            loop {
                let here = nearest;
                nearest = self.follow(here.slot, level).fold(here, Neighbour::min);
                if nearest.slot == here.slot {
                    break;
                }
            }
        }
        Some(nearest)
    }

    /// Begins a walk over a level at `entry`.
    fn begin(&mut self, entry: Neighbour) {
        self.visited.clear();
        self.visited.extend(&[entry.slot]);
        if let Some(slot) = self.except {
            self.visited.extend(&[slot]);
        }
    }

    /// The links of `slot` that were not seen yet, with their distances.
    #[inline]
    fn follow(&mut self, slot: u32, level: usize) -> impl Iterator<Item = Neighbour> + '_ {
        let seen = self.visited.len();
        self.visited.extend(self.graph.links(slot, level));
        self.score_after(seen)
    }

    /// About the `ef` nearest slots of a level (Algorithm 2).
    pub(super) fn nearest(&mut self, entry: Neighbour, level: usize, ef: usize) -> Vec<Neighbour> {
        self.begin(entry);
        let mut pool = Pool::new(ef);
        pool.offer(entry);
        while let Some(here) = pool.follow() {
            let graph = self.graph;
            for neighbour in self.follow(here, level) {
                if pool.offer(neighbour) {
                    graph.prefetch(neighbour.slot, level);
                }
            }
        }
        pool.into_sorted()
    }

    /// About the `ef` nearest slots of the lowest level that `accept` takes. Every slot is a way,
    /// whether taken or not; the walk ends when no way leads nearer, or after `visits_max`
    /// distances.
    fn nearest_accepted(
        &mut self,
        entry: Neighbour,
        ef: usize,
        visits_max: usize,
        accept: impl Fn(u32) -> bool,
    ) -> Vec<Neighbour> {
        self.begin(entry);
        let mut nearest = Nearest::new(ef);
        let mut open = BinaryHeap::from([Reverse(entry)]);
        if accept(entry.slot) {
            nearest.offer(entry);
        }
        while let Some(Reverse(here)) = open.pop() {
            if here.distance > nearest.worst() || self.distances >= visits_max {
                break;
            }
            for neighbour in self.follow(here.slot, 0) {
                if neighbour.distance < nearest.worst() || !nearest.is_full() {
                    open.push(Reverse(neighbour));
                    if accept(neighbour.slot) {
                        nearest.offer(neighbour);
                    }
                }
            }
        }
        nearest.into_sorted()
    }
}
