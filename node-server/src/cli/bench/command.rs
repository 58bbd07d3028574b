//! The command: build or find, open, and ask in every way.

use super::{
    bandwidth::Bandwidth,
    build::{self, Stored},
    ingest,
    opening::{self, Opening},
    place::Place,
    report::{DuringIngest, Open, Report},
    rounds::Rounds,
    searches::{self, Searches},
    way::{self, Kind},
};
use crate::cli::{command::Run, dataset::Dataset, output::Output, progress::Progress};
use clap::Args;
use std::{num::NonZero, path::PathBuf, thread};
use vectordoc::{
    Database, Result,
    native::{DatabaseOptions, Residence},
    schema::{IndexKind, IndexSpec, Precision, Quantization},
};

const EXAMPLES: &str = "\
Examples:
  vectordoc bench wordnet50k                          tables
  vectordoc bench wordnet50k --json > report.json     one JSON object
  vectordoc bench wordnet50k --index hnsw --ef 20,40,80 --threads 4
  vectordoc bench wordnet50k --database ./measured --rounds 5    built once, for comparisons

The folder has dataset.json, base.npy, queries.npy and gt_ids.npy, and optionally base_meta.jsonl,
filters.json and gt_<filter>_ids.npy.";

const ROUNDS_MAX: usize = 1_000;

fn rounds(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(rounds @ 1..=ROUNDS_MAX) => Ok(rounds),
        _ => Err(format!("it needs a number from 1 to {ROUNDS_MAX}")),
    }
}

/// Measure building, searching and filtering on a data set folder
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Bench {
    /// The data set folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    /// How vectors are indexed
    #[arg(long, default_value = "auto", value_parser = ["auto", "exact", "hnsw", "hnsw_rs"])]
    index: String,

    /// Threads that build, and streams that search at once
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,

    /// Candidates to search with
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_values_t = [10, 20, 40, 80, 160, 320]
    )]
    ef: Vec<usize>,

    /// Hits per query
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,

    /// Links per node of the graph
    #[arg(long, value_name = "N")]
    m: Option<usize>,

    /// Candidates considered when a node is inserted
    #[arg(long, value_name = "N")]
    ef_construction: Option<usize>,

    /// What is kept of each number
    #[arg(long, value_name = "NAME", default_value = "f32", value_parser = ["f32", "f16", "i8"])]
    precision: String,

    /// What the many are compared by before the nearest are in full
    #[arg(long, value_name = "NAME", value_parser = ["f32", "f16", "i8", "i4", "binary"])]
    quantization: Option<String>,

    /// Where documents and full vectors are while the database is open
    #[arg(long, value_name = "PLACE", default_value = "memory", value_parser = ["memory", "disk"])]
    residence: String,

    /// How often each search is measured, all in turn; the medians are reported. 5 for comparisons
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = rounds)]
    rounds: usize,

    /// The database of an earlier run, which is measured as it is; built there and kept if missing
    #[arg(long, value_name = "DIR", conflicts_with = "scratch")]
    database: Option<PathBuf>,

    /// Where the measured database is built, and deleted afterwards
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

impl Run for Bench {
    fn run(&self, out: &mut Output) -> Result<()> {
        let report = self.measure()?;
        if self.json { report.print_json(out) } else { report.print(out) }
    }
}

impl Bench {
    fn measure(&self) -> Result<Report> {
        let dataset = Dataset::open(&self.folder)?;
        let vectors = dataset.queries()?.all_rows()?;
        let filters = dataset.filters()?;
        let truth = way::truth(&dataset, None, vectors.len())?;
        let precision = Precision::parse(&self.precision)?;
        let schema = build::schema(&dataset, &filters, precision, self.index()?)?;

        let place = Place::of(self.database.as_deref(), self.scratch.as_deref())?;
        let path = place.path();
        let options = DatabaseOptions {
            threads: Some(self.threads),
            residence: Residence::parse(&self.residence)?,
            ..Default::default()
        };
        let first = vectors.first().map(|vector| way::default_query(vector, self.limit));
        let opening = Opening { path: &path, options: &options, first: first.as_ref() };
        let stored = if Database::is_database(&path) {
            build::weigh(&dataset, &schema, &opening)?
        } else {
            build::build(&dataset, &schema, &path, &options)?
        };

        let kinds = self.kinds();
        let steps = opening::TIMES + self.rounds * (kinds.len() + filters.len());
        let progress = Progress::steps("opening", steps);
        let open = opening.measure(&progress)?;
        let database = opening.open()?;
        // An index that is not stored is being built again, which is not what searches are to show.
        database.wait_indexed(&mut |_, _| {})?;

        let mut ways = way::unfiltered(kinds, self.limit, truth);
        for named in filters {
            let place = format!("filter {}", named.name);
            let way = way::filtered(named, &dataset, &database, vectors.len(), self.limit);
            ways.push(way.map_err(|error| error.within(place))?);
        }
        let rounds = Rounds {
            database: &database,
            vectors: &vectors,
            count: self.rounds,
            streams: self.threads,
            bandwidth: &Bandwidth::new(searches::vector_bytes(&dataset), self.threads),
        };
        let searches = Searches::measure(&rounds, &ways, &dataset, &progress)?;
        database.close()?;
        drop(progress);

        let default = |vector: &Vec<f32>| way::default_query(vector, self.limit);
        let queries: Vec<_> = vectors.iter().map(default).collect();
        let scratch = self.scratch.as_deref();
        let quiet_p99_us = searches.default.p99_us;
        let during_ingest =
            ingest::measure(&dataset, &schema, &options, &queries, scratch, quiet_p99_us)?;
        self.report(dataset, stored, open, searches, during_ingest)
    }

    fn report(
        &self,
        dataset: Dataset,
        stored: Stored,
        open: Open,
        searches: Searches,
        during_ingest: DuringIngest,
    ) -> Result<Report> {
        let (index, precision) = (self.index()?, Precision::parse(&self.precision)?);
        let Searches { others, default, two_streams, search, at_recall, exact, filtered } =
            searches;
        Ok(Report {
            dataset: dataset.name,
            documents: dataset.documents,
            dim: dataset.dim,
            metric: dataset.metric.name(),
            index: index.kind.name(),
            precision: precision.name(),
            quantization: index.quantization(dataset.dim, precision).name(),
            residence: self.residence.clone(),
            threads: self.threads,
            limit: self.limit,
            rounds: self.rounds,
            others,
            build: stored.build,
            memory: stored.memory,
            open,
            default,
            during_ingest,
            two_streams,
            search,
            at_recall,
            exact,
            filtered,
        })
    }

    /// The ways to search that need no filter.
    fn kinds(&self) -> Vec<Kind> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let two_streams = (self.threads == 1 && cores >= 2).then_some(Kind::TwoStreams);
        let by_ef = self.ef.iter().copied().map(Kind::Ef);
        [Kind::Default].into_iter().chain(two_streams).chain(by_ef).chain([Kind::Exact]).collect()
    }

    fn index(&self) -> Result<IndexSpec> {
        let defaults = IndexSpec::default();
        Ok(IndexSpec {
            kind: IndexKind::parse(&self.index)?,
            m: self.m.unwrap_or(defaults.m),
            ef_construction: self.ef_construction.unwrap_or(defaults.ef_construction),
            quantization: self.quantization.as_deref().map(Quantization::parse).transpose()?,
            ..defaults
        })
    }
}
