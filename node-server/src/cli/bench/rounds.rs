//! Rounds over all ways to search: each is measured once in every round, so that what else the
//! machine does meets all of them alike.

use super::{
    bandwidth::Bandwidth,
    median::median,
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

    /// Bytes read per second beside an exact search.
    pub(super) fn bandwidth(&self) -> f64 {
        median(self.bandwidths.iter().copied())
    }
}

impl Rounds<'_> {
    /// Asks in every one of `ways`, in turn; returns a series for each.
    pub(super) fn run(&self, ways: &[Way], progress: &Progress) -> Result<Vec<Series>> {
        let mut series: Vec<_> = ways.iter().map(|_| Series::default()).collect();
        for _ in 0..self.count {
            for (way, series) in ways.iter().zip(&mut series) {
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
        self.read_memory(way, series);
        let measured = stream::measure(self.database, &queries, streams)?;
        self.read_memory(way, series);
        let Measured { answers, qps, p50_us, p99_us } = measured;
        if series.rounds.is_empty() {
            series.recall = way.recall(&answers);
            series.short = way.short(&answers);
        }
        series.rounds.push(Figures { qps, p50_us, p99_us });
        Ok(())
    }

    /// Before and after a search that reads every vector.
    fn read_memory(&self, way: &Way, series: &mut Series) {
        if matches!(way.kind, Kind::Exact) {
            series.bandwidths.push(self.bandwidth.bytes_per_second());
        }
    }
}
