//! Reading documents: by id and by filter.

use super::{Candidate, Engine, version_and_id_of};
use crate::{
    Document, Filter, Id, Include, Result, Value, bitset::BitSet, examples::no_example,
    filter::Bound,
};
use alloc::{borrow::Cow, vec::Vec};

impl Engine {
    /// The document with this id.
    pub fn get(&self, id: &Id, include: &Include) -> Result<Option<Document>> {
        super::prepare::check_id(&self.schema, id)?;
        self.check_include(include)?;
        self.slot_of(id)?.map(|slot| self.document(slot, id.clone(), include)).transpose()
    }

    /// The vector that a document has in vector field `number`, for it to be an example.
    pub fn example(&self, id: &Id, number: usize) -> Result<Vec<f32>> {
        super::prepare::check_id(&self.schema, id)?;
        let slot = self.slot_of(id)?.ok_or_else(|| no_example(id, "there is none"))?;
        let vector = self.fields[number].get(slot)?;
        vector.map(Cow::into_owned).ok_or_else(|| no_example(id, "it has no vector"))
    }

    /// Documents that have a vector in vector field `number`.
    pub(crate) fn vectors(&self, number: usize) -> u64 {
        self.fields[number].present.len()
    }

    /// The one of them that has `rank` others before it, in no particular order, and its vector.
    pub(crate) fn nth(&self, number: usize, rank: u64) -> Result<Option<(Id, Vec<f32>)>> {
        let field = &self.fields[number];
        let Some(slot) = field.present.select(rank) else { return Ok(None) };
        let vector = field.get(slot)?.map(Cow::into_owned);
        vector.map(|vector| Ok((self.id(slot)?, vector))).transpose()
    }

    /// How many documents pass.
    pub fn count(&self, filter: &Filter) -> Result<u64> {
        Ok(self.allowed(filter)?.len())
    }

    /// The ids of all documents that pass, in no particular order.
    pub(super) fn ids_where(&self, filter: &Filter) -> Result<Vec<Id>> {
        self.allowed(filter)?.iter().map(|slot| self.id(slot)).collect()
    }

    /// The slots of the documents that pass.
    pub(super) fn allowed(&self, filter: &Filter) -> Result<BitSet> {
        self.columns.find(&Bound::new(filter, &self.schema)?, &|slot| self.values(slot))
    }

    /// What `include` asks for of the document in `slot`, whose id is known.
    pub(crate) fn document(&self, slot: u32, id: Id, include: &Include) -> Result<Document> {
        let vectors = self.fields.iter().map(|field| {
            let wanted = include.vector(&field.spec.name);
            let vector = if wanted { field.get(slot)? } else { None };
            Ok(vector.map(Cow::into_owned))
        });
        let vectors = vectors.collect::<Result<_>>()?;
        let values = if *include == Include::Nothing {
            alloc::vec![Value::Null; self.schema.values().len()]
        } else {
            let mut values = self.values(slot)?;
            for (field, value) in self.schema.values().iter().zip(&mut values) {
                if !include.value(&field.name) {
                    *value = Value::Null;
                }
            }
            values
        };
        Ok(Document { id, vectors, values })
    }

    /// The document with this id, if it still has this version.
    pub(crate) fn document_of(
        &self,
        id: &Id,
        version: u64,
        include: &Include,
    ) -> Result<Option<Document>> {
        let is_it = self.version(id)? == Some(version);
        if is_it { self.get(id, include) } else { Ok(None) }
    }

    /// The document that a search found, if it is still in its slot and of the same version.
    pub(crate) fn document_in(
        &self,
        candidate: &Candidate,
        include: &Include,
    ) -> Result<Option<Document>> {
        let is_it = self.columns.live().contains(candidate.slot)
            && version_and_id_of(&self.documents, candidate.slot)?
                == (candidate.version, candidate.id.clone());
        let document = || self.document(candidate.slot, candidate.id.clone(), include);
        is_it.then(document).transpose()
    }

    /// What tells whether a document with given values passes.
    #[cfg(feature = "native")]
    pub(crate) fn matcher(&self, filter: &Filter) -> Result<impl Fn(&[Value]) -> bool> {
        let bound = Bound::new(filter, &self.schema)?;
        Ok(move |values: &[Value]| self.columns.passes(&bound, values))
    }

    /// Refuses the name of a field the schema has not.
    pub(crate) fn check_include(&self, include: &Include) -> Result<()> {
        let Include::Fields(names) = include else { return Ok(()) };
        let unknown = names.iter().find(|name| !self.schema.names().any(|known| known == *name));
        match unknown {
            Some(name) => Err(crate::schema::unknown_name("field", name, self.schema.names())),
            None => Ok(()),
        }
    }
}
