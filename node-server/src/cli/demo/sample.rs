//! The bundled sample: `sample/README.md` says what it is and how it was chosen.

use crate::cli::{
    jsonl::Lines,
    rows::{Fields, Ids, Rows},
    schema_guess::{SchemaGuess, VectorSource, Wishes},
    vectors::Vectors,
};
use serde::Deserialize;
use std::io::Cursor;
use vectordoc::{Error, Filter, Result, Schema};

static VECTORS: &[u8] = include_bytes!("../../../sample/vectors.npy");
static DOCUMENTS: &str = include_str!("../../../sample/documents.jsonl");
static QUERY_VECTORS: &[u8] = include_bytes!("../../../sample/queries.npy");
static QUERIES: &str = include_str!("../../../sample/queries.jsonl");

/// What the tour asks: a synset of WordNet that is not among the documents.
#[derive(Deserialize)]
pub(super) struct Question {
    /// Its word.
    pub(super) lemma: String,
    /// What the word means.
    pub(super) gloss: String,
    /// Which documents may answer, as JSON.
    filter: serde_json::Value,
    /// The meaning as a vector.
    #[serde(skip)]
    pub(super) vector: Vec<f32>,
}

impl Question {
    /// Which documents may answer.
    pub(super) fn filter(&self) -> Result<Filter> {
        self.filter.to_string().parse()
    }

    /// The filter as a user would write it; `None` when there is none.
    pub(super) fn filter_text(&self) -> Option<String> {
        let none = self.filter.as_object().is_none_or(serde_json::Map::is_empty);
        (!none).then(|| self.filter.to_string())
    }
}

/// Documents in the sample.
pub(super) fn documents() -> Result<u64> {
    Ok(vectors("vectors.npy", VECTORS)?.rows())
}

/// The schema, guessed as `vectordoc import` does.
pub(super) fn schema() -> Result<Schema> {
    let mut guess = SchemaGuess::default();
    for line in lines() {
        guess.observe(&line?.object()?)?;
    }
    let dim = vectors("vectors.npy", VECTORS)?.dim();
    guess.schema(&Wishes {
        id_field: "id".into(),
        vector: VectorSource::Apart { name: "embedding".into(), dim },
        ..Wishes::default()
    })
}

/// The documents of [`schema`].
pub(super) fn rows(schema: &Schema) -> Result<Rows<'_>> {
    let vectors = vectors("vectors.npy", VECTORS)?;
    Rows::new(schema, Ids::Field, Fields::Lines(lines()), Some(vectors), None)
}

/// What the tour asks, in order.
pub(super) fn questions() -> Result<Vec<Question>> {
    let vectors = vectors("queries.npy", QUERY_VECTORS)?.all_rows()?;
    let question = |(text, vector): (&str, Vec<f32>)| {
        let question: Question = serde_json::from_str(text)
            .map_err(|error| Error::internal(format!("queries.jsonl of the sample: {error}")))?;
        Ok(Question { vector, ..question })
    };
    QUERIES.lines().zip(vectors).map(question).collect()
}

fn lines() -> Lines {
    Lines::of_text("documents.jsonl of the sample", DOCUMENTS)
}

fn vectors(name: &str, bytes: &'static [u8]) -> Result<Vectors> {
    Vectors::read(format!("{name} of the sample"), Box::new(Cursor::new(bytes)))
}
