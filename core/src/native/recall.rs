//! Recall as it is now: the database's own documents are searched for as a user would, and exactly.

use super::Database;
use crate::{Error, Filter, Hit, Id, Include, Query, Result, limits};
use std::time::{Duration, Instant};

/// Which recall to measure.
#[derive(Clone, Debug, PartialEq)]
pub struct RecallQuery {
    /// Which vector field; `None` for the only one.
    pub field: Option<String>,
    /// Documents to search for; fewer when there are fewer, or when that many exact searches would
    /// compute more than [`RECALL_DISTANCES_MAX`](limits::RECALL_DISTANCES_MAX) distances.
    pub sample: usize,
    /// Hits of each search.
    pub k: usize,
    /// Candidates a graph considers; `None` for what searches take that do not say.
    pub ef: Option<usize>,
    /// Which documents may be hits. Those searched for are any.
    pub filter: Filter,
    /// Which documents are searched for: the same are with the same seed, as long as none change.
    pub seed: u64,
}

impl Default for RecallQuery {
    fn default() -> Self {
        let sample = limits::RECALL_SAMPLE_DEFAULT;
        Self { field: None, sample, k: 10, ef: None, filter: Filter::All, seed: 0 }
    }
}

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Recall {
    /// Which part of the true nearest was found, from 0 to 1; `None` when there was nothing to find.
    pub recall: Option<f64>,
    /// Documents searched for that have a neighbour.
    pub sampled: usize,
    /// Hits of each search.
    pub k: usize,
    /// Candidates the graph considered; 0 without a graph.
    pub ef: usize,
    /// How long an exact search took, on average.
    pub exact: Duration,
    /// How long a search took that is made as any other, on average.
    pub search: Duration,
}

/// Sums over the documents searched for.
#[derive(Default)]
struct Sums {
    sampled: usize,
    found: usize,
    wanted: usize,
    ef: usize,
    exact: Duration,
    search: Duration,
}

impl Database {
    /// Measures recall on a sample of the documents there are. Each is searched for as if it were
    /// not there itself, once as any search is made and once exactly; a hit counts that is as near
    /// as the last of the true ones, so that of equally near ones any will do. Where documents are
    /// written meanwhile, one that comes or goes between the two searches may count as missed.
    ///
    /// The samples are documents of the database: queries that are unlike any of them may find less.
    pub fn recall(&self, query: &RecallQuery) -> Result<Recall> {
        self.check_open()?;
        limits::at_most(query.sample, limits::RECALL_SAMPLE_MAX, "sample")?;
        limits::at_most(query.k, limits::RECALL_K_MAX, "k")?;
        if query.sample == 0 || query.k == 0 {
            return Err(Error::invalid("sample and k are from 1 on"));
        }
        let number = self.schema().vector_number(query.field.as_deref())?;
        let mut sums = Sums::default();
        let shards = self.shards_now();
        let counts = match self.spread() {
            Some(spread) => spread.vectors(number)?,
            None => shards.iter().map(|shard| shard.engine().vectors(number)).collect(),
        };
        for (shard, rank) in sample(&counts, query) {
            let found = match self.spread() {
                Some(spread) => spread.nth(shard, number, rank)?,
                None => shards[shard].engine().nth(number, rank)?,
            };
            // A document may have gone since they were counted.
            if let Some((id, vector)) = found {
                sums.add(self, query, id, vector)?;
            }
        }
        Ok(sums.mean(query.k))
    }
}

/// Shards and ranks of the documents to search for: one of each of as many runs of the same
/// length as are to be sampled.
fn sample(counts: &[u64], query: &RecallQuery) -> Vec<(usize, u64)> {
    let total: u64 = counts.iter().sum();
    let affordable = limits::RECALL_DISTANCES_MAX.checked_div(total).unwrap_or(0).max(1);
    let sample = (query.sample as u64).min(affordable).min(total);
    let place = |run: u64| {
        let (start, end) = (total * run / sample, total * (run + 1) / sample);
        let mut rank = start + mixed(query.seed ^ run) % (end - start);
        let is_before = |count: &&u64| {
            let is_before = rank >= **count;
            rank -= if is_before { **count } else { 0 };
            is_before
        };
        let shard = counts.iter().take_while(is_before).count();
        (shard, rank)
    };
    (0..sample).map(place).collect()
}

impl Sums {
    fn add(
        &mut self,
        database: &Database,
        asked: &RecallQuery,
        id: Id,
        vector: Vec<f32>,
    ) -> Result<()> {
        let query = Query {
            field: asked.field.clone(),
            limit: asked.k,
            ef: asked.ef,
            filter: asked.filter.clone(),
            except: vec![id],
            include: Include::Nothing,
            ..Query::new(vector)
        };
        let begun = Instant::now();
        let (hits, explanation) = database.explain(&query)?;
        let search = begun.elapsed();
        let begun = Instant::now();
        let nearest = database.search(&Query { exact: true, ..query })?;
        let exact = begun.elapsed();
        let Some(last) = nearest.last() else { return Ok(()) };
        let is_near = |hit: &&Hit| hit.distance <= last.distance;
        self.found += hits.iter().filter(is_near).count().min(nearest.len());
        self.wanted += nearest.len();
        self.sampled += 1;
        self.ef = self.ef.max(explanation.ef);
        self.search += search;
        self.exact += exact;
        Ok(())
    }

    fn mean(self, k: usize) -> Recall {
        let recall = (self.wanted > 0).then(|| self.found as f64 / self.wanted as f64);
        let of_each = |sum: Duration| match u32::try_from(self.sampled) {
            Ok(sampled) if sampled > 0 => sum / sampled,
            _ => Duration::ZERO,
        };
        Recall {
            recall,
            sampled: self.sampled,
            k,
            ef: self.ef,
            exact: of_each(self.exact),
            search: of_each(self.search),
        }
    }
}

/// SplitMix64 (G. Steele et al., 2014): numbers that are as good as random out of those in a row.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}
