//! Everything counted, as text: what requests and connections count themselves, what databases and
//! the process are asked for at that moment.

use super::process;
use crate::{catalog::Seen, keys::Caller, server::Context};
use prometheus_client::{
    encoding::{EncodeLabelSet, prometheus_text, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use std::{fs, path::Path};
use vectordoc::{Database, Error, Result};

/// How metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Prometheus text 0.0.4, which everything reads.
    Prometheus,
    /// OpenMetrics 1.0, for who asks for it.
    OpenMetrics,
}

impl Format {
    /// What a client that accepts this wants.
    pub(super) fn wanted(accept: &str) -> Self {
        match accept.contains("application/openmetrics-text") {
            true => Self::OpenMetrics,
            false => Self::Prometheus,
        }
    }

    /// The type of such a text.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    fn write(self, registries: &[&Registry]) -> Result<String> {
        let mut output = String::new();
        let written = registries.iter().try_for_each(|registry| match self {
            Self::Prometheus => prometheus_text::encode(&mut output, registry),
            Self::OpenMetrics => text::encode_registry(&mut output, registry),
        });
        let ended = written.and_then(|()| match self {
            Self::Prometheus => Ok(()),
            Self::OpenMetrics => text::encode_eof(&mut output),
        });
        ended.map_err(|error| Error::internal(format!("metrics cannot be written: {error}")))?;
        Ok(output)
    }
}

/// All metrics that `caller` may see. Blocks.
pub(super) fn scrape(context: &Context, caller: &Caller, format: Format) -> Result<String> {
    let telemetry = &context.telemetry;
    telemetry.connections_are(context.places.taken());
    telemetry.unread_are(context.ledger.bytes());
    let databases = databases(context, caller);
    format.write(&[telemetry.registry(), &databases, &process::registry()])
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DatabaseLabels {
    db: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

type Gauges = Family<DatabaseLabels, Gauge>;

/// What there is to know about each database.
#[derive(Default)]
struct PerDatabase {
    documents: Gauges,
    unindexed: Gauges,
    memory_bytes: Gauges,
    disk_bytes: Gauges,
    shards: Gauges,
    records: Family<DatabaseLabels, Counter>,
    commits: Family<DatabaseLabels, Counter>,
}

fn databases(context: &Context, caller: &Caller) -> Registry {
    let (per, states) = (PerDatabase::default(), Family::<StateLabels, Gauge>::default());
    for state in ["usable", "asleep", "paused", "changing", "broken"] {
        states.get_or_create(&StateLabels { state }).set(0);
    }
    let all = context.catalog.overview().into_iter();
    for (name, seen) in all.filter(|(name, _)| caller.sees(name.as_str())) {
        let state = match seen {
            Seen::Open(database) => {
                per.add(DatabaseLabels { db: name.to_string() }, &database);
                "usable"
            }
            // To count what is in them would take opening them.
            Seen::Asleep => "asleep",
            Seen::Paused => "paused",
            Seen::Changing => "changing",
            Seen::Broken => "broken",
        };
        states.get_or_create(&StateLabels { state }).inc();
    }
    let mut registry = Registry::with_prefix("vectordoc");
    registry.register("databases", "Databases, by whether they can be used", states);
    per.register(&mut registry);
    registry
}

impl PerDatabase {
    fn add(&self, labels: DatabaseLabels, database: &Database) {
        let stats = database.stats();
        let gauges = [
            (&self.documents, stats.documents),
            (&self.unindexed, stats.unindexed),
            (&self.memory_bytes, stats.memory_bytes),
            (&self.shards, u64::try_from(stats.shards).unwrap_or(u64::MAX)),
        ];
        let on_disk = database.path().map(|path| (&self.disk_bytes, file_bytes(path)));
        for (gauge, value) in gauges.into_iter().chain(on_disk) {
            gauge.get_or_create(&labels).set(i64::try_from(value).unwrap_or(i64::MAX));
        }
        self.records.get_or_create(&labels).inc_by(stats.record_number);
        self.commits.get_or_create(&labels).inc_by(stats.commits);
    }

    fn register(self, registry: &mut Registry) {
        let gauges = [
            ("documents", "Documents", self.documents),
            ("unindexed", "Vectors that wait for an index", self.unindexed),
            (
                "memory_bytes",
                "Bytes of memory of documents, vectors and indexes",
                self.memory_bytes,
            ),
            ("disk_bytes", "Bytes of its files", self.disk_bytes),
            ("shards", "Shards", self.shards),
        ];
        for (name, help, gauge) in gauges {
            registry.register(format!("database_{name}"), help, gauge);
        }
        registry.register("database_records", "Writes applied since it was created", self.records);
        registry.register(
            "database_commits",
            "Commits made durable since it was opened; waiting writes share one",
            self.commits,
        );
    }
}

/// What the files in `folder` take. One that goes meanwhile takes nothing.
fn file_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}
