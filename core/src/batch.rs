//! What a caller asks to be changed, before it becomes a record.

use crate::{Document, Filter, Id};
use alloc::vec::Vec;

/// Changes that happen together or not at all.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Batch {
    /// The changes, in order.
    pub operations: Vec<Operation>,
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Inserts the document, or replaces the one with its id.
    Index(Document),
    /// Replaces the document with this id; an error when there is none.
    Update(Document),
    /// Deletes the document with this id, if there is one.
    Delete(Id),
    /// Deletes every document that passes.
    DeleteWhere(Filter),
}

impl Batch {
    /// Inserts or replaces `documents`.
    pub fn index(documents: Vec<Document>) -> Self {
        Self { operations: documents.into_iter().map(Operation::Index).collect() }
    }

    /// Replaces `documents`, which must be there.
    pub fn update(documents: Vec<Document>) -> Self {
        Self { operations: documents.into_iter().map(Operation::Update).collect() }
    }

    /// Deletes documents by id.
    pub fn delete(ids: Vec<Id>) -> Self {
        Self { operations: ids.into_iter().map(Operation::Delete).collect() }
    }

    /// Deletes documents by filter.
    pub fn delete_where(filter: Filter) -> Self {
        Self { operations: alloc::vec![Operation::DeleteWhere(filter)] }
    }
}
