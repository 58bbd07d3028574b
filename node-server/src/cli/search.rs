//! `vectordoc search`: one question, its answer as a table or as JSON.

use super::{
    command::Run,
    file, hits, number,
    output::Output,
    place::{Answer, Place, PlaceOptions},
};
use clap::{ArgGroup, Args};
use std::{io::Read, path::PathBuf, time::Instant};
use vectordoc::{
    Error, Filter, Fusion, Id, Include, Query, Result, Schema, TextQuery, schema::IdKind,
};

const EXAMPLES: &str = "\
Examples:
  vectordoc search --db products --like p1                     documents like p1
  vectordoc search --db products --like p1 --filter '{\"price\": {\"$lt\": 20}}' --limit 5
  vectordoc search --db products --vector query.json           the vector in a file
  vectordoc search --db products --text \"wild cat\"            documents with these words
  vectordoc search --db products --text \"wild cat\" --like p1  both, as one list
  echo '[0.1, 0.2, 0.3]' | vectordoc search --db products --vector -
  vectordoc search --db products --data ./data --like p1       without a server
  vectordoc search --db products --like p1 --explain --json    for machines";

/// Bytes of a vector given as JSON: the largest dimension in decimal with room to spare.
const VECTOR_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Find the documents nearest to a vector or to another document, or those that have words
#[derive(Args, Debug)]
#[command(
    after_help = EXAMPLES,
    group = ArgGroup::new("question").required(true).multiple(true),
    group = ArgGroup::new("near"),
)]
pub(crate) struct Search {
    #[command(flatten)]
    place: PlaceOptions,

    /// File with the vector to be near to, a JSON array of numbers; `-` for standard input
    #[arg(long, value_name = "FILE", groups = ["question", "near"])]
    vector: Option<PathBuf>,

    /// Document to be near to, which is left out of the answer
    #[arg(long, value_name = "ID", groups = ["question", "near"])]
    like: Option<String>,

    /// Words to look for
    #[arg(long, value_name = "WORDS", group = "question")]
    text: Option<String>,

    /// Text field, where there are several
    #[arg(long, value_name = "PATH", requires = "text")]
    text_field: Option<String>,

    /// How a search by vector and text makes one list: `rrf`, or the weight of the text from 0 to 1
    #[arg(long, value_name = "HOW", requires_all = ["text", "near"], value_parser = parse_fusion)]
    fusion: Option<Fusion>,

    /// Vector field, where there are several
    #[arg(long, value_name = "NAME")]
    field: Option<String>,

    /// Hits wanted
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,

    /// Only documents that pass this filter
    #[arg(long, value_name = "JSON")]
    filter: Option<Filter>,

    /// Candidates a graph considers: more finds better and takes longer
    #[arg(long, value_name = "N")]
    ef: Option<usize>,

    /// Compare with every vector
    #[arg(long)]
    exact: bool,

    /// Fields to show, separated by commas; all unless given
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    fields: Vec<String>,

    /// Say how the answer was found
    #[arg(long)]
    explain: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Run for Search {
    fn run(&self, out: &mut Output) -> Result<()> {
        let mut place = self.place.open()?;
        let query = self.query(place.as_mut())?;
        let start = Instant::now();
        let mut answer = place.search(&query, self.explain)?;
        let took = start.elapsed();
        place.close()?;
        self.leave_out_itself(&mut answer);
        // In JSON they are part of the answer.
        for warning in answer.warnings.iter().filter(|_| !self.json) {
            eprintln!("warning: {warning}");
        }
        if self.json {
            return self.print_json(&answer, out);
        }
        self.print(&answer, out)?;
        let hits = answer.hits.len();
        out.line(format_args!("{} hits in {}", number::grouped(hits), number::time(took)))
    }
}

impl Search {
    fn query(&self, place: &mut dyn Place) -> Result<Query> {
        let vector = match (&self.vector, &self.like) {
            (Some(file), _) => Some(read_vector(file)?),
            (None, Some(id)) => Some(self.vector_of(place, id)?),
            (None, None) => None,
        };
        let text = self
            .text
            .as_ref()
            .map(|words| TextQuery { words: words.clone(), field: self.text_field.clone() });
        let include = if self.fields.is_empty() {
            Include::Values
        } else {
            Include::Fields(self.fields.clone())
        };
        Ok(Query {
            vector,
            text,
            fusion: self.fusion.unwrap_or_default(),
            field: self.field.clone(),
            // One more, as the document itself is nearest to itself.
            limit: self.limit.saturating_add(usize::from(self.like.is_some())),
            filter: self.filter.clone().unwrap_or_default(),
            ef: self.ef,
            exact: self.exact,
            include,
            ..Query::new(Vec::new())
        })
    }

    fn vector_of(&self, place: &mut dyn Place, id: &str) -> Result<Vec<f32>> {
        let schema = place.schema()?;
        let number = schema.vector_number(self.field.as_deref())?;
        place.vector(&parse_id(&schema, id)?, &schema.vectors()[number].name)
    }

    fn leave_out_itself(&self, answer: &mut Answer) {
        if let Some(like) = &self.like {
            answer.hits.retain(|found| hits::text(&found.id) != *like);
            answer.hits.truncate(self.limit);
        }
    }

    fn print(&self, answer: &Answer, out: &mut Output) -> Result<()> {
        let columns = out.columns();
        for line in hits::table(answer, &self.fields).lines(columns) {
            out.line(line)?;
        }
        match &answer.explain {
            Some(explanation) => out.line(format_args!("found by {explanation}")),
            None => Ok(()),
        }
    }

    fn print_json(&self, answer: &Answer, out: &mut Output) -> Result<()> {
        let json = serde_json::to_string(answer);
        out.line(json.map_err(|error| Error::internal(error.to_string()))?)
    }
}

/// `rrf`, or a weight.
fn parse_fusion(text: &str) -> Result<Fusion, String> {
    match (text, text.parse()) {
        ("rrf", _) => Ok(Fusion::default()),
        (_, Ok(weight)) if (0.0..=1.0).contains(&weight) => Ok(Fusion::Weighted { text: weight }),
        _ => Err("it is `rrf` or a number from 0 to 1".into()),
    }
}

/// The id that `text` is in a database of this schema.
fn parse_id(schema: &Schema, text: &str) -> Result<Id> {
    match schema.id().kind {
        IdKind::Text => Ok(Id::from(text)),
        IdKind::Uuid => Id::parse_uuid(text),
        IdKind::Int => text.parse().map(Id::Int).map_err(|_| {
            Error::invalid(format!("ids of this database are integers, not {text:?}"))
        }),
    }
}

fn read_vector(path: &std::path::Path) -> Result<Vec<f32>> {
    let mut text = String::new();
    let mut source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(file::open(path)?)
    };
    let read = source.by_ref().take(VECTOR_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|error| file::trouble(path.display(), &error))?;
    serde_json::from_str(&text).map_err(|error| {
        Error::invalid(format!("{} is no JSON array of numbers: {error}", path.display()))
    })
}
