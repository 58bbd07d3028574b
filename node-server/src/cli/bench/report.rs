//! What a measurement prints: one JSON object for machines, tables for people.

use crate::cli::{output::Output, table::Table};
use serde::Serialize;
use vectordoc::{Error, Result};

/// All of a measurement, in the order it is printed.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) dataset: String,
    pub(super) documents: u64,
    pub(super) dim: usize,
    pub(super) metric: &'static str,
    /// The index asked for; `default.plan` says what `auto` chose.
    pub(super) index: &'static str,
    /// How stored vectors are coded.
    pub(super) quantization: &'static str,
    /// Threads that build, and streams that search at once.
    pub(super) threads: usize,
    pub(super) limit: usize,
    pub(super) build: Build,
    pub(super) memory: Memory,
    pub(super) open: Open,
    pub(super) default: Default,
    pub(super) search: Vec<Search>,
    pub(super) exact: Exact,
    pub(super) filtered: Vec<Filtered>,
}

/// From the first document to the index being ready, on disk.
#[derive(Serialize)]
pub(super) struct Build {
    pub(super) seconds: f64,
    pub(super) documents_per_second: f64,
}

/// What the process holds for the collection after building.
#[derive(Serialize)]
pub(super) struct Memory {
    /// `None` where the system does not tell.
    pub(super) bytes_per_document: Option<f64>,
    /// Bytes of one vector of `f32`.
    pub(super) raw_vector_bytes: usize,
}

/// Opening the closed collection, up to its first answer.
#[derive(Serialize)]
pub(super) struct Open {
    pub(super) seconds: f64,
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

/// Searches that consider `ef` candidates.
#[derive(Serialize)]
pub(super) struct Search {
    pub(super) ef: usize,
    pub(super) recall: f64,
    pub(super) qps: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

/// Searches that compare with every vector.
#[derive(Serialize)]
pub(super) struct Exact {
    pub(super) qps: f64,
    /// Bytes of vectors, as `f32`, that all streams together went through.
    pub(super) bytes_per_second: f64,
    pub(super) recall: f64,
}

/// Searches with a filter that leave everything else to the database.
#[derive(Serialize)]
pub(super) struct Filtered {
    pub(super) name: String,
    /// The part of all documents that match.
    pub(super) selectivity: f64,
    pub(super) recall: f64,
    pub(super) qps: f64,
    /// Queries with fewer than min(limit, matching) hits.
    pub(super) short: usize,
    pub(super) plan: &'static str,
}

impl Report {
    /// Prints the one JSON object.
    pub(super) fn print_json(&self, out: &mut Output) -> Result<()> {
        let json = serde_json::to_string(self);
        out.line(json.map_err(|error| Error::internal(error.to_string()))?)
    }

    /// Prints tables.
    pub(super) fn print(&self, out: &mut Output) -> Result<()> {
        self.print_facts(out)?;
        print_table(&self.searches(), out)?;
        if self.filtered.is_empty() { Ok(()) } else { print_table(&self.filters(), out) }
    }

    fn print_facts(&self, out: &mut Output) -> Result<()> {
        let Self { dataset, documents, dim, metric, index, threads, .. } = self;
        out.line(format_args!(
            "{dataset}: {documents} documents, dim {dim}, {metric}, index {index}, threads {threads}"
        ))?;
        let Build { seconds, documents_per_second } = self.build;
        out.line(format_args!("build   {seconds:.2} s, {documents_per_second:.0} docs/s"))?;
        let raw = self.memory.raw_vector_bytes;
        match self.memory.bytes_per_document {
            Some(bytes) => out.line(format_args!(
                "memory  {bytes:.0} bytes per document ({raw} of them the vector as f32)"
            ))?,
            None => out.line("memory  this system does not tell")?,
        }
        out.line(format_args!("open    {:.4} s to the first answer", self.open.seconds))
    }

    fn searches(&self) -> Table {
        let recall = format!("recall@{}", self.limit);
        let mut table = Table::new(["search", recall.as_str(), "qps", "p50 µs", "p99 µs"]);
        let default = &self.default;
        let name = format!("default ({}, ef {})", default.plan, default.ef);
        let times = |p50: f64, p99: f64| [format!("{p50:.0}"), format!("{p99:.0}")];
        let mut row = |name: String, recall: f64, qps: f64, times: [String; 2]| {
            let [p50, p99] = times;
            table.row([name, format!("{recall:.4}"), format!("{qps:.0}"), p50, p99]);
        };
        row(name, default.recall, default.qps, times(default.p50_us, default.p99_us));
        for search in &self.search {
            let name = format!("ef {}", search.ef);
            row(name, search.recall, search.qps, times(search.p50_us, search.p99_us));
        }
        let gigabytes = format!("{:.1} GB/s", self.exact.bytes_per_second / 1e9);
        row("exact".into(), self.exact.recall, self.exact.qps, [gigabytes, String::new()]);
        table
    }

    fn filters(&self) -> Table {
        let recall = format!("recall@{}", self.limit);
        let mut table =
            Table::new(["filter", "selectivity", recall.as_str(), "qps", "short", "plan"]);
        for filter in &self.filtered {
            table.row([
                filter.name.clone(),
                format!("{:.4}", filter.selectivity),
                format!("{:.4}", filter.recall),
                format!("{:.0}", filter.qps),
                filter.short.to_string(),
                filter.plan.to_owned(),
            ]);
        }
        table
    }
}

fn print_table(table: &Table, out: &mut Output) -> Result<()> {
    out.line("")?;
    let columns = out.columns();
    table.lines(columns).into_iter().try_for_each(|line| out.line(line))
}
