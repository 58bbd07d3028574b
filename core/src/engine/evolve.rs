//! An engine whose documents get another schema.

use super::{Engine, Field, Residence, manifest::Manifest, read_version};
use crate::{
    Document, Id, Result, Schema, Value,
    bytes::{Reader, Writer},
    document::{read_id, read_values, write_document},
    index::Indexes,
    schema::Layout,
};
use alloc::vec::Vec;

impl Engine {
    /// The same documents under a schema that [`Schema::evolved`] gave. Slots, ids, versions and the
    /// graphs of vector fields that did not change stay; the rest is built again. The next
    /// checkpoint writes every page. Everything must be in memory.
    pub fn evolve(mut self, schema: Schema, indexes: &Indexes) -> Result<Self> {
        let mut evolved = Self::empty(schema, indexes, Residence::Memory)?;
        evolved.record_number = self.record_number;
        evolved.slots = self.slots;
        let layout = Layout::new(&self.schema, &evolved.schema);
        for slot in self.columns.live().iter() {
            let (version, id, values) = self.parts_of(slot)?;
            let document = layout.forward(Document { id, vectors: Vec::new(), values });
            evolved.columns.insert(slot, &document.values);
            let mut writer = Writer::default();
            writer.varint(version.into());
            writer.raw(&write_document(&document));
            evolved.documents.set(slot, writer.as_bytes());
        }
        for field in &mut evolved.fields {
            let old = self.fields.iter_mut().find(|old| old.spec.name == field.spec.name);
            if let Some(old) = old {
                field.take_over(old)?;
            }
        }
        evolved.ids = self.ids;
        evolved.id_hashes = self.id_hashes;
        evolved.checkpoint =
            Manifest { generation: self.checkpoint.generation, ..Manifest::default() };
        evolved.find_free();
        Ok(evolved)
    }

    fn parts_of(&self, slot: u32) -> Result<(u64, Id, Vec<Value>)> {
        let document = self.documents.get(slot)?;
        let mut reader = Reader::new(&document);
        let version = read_version(&mut reader)?;
        let id = read_id(&mut reader)?;
        Ok((version, id, read_values(&mut reader, self.schema.values().len())?))
    }
}

impl Field {
    /// Takes the vectors of a field that had the same dimension and metric, and its graph if both
    /// have the same index.
    fn take_over(&mut self, old: &mut Self) -> Result<()> {
        if self.spec.index == old.spec.index {
            old.spec.optional = self.spec.optional;
            core::mem::swap(self, old);
            return Ok(());
        }
        for slot in old.present.iter() {
            let vector = old.vectors.get(slot)?;
            let coded = self.vectors.coded_vector(&vector);
            self.insert(slot, &vector, &coded);
        }
        Ok(())
    }
}
