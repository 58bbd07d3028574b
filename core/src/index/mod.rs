//! Vector indexes: the trait they implement, the exact scan and the graph.
//!
//! An index knows slots and vectors, never ids or documents. The engine owns the vectors and lends
//! them to every call; it tells an index which slots to add and to drop, and asks it for the
//! nearest of an allowed set.
//!
//! # Bring your own algorithm
//!
//! A vector field whose schema says `index = "custom"` is searched by a [`VectorIndex`] of yours.
//! You say what makes it when you open the database: a function from the field to an empty index,
//! or an [`IndexFactory`] that also reads a checkpointed one back.
//!
//! The engine sees to the rest. Vectors that wait for the index, filters that few documents pass,
//! and answers that come out too short are scanned, so that there are always `min(limit, matching)`
//! hits; the nearest an index returns are compared again in full precision; maintenance measures
//! which [`ef`](Search::ef) your index needs on the user's own documents and what it costs, so
//! report [`visited`](Found::visited) honestly and let a larger `ef` find more. The directory
//! remembers that the field is `custom`: opening it without an index is `unsupported` and changes
//! nothing.
//!
//! What an index has to keep is its set of slots, here with no structure at all:
//!
//! ```
//! # #[cfg(all(feature = "native", feature = "derive"))]
//! # fn main() -> vectordoc::Result<()> {
//! use std::collections::BTreeSet;
//! use vectordoc::{Db, VectorDoc, index::*, schema::VectorField};
//!
//! #[derive(Default)]
//! struct Flat {
//!     slots: BTreeSet<u32>,
//! }
//!
//! impl VectorIndex for Flat {
//!     fn contains(&self, slot: u32) -> bool {
//!         self.slots.contains(&slot)
//!     }
//!
//!     fn search(
//!         &self,
//!         probe: &Probe,
//!         vectors: &Vectors,
//!         search: &Search<'_>,
//!     ) -> vectordoc::Result<Found> {
//!         let allowed = self.slots.iter().copied().filter(|slot| search.allowed.contains(*slot));
//!         let slots: Vec<u32> = allowed.collect();
//!         let mut distances = Vec::new();
//!         vectors.about(probe, &slots, &mut distances);
//!         let pairs = slots.into_iter().zip(distances);
//!         let mut neighbours: Vec<_> =
//!             pairs.map(|(slot, distance)| Neighbour { distance, slot }).collect();
//!         let visited = neighbours.len();
//!         neighbours.sort_unstable();
//!         neighbours.truncate(search.ef.max(search.limit));
//!         Ok(Found { neighbours, visited, gave_up: false })
//!     }
//!
//!     // Heavy work belongs here; what it comes to is handed to `commit`.
//!     fn plan(
//!         &self,
//!         _change: &Change,
//!         _vectors: &Vectors,
//!         _threads: usize,
//!     ) -> vectordoc::Result<Plan> {
//!         Ok(Box::new(()))
//!     }
//!
//!     fn commit(&mut self, change: &Change, _plan: Plan, _vectors: &Vectors) {
//!         self.slots.extend(&change.insert);
//!         self.slots.retain(|slot| !change.remove.contains(slot));
//!     }
//!
//!     fn memory_bytes(&self) -> usize {
//!         self.slots.len() * size_of::<u32>()
//!     }
//!
//!     // No sections: it is built again when the database opens.
//!     fn sections(&self) -> Vec<&dyn Section> {
//!         Vec::new()
//!     }
//!
//!     fn mark_clean(&mut self) {}
//! }
//!
//! #[derive(VectorDoc)]
//! struct Note {
//!     #[vectordoc(id)]
//!     id: u64,
//!     #[vectordoc(vector(index = "custom"))]
//!     embedding: [f32; 2],
//! }
//!
//! let db = Db::<Note>::builder().index("embedding", |_: &VectorField| Flat::default()).in_memory()?;
//! db.index([Note { id: 1, embedding: [1.0, 0.0] }, Note { id: 2, embedding: [0.0, 1.0] }])?;
//! assert_eq!(db.search(&[0.9, 0.1]).limit(1).run()?[0].doc.id, 1);
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "native", feature = "derive")))]
//! # fn main() {}
//! ```
//!
//! `core/examples/own_index.rs` is a real one: an inverted file over k-means cells that is
//! checkpointed cell by cell and read back.

mod candidates;
mod codes;
mod coding;
mod exact;
mod hnsw;
#[cfg(feature = "hnsw_rs")]
mod hnsw_rs;
mod indexes;
mod kept;
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
pub(crate) use exact::{scan, scan_codes};
pub(crate) use hnsw::BATCH_SLOTS_MAX;
pub use hnsw::Hnsw;
#[cfg(feature = "hnsw_rs")]
pub use hnsw_rs::HnswRs;
pub use indexes::{IndexFactory, Indexes};
pub(crate) use rescore::rescored;
pub(crate) use vectors::CodedVector;
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

    /// The slots that may be returned, and perhaps the excepted one.
    pub(crate) fn bits(&self) -> &'a BitSet {
        self.slots
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

/// One step of a walk through a graph: from one slot to those that it leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Hop {
    /// The level of the graph; the lowest, on which every slot is, is 0.
    pub level: usize,
    /// Where the walk stands.
    pub at: u32,
    /// What it compares with from there.
    pub compared: Vec<Neighbour>,
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
/// - A slot that is not allowed may be passed through but never returned, nor is one returned that
///   is not contained, or twice.
pub trait VectorIndex: Send + Sync {
    /// Whether `slot` was inserted and not removed.
    fn contains(&self, slot: u32) -> bool;

    /// Whether there is no structure to ask, so that the engine compares every allowed vector
    /// itself. Such an index contains every slot; one whose answers merely are exact is not it.
    fn is_exact(&self) -> bool {
        false
    }

    /// The nearest allowed slots among those contained.
    fn search(&self, probe: &Probe, vectors: &Vectors, search: &Search<'_>) -> Result<Found>;

    /// The steps that [`search`](Self::search) takes, to be looked at; none where an index does not
    /// walk.
    fn trace(&self, probe: &Probe, vectors: &Vectors, search: &Search<'_>) -> Vec<Hop> {
        let _ = (probe, vectors, search);
        Vec::new()
    }

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
