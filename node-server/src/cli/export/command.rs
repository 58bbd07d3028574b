//! The command: read the documents page by page, write each as a line of JSON.

use super::sink::Sink;
use crate::cli::{
    command::Run,
    number,
    output::Output,
    place::{Place, PlaceOptions},
    progress::Progress,
};
use clap::Args;
use serde_json::json;
use std::{path::PathBuf, time::Instant};
use vectordoc::{
    Error, ErrorKind, Filter, Include, Page, Result, Schema, Scroll, document::DocumentView,
    schema::unknown_name,
};

const EXAMPLES: &str = "\
Examples:
  vectordoc export products.jsonl --db products                       one document per line
  vectordoc export products.jsonl --db products --data ./data         without a server
  vectordoc export - --db products --include title,price | head       some fields only
  vectordoc export cheap.jsonl --db products --filter '{\"price\": {\"$lt\": 20}}'

Documents come in the order of their ids, with their vectors; `vectordoc import` reads the file. One
that is written while the export runs may be in it or not; `vectordoc backup` writes one moment.";

/// Documents of a page, if they are short.
const PAGE_DOCUMENTS: usize = 1_000;
/// Bytes of a page that are aimed at.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// About as long is a number of a vector in JSON.
const NUMBER_BYTES: usize = 12;
/// About as long is the rest of a document.
const VALUES_BYTES: usize = 512;

/// Write documents to a JSONL file
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Export {
    /// File to write, which must not be there yet; `-` for standard output
    file: PathBuf,

    #[command(flatten)]
    place: PlaceOptions,

    /// Only documents that pass this filter
    #[arg(long, value_name = "JSON")]
    filter: Option<Filter>,

    /// Fields to write besides the id, separated by commas; all unless given
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    include: Vec<String>,

    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Export {
    fn run(&self, out: &mut Output) -> Result<()> {
        let start = Instant::now();
        let mut sink = Sink::open(&self.file, out)?;
        let mut place = self.place.open()?;
        let written = self.write(place.as_mut(), &mut sink);
        let closed = place.close();
        let documents = written?;
        closed?;
        sink.finish()?;
        let took = start.elapsed();
        let said = match self.json {
            true => json!({
                "db": self.place.db,
                "file": self.file.display().to_string(),
                "documents": documents,
                "seconds": took.as_secs_f64(),
            })
            .to_string(),
            false => format!(
                "exported {} documents in {}: {}",
                number::grouped(documents),
                number::time(took),
                number::rate(documents, took),
            ),
        };
        if self.file.as_os_str() == "-" {
            eprintln!("{said}");
            return Ok(());
        }
        out.line(said)
    }
}

impl Export {
    /// Writes all documents; returns how many.
    fn write(&self, place: &mut dyn Place, sink: &mut Sink<'_>) -> Result<u64> {
        let schema = place.schema()?;
        let filter = self.filter.clone().unwrap_or(Filter::All);
        let progress = Progress::documents("exporting", place.count(&filter)?);
        let include = self.fields(&schema)?;
        let limit = page_documents(&schema, &include);
        let mut scroll = Scroll { filter, include, ..Scroll::new(limit) };
        let mut documents = 0;
        loop {
            let page = next_page(place, &mut scroll)?;
            sink.write(&lines(&schema, &page)?)?;
            documents += u64::try_from(page.docs.len()).unwrap_or_default();
            progress.advance(page.docs.len());
            scroll.cursor = page.cursor;
            if scroll.cursor.is_none() {
                return Ok(documents);
            }
        }
    }

    fn fields(&self, schema: &Schema) -> Result<Include> {
        if self.include.is_empty() {
            return Ok(Include::Everything);
        }
        match self.include.iter().find(|name| schema.names().all(|known| known != *name)) {
            Some(unknown) => Err(unknown_name("field", unknown, schema.names())),
            None => Ok(Include::Fields(self.include.clone())),
        }
    }
}

/// The next page; a smaller one when the server finds it too long.
fn next_page(place: &mut dyn Place, scroll: &mut Scroll) -> Result<Page> {
    loop {
        match place.scroll(scroll) {
            Err(error) if error.kind() == ErrorKind::LimitExceeded && scroll.limit > 1 => {
                scroll.limit /= 2;
            }
            page => return page,
        }
    }
}

/// How many documents make a page of a length that servers answer.
fn page_documents(schema: &Schema, include: &Include) -> usize {
    let vectors = schema.vectors().iter().filter(|field| include.vector(&field.name));
    let numbers: usize = vectors.map(|field| field.dim).sum();
    (PAGE_BYTES / (numbers * NUMBER_BYTES + VALUES_BYTES)).clamp(1, PAGE_DOCUMENTS)
}

fn lines(schema: &Schema, page: &Page) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for document in &page.docs {
        serde_json::to_writer(&mut lines, &DocumentView { schema, document })
            .map_err(|error| Error::internal(format!("document {}: {error}", document.id)))?;
        lines.push(b'\n');
    }
    Ok(lines)
}
