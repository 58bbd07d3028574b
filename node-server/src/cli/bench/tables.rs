//! What a measurement found, as people read it.

use super::report::{AtRecall, Build, DuringIngest, Exact, Memory, Opened, Report, TwoStreams};
use crate::cli::{output::Output, table::Table};
use vectordoc::{Error, Result};

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
        print_table(&self.at_recalls(), out)?;
        if self.filtered.is_empty() { Ok(()) } else { print_table(&self.filters(), out) }
    }

    fn print_facts(&self, out: &mut Output) -> Result<()> {
        let Self { dataset, documents, dim, metric, index, threads, .. } = self;
        out.line(format_args!(
            "{dataset}: {documents} documents, dim {dim}, {metric}, index {index}, threads {threads}"
        ))?;
        if let Some(others) = self.others {
            let percent = others * 100.0;
            out.line(format_args!("others  used {percent:.0} % of all cores during the searches"))?;
        }
        out.line(format_args!("build   {}", self.build_fact()))?;
        out.line(format_args!("memory  {}", self.memory_fact()))?;
        out.line(format_args!("open    {}", open_fact(&self.open.warm, "with its files cached")))?;
        let cold = self.open.cold.as_ref();
        let cold = cold.map(|cold| open_fact(cold, "from storage"));
        let cold =
            cold.unwrap_or_else(|| "this system did not drop the files from its cache".into());
        out.line(format_args!("cold    {cold}"))?;
        if let Some(TwoStreams { qps, ratio }) = self.two_streams {
            out.line(format_args!("streams 2 answer {ratio:.2} × as much as 1 ({qps:.0} qps)"))?;
        }
        let DuringIngest { p99_us, ratio, wait_p99_us, wait_max_us, .. } = self.during_ingest;
        out.line(format_args!(
            "ingest  beside it 99 of 100 searches take {p99_us:.0} µs at most, {ratio:.2} × what they \
             take alone; they wait {wait_p99_us:.0} µs for their turn, the last one {wait_max_us:.0}"
        ))?;
        let Exact { bytes_per_second, bandwidth_bytes_per_second, ratio, .. } = self.exact;
        out.line(format_args!(
            "exact   {:.1} GB/s, {ratio:.2} × what can be read from memory ({:.1} GB/s)",
            bytes_per_second / 1e9,
            bandwidth_bytes_per_second / 1e9
        ))
    }

    fn build_fact(&self) -> String {
        let Some(Build { seconds, cpu_seconds, documents_per_second }) = self.build else {
            return "was there already".into();
        };
        let cpu = cpu_seconds.map(|cpu| format!(", {cpu:.2} CPU s")).unwrap_or_default();
        format!("{seconds:.2} s{cpu}, {documents_per_second:.0} docs/s")
    }

    fn memory_fact(&self) -> String {
        let Memory { bytes_per_document, raw_vector_bytes, ratio, after } = self.memory;
        match bytes_per_document.zip(ratio) {
            Some((bytes, ratio)) => format!(
                "{bytes:.0} bytes per document after {after}, {ratio:.2} × its vector as f32 \
                 ({raw_vector_bytes})"
            ),
            None => "this system does not tell".into(),
        }
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
        let exact = &self.exact;
        row("exact".into(), exact.recall, exact.qps, times(exact.p50_us, exact.p99_us));
        table
    }

    fn at_recalls(&self) -> Table {
        let mut table = Table::new([format!("recall@{}", self.limit), "qps".into()]);
        for AtRecall { recall, qps } in &self.at_recall {
            table.row([recall.to_string(), format!("{qps:.0}")]);
        }
        table
    }

    fn filters(&self) -> Table {
        let recall = format!("recall@{}", self.limit);
        let mut table = Table::new([
            "filter",
            "selectivity",
            &recall,
            "qps",
            "÷ default",
            "first µs",
            "short",
            "plan",
        ]);
        for filter in &self.filtered {
            table.row([
                filter.name.clone(),
                format!("{:.4}", filter.selectivity),
                format!("{:.4}", filter.recall),
                format!("{:.0}", filter.qps),
                format!("{:.2}", filter.ratio),
                format!("{:.1}", filter.evaluation_us),
                filter.short.to_string(),
                filter.plan.to_owned(),
            ]);
        }
        table
    }
}

fn open_fact(opened: &Opened, how: &str) -> String {
    let Opened { seconds, read_seconds, ratio } = opened;
    format!(
        "{seconds:.4} s to the first answer {how}, {ratio:.2} × reading them ({read_seconds:.4} s)"
    )
}

fn print_table(table: &Table, out: &mut Output) -> Result<()> {
    out.line("")?;
    let columns = out.columns();
    table.lines(columns).into_iter().try_for_each(|line| out.line(line))
}
