//! Rounds over all ways to search: each is measured once in every round, so that what else the
//! machine does meets all of them alike. Every other round goes the other way round, so that none
//! always comes after the same one.

use super::{
    bandwidth::Bandwidth,
    median::{median, ratio},
    stream::{self, Measured},
    way::{Kind, Way},
};
use crate::cli::progress::Progress;
use vectordoc::{Database, Query, Result};

/// Who is asked what.
pub(super) struct Rounds<'a> {
    pub(super) database: &'a Database,
    pub(super) vectors: &'a [Vec<f32>],
    /// How often each way is measured.
    pub(super) count: usize,
    /// Streams that ask at once, unless a way says otherwise.
    pub(super) streams: usize,
    pub(super) bandwidth: &'a Bandwidth,
}

/// What the rounds found about one way.
#[derive(Default)]
pub(super) struct Series {
    pub(super) recall: f64,
    /// Queries with fewer hits than there are to be had.
    pub(super) short: usize,
    rounds: Vec<Figures>,
    /// In each round, for the exact search.
    bandwidths: Vec<f64>,
}

/// Rates and times; of one round, or the medians of all.
#[derive(Clone, Copy)]
pub(super) struct Figures {
    pub(super) qps: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

impl Series {
    pub(super) fn medians(&self) -> Figures {
        let of = |figure: fn(&Figures) -> f64| median(self.rounds.iter().map(figure));
        Figures { qps: of(|f| f.qps), p50_us: of(|f| f.p50_us), p99_us: of(|f| f.p99_us) }
    }

    /// Queries per second ÷ those of `other`: the median of what it is in each round, where the
    /// machine did much the same during both.
    pub(super) fn ratio_to(&self, other: &Self) -> f64 {
        let rounds = self.rounds.iter().zip(&other.rounds);
        median(rounds.map(|(ours, others)| ratio(ours.qps, others.qps)))
    }

    /// Bytes read per second beside an exact search.
    pub(super) fn bandwidth(&self) -> f64 {
        median(self.bandwidths.iter().copied())
    }

    /// Bytes that an exact search goes through per second, `bytes` for each query, ÷ those read
    /// beside it: the median of what it is in each round.
    pub(super) fn ratio_to_bandwidth(&self, bytes: f64) -> f64 {
        let rounds = self.rounds.iter().zip(&self.bandwidths);
        median(rounds.map(|(ours, bandwidth)| ratio(ours.qps * bytes, *bandwidth)))
    }
}

impl Rounds<'_> {
    /// Asks in every one of `ways`, in turn; returns a series for each.
    pub(super) fn run(&self, ways: &[Way], progress: &Progress) -> Result<Vec<Series>> {
        let mut series: Vec<_> = ways.iter().map(|_| Series::default()).collect();
        for round in 0..self.count {
            let mut turns: Vec<_> = ways.iter().zip(&mut series).collect();
            if round % 2 == 1 {
                turns.reverse();
            }
            for (way, series) in turns {
                progress.doing(way.name());
                self.measure(way, series).map_err(|error| error.within(way.name()))?;
                progress.advance(1);
            }
        }
        Ok(series)
    }

    /// The plan and the `ef` that the first query is answered with.
    pub(super) fn explain(&self, way: &Way) -> Result<(&'static str, usize)> {
        let Some(first) = self.vectors.first() else { return Ok(("none", 0)) };
        let (_, explanation) = self.database.explain(&way.query(first))?;
        Ok((explanation.plan, explanation.ef))
    }

    fn measure(&self, way: &Way, series: &mut Series) -> Result<()> {
        let streams = if matches!(way.kind, Kind::TwoStreams) { 2 } else { self.streams };
        let queries: Vec<Query> = self.vectors.iter().map(|vector| way.query(vector)).collect();
        let before = self.read_memory(way);
        let measured = stream::measure(self.database, &queries, streams)?;
        let after = self.read_memory(way);
        series.bandwidths.extend(before.zip(after).map(|(before, after)| (before + after) / 2.0));
        let Measured { answers, qps, p50_us, p99_us } = measured;
        if series.rounds.is_empty() {
            series.recall = way.recall(&answers);
            series.short = way.short(&answers);
        }
        series.rounds.push(Figures { qps, p50_us, p99_us });
        Ok(())
    }

    /// Bytes read per second now, to compare a search with that reads every vector.
    fn read_memory(&self, way: &Way) -> Option<f64> {
        matches!(way.kind, Kind::Exact).then(|| self.bandwidth.bytes_per_second())
    }
}
