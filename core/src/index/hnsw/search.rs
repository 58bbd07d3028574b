//! Walking the graph on codes: down the levels greedily, then best-first on the lowest. `trace` takes
//! the same steps and keeps them.

use super::super::{Allowed, Found, Neighbour, Probe, Search, Vectors};
use super::graph::Graph;
use super::pool::Pool;
use super::visited::{VisitedPool, VisitedSet};
use crate::distance::{CodedQuery, PREFETCH_IS_ASIDE};
use alloc::vec::Vec;

/// Allowed slots at which a filtered walk begins besides the entry.
const SEEDS: u64 = 16;

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
    let neighbours = match search.allowed.are_all() {
        true => walk.nearest(entry, 0, ef),
        false => walk.nearest_allowed(entry, ef, search.visits_max, search.allowed),
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
    pub(super) except: Option<u32>,
    /// Distances computed.
    distances: usize,
    scores: Vec<f32>,
    /// Slots that are not allowed and lead on.
    between: Vec<u32>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        graph: &'a Graph,
        vectors: &'a Vectors,
        query: &'a CodedQuery,
        visited: &'a mut VisitedSet,
    ) -> Self {
        let scores = Vec::with_capacity(graph.links_max(0));
        Self {
            graph,
            vectors,
            query,
            visited,
            except: None,
            distances: 0,
            scores,
            between: Vec::new(),
        }
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
        self.visited.insert(entry);
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
    pub(super) fn begin(&mut self, entry: Neighbour) {
        self.visited.clear();
        self.visited.insert(entry.slot);
        if let Some(slot) = self.except {
            self.visited.insert(slot);
        }
    }

    /// The links of `slot` that were not seen yet, with their distances.
    #[inline]
    pub(super) fn follow(
        &mut self,
        slot: u32,
        level: usize,
    ) -> impl Iterator<Item = Neighbour> + '_ {
        let seen = self.visit(slot, level);
        self.score_after(seen)
    }

    /// Adds the links of `slot` to the slots visited; returns how many were visited before.
    #[inline]
    fn visit(&mut self, slot: u32, level: usize) -> usize {
        let seen = self.visited.len();
        self.visited.extend(self.graph.links(slot, level));
        self.vectors.prefetch(self.visited.after(seen));
        seen
    }

    /// About the `ef` nearest slots of a level (Algorithm 2).
    pub(super) fn nearest(&mut self, entry: Neighbour, level: usize, ef: usize) -> Vec<Neighbour> {
        self.begin(entry);
        let mut pool = Pool::new(ef);
        pool.offer(entry);
        while let Some(here) = pool.follow() {
            let graph = self.graph;
            let seen = self.visit(here, level);
            // While these are compared, those that are probably next come near.
            if PREFETCH_IS_ASIDE && let Some(next) = pool.peek() {
                self.vectors.prefetch(graph.links(next, level));
            }
            for neighbour in self.score_after(seen) {
                if pool.offer(neighbour) {
                    graph.prefetch(neighbour.slot, level);
                }
            }
        }
        pool.into_sorted()
    }

    /// About the `ef` nearest allowed slots of the lowest level, after at most `visits_max`
    /// distances and those of one slot's links. Only allowed slots are compared and followed; those
    /// between are passed, so that a way over one of them is two steps long (after ACORN-1, Patel
    /// et al. 2024, §5.2). As the allowed may all be far from where the walk begins, it begins at
    /// some of them too.
    fn nearest_allowed(
        &mut self,
        entry: Neighbour,
        ef: usize,
        visits_max: usize,
        allowed: Allowed<'_>,
    ) -> Vec<Neighbour> {
        let mut pool = Pool::new(ef);
        let mut batch = self.begin_allowed(entry, allowed);
        loop {
            self.scores.clear();
            self.vectors.prefetch(&batch);
            self.vectors.score(self.query, &batch, &mut self.scores);
            self.distances += batch.len();
            for (slot, distance) in batch.drain(..).zip(&self.scores) {
                if pool.offer(Neighbour { distance: *distance, slot }) {
                    self.graph.prefetch(slot, 0);
                }
            }
            match pool.follow() {
                Some(here) if self.distances < visits_max => self.pass(here, allowed, &mut batch),
                _ => return pool.into_sorted(),
            }
        }
    }

    /// Begins a walk over the allowed slots of the lowest level at `entry`; returns those to compare
    /// with first.
    pub(super) fn begin_allowed(&mut self, entry: Neighbour, allowed: Allowed<'_>) -> Vec<u32> {
        self.begin(entry);
        let mut batch = Vec::with_capacity(self.graph.links_max(0));
        self.pass(entry.slot, allowed, &mut batch);
        if allowed.contains(entry.slot) {
            batch.push(entry.slot);
        }
        let seeds = (0..SEEDS).filter_map(|seed| allowed.nth(allowed.count() * seed / SEEDS));
        batch.extend(seeds.filter(|seed| self.graph.contains(*seed) && self.visited.insert(*seed)));
        batch
    }

    /// Compares with slots, which are counted.
    pub(super) fn compare(&mut self, slots: &[u32]) -> Vec<Neighbour> {
        self.scores.clear();
        self.vectors.score(self.query, slots, &mut self.scores);
        self.distances += slots.len();
        let pairs = slots.iter().zip(&self.scores);
        pairs.map(|(slot, distance)| Neighbour { distance: *distance, slot: *slot }).collect()
    }

    /// Distances computed so far.
    pub(super) fn distances(&self) -> usize {
        self.distances
    }

    /// Adds to `batch` the allowed slots not seen yet that `slot` links to, or that links to others
    /// lead to, until there are enough of them.
    pub(super) fn pass(&mut self, slot: u32, allowed: Allowed<'_>, batch: &mut Vec<u32>) {
        let enough = self.graph.links_max(1);
        let (bits, links) = (allowed.bits(), self.graph.links(slot, 0));
        let first = self.visited.len();
        self.visited.extend_where(links, |number| bits.word(number));
        batch.extend(self.visited.after(first));
        let between_first = self.visited.len();
        self.visited.extend_where(links, |number| !bits.word(number));
        self.between.clear();
        self.between.extend(self.visited.after(between_first));
        self.between.iter().for_each(|between| self.graph.prefetch(*between, 0));
        for between in &self.between {
            if batch.len() >= enough {
                break;
            }
            let first = self.visited.len();
            self.visited.extend_where(self.graph.links(*between, 0), |number| bits.word(number));
            batch.extend(self.visited.after(first));
        }
    }
}
