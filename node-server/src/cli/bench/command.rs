//! The command: build, open, and ask in every way.

use super::{
    build,
    report::{Default as Defaults, Exact, Filtered, Memory, Open, Report, Search},
    stream::{self, Measured},
    truth::Truth,
};
use crate::cli::{
    command::Run,
    dataset::{Dataset, NamedFilter},
    number,
    output::Output,
    progress::Progress,
    temporary,
};
use clap::Args;
use std::{
    path::{Path, PathBuf},
    time::Instant,
};
use vectordoc::{
    Database, Error, Include, Query, Result,
    native::DatabaseOptions,
    schema::{IndexKind, IndexSpec, Quantization},
};

const EXAMPLES: &str = "\
Examples:
  vectordoc bench wordnet50k                          tables
  vectordoc bench wordnet50k --json > report.json     one JSON object
  vectordoc bench wordnet50k --index hnsw --ef 20,40,80 --threads 4

The folder has dataset.json, base.npy, queries.npy and gt_ids.npy, and optionally base_meta.jsonl,
filters.json and gt_<filter>_ids.npy.";

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

    /// What the many are compared by before the nearest are in full
    #[arg(long, value_name = "NAME", value_parser = ["f32", "f16", "i8", "i4", "binary"])]
    quantization: Option<String>,

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
        let schema = build::schema(&dataset, &filters, self.index()?)?;
        let scratch = temporary::folder(self.scratch.as_deref())?;
        let path = scratch.path().join("measured");
        let (database, built) = build::build(&dataset, &schema, &path, self.threads)?;
        let truth = truth(&dataset, None, vectors.len())?;
        database.close()?;
        drop(database);
        let (database, open) = self.open(&path, &vectors)?;

        let steps = 2 + self.ef.len() + filters.len();
        let asked = Asked { bench: self, dataset: &dataset, database, vectors, truth };
        let progress = Progress::steps("default settings", steps);
        let report = Report {
            default: asked.default(&progress)?,
            search: asked.by_ef(&progress)?,
            exact: asked.exact(&progress)?,
            filtered: asked.filtered(&filters, &progress)?,
            build: built.build,
            memory: Memory {
                bytes_per_document: built.bytes_per_document,
                raw_vector_bytes: dataset.dim * size_of::<f32>(),
            },
            open,
            documents: dataset.documents,
            dim: dataset.dim,
            metric: dataset.metric.name(),
            index: self.index()?.kind.name(),
            quantization: self.index()?.quantization(dataset.dim).name(),
            threads: self.threads,
            limit: self.limit,
            dataset: dataset.name.clone(),
        };
        asked.database.close()?;
        Ok(report)
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

    /// Opens the closed database and asks the first query.
    fn open(&self, path: &Path, vectors: &[Vec<f32>]) -> Result<(Database, Open)> {
        let first = vectors.first().map(|vector| self.query(vector));
        let start = Instant::now();
        let options = DatabaseOptions { threads: Some(self.threads), ..Default::default() };
        let database = Database::open(path, &options)?;
        if let Some(query) = first {
            database.search(&query)?;
        }
        Ok((database, Open { seconds: start.elapsed().as_secs_f64() }))
    }

    /// A query for ids, as benchmarks of other systems ask.
    fn query(&self, vector: &[f32]) -> Query {
        Query { limit: self.limit, include: Include::Nothing, ..Query::new(vector.to_vec()) }
    }
}

/// The queries of a data set and the database they are put to.
struct Asked<'a> {
    bench: &'a Bench,
    dataset: &'a Dataset,
    database: Database,
    vectors: Vec<Vec<f32>>,
    truth: Truth,
}

impl Asked<'_> {
    fn default(&self, progress: &Progress) -> Result<Defaults> {
        progress.doing("default settings");
        let (measured, plan, ef) = self.ask_explained(|query| query)?;
        let recall = self.recall(&self.truth, &measured);
        progress.advance(1);
        let Measured { qps, p50_us, p99_us, .. } = measured;
        Ok(Defaults { ef, recall, qps, p50_us, p99_us, plan })
    }

    fn by_ef(&self, progress: &Progress) -> Result<Vec<Search>> {
        let search = |ef: usize| {
            progress.doing(format!("ef {ef}"));
            let measured = self.ask(|query| Query { ef: Some(ef), ..query })?;
            let recall = self.recall(&self.truth, &measured);
            progress.advance(1);
            let Measured { qps, p50_us, p99_us, .. } = measured;
            Ok(Search { ef, recall, qps, p50_us, p99_us })
        };
        self.bench.ef.iter().copied().map(search).collect()
    }

    fn exact(&self, progress: &Progress) -> Result<Exact> {
        progress.doing("exact");
        let measured = self.ask(|query| Query { exact: true, ..query })?;
        let recall = self.recall(&self.truth, &measured);
        progress.advance(1);
        let vector_bytes = number::real(self.dataset.dim * size_of::<f32>());
        let bytes = number::real(self.dataset.documents) * vector_bytes;
        Ok(Exact { qps: measured.qps, bytes_per_second: measured.qps * bytes, recall })
    }

    fn filtered(&self, filters: &[NamedFilter], progress: &Progress) -> Result<Vec<Filtered>> {
        let ask = |named: &NamedFilter| {
            progress.doing(format!("filter {}", named.name));
            let filtered = self.filter(named);
            progress.advance(1);
            filtered.map_err(|error| error.within(format!("filter {}", named.name)))
        };
        filters.iter().map(ask).collect()
    }

    fn filter(&self, named: &NamedFilter) -> Result<Filtered> {
        let matching = self.matching(named)?;
        let truth = truth(self.dataset, Some(&named.name), self.vectors.len())?;
        let filter = |query| Query { filter: named.filter.clone(), ..query };
        let (measured, plan, _) = self.ask_explained(filter)?;
        let wanted = usize::try_from(matching).unwrap_or(usize::MAX).min(self.bench.limit);
        let part = number::real(matching) / number::real(self.dataset.documents.max(1));
        Ok(Filtered {
            name: named.name.clone(),
            selectivity: named.selectivity.unwrap_or(part),
            recall: self.recall(&truth, &measured),
            qps: measured.qps,
            short: measured.answers.iter().filter(|hits| hits.len() < wanted).count(),
            plan,
        })
    }

    /// Documents that match, which the data set and the database must agree on.
    fn matching(&self, named: &NamedFilter) -> Result<u64> {
        let counted = self.database.count(&named.filter)?;
        match named.matching {
            Some(told) if told != counted => {
                Err(Error::invalid(format!("{counted} documents match, filters.json says {told}")))
            }
            _ => Ok(counted),
        }
    }

    fn ask(&self, change: impl Fn(Query) -> Query) -> Result<Measured> {
        let queries: Vec<Query> =
            self.vectors.iter().map(|vector| change(self.bench.query(vector))).collect();
        stream::measure(&self.database, &queries, self.bench.threads)
    }

    /// Also the plan and the `ef` that the first query was answered with.
    fn ask_explained(
        &self,
        change: impl Fn(Query) -> Query,
    ) -> Result<(Measured, &'static str, usize)> {
        let measured = self.ask(&change)?;
        let Some(first) = self.vectors.first() else { return Ok((measured, "none", 0)) };
        let (_, explanation) = self.database.explain(&change(self.bench.query(first)))?;
        Ok((measured, explanation.plan, explanation.ef))
    }

    /// The mean recall over all queries.
    fn recall(&self, truth: &Truth, measured: &Measured) -> f64 {
        let recall = |(query, hits): (usize, &Vec<_>)| truth.recall(query, hits, self.bench.limit);
        let sum: f64 = measured.answers.iter().enumerate().map(recall).sum();
        sum / number::real(measured.answers.len().max(1))
    }
}

/// The exact answers: of all documents, or of those that match the filter of this name.
fn truth(dataset: &Dataset, filter: Option<&str>, queries: usize) -> Result<Truth> {
    let (ids, distances) = (dataset.truth_path(filter), dataset.truth_distances(filter));
    let truth = Truth::read(&ids, distances.as_deref())?;
    if truth.queries() == queries {
        return Ok(truth);
    }
    Err(Error::invalid(format!(
        "{} has answers for {} queries, queries.npy has {queries}",
        ids.display(),
        truth.queries()
    )))
}
