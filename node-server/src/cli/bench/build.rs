//! The database that is measured: built from a data set folder, or found; timed and weighed.

use super::{median::ratio, opening::Opening, process, report};
use crate::cli::{
    dataset::{Dataset, NamedFilter},
    jsonl::Lines,
    number,
    progress::Progress,
    rows::{Fields, Ids, Rows},
    schema_guess::{SchemaGuess, VectorSource, Wishes},
};
use std::{collections::BTreeSet, path::Path, time::Instant};
use vectordoc::{
    Database, Error, Filter, Result, Schema,
    native::DatabaseOptions,
    schema::{IndexSpec, Precision},
};

const BATCH: usize = 1_000;
const ID: &str = "id";

/// The schema of the data set's rows, with every field that `filters` ask about filterable.
pub(super) fn schema(
    dataset: &Dataset,
    filters: &[NamedFilter],
    precision: Precision,
    index: IndexSpec,
) -> Result<Schema> {
    let mut guess = SchemaGuess::default();
    for line in lines(dataset).into_iter().flatten() {
        let line = line?;
        let mut row = line.object()?;
        // A document of a data set is named by its row number.
        row.remove(ID);
        guess.observe(&row).map_err(|error| error.within(line.place()))?;
    }
    let mut filterable = BTreeSet::new();
    filters.iter().for_each(|named| collect_paths(&named.filter, &mut filterable));
    guess.schema(&Wishes {
        id_field: ID.into(),
        vector: VectorSource::Apart { name: "embedding".into(), dim: dataset.dim },
        metric: dataset.metric,
        precision,
        index,
        filterable,
    })
}

/// What is known of the database before it is asked anything.
pub(super) struct Stored {
    /// `None` when it was there already.
    pub(super) build: Option<report::Build>,
    pub(super) memory: report::Memory,
}

/// Builds the database at `path` from the data set, which is read as a stream, and closes it.
pub(super) fn build(
    dataset: &Dataset,
    schema: &Schema,
    path: &Path,
    options: &DatabaseOptions,
) -> Result<Stored> {
    let before = process::private_bytes();
    let database = Database::create(path, schema, options)?;
    let (start, cpu) = (Instant::now(), process::cpu_time());
    fill(&database, dataset)?;
    let elapsed = start.elapsed();
    let cpu = cpu.zip(process::cpu_time()).map(|(before, now)| now.saturating_sub(before));
    let memory = memory(dataset, before, "building");
    database.close()?;
    let build = report::Build {
        seconds: elapsed.as_secs_f64(),
        cpu_seconds: cpu.map(|time| time.as_secs_f64()),
        documents_per_second: number::per_second(dataset.documents, elapsed),
    };
    Ok(Stored { build: Some(build), memory })
}

/// Weighs the database of an earlier run; refuses one that was built from something else.
pub(super) fn weigh(dataset: &Dataset, schema: &Schema, opening: &Opening<'_>) -> Result<Stored> {
    let before = process::private_bytes();
    let database = opening.open()?;
    let memory = memory(dataset, before, "opening");
    let place = opening.path.display();
    database.schema().expect_same(schema).map_err(|error| {
        error.within(format!("{place} was built from other data or with other options"))
    })?;
    let documents = database.stats().documents;
    if documents != dataset.documents {
        return Err(Error::conflict(format!(
            "{place} has {documents} documents, {} has {}; delete the folder to build it anew",
            dataset.name, dataset.documents
        )));
    }
    // An earlier run may have been stopped before its index was ready.
    database.wait_indexed(&mut |_, _| {})?;
    database.close()?;
    Ok(Stored { build: None, memory })
}

/// The growth of this process's memory since it was `before`.
fn memory(dataset: &Dataset, before: Option<u64>, after: &'static str) -> report::Memory {
    let growth =
        before.zip(process::private_bytes()).map(|(before, now)| now.saturating_sub(before));
    let raw_vector_bytes = dataset.dim * size_of::<f32>();
    let bytes_per_document =
        growth.map(|bytes| number::real(bytes) / number::real(dataset.documents.max(1)));
    let ratio = bytes_per_document.map(|bytes| ratio(bytes, number::real(raw_vector_bytes)));
    report::Memory { bytes_per_document, raw_vector_bytes, ratio, after }
}

fn fill(database: &Database, dataset: &Dataset) -> Result<()> {
    write(database, dataset)?;
    let progress = Progress::documents("building the index", dataset.documents);
    database.wait_indexed(&mut |done, total| progress.set(done, total))
}

/// Writes all documents in batches of [`BATCH`].
pub(super) fn write(database: &Database, dataset: &Dataset) -> Result<()> {
    let progress = Progress::documents("indexing", dataset.documents);
    let schema = database.schema();
    let fields = lines(dataset).map_or(Fields::None, Fields::Lines);
    let mut rows = Rows::new(schema, Ids::RowNumber, fields, Some(dataset.base()?), None)?;
    loop {
        let (batch, read) = rows.next_batch(BATCH);
        read?;
        if batch.is_empty() {
            break;
        }
        progress.advance(database.index(batch)?);
    }
    Ok(())
}

fn lines(dataset: &Dataset) -> Option<Lines> {
    dataset.meta().map(|path| Lines::of_files(&[path]))
}

/// The paths of the fields that a filter asks about.
fn collect_paths(filter: &Filter, paths: &mut BTreeSet<String>) {
    match filter {
        Filter::All => {}
        Filter::And(filters) | Filter::Or(filters) => {
            filters.iter().for_each(|filter| collect_paths(filter, paths));
        }
        Filter::Not(filter) => collect_paths(filter, paths),
        Filter::Field { path, .. } => {
            paths.insert(path.clone());
        }
    }
}
