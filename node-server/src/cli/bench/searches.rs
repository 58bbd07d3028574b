//! What is reported about the searches, from the rounds over all ways.

use super::{
    interpolation,
    median::median,
    others::Others,
    report::{AtRecall, Default, Exact, Filtered, Search, TwoStreams},
    rounds::{Figures, Rounds, Series},
    way::{Kind, Way},
};
use crate::cli::{dataset::Dataset, number, progress::Progress};
use std::time::Instant;
use vectordoc::{Error, Filter, Result};

/// The parts of a report that are about searches.
pub(super) struct Searches {
    pub(super) others: Option<f64>,
    pub(super) default: Default,
    pub(super) two_streams: Option<TwoStreams>,
    pub(super) search: Vec<Search>,
    pub(super) at_recall: Vec<AtRecall>,
    pub(super) exact: Exact,
    pub(super) filtered: Vec<Filtered>,
}

impl Searches {
    /// Measures all `ways`, among them a default and an exact one.
    pub(super) fn measure(
        rounds: &Rounds<'_>,
        ways: &[Way],
        dataset: &Dataset,
        progress: &Progress,
    ) -> Result<Self> {
        let watched = Others::watch();
        let series = rounds.run(ways, progress)?;
        let others = watched.and_then(|watched| watched.share());
        let measured: Vec<_> = ways.iter().zip(&series).collect();
        let find = |is: fn(&Kind) -> bool| measured.iter().find(|(way, _)| is(&way.kind));
        let missing = || Error::internal("a way to search was not measured");

        let (way, plain) = find(|kind| matches!(kind, Kind::Default)).ok_or_else(missing)?;
        let default = default(rounds, way, plain)?;
        let (_, series) = find(|kind| matches!(kind, Kind::Exact)).ok_or_else(missing)?;
        let exact = exact(dataset, series);
        let two_streams = find(|kind| matches!(kind, Kind::TwoStreams)).map(|(_, series)| {
            TwoStreams { qps: series.medians().qps, ratio: series.ratio_to(plain) }
        });
        let search: Vec<_> =
            measured.iter().filter_map(|(way, series)| by_ef(way, series)).collect();
        let filter = |(way, series): &(&Way, &Series)| {
            let ratio = series.ratio_to(plain);
            filtered(rounds, way, series, dataset, ratio).transpose()
        };
        let filtered = measured.iter().filter_map(filter).collect::<Result<_>>()?;
        let at_recall = interpolation::at_recalls(&search);
        Ok(Self { others, default, two_streams, search, at_recall, exact, filtered })
    }
}

fn default(rounds: &Rounds<'_>, way: &Way, series: &Series) -> Result<Default> {
    let (plan, ef) = rounds.explain(way)?;
    let Figures { qps, p50_us, p99_us } = series.medians();
    Ok(Default { ef, recall: series.recall, qps, p50_us, p99_us, plan })
}

fn by_ef(way: &Way, series: &Series) -> Option<Search> {
    let Kind::Ef(ef) = way.kind else { return None };
    let Figures { qps, p50_us, p99_us } = series.medians();
    Some(Search { ef, recall: series.recall, qps, p50_us, p99_us })
}

fn exact(dataset: &Dataset, series: &Series) -> Exact {
    let Figures { qps, p50_us, p99_us } = series.medians();
    let bytes = number::real(vector_bytes(dataset));
    Exact {
        qps,
        bytes_per_second: qps * bytes,
        recall: series.recall,
        p50_us,
        p99_us,
        bandwidth_bytes_per_second: series.bandwidth(),
        ratio: series.ratio_to_bandwidth(bytes),
    }
}

/// Bytes of all vectors as `f32`.
pub(super) fn vector_bytes(dataset: &Dataset) -> u64 {
    let bytes = u64::try_from(dataset.dim * size_of::<f32>()).unwrap_or(u64::MAX);
    dataset.documents.saturating_mul(bytes)
}

/// What finding the documents that pass costs: counting them, of which nothing is kept.
fn evaluation_us(rounds: &Rounds<'_>, filter: &Filter) -> Result<f64> {
    const TIMES: usize = 51;
    let time = |_| {
        let start = Instant::now();
        rounds.database.count(filter)?;
        Ok(start.elapsed().as_secs_f64() * 1e6)
    };
    Ok(median((0..TIMES).map(time).collect::<Result<Vec<f64>>>()?))
}

/// `None` for a way without a filter.
fn filtered(
    rounds: &Rounds<'_>,
    way: &Way,
    series: &Series,
    dataset: &Dataset,
    ratio: f64,
) -> Result<Option<Filtered>> {
    let Kind::Filter(named, matching) = &way.kind else { return Ok(None) };
    let part = number::real(*matching) / number::real(dataset.documents.max(1));
    Ok(Some(Filtered {
        name: named.name.clone(),
        selectivity: named.selectivity.unwrap_or(part),
        recall: series.recall,
        qps: series.medians().qps,
        ratio,
        evaluation_us: evaluation_us(rounds, &named.filter)?,
        short: series.short,
        plan: rounds.explain(way)?.0,
    }))
}
