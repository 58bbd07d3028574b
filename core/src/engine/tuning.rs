//! How many candidates a search needs: measured on the database's own documents.
//!
//! A sample of documents is searched for as if each were not there, exactly and with growing `ef`;
//! the smallest `ef` whose recall reaches the target becomes the default.

use super::field::Field;
use crate::{
    Result,
    index::{Allowed, Exact, Nearest, Neighbour, Probe, Search, VectorIndex, rescored, scan_codes},
};
use alloc::vec::Vec;

/// The `ef` values that are tried.
const LADDER: [usize; 13] = [16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024];
/// The recall@10 to reach on the sample: 0.95 and a margin for queries unlike any document.
const RECALL_TARGET: f32 = 0.98;
const RECALL_LIMIT: usize = 10;
/// Documents searched for.
const SAMPLES: usize = 96;
/// Documents searched for in one slice of maintenance.
const SAMPLES_PER_SLICE: usize = 8;
/// Fewer documents are not measured.
const DOCUMENTS_MIN: u64 = 1_000;
/// What is assumed until there is a measurement.
const EF_DEFAULT: usize = 128;
const VISITS_PER_EF_DEFAULT: u64 = 16;
/// No smaller `ef` is chosen, as the sample may be easier than what is asked.
const EF_MIN: usize = 48;

/// The default `ef`, and what it costs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tuning {
    /// Documents indexed when it was last measured; 0 if never.
    pub(super) measured_at: u64,
    pub(super) ef: usize,
    pub(super) visits_per_ef: u64,
    measuring: Option<Measuring>,
}

/// A measurement under way.
#[derive(Clone, Debug, Default, PartialEq)]
struct Measuring {
    done: usize,
    tally: Tally,
}

/// Sums over samples, for each rung of the ladder.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally {
    samples: usize,
    recall: [f32; LADDER.len()],
    /// Over all searches, as the distances per unit of `ef` hardly depend on it.
    visited: usize,
    ef: usize,
}

impl Tuning {
    pub(super) fn measured(measured_at: u64, ef: usize, visits_per_ef: u64) -> Self {
        Self { measured_at, ef, visits_per_ef, measuring: None }
    }

    /// The `ef` for `limit` hits: the one asked for, or the default and two for each hit beyond
    /// the ten it was measured with.
    pub(super) fn ef(&self, asked: Option<usize>, limit: usize) -> usize {
        let measured = if self.measured_at == 0 { EF_DEFAULT } else { self.ef };
        let default = || measured.saturating_add(2 * limit.saturating_sub(RECALL_LIMIT));
        asked.unwrap_or_else(default).max(limit)
    }

    /// Distances a walk with `ef` computes, about.
    pub(super) fn visits(&self, ef: usize) -> u64 {
        let per_ef = if self.measured_at == 0 { VISITS_PER_EF_DEFAULT } else { self.visits_per_ef };
        per_ef.saturating_mul(ef as u64)
    }

    /// The samples to search for now, if a measurement is due.
    pub(super) fn due(&self, field: &Field) -> Option<Vec<u32>> {
        let indexed = field.indexed();
        if field.index.is_exact() || field.spec.index.ef.is_some() || indexed < DOCUMENTS_MIN {
            return None;
        }
        let growth_tenths = if field.unindexed.is_empty() { 11 } else { 20 };
        let is_due = indexed * 10 >= self.measured_at * growth_tenths;
        if self.measuring.is_none() && !is_due {
            return None;
        }
        let done = self.measuring.as_ref().map_or(0, |measuring| measuring.done);
        let end = (done + SAMPLES_PER_SLICE).min(SAMPLES);
        let sample = |number: usize| {
            let rank = field.present.len() * number as u64 / SAMPLES as u64;
            field.present.select(rank)
        };
        Some((done..end).filter_map(sample).collect())
    }

    /// Adds what a slice found; the last slice sets the default.
    pub(super) fn add(&mut self, tally: &Tally, indexed: u64) {
        let measuring = self.measuring.get_or_insert_default();
        measuring.done += SAMPLES_PER_SLICE;
        measuring.tally.add(tally);
        if measuring.done < SAMPLES {
            return;
        }
        let (ef, visits_per_ef) = measuring.tally.choose();
        *self = Self::measured(indexed, ef, visits_per_ef);
    }
}

impl Tally {
    /// Searches for each of `slots` as if it were not there.
    pub(super) fn of(field: &Field, slots: &[u32]) -> Result<Self> {
        let mut tally = Self::default();
        let mut indexed = field.present.clone();
        field.unindexed.iter().for_each(|slot| indexed.remove(slot));
        let allowed = match field.dead().is_empty() {
            true => Allowed::all(&indexed),
            false => Allowed::new(&indexed),
        };
        for slot in slots.iter().filter(|slot| indexed.contains(**slot)) {
            tally.sample(field, allowed.except(*slot), *slot)?;
        }
        Ok(tally)
    }

    fn sample(&mut self, field: &Field, allowed: Allowed<'_>, slot: u32) -> Result<()> {
        let probe = field.vectors.probe_of(slot)?;
        let all = Search::all(RECALL_LIMIT, allowed);
        let true_ones = nearest(field, &probe, &all)?;
        let Some(farthest) = true_ones.last() else { return Ok(()) };
        let mut recall = 0.0;
        for (rung, ef) in LADDER.into_iter().enumerate() {
            if recall < 1.0 {
                let search = Search { ef, ..all };
                let found = field.index.search(&probe, &field.vectors, &search)?;
                let nearest = rescored(&found.neighbours, &probe, &field.vectors, RECALL_LIMIT)?;
                let hits = nearest.iter().filter(|near| near.distance <= farthest.distance);
                recall = hits.count() as f32 / true_ones.len() as f32;
                self.visited += found.visited;
                self.ef += ef;
            }
            self.recall[rung] += recall;
        }
        self.samples += 1;
        Ok(())
    }

    fn add(&mut self, other: &Self) {
        self.samples += other.samples;
        self.visited += other.visited;
        self.ef += other.ef;
        for (sum, more) in self.recall.iter_mut().zip(other.recall) {
            *sum += more;
        }
    }

    /// The smallest `ef` that reaches the target, and the distances it computes per unit of `ef`.
    fn choose(&self) -> (usize, u64) {
        let samples = self.samples.max(1);
        let reaches = |rung: &usize| self.recall[*rung] >= RECALL_TARGET * samples as f32;
        let rung = (0..LADDER.len()).find(reaches).unwrap_or(LADDER.len() - 1);
        let visits_per_ef = self.visited.div_ceil(self.ef.max(1)).max(1) as u64;
        (LADDER[rung].max(EF_MIN), visits_per_ef)
    }
}

/// The true neighbours; where reading every full vector would take too long, those that are
/// nearest among many candidates by code.
fn nearest(field: &Field, probe: &Probe, search: &Search<'_>) -> Result<Vec<Neighbour>> {
    const CANDIDATES_PER_HIT: usize = 10;
    if field.vectors.are_in_memory() || !field.vectors.can_score() {
        return Ok(Exact.search(probe, &field.vectors, search)?.neighbours);
    }
    let mut nearest = Nearest::new(CANDIDATES_PER_HIT * search.limit);
    scan_codes(probe, &field.vectors, search.allowed, &mut nearest);
    rescored(&nearest.into_sorted(), probe, &field.vectors, search.limit)
}
