//! What a measurement found: the one JSON object for machines.

use serde::Serialize;

/// All of a measurement, in the order it is printed. Ratios of searches are medians of the ratios
/// in each round, so that what else the machine does meets both sides.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) dataset: String,
    pub(super) documents: u64,
    pub(super) dim: usize,
    pub(super) metric: &'static str,
    /// The index asked for; `default.plan` says what `auto` chose.
    pub(super) index: &'static str,
    /// What is kept of each number.
    pub(super) precision: &'static str,
    /// How stored vectors are coded.
    pub(super) quantization: &'static str,
    pub(super) residence: String,
    /// Threads that build, and streams that search at once.
    pub(super) threads: usize,
    pub(super) limit: usize,
    /// How often each search was measured; its figures are medians.
    pub(super) rounds: usize,
    /// The part of the machine's cores, from 0 to 1, that other processes used during the searches;
    /// `None` where the system does not tell.
    pub(super) others: Option<f64>,
    /// `None` when the database was there already.
    pub(super) build: Option<Build>,
    pub(super) memory: Memory,
    pub(super) open: Open,
    pub(super) default: Default,
    pub(super) during_ingest: DuringIngest,
    /// `None` with several threads, or on one core.
    pub(super) two_streams: Option<TwoStreams>,
    pub(super) search: Vec<Search>,
    /// Those that the sweep over `ef` reaches.
    pub(super) at_recall: Vec<AtRecall>,
    pub(super) exact: Exact,
    pub(super) filtered: Vec<Filtered>,
}

/// From the first document to the index being ready, on disk.
#[derive(Serialize)]
pub(super) struct Build {
    pub(super) seconds: f64,
    /// Of all threads, in user and in system code; `None` where the system does not tell.
    pub(super) cpu_seconds: Option<f64>,
    pub(super) documents_per_second: f64,
}

/// What the process holds for the database.
#[derive(Serialize)]
pub(super) struct Memory {
    /// `None` where the system does not tell.
    pub(super) bytes_per_document: Option<f64>,
    /// Bytes of one vector of `f32`.
    pub(super) raw_vector_bytes: usize,
    /// The former ÷ the latter.
    pub(super) ratio: Option<f64>,
    /// When it was taken: after `building`, or after `opening` a database that was there already.
    pub(super) after: &'static str,
}

/// Opening the closed database, up to its first answer.
#[derive(Serialize)]
pub(super) struct Open {
    /// With its files in the page cache.
    pub(super) seconds: f64,
    pub(super) warm: Opened,
    /// With its files dropped from the page cache; `None` where the system did not do that.
    pub(super) cold: Option<Opened>,
}

/// Opening beside reading.
#[derive(Serialize)]
pub(super) struct Opened {
    /// Up to the first answer.
    pub(super) seconds: f64,
    /// For reading the bytes of the same files.
    pub(super) read_seconds: f64,
    /// The former ÷ the latter.
    pub(super) ratio: f64,
}

/// Searches that leave everything to the database.
#[derive(Serialize)]
pub(super) struct Default {
    /// What the database chose.
    pub(super) ef: usize,
    pub(super) recall: f64,
    pub(super) qps: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    pub(super) plan: &'static str,
}

/// Default searches while documents are written as fast as they can be, in batches of 1,000. Those
/// that wait for the index are compared one by one.
#[derive(Serialize)]
pub(super) struct DuringIngest {
    /// How many there were.
    pub(super) searches: usize,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    pub(super) max_us: f64,
    /// `p99_us` ÷ that of default searches that nothing disturbs.
    pub(super) ratio: f64,
    /// Of counting all documents, which does next to nothing but wait for its turn.
    pub(super) wait_p99_us: f64,
    pub(super) wait_max_us: f64,
}

/// The default searches in two streams at once.
#[derive(Serialize)]
pub(super) struct TwoStreams {
    pub(super) qps: f64,
    /// ÷ queries per second of one stream.
    pub(super) ratio: f64,
}

/// Searches that consider `ef` candidates.
#[derive(Serialize)]
pub(super) struct Search {
    pub(super) ef: usize,
    pub(super) recall: f64,
    pub(super) qps: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

/// The best rate at a recall, interpolated between searches.
#[derive(Serialize)]
pub(super) struct AtRecall {
    pub(super) recall: f64,
    pub(super) qps: f64,
}

/// Searches that compare with every vector.
#[derive(Serialize)]
pub(super) struct Exact {
    pub(super) qps: f64,
    /// Bytes of vectors, as `f32`, that all streams together went through.
    pub(super) bytes_per_second: f64,
    pub(super) recall: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    /// Bytes that as many threads read from memory, measured in turn with the searches.
    pub(super) bandwidth_bytes_per_second: f64,
    /// Bytes gone through ÷ bytes that can be read.
    pub(super) ratio: f64,
}

/// Searches with a filter that leave everything else to the database.
#[derive(Serialize)]
pub(super) struct Filtered {
    pub(super) name: String,
    /// The part of all documents that match.
    pub(super) selectivity: f64,
    pub(super) recall: f64,
    pub(super) qps: f64,
    /// ÷ queries per second of default searches without a filter.
    pub(super) ratio: f64,
    /// Finding the documents that pass, once; asked again, a filter costs nothing.
    pub(super) evaluation_us: f64,
    /// Queries with fewer than min(limit, matching) hits.
    pub(super) short: usize,
    pub(super) plan: &'static str,
}
