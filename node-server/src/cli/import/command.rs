//! The command: find or create the database, send the documents, say how it went.

use super::{bookmark::Bookmark, source::Source};
use crate::cli::{
    command::Run,
    file, number,
    output::Output,
    place::{Place, PlaceOptions},
    progress::Progress,
    rows::Rows,
    schema_guess::{VectorSource, Wishes},
};
use clap::Args;
use serde_json::json;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};
use vectordoc::{Error, ErrorKind, Metric, Result, Schema};

const EXAMPLES: &str = "\
Examples:
  vectordoc import products.jsonl --db products                   vectors inside the lines
  vectordoc import products.jsonl --vectors base.npy --db products
  vectordoc import products.parquet --db products                 vectors in a column of lists
  vectordoc import wordnet50k --db wordnet --shards 4             a data set folder
  vectordoc import products.jsonl --db products --data ./data     without a server
  vectordoc import products.jsonl --db products --schema schema.json
  vectordoc import products.jsonl --db products --resume          go on after an interruption

A database that does not exist is created, with the schema in --schema or one guessed from all
rows: numbers, booleans and short texts that repeat become filterable; Parquet files say the types.
The guess is printed. While an import runs, FILE.import beside the first file says how far it is.";

/// Name of the vector field when the vectors come from a file of their own.
const VECTOR_FIELD: &str = "embedding";

/// Load documents from JSONL, Parquet and .npy files
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Import {
    /// JSONL files with one document per line, Parquet files, or one data set folder
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    place: PlaceOptions,

    /// Vectors of the documents, one row for each line: float32 or float16
    #[arg(long, value_name = "FILE.npy")]
    vectors: Option<PathBuf>,

    /// Field the vectors are in, or go to
    #[arg(long, value_name = "NAME")]
    vector_field: Option<String>,

    /// How distance is measured in a new database; cosine unless the data set says otherwise
    #[arg(long, value_parser = ["cosine", "l2", "dot"])]
    metric: Option<String>,

    /// Schema of a new database, as JSON
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,

    /// Shards of a new database
    #[arg(long, value_name = "N")]
    shards: Option<usize>,

    /// Field that names a document
    #[arg(long, value_name = "NAME", default_value = "id")]
    id_field: String,

    /// Documents sent at a time
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    batch: usize,

    /// Go on where an interrupted import of the same files stopped
    #[arg(long)]
    resume: bool,

    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

/// What an import did.
struct Outcome {
    documents: u64,
    /// Rows that were imported before it was interrupted.
    before: u64,
    sending: Duration,
    building: Duration,
}

impl Run for Import {
    fn run(&self, out: &mut Output) -> Result<()> {
        let source = Source::open(&self.files, self.vectors.as_ref())?;
        let mut bookmark = Bookmark::new(source.files(), self.place.describe()?)?;
        let before = if self.resume { bookmark.find()? } else { 0 };
        let mut place = self.place.open()?;
        let schema = match before {
            0 => self.database(place.as_mut(), &source, out)?,
            _ => place.schema().map_err(|error| gone(error, before))?,
        };
        let mut rows = source.rows(&schema, self.vector_field.as_deref())?;
        rows.skip(before)?;
        let sending = Sending { schema: &schema, rows, before, total: source.rows };
        let outcome = self.send(place.as_mut(), sending, &mut bookmark);
        let closed = place.close();
        let outcome = outcome?;
        closed?;
        self.report(&outcome, out)
    }
}

impl Import {
    /// The schema of the database, which is created when it is missing.
    fn database(&self, place: &mut dyn Place, source: &Source, out: &mut Output) -> Result<Schema> {
        if let Some(path) = &self.schema {
            let schema = Schema::from_json_str(&file::read_text(path)?)
                .map_err(|error| error.within(path.display()))?;
            place.create(&schema, self.shards)?;
            return Ok(schema);
        }
        match place.schema() {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            found => return found,
        }
        let schema = self.guess(source)?;
        place.create(&schema, self.shards)?;
        self.show(&schema, out)?;
        Ok(schema)
    }

    fn guess(&self, source: &Source) -> Result<Schema> {
        if source.rows == 0 {
            return Err(Error::invalid(
                "there are no documents to guess a schema from; give one with --schema",
            ));
        }
        let metric = self.metric.as_deref().map(Metric::parse).transpose()?;
        let vector = match source.dim()? {
            Some(dim) => {
                let name = self.vector_field.clone().unwrap_or_else(|| VECTOR_FIELD.into());
                VectorSource::Apart { name, dim }
            }
            None => VectorSource::Inside(self.vector_field.clone()),
        };
        source.guess()?.schema(&Wishes {
            id_field: self.id_field.clone(),
            vector,
            metric: metric.or(source.metric).unwrap_or_default(),
            ..Wishes::default()
        })
    }

    fn show(&self, schema: &Schema, out: &mut Output) -> Result<()> {
        if self.json {
            return Ok(());
        }
        let db = &self.place.db;
        out.line(format_args!("Created {db} with this schema (another: --schema FILE):"))?;
        let fields = schema.to_json();
        let last = fields.len().saturating_sub(1);
        for (position, (name, field)) in fields.iter().enumerate() {
            let open = if position == 0 { "{" } else { " " };
            let close = if position == last { "}" } else { "," };
            out.line(format_args!("{open}{}: {field}{close}", json!(name)))?;
        }
        Ok(())
    }

    fn send(
        &self,
        place: &mut dyn Place,
        mut sending: Sending<'_>,
        bookmark: &mut Bookmark,
    ) -> Result<Outcome> {
        let start = Instant::now();
        let Sending { before, total, .. } = sending;
        let progress = Progress::documents("importing", total);
        progress.begin_at(before);
        let sent = self.send_batches(place, &mut sending, bookmark, &progress);
        // What is on its way counts, also after an error.
        let settled = place.settle();
        let documents = place.acknowledged();
        if let Err(error) = sent.and(settled) {
            let can_go_on = !is_about_files(&error);
            match can_go_on {
                true => bookmark.note(before + place.acknowledged_in_order(), true),
                false => bookmark.remove(),
            }
            return Err(stopped(&error, before + documents, can_go_on));
        }
        bookmark.remove();
        let took = start.elapsed();
        drop(progress);
        let progress = Progress::documents("building the index", total);
        place.build_index(&mut |done, total| progress.set(done, total))?;
        Ok(Outcome { documents, before, sending: took, building: start.elapsed() - took })
    }

    fn send_batches(
        &self,
        place: &mut dyn Place,
        sending: &mut Sending<'_>,
        bookmark: &mut Bookmark,
        progress: &Progress,
    ) -> Result<()> {
        loop {
            let (batch, read) = sending.rows.next_batch(self.batch.max(1));
            let count = batch.len();
            if count > 0 {
                place.index(sending.schema, batch)?;
                bookmark.note(sending.before + place.acknowledged_in_order(), false);
                progress.advance(count);
            }
            read?;
            if count == 0 {
                return Ok(());
            }
        }
    }

    fn report(&self, outcome: &Outcome, out: &mut Output) -> Result<()> {
        let Outcome { documents, before, sending, building } = *outcome;
        if self.json {
            return out.line(json!({
                "db": self.place.db,
                "documents": documents,
                "resumed_after": before,
                "seconds": sending.as_secs_f64(),
                "documents_per_second": number::per_second(documents, sending),
                "index_seconds": building.as_secs_f64(),
            }));
        }
        if before > 0 {
            let before = number::grouped(before);
            out.line(format_args!("went on after {before} documents imported before"))?;
        }
        if self.place.data.is_some() {
            out.line(format_args!("index ready after {} more", number::time(building)))?;
        }
        out.line(format_args!(
            "imported {} documents in {}: {}",
            number::grouped(documents),
            number::time(sending),
            number::rate(documents, sending),
        ))
    }
}

/// Documents to send, of which those of the first rows are there.
struct Sending<'a> {
    schema: &'a Schema,
    rows: Rows<'a>,
    before: u64,
    total: u64,
}

/// Whether the files have to change first, after which they are others.
fn is_about_files(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Invalid | ErrorKind::LimitExceeded)
}

/// The error that ended an import, and what of the files is in the database all the same.
fn stopped(error: &Error, documents: u64, can_go_on: bool) -> Error {
    let way_out =
        if can_go_on { "; the same command with --resume goes on after them" } else { "" };
    let documents = number::grouped(documents);
    let message = format!("{error} ({documents} documents before it are imported{way_out})");
    Error::new(error.kind(), message)
}

/// An import cannot go on in a database that is not there.
fn gone(error: Error, before: u64) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::conflict(format!(
            "{error}, although {before} documents were imported into it; import anew without \
             --resume"
        )),
        _ => error,
    }
}
