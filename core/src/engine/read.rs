//! Reading documents: by id, by filter, run by run.

use super::Engine;
use crate::{
    Document, Error, Filter, Id, Include, Result, Value, bitset::BitSet, filter::Bound, limits,
};
use alloc::{borrow::Cow, collections::BTreeSet, vec::Vec};

/// Documents of one engine in order of their ids, and the id after which the next ones begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The documents.
    pub docs: Vec<Document>,
    /// The last id of these when more may follow.
    pub next: Option<Id>,
}

impl Engine {
    /// The document with this id.
    pub fn get(&self, id: &Id, include: &Include) -> Result<Option<Document>> {
        super::prepare::check_id(&self.schema, id)?;
        self.check_include(include)?;
        self.slot_of(id)?.map(|slot| self.document(slot, id.clone(), include)).transpose()
    }

    /// How many documents pass.
    pub fn count(&self, filter: &Filter) -> Result<u64> {
        Ok(self.allowed(filter)?.len())
    }

    /// Up to `limit` documents that pass, in order of their ids, after `after`.
    pub fn scroll(
        &self,
        filter: &Filter,
        after: Option<&Id>,
        limit: usize,
        include: &Include,
    ) -> Result<Run> {
        limits::at_most(limit, limits::SCROLL_LIMIT_MAX, "limit")?;
        self.check_include(include)?;
        let mut first = BTreeSet::new();
        for slot in self.allowed(filter)?.iter() {
            let id = self.id(slot)?;
            if after.is_none_or(|after| id > *after) {
                first.insert((id, slot));
                if first.len() > limit {
                    first.pop_last();
                }
            }
        }
        let docs = first.into_iter().map(|(id, slot)| self.document(slot, id, include));
        let docs = docs.collect::<Result<Vec<_>>>()?;
        let is_full = docs.len() == limit;
        let next = docs.last().filter(|_| is_full).map(|document| document.id.clone());
        Ok(Run { docs, next })
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
    pub(super) fn document(&self, slot: u32, id: Id, include: &Include) -> Result<Document> {
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

    /// Refuses the name of a field the schema has not.
    pub(super) fn check_include(&self, include: &Include) -> Result<()> {
        let Include::Fields(names) = include else { return Ok(()) };
        let unknown = names.iter().find(|name| !self.schema.names().any(|known| known == *name));
        match unknown {
            Some(name) => Err(crate::schema::unknown_name("field", name, self.schema.names())),
            None => Ok(()),
        }
    }
}

/// The cursor that continues after an id, and back.
impl Run {
    /// The id a cursor stands for.
    pub fn id_of_cursor(cursor: &str, kind: crate::schema::IdKind) -> Result<Id> {
        use crate::schema::IdKind;
        let wrong = || Error::invalid("the cursor is not one this database gave out");
        match kind {
            IdKind::Int => cursor.parse().map(Id::Int).map_err(|_| wrong()),
            IdKind::Text => Ok(Id::Text(cursor.into())),
            IdKind::Uuid => Id::parse_uuid(cursor).map_err(|_| wrong()),
        }
    }
}
