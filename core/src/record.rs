//! Records: batches that were validated and numbered. The stream of records is the one backbone:
//! log, recovery, replication.
//!
//! ```text
//! "VDR1"  number u64  count varint  operation…  XXH3-64 of all before, u64
//! operation = 1 document bytes, then per vector field: 0, or 1 and the vector
//!           | 2 id
//! vector    = dim × f32 | step f32, dim × f16 | step f32, dim × u8
//! ```
//!
//! The precision of its field says which form a vector has; `crate::reduction` what they mean.

use crate::{
    Error, Id, Result, Schema,
    bytes::{Reader, Writer, checksum},
    document::{Document, read_id, read_values, write_document, write_id},
    planted::{self, Plant},
    schema::{Precision, VectorField},
};
use alloc::{format, sync::Arc, vec::Vec};
use core::ops::Deref;

const MAGIC: &[u8; 4] = b"VDR1";
const PUT: u8 = 1;
const DELETE: u8 = 2;
const CHECKSUM_BYTES: usize = 8;

/// One numbered batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// 1 for the first record of an engine, one more for each that follows.
    pub number: u64,
    pub(crate) changes: Vec<Change>,
}

/// One change of ground state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// The document with this id is now this one.
    Put(Arc<Stored>),
    /// There is no document with this id.
    Delete(Id),
}

impl Change {
    /// About how many bytes it has.
    #[cfg(feature = "native")]
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Put(stored) => {
                let vectors = stored.vectors.iter().flatten();
                stored.bytes.len() + vectors.map(|kept| size_of_val(&**kept)).sum::<usize>()
            }
            Self::Delete(_) => size_of::<Id>(),
        }
    }

    /// The id of the document that changes.
    pub(crate) fn id(&self) -> &Id {
        match self {
            Self::Put(stored) => &stored.id,
            Self::Delete(id) => id,
        }
    }
}

/// A document as it rests.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    pub(crate) id: Id,
    /// Id and values.
    pub(crate) bytes: Vec<u8>,
    pub(crate) vectors: Vec<Option<Kept>>,
}

/// A vector as its field keeps it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    precision: Precision,
    numbers: Vec<f32>,
}

impl Kept {
    /// What `field` keeps of a vector.
    fn new(field: &VectorField, mut numbers: Vec<f32>) -> Self {
        field.precision.reduce(&mut numbers);
        Self { precision: field.precision, numbers }
    }

    /// What `field` kept of a vector before.
    #[cfg(feature = "native")]
    pub(crate) fn reduced(field: &VectorField, numbers: Vec<f32>) -> Self {
        Self { precision: field.precision, numbers }
    }

    fn read(field: &VectorField, reader: &mut Reader<'_>) -> Result<Self> {
        let precision = field.precision;
        Ok(Self { precision, numbers: precision.read(field.dim, reader)? })
    }
}

impl Deref for Kept {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.numbers
    }
}

impl Stored {
    /// What a database of `schema` keeps of a document.
    pub(crate) fn new(document: Document, schema: &Schema) -> Self {
        let bytes = write_document(&document);
        let vectors = schema.vectors().iter().zip(document.vectors);
        let kept = vectors.map(|(field, vector)| vector.map(|vector| Kept::new(field, vector)));
        Self { id: document.id, bytes, vectors: kept.collect() }
    }

    /// The document again.
    pub(crate) fn to_document(&self, schema: &Schema) -> Result<Document> {
        let mut reader = Reader::new(&self.bytes);
        let id = read_id(&mut reader)?;
        let values = read_values(&mut reader, schema.values().len())?;
        let vectors = self.vectors.iter().map(|vector| vector.as_deref().map(Vec::from));
        Ok(Document { id, vectors: vectors.collect(), values })
    }
}

impl Record {
    /// The bytes a host makes durable.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.raw(MAGIC);
        writer.u64(self.number);
        let is_cut = planted::is(Plant::BatchWithoutItsEnd) && self.changes.len() > 1;
        let changes = &self.changes[..self.changes.len() - usize::from(is_cut)];
        writer.length(changes.len());
        for change in changes {
            write_change(&mut writer, change);
        }
        let sum = checksum(writer.as_bytes());
        writer.u64(sum);
        writer.into_bytes()
    }

    /// Reads a record back; `corrupt` when the checksum or the structure is wrong.
    pub fn from_bytes(bytes: &[u8], schema: &Schema) -> Result<Self> {
        let (body, sum) = bytes
            .len()
            .checked_sub(CHECKSUM_BYTES)
            .map(|end| bytes.split_at(end))
            .ok_or_else(|| Error::corrupt("a record is shorter than its checksum"))?;
        let is_unchecked = planted::is(Plant::RecordChecksumUnchecked);
        if !is_unchecked && Reader::new(sum).u64()? != checksum(body) {
            return Err(Error::corrupt("a record's checksum does not match its bytes"));
        }
        let mut reader = Reader::new(body);
        if reader.raw(MAGIC.len())? != MAGIC {
            return Err(Error::unsupported("a record has another format; use a newer build"));
        }
        let number = reader.u64()?;
        let count = reader.length()?;
        let changes = (0..count).map(|_| read_change(&mut reader, schema));
        let changes = changes.collect::<Result<_>>()?;
        if !reader.is_empty() {
            return Err(Error::corrupt("a record goes on after its last operation"));
        }
        Ok(Self { number, changes })
    }

    /// How many documents the record writes or deletes.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether the record changes nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

fn write_change(writer: &mut Writer, change: &Change) {
    match change {
        Change::Put(stored) => {
            writer.u8(PUT);
            writer.bytes(&stored.bytes);
            for vector in &stored.vectors {
                writer.u8(vector.is_some().into());
                vector.iter().for_each(|kept| kept.precision.write(kept, writer));
            }
        }
        Change::Delete(id) => {
            writer.u8(DELETE);
            write_id(writer, id);
        }
    }
}

fn read_change(reader: &mut Reader<'_>, schema: &Schema) -> Result<Change> {
    match reader.u8()? {
        PUT => {
            let bytes = reader.bytes()?.to_vec();
            let id = read_id(&mut Reader::new(&bytes))?;
            let vectors = schema.vectors().iter().map(|field| match reader.u8()? {
                0 => Ok(None),
                _ => Kept::read(field, reader).map(Some),
            });
            let vectors = vectors.collect::<Result<_>>()?;
            Ok(Change::Put(Arc::new(Stored { id, bytes, vectors })))
        }
        DELETE => read_id(reader).map(Change::Delete),
        tag => Err(Error::corrupt(format!("a record has the unknown operation {tag}"))),
    }
}
