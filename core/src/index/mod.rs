//! Vector indexes: the trait they implement, the exact scan and the graph.
//!
//! An index knows slots and vectors, never ids or documents. The engine owns the vectors and lends
//! them to every call; it tells an index which slots to add and to drop, and asks it for the
//! nearest of an allowed set.

mod candidates;
mod codes;
mod exact;
mod hnsw;
mod parallel;
mod rescore;
mod rotation;
mod rows;
mod vectors;

use crate::{Result, bitset::BitSet};
use alloc::{boxed::Box, vec::Vec};
use core::any::Any;

pub(crate) use candidates::Nearest;
pub use candidates::Neighbour;
pub use exact::Exact;
pub(crate) use exact::{scan_batch, scan_codes};
pub(crate) use hnsw::BATCH_SLOTS_MAX;
pub use hnsw::Hnsw;
pub(crate) use rescore::rescored;
pub use vectors::{Probe, Vectors};

/// The slots that a search may return.
#[derive(Clone, Copy)]
pub struct Allowed<'a> {
    slots: &'a BitSet,
    except: Option<u32>,
    are_all: bool,
}

impl<'a> Allowed<'a> {
    /// The slots of a set.
    pub(crate) fn new(slots: &'a BitSet) -> Self {
        Self { slots, except: None, are_all: false }
    }

    /// The slots of a set that has all an index contains.
    pub(crate) fn all(slots: &'a BitSet) -> Self {
        Self { slots, except: None, are_all: true }
    }

    /// Whether every slot that an index contains may be returned, but for the excepted one.
    pub fn are_all(&self) -> bool {
        self.are_all
    }

    /// The same without `slot`, which is not even to be passed through: as if it were not there.
    pub(crate) fn except(self, slot: u32) -> Self {
        Self { except: Some(slot), ..self }
    }

    /// Whether `slot` may be returned.
    #[inline]
    pub fn contains(&self, slot: u32) -> bool {
        self.except != Some(slot) && self.slots.contains(slot)
    }

    /// The slot that is to be treated as if it were not there.
    pub fn excepted(&self) -> Option<u32> {
        self.except
    }

    /// How many slots may be returned.
    pub fn count(&self) -> u64 {
        self.slots.len() - u64::from(self.except.is_some_and(|slot| self.slots.contains(slot)))
    }

    /// The slot that may be returned before which there are `rank` others, but for the excepted
    /// one.
    pub(crate) fn nth(&self, rank: u64) -> Option<u32> {
        self.slots.select(rank).filter(|slot| Some(*slot) != self.except)
    }

    /// The slots that may be returned, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + 'a {
        let except = self.except;
        self.slots.iter().filter(move |slot| except != Some(*slot))
    }
}

/// How to search an index.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// How many neighbours are wanted.
    pub limit: usize,
    /// Candidates to consider, at least `limit`; what an index makes of it is its own affair.
    pub ef: usize,
    /// Distances it may compute before it gives up.
    pub visits_max: usize,
    /// Which slots may be returned.
    pub allowed: Allowed<'a>,
}

impl<'a> Search<'a> {
    /// For the nearest `limit` of `allowed`, at any cost.
    pub fn all(limit: usize, allowed: Allowed<'a>) -> Self {
        Self { limit, ef: limit, visits_max: usize::MAX, allowed }
    }
}

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Allowed slots, nearest first, by [`Vectors::about`] or anything better: at least `limit` if
    /// there are so many. The engine compares them exactly.
    pub neighbours: Vec<Neighbour>,
    /// Distances computed.
    pub visited: usize,
    /// The search ended at `visits_max`, so that the answer may lack near slots.
    pub gave_up: bool,
}

/// A change of an index that was thought out while the index was only read, to be carried out
/// with [`VectorIndex::commit`].
pub type Plan = Box<dyn Any + Send>;

/// Slots to add to an index and to drop from it.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// To add: slots not contained yet.
    pub insert: Vec<u32>,
    /// To drop: slots contained.
    pub remove: Vec<u32>,
}

/// An algorithm that finds near vectors. Bring your own by implementing it.
///
/// # To ensure correctness
/// - Searches run while plans are made; commits run alone. Nothing else changes an index.
/// - A contained slot keeps its vector until a commit that removes the slot has ended.
/// - A slot that is not allowed may be passed through but never returned.
pub trait VectorIndex: Send + Sync {
    /// Whether `slot` was inserted and not removed.
    fn contains(&self, slot: u32) -> bool;

    /// Whether every answer is exact.
    fn is_exact(&self) -> bool {
        false
    }

    /// The nearest allowed slots among those contained.
    fn search(&self, probe: &Probe, vectors: &Vectors, search: &Search<'_>) -> Result<Found>;

    /// Thinks out how `change` will be made, on up to `threads` threads. All the heavy work
    /// belongs here, as searches go on meanwhile.
    fn plan(&self, change: &Change, vectors: &Vectors, threads: usize) -> Result<Plan>;

    /// Makes the change a plan was made for. Nothing else was committed in between.
    fn commit(&mut self, change: &Change, plan: Plan, vectors: &Vectors);

    /// Bytes of memory held, vectors not counted.
    fn memory_bytes(&self) -> usize;

    /// The index as sections of pages, for a checkpoint; always the same ones in the same order.
    fn sections(&self) -> Vec<&dyn Section>;

    /// All pages are stored now.
    fn mark_clean(&mut self);

    /// Walks the whole structure and names the first thing wrong with it. For tests.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A part of an index that is checkpointed by pages.
pub trait Section {
    /// What is needed besides the pages to read the section back.
    fn header(&self) -> u64;
    /// How many pages there are.
    fn pages(&self) -> usize;
    /// Whether the page changed since [`VectorIndex::mark_clean`].
    fn is_dirty(&self, page: usize) -> bool;
    /// The bytes of a page.
    fn page(&self, page: usize) -> Result<Vec<u8>>;
}

/// Where an index finds its sections when a database opens.
pub trait Sections {
    /// The header of section `section`.
    fn header(&self, section: usize) -> Result<u64>;
    /// A page of section `section`.
    fn page(&self, section: usize, page: usize) -> Result<Vec<u8>>;
}
