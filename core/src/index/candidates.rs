//! Neighbours in order, and the `k` nearest of a stream of them.

use alloc::{collections::BinaryHeap, vec::Vec};
use core::cmp::Ordering;

/// A slot and how far it is; ordered by distance, then by slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// The distance by which the metric ranks: smaller is nearer.
    pub distance: f32,
    /// The slot.
    pub slot: u32,
}

impl Eq for Neighbour {}

impl PartialOrd for Neighbour {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Neighbour {
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then(self.slot.cmp(&other.slot))
    }
}

/// The `limit` nearest of the neighbours offered; of several equally near, the smaller slots.
#[derive(Debug)]
pub(crate) struct Nearest {
    limit: usize,
    heap: BinaryHeap<Neighbour>,
}

impl Nearest {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::with_capacity(limit.saturating_add(1).min(4096)) }
    }

    /// The distance a neighbour must not exceed to be kept.
    #[inline]
    pub(crate) fn worst(&self) -> f32 {
        match self.heap.peek() {
            Some(worst) if self.heap.len() >= self.limit => worst.distance,
            _ => f32::INFINITY,
        }
    }

    #[inline]
    pub(crate) fn offer(&mut self, neighbour: Neighbour) {
        if self.heap.len() < self.limit {
            self.heap.push(neighbour);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && neighbour < *worst
        {
            *worst = neighbour;
        }
    }

    /// The neighbours kept, nearest first.
    pub(crate) fn into_sorted(self) -> Vec<Neighbour> {
        self.heap.into_sorted_vec()
    }
}
