//! The database that is measured: built from a data set folder, timed and weighed.

use super::{memory, report};
use crate::cli::{
    dataset::{Dataset, NamedFilter},
    jsonl::Lines,
    number,
    progress::Progress,
    rows::{Ids, Rows},
    schema_guess::{SchemaGuess, VectorSource, Wishes},
};
use std::{collections::BTreeSet, path::Path, time::Instant};
use vectordoc::{Database, Filter, Result, Schema, native::DatabaseOptions, schema::IndexSpec};

const BATCH: usize = 1_000;
const ID: &str = "id";

/// The schema of the data set's rows, with every field that `filters` ask about filterable.
pub(super) fn schema(
    dataset: &Dataset,
    filters: &[NamedFilter],
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
        index,
        filterable,
    })
}

/// What it took to build a database.
pub(super) struct Built {
    /// From the first document to the index being ready, on disk.
    pub(super) build: report::Build,
    /// Growth of this process's memory meanwhile.
    pub(super) bytes_per_document: Option<f64>,
}

/// Builds the database at `path` from the data set, which is read as a stream.
pub(super) fn build(
    dataset: &Dataset,
    schema: &Schema,
    path: &Path,
    threads: usize,
) -> Result<(Database, Built)> {
    let before = memory::private_bytes();
    let options = DatabaseOptions { threads: Some(threads), ..DatabaseOptions::default() };
    let database = Database::create(path, schema, &options)?;
    let start = Instant::now();
    fill(&database, dataset)?;
    let elapsed = start.elapsed();
    let growth =
        before.zip(memory::private_bytes()).map(|(before, now)| now.saturating_sub(before));
    let built = Built {
        build: report::Build {
            seconds: elapsed.as_secs_f64(),
            documents_per_second: number::per_second(dataset.documents, elapsed),
        },
        bytes_per_document: growth
            .map(|bytes| number::real(bytes) / number::real(dataset.documents.max(1))),
    };
    Ok((database, built))
}

fn fill(database: &Database, dataset: &Dataset) -> Result<()> {
    let progress = Progress::documents("indexing", dataset.documents);
    let schema = database.schema();
    let mut rows = Rows::new(schema, Ids::RowNumber, lines(dataset), Some(dataset.base()?), None)?;
    loop {
        let (batch, read) = rows.next_batch(BATCH);
        read?;
        if batch.is_empty() {
            break;
        }
        progress.advance(database.index(batch)?);
    }
    drop(progress);
    let progress = Progress::documents("building the index", dataset.documents);
    database.wait_indexed(&mut |done, total| progress.set(done, total))
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
