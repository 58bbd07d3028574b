//! Writes between machines: a batch on its way to the engine that numbers it, and what it did.

use super::format::{
    document_bytes, read_all, read_document, read_filter, read_list, read_u64, write_filter,
    write_list,
};
use crate::{
    Batch, Error, Id, Operation, Patch, Result, Schema, Value,
    bytes::{Reader, Writer},
    document::{read_id, read_value, write_id, write_value},
    engine::Outcome,
    limits,
};
use alloc::{format, vec::Vec};

const INDEX: u8 = 1;
const UPDATE: u8 = 2;
const DELETE: u8 = 3;
const DELETE_WHERE: u8 = 4;
const PATCH: u8 = 5;
const PATCH_WHERE: u8 = 6;
const EXPECT: u8 = 7;

/// The parts of a patch, a field in it, and what that holds.
const PATCH_DEPTH_MAX: usize = 2 + limits::DOCUMENT_DEPTH_MAX;

impl Batch {
    /// The batch as bytes that [`from_bytes`](Self::from_bytes) reads back, with the same schema.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        write_list(&mut writer, &self.operations, write_operation);
        writer.into_bytes()
    }

    /// Reads a batch for documents of `schema` back; `corrupt` when it is none.
    pub fn from_bytes(bytes: &[u8], schema: &Schema) -> Result<Self> {
        let operations =
            read_all(bytes, |reader| read_list(reader, |reader| read_operation(reader, schema)))?;
        Ok(Self { operations })
    }
}

impl Outcome {
    /// The outcome as bytes that [`from_bytes`](Self::from_bytes) reads back.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.varint(self.indexed.into());
        writer.varint(self.deleted.into());
        writer.varint(self.version.into());
        write_list(&mut writer, &self.missing, write_id);
        writer.into_bytes()
    }

    /// Reads an outcome back; `corrupt` when it is none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        read_all(bytes, |reader| {
            let (indexed, deleted) = (read_u64(reader)?, read_u64(reader)?);
            let version = read_u64(reader)?;
            let missing: Vec<Id> = read_list(reader, read_id)?;
            Ok(Self { indexed, deleted, missing, version })
        })
    }
}

fn write_operation(writer: &mut Writer, operation: &Operation) {
    match operation {
        Operation::Index(document) => {
            writer.u8(INDEX);
            writer.bytes(&document_bytes(document));
        }
        Operation::Update(document) => {
            writer.u8(UPDATE);
            writer.bytes(&document_bytes(document));
        }
        Operation::Delete(id) => {
            writer.u8(DELETE);
            write_id(writer, id);
        }
        Operation::DeleteWhere(filter) => {
            writer.u8(DELETE_WHERE);
            write_filter(writer, filter);
        }
        Operation::Patch(id, patch) => {
            writer.u8(PATCH);
            write_id(writer, id);
            write_value(writer, &patch.to_value());
        }
        Operation::PatchWhere(filter, patch) => {
            writer.u8(PATCH_WHERE);
            write_filter(writer, filter);
            write_value(writer, &patch.to_value());
        }
        Operation::Expect(id, version) => {
            writer.u8(EXPECT);
            write_id(writer, id);
            writer.varint((*version).into());
        }
    }
}

fn read_operation(reader: &mut Reader<'_>, schema: &Schema) -> Result<Operation> {
    Ok(match reader.u8()? {
        INDEX => Operation::Index(read_document(reader.bytes()?, schema)?),
        UPDATE => Operation::Update(read_document(reader.bytes()?, schema)?),
        DELETE => Operation::Delete(read_id(reader)?),
        DELETE_WHERE => Operation::DeleteWhere(read_filter(reader)?),
        PATCH => Operation::Patch(read_id(reader)?, read_patch(reader)?),
        PATCH_WHERE => Operation::PatchWhere(read_filter(reader)?, read_patch(reader)?),
        EXPECT => Operation::Expect(read_id(reader)?, read_u64(reader)?),
        tag => return Err(Error::corrupt(format!("an operation has the unknown tag {tag}"))),
    })
}

fn read_patch(reader: &mut Reader<'_>) -> Result<Patch> {
    let value: Value = read_value(reader, PATCH_DEPTH_MAX)?;
    Patch::from_value(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Filter, filter::Test};
    use alloc::vec;

    #[test]
    fn a_batch_and_its_outcome_come_back_as_they_were() -> Result<()> {
        let schema = Schema::from_json_str(
            r#"{"id": "string", "embedding": {"vector": 2}, "price": {"type": "number", "filter": true}}"#,
        )?;
        let id = || Id::Text("a".into());
        let document = Document {
            id: id(),
            vectors: vec![Some(vec![1.0, 2.0])],
            values: vec![Value::Float(3.5)],
        };
        let filter = Filter::field("price", Test::Eq(Value::Float(3.5)));
        let patch = Patch::new().set("price", 4.5).unset("title").increment("views", 1_i64);
        let batch = Batch {
            operations: vec![
                Operation::Index(document.clone()),
                Operation::Update(document),
                Operation::Delete(id()),
                Operation::DeleteWhere(filter.clone()),
                Operation::Patch(id(), patch.clone()),
                Operation::PatchWhere(filter, patch),
                Operation::Expect(id(), 7),
            ],
        };
        let bytes = batch.to_bytes();
        assert_eq!(Batch::from_bytes(&bytes, &schema)?, batch);
        for end in 0..bytes.len() {
            assert!(Batch::from_bytes(&bytes[..end], &schema).is_err(), "{end} bytes");
        }
        let outcome =
            Outcome { indexed: 2, deleted: 1, missing: vec![id(), Id::Int(9)], version: 5 };
        assert_eq!(Outcome::from_bytes(&outcome.to_bytes())?, outcome);
        Ok(())
    }
}
