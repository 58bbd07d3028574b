//! Rows of files as documents of a schema: fields from JSONL, vectors from inside it or from a
//! `.npy` file beside it.

use super::{
    jsonl::{Line, Lines},
    vectors::Vectors,
};
use serde::de::DeserializeSeed;
use vectordoc::{Document, Error, Id, Result, Schema, Value, document::DocumentSeed};

/// Documents in the order of their rows.
pub(crate) struct Rows<'a> {
    schema: &'a Schema,
    /// The fields; none when there are vectors only.
    lines: Option<Lines>,
    /// The vectors that stand beside the lines, and the number of their field.
    vectors: Option<(Vectors, usize)>,
    ids: Ids,
    row: u64,
}

/// Where the ids of documents come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ids {
    /// From the schema's id field.
    Field,
    /// A document's id is its row number, whatever its id field says.
    RowNumber,
}

impl<'a> Rows<'a> {
    /// Rows of `lines`, of `vectors`, or of both side by side; vectors go to `vector_field`, or
    /// the only one.
    pub(crate) fn new(
        schema: &'a Schema,
        ids: Ids,
        lines: Option<Lines>,
        vectors: Option<Vectors>,
        vector_field: Option<&str>,
    ) -> Result<Self> {
        let number = schema.vector_number(vector_field);
        let vectors = match vectors {
            Some(vectors) => Some((vectors, number?)),
            None => None,
        };
        Ok(Self { schema, lines, vectors, ids, row: 0 })
    }

    /// The next row's document, checked; `None` after the last.
    pub(crate) fn next_document(&mut self) -> Result<Option<Document>> {
        let line = match &mut self.lines {
            Some(lines) => lines.next().transpose()?,
            None => None,
        };
        let document = match &line {
            Some(line) => self.read(line)?,
            None if self.lines.is_none() && self.vectors_left() => self.bare(),
            None => return Ok(None),
        };
        let checked = self.complete(document);
        let document = checked.map_err(|error| error.within(self.place(line.as_ref())))?;
        self.row += 1;
        Ok(Some(document))
    }

    /// Up to `count` documents; fewer at the end. A bad row fails the documents before it in the
    /// batch too, which is why they come back with the error.
    pub(crate) fn next_batch(&mut self, count: usize) -> (Vec<Document>, Result<()>) {
        let mut batch = Vec::with_capacity(count.min(vectordoc::limits::BATCH_OPERATIONS_MAX));
        while batch.len() < count {
            match self.next_document() {
                Ok(Some(document)) => batch.push(document),
                Ok(None) => break,
                Err(error) => return (batch, Err(error)),
            }
        }
        (batch, Ok(()))
    }

    fn vectors_left(&self) -> bool {
        self.vectors.as_ref().is_some_and(|(vectors, _)| self.row < vectors.rows())
    }

    /// The document of a row that is only a vector.
    fn bare(&self) -> Document {
        Document {
            id: Id::Int(self.row),
            vectors: vec![None; self.schema.vectors().len()],
            values: vec![Value::Null; self.schema.values().len()],
        }
    }

    fn read(&self, line: &Line) -> Result<Document> {
        let seed = DocumentSeed(self.schema);
        let read = match self.ids {
            Ids::Field => {
                let mut text = serde_json::Deserializer::from_str(&line.text);
                seed.deserialize(&mut text).and_then(|document| text.end().map(|()| document))
            }
            Ids::RowNumber => {
                let mut object = line.object()?;
                object.insert(self.schema.id().name.clone(), self.row.into());
                seed.deserialize(serde_json::Value::Object(object))
            }
        };
        read.map_err(|error| line.error(&error))
    }

    /// Adds the vector that stands beside the line, and checks the whole.
    fn complete(&mut self, mut document: Document) -> Result<Document> {
        if let Some((vectors, number)) = &mut self.vectors {
            if self.row >= vectors.rows() {
                return Err(Error::invalid(format!(
                    "{} has no vector for it: it ends after {} rows",
                    vectors.name(),
                    vectors.rows()
                )));
            }
            document.vectors[*number] = Some(vectors.next_row()?);
        }
        document.check(self.schema)?;
        Ok(document)
    }

    fn place(&self, line: Option<&Line>) -> String {
        match (line, &self.vectors) {
            (Some(line), _) => line.place().to_owned(),
            (None, Some((vectors, _))) => format!("{} row {}", vectors.name(), self.row),
            (None, None) => format!("row {}", self.row),
        }
    }
}
