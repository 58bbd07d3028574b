//! The graph of the crate `hnsw_rs` behind our trait, to be compared with ours.
//!
//! It keeps a second copy of every vector and compares them in full precision. Its levels are
//! random, so that no two builds are the same graph. It cannot take a point out: the points of
//! dropped slots stay as tombstones that answers leave out, and the graph is built anew once more
//! than a quarter are. Nothing of it is checkpointed; it is built again when the database opens.

use super::{
    Change, Found, Neighbour, Plan, Probe, Search, Section, VectorIndex, Vectors, parallel,
};
use crate::{
    Metric, Result,
    distance::Kernels,
    schema::{IndexSpec, VectorField},
};
use ::hnsw_rs::{
    hnsw::Hnsw,
    prelude::{Distance, FilterT},
};
use alloc::{boxed::Box, vec::Vec};
use core::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Points the tables of a new graph have room for.
const POINTS_EXPECTED: usize = 1_024;
/// Levels of the graph at most: the crate's own bound.
const LEVELS_MAX: usize = 16;
/// The graph is built anew when more than one in so many points are tombstones.
const DEAD_SHARE: usize = 4;
/// Up to so many points for each that may be returned, the walk is widened and its answer sifted:
/// the crate's filtered search follows every candidate it ever took, which costs about as much.
const SIFTED_SHARE_MAX: usize = 2;
/// Stands for no slot and for no point.
const NONE: u32 = u32::MAX;

/// A graph of `hnsw_rs` over the vectors of one field.
pub struct HnswRs {
    spec: IndexSpec,
    dim: usize,
    metric: Metric,
    graph: Hnsw<'static, f32, Far>,
    /// By point: its slot. Points are numbered as they are inserted.
    slots: Vec<u32>,
    /// By slot: its point.
    points: Vec<u32>,
    /// Points that slots have.
    live: usize,
    /// The number of the next point. One whose plan was never committed is a tombstone.
    next_point: AtomicUsize,
}

/// What a change comes down to.
enum Planned {
    /// Points that are in the graph already, with their slots.
    Added(Vec<(usize, u32)>),
    Removed,
    Rebuilt(Box<HnswRs>),
}

impl HnswRs {
    /// An empty graph.
    pub fn new(field: &VectorField) -> Self {
        Self::of(field.index, field.dim, field.metric)
    }

    fn of(spec: IndexSpec, dim: usize, metric: Metric) -> Self {
        let far = Far { metric, kernels: Kernels::best() };
        Self {
            spec,
            dim,
            metric,
            graph: Hnsw::new(spec.m, POINTS_EXPECTED, LEVELS_MAX, spec.ef_construction, far),
            slots: Vec::new(),
            points: Vec::new(),
            live: 0,
            next_point: AtomicUsize::new(0),
        }
    }

    /// Puts the vectors of `slots` into the graph; until a commit names their points, searches pass
    /// them only.
    fn insert(
        &self,
        slots: &[u32],
        vectors: &Vectors,
        threads: usize,
    ) -> Result<Vec<(usize, u32)>> {
        let first = self.next_point.fetch_add(slots.len(), Ordering::Relaxed);
        let points: Vec<_> = (first..).zip(slots.iter().copied()).collect();
        let insert = |(point, slot): &(usize, u32)| -> Result<()> {
            self.graph.insert((&self.prepared(&vectors.get(*slot)?), *point));
            Ok(())
        };
        // Points inserted before there is an entry to the graph are linked to nothing.
        let alone = usize::from(self.graph.get_nb_point() == 0).min(points.len());
        points[..alone].iter().try_for_each(insert)?;
        parallel::map(&points[alone..], threads, insert).into_iter().collect::<Result<()>>()?;
        Ok(points)
    }

    fn name_points(&mut self, points: &[(usize, u32)]) {
        for (point, slot) in points {
            let row = *slot as usize;
            self.slots.resize(self.slots.len().max(point + 1), NONE);
            self.points.resize(self.points.len().max(row + 1), NONE);
            self.slots[*point] = *slot;
            self.points[row] = u32::try_from(*point).unwrap_or(NONE);
        }
        self.live += points.len();
    }

    fn rebuilt_without(&self, removed: &[u32], vectors: &Vectors, threads: usize) -> Result<Self> {
        let mut rebuilt = Self::of(self.spec, self.dim, self.metric);
        let mut kept: Vec<u32> = self.slots.iter().copied().filter(|slot| *slot != NONE).collect();
        kept.sort_unstable();
        kept.retain(|slot| !removed.contains(slot));
        let points = rebuilt.insert(&kept, vectors, threads)?;
        rebuilt.name_points(&points);
        Ok(rebuilt)
    }

    /// The slot of a point; `None` of tombstones and of points not committed yet.
    fn slot(&self, point: usize) -> Option<u32> {
        self.slots.get(point).copied().filter(|slot| *slot != NONE)
    }

    /// What the graph holds of a vector: under cosine its direction alone.
    fn prepared(&self, vector: &[f32]) -> Vec<f32> {
        let scale = match self.metric {
            Metric::Cosine => {
                1.0 / libm::sqrtf((self.graph.get_distance().kernels.dot)(vector, vector))
            }
            Metric::L2 | Metric::Dot => 1.0,
        };
        vector.iter().map(|number| number * scale).collect()
    }
}

impl VectorIndex for HnswRs {
    fn contains(&self, slot: u32) -> bool {
        self.points.get(slot as usize).is_some_and(|point| *point != NONE)
    }

    fn search(&self, probe: &Probe, _vectors: &Vectors, search: &Search<'_>) -> Result<Found> {
        let allowed = usize::try_from(search.allowed.count()).unwrap_or(usize::MAX);
        if allowed == 0 || self.live == 0 {
            return Ok(Found::default());
        }
        // A filtered search of the crate follows a lone candidate that is not allowed to nowhere.
        let ef = search.ef.max(search.limit).max(2);
        let passed = ef.saturating_mul(self.slots.len()).div_ceil(allowed);
        // Each point passed has its links compared, of which about half were not seen before.
        if passed.saturating_mul(self.spec.m) > search.visits_max {
            return Ok(Found { gave_up: true, ..Found::default() });
        }
        let slot = |point: usize| self.slot(point).filter(|slot| search.allowed.contains(*slot));
        let filter = |point: &usize| slot(*point).is_some();
        let is_sifted = self.slots.len() <= SIFTED_SHARE_MAX.saturating_mul(allowed);
        let (ef, filter): (_, Option<&dyn FilterT>) =
            if is_sifted { (passed.max(ef + 1), None) } else { (ef, Some(&filter)) };

        COMPUTED.set(0);
        let found = self.graph.search_filter(&self.prepared(probe.vector()), ef, ef, filter);
        let neighbours = found.iter().filter_map(|near| {
            let distance = self.metric.ranked(near.distance);
            slot(near.d_id).map(|slot| Neighbour { distance, slot })
        });
        Ok(Found { neighbours: neighbours.collect(), visited: COMPUTED.get(), gave_up: false })
    }

    /// Inserts at once, as the crate lets searches go on meanwhile; and builds anew what has too
    /// many tombstones, which takes as long as building did.
    fn plan(&self, change: &Change, vectors: &Vectors, threads: usize) -> Result<Plan> {
        let dead = self.slots.len() - self.live + change.remove.len();
        Ok(Box::new(if change.remove.is_empty() {
            Planned::Added(self.insert(&change.insert, vectors, threads)?)
        } else if dead * DEAD_SHARE > self.slots.len() {
            Planned::Rebuilt(Box::new(self.rebuilt_without(&change.remove, vectors, threads)?))
        } else {
            Planned::Removed
        }))
    }

    fn commit(&mut self, change: &Change, plan: Plan, _vectors: &Vectors) {
        let Ok(planned) = plan.downcast::<Planned>() else { return };
        match *planned {
            Planned::Added(points) => self.name_points(&points),
            Planned::Rebuilt(rebuilt) => *self = *rebuilt,
            Planned::Removed => {
                for slot in &change.remove {
                    let point = core::mem::replace(&mut self.points[*slot as usize], NONE);
                    self.slots[point as usize] = NONE;
                    self.live -= 1;
                }
            }
        }
    }

    /// Estimated, as the crate does not tell: a vector, its sixteen lists of links, and twice `m`
    /// links that are allocated one by one.
    fn memory_bytes(&self) -> usize {
        const POINT_BYTES: usize = 512;
        const LINK_BYTES: usize = 48;
        let point = self.dim * size_of::<f32>() + POINT_BYTES + 2 * self.spec.m * LINK_BYTES;
        let tables = (self.slots.capacity() + self.points.capacity()) * size_of::<u32>();
        self.slots.len() * point + tables
    }

    fn sections(&self) -> Vec<&dyn Section> {
        Vec::new()
    }

    fn mark_clean(&mut self) {}
}

std::thread_local! {
    /// Distances computed by this thread.
    static COMPUTED: Cell<usize> = const { Cell::new(0) };
}

/// Our metrics as the crate wants distances: none below zero, none that is no number.
#[derive(Clone, Copy)]
struct Far {
    metric: Metric,
    kernels: Kernels,
}

impl Distance<f32> for Far {
    fn eval(&self, a: &[f32], b: &[f32]) -> f32 {
        COMPUTED.set(COMPUTED.get() + 1);
        let distance = match self.metric {
            Metric::L2 => (self.kernels.l2_squared)(a, b),
            Metric::Cosine => 1.0 - (self.kernels.dot)(a, b),
            Metric::Dot => positive(-(self.kernels.dot)(a, b)),
        };
        if distance.is_nan() { f32::INFINITY } else { distance.max(0.0) }
    }
}

impl Metric {
    /// The distance by which the metric ranks, of one that [`Far`] returned.
    fn ranked(self, distance: f32) -> f32 {
        match self {
            Self::L2 | Self::Cosine => distance,
            Self::Dot if distance >= 1.0 => distance - 1.0,
            Self::Dot => 1.0 - 1.0 / distance.max(f32::MIN_POSITIVE),
        }
    }
}

/// Any number as one above zero, in the same order: graphs only compare distances.
fn positive(number: f32) -> f32 {
    if number >= 0.0 { 1.0 + number } else { 1.0 / (1.0 - number) }
}
