//! The graph: Hierarchical Navigable Small World, Malkov & Yashunin 2016 (arXiv:1603.09320).
//!
//! Data enters as changes, which are planned in batches while the graph is only read and then
//! committed row by row, after ParlayANN (Manohar et al. 2024, §3): the result does not depend on
//! the number of threads, and searches go on while the next batch is thought out.

mod graph;
mod insert;
mod pool;
mod remove;
mod search;
mod select;
mod trace;
mod tree;
mod visited;

use super::{Change, Found, Hop, Plan, Probe, Search, Section, Sections, VectorIndex, Vectors};
use crate::{Result, schema::IndexSpec};
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use graph::{Graph, RowChange};
use visited::VisitedPool;

/// Changes of one batch; the next is thought out on a graph that has them.
pub(crate) const BATCH_SLOTS_MAX: usize = 64;

/// A navigable small-world graph over the vectors of one field.
pub struct Hnsw {
    graph: Graph,
    m: usize,
    ef_construction: usize,
    visited: VisitedPool,
}

/// New rows, and new parents in the spanning tree.
struct Rows {
    rows: Vec<RowChange>,
    parents: BTreeMap<u32, Option<u32>>,
}

impl Hnsw {
    /// An empty graph.
    pub fn new(spec: &IndexSpec) -> Self {
        Self::of(Graph::new(spec.m), spec)
    }

    /// The graph that was checkpointed as `sections`.
    pub fn open(spec: &IndexSpec, sections: &dyn Sections) -> Result<Self> {
        Graph::open(spec.m, sections).map(|graph| Self::of(graph, spec))
    }

    fn of(graph: Graph, spec: &IndexSpec) -> Self {
        let visited = VisitedPool::default();
        Self { graph, m: spec.m, ef_construction: spec.ef_construction, visited }
    }
}

impl VectorIndex for Hnsw {
    fn contains(&self, slot: u32) -> bool {
        self.graph.contains(slot)
    }

    fn search(&self, probe: &Probe, vectors: &Vectors, search: &Search<'_>) -> Result<Found> {
        Ok(search::search(&self.graph, &self.visited, probe, vectors, search))
    }

    fn trace(&self, probe: &Probe, vectors: &Vectors, search: &Search<'_>) -> Vec<Hop> {
        trace::trace(&self.graph, &self.visited, probe, vectors, search)
    }

    fn plan(&self, change: &Change, vectors: &Vectors, threads: usize) -> Result<Plan> {
        Ok(Box::new(match change.remove.is_empty() {
            true => insert::plan(self, &change.insert, vectors, threads)?,
            false => remove::plan(self, &change.remove, vectors, threads),
        }))
    }

    fn commit(&mut self, change: &Change, plan: Plan, _vectors: &Vectors) {
        let Ok(plan) = plan.downcast::<Rows>() else { return };
        self.graph.apply(&plan.rows, &plan.parents, &change.remove);
    }

    fn memory_bytes(&self) -> usize {
        self.graph.memory_bytes()
    }

    fn sections(&self) -> Vec<&dyn Section> {
        self.graph.sections()
    }

    fn mark_clean(&mut self) {
        self.graph.mark_clean();
    }

    /// No link leaves the graph or names the row's own slot, no row names a slot twice, and every
    /// slot can be reached from every other.
    fn check(&self) -> Result<()> {
        self.graph.check_links()?;
        self.graph.check_distinct()?;
        self.graph.check_tree()
    }
}
