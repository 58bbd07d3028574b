//! Rows of files as documents of a schema: fields from JSONL or Parquet, vectors from inside it or
//! from a `.npy` file beside it.

use super::{
    jsonl::{Line, Lines},
    parquet::{Cell, Record, Records},
    vectors::Vectors,
};
use serde::de::DeserializeSeed;
use vectordoc::{Document, Error, Id, Result, Schema, Value, document::DocumentSeed};

/// Documents in the order of their rows.
pub(crate) struct Rows<'a> {
    schema: &'a Schema,
    fields: Fields,
    /// The vectors that stand beside the fields, and the number of their field.
    vectors: Option<(Vectors, usize)>,
    ids: Ids,
    row: u64,
}

/// Where the fields of documents come from.
pub(crate) enum Fields {
    /// Nowhere: there are vectors only.
    None,
    /// From JSONL.
    Lines(Lines),
    /// From Parquet.
    Records(Records),
}

/// The fields of one document.
enum Row {
    Line(Line),
    Record(Record),
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
    /// Rows of `fields`, of `vectors`, or of both side by side; vectors go to `vector_field`, or
    /// the only one.
    pub(crate) fn new(
        schema: &'a Schema,
        ids: Ids,
        fields: Fields,
        vectors: Option<Vectors>,
        vector_field: Option<&str>,
    ) -> Result<Self> {
        let number = schema.vector_number(vector_field);
        let vectors = match vectors {
            Some(vectors) => Some((vectors, number?)),
            None => None,
        };
        Ok(Self { schema, fields, vectors, ids, row: 0 })
    }

    /// Leaves out the first `count` rows.
    pub(crate) fn skip(&mut self, count: u64) -> Result<()> {
        match &mut self.fields {
            Fields::None => {}
            Fields::Lines(lines) => lines.skip(count)?,
            Fields::Records(records) => records.skip(count)?,
        }
        if let Some((vectors, _)) = &mut self.vectors {
            vectors.skip(count.min(vectors.rows()))?;
        }
        self.row = count;
        Ok(())
    }

    /// The next row's document, checked; `None` after the last.
    pub(crate) fn next_document(&mut self) -> Result<Option<Document>> {
        let (document, place) = match self.fields.next()? {
            Some(row) => {
                let place = row.place().to_owned();
                (self.read(row)?, place)
            }
            None => match &self.vectors {
                Some((vectors, _)) if self.are_bare() && self.row < vectors.rows() => {
                    (self.bare(), format!("{} row {}", vectors.name(), self.row))
                }
                _ => return Ok(None),
            },
        };
        let checked = self.complete(document);
        let document = checked.map_err(|error| error.within(place))?;
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

    fn are_bare(&self) -> bool {
        matches!(self.fields, Fields::None)
    }

    /// The document of a row that is only a vector.
    fn bare(&self) -> Document {
        Document {
            id: Id::Int(self.row),
            vectors: vec![None; self.schema.vectors().len()],
            values: vec![Value::Null; self.schema.values().len()],
        }
    }

    fn read(&self, row: Row) -> Result<Document> {
        let seed = DocumentSeed(self.schema);
        match (row, self.ids) {
            (Row::Line(line), Ids::Field) => {
                let mut text = serde_json::Deserializer::from_str(&line.text);
                let read = seed.deserialize(&mut text);
                let read = read.and_then(|document| text.end().map(|()| document));
                read.map_err(|error| line.error(&error))
            }
            (Row::Line(line), Ids::RowNumber) => {
                let mut object = line.object()?;
                object.insert(self.schema.id().name.clone(), self.row.into());
                let read = seed.deserialize(serde_json::Value::Object(object));
                read.map_err(|error| line.error(&error))
            }
            (Row::Record(record), ids) => {
                let place = record.place().to_owned();
                let mut cells = record.cells;
                if ids == Ids::RowNumber {
                    cells.push((self.schema.id().name.clone(), Cell::UInt(self.row)));
                }
                read_cells(seed, cells).map_err(|error| error.within(place))
            }
        }
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
}

impl Fields {
    fn next(&mut self) -> Result<Option<Row>> {
        match self {
            Self::None => Ok(None),
            Self::Lines(lines) => Ok(lines.next().transpose()?.map(Row::Line)),
            Self::Records(records) => Ok(records.next().transpose()?.map(Row::Record)),
        }
    }
}

impl Row {
    fn place(&self) -> &str {
        match self {
            Self::Line(line) => line.place(),
            Self::Record(record) => record.place(),
        }
    }
}

fn read_cells(seed: DocumentSeed<'_>, cells: Vec<(String, Cell)>) -> Result<Document> {
    seed.deserialize(Cell::Object(cells)).map_err(|error| Error::invalid(error.to_string()))
}
