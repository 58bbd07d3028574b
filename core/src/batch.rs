//! What a caller asks to be changed, before it becomes a record.

use crate::{Document, Filter, Id, Patch};
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
    /// Changes fields of the document with this id; an error when there is none.
    Patch(Id, Patch),
    /// Changes fields of every document that passes.
    PatchWhere(Filter, Patch),
    /// Changes nothing, and is an error unless the document with this id has this version, or, if
    /// that is 0, is not there.
    Expect(Id, u64),
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

    /// Changes fields of the document with this id.
    pub fn patch(id: Id, patch: Patch) -> Self {
        Self { operations: alloc::vec![Operation::Patch(id, patch)] }
    }

    /// Changes fields of documents by filter.
    pub fn patch_where(filter: Filter, patch: Patch) -> Self {
        Self { operations: alloc::vec![Operation::PatchWhere(filter, patch)] }
    }

    /// The batch on the condition that the document with this id has this version, or, if that is
    /// 0, is not there: see [`Operation::Expect`].
    #[must_use]
    pub fn expecting(mut self, id: Id, version: u64) -> Self {
        self.operations.insert(0, Operation::Expect(id, version));
        self
    }

    /// Whether what it does depends on which documents pass a filter.
    pub fn has_filter(&self) -> bool {
        use Operation::{DeleteWhere, PatchWhere};
        let is_by_filter =
            |operation: &Operation| matches!(operation, DeleteWhere(_) | PatchWhere(..));
        self.operations.iter().any(is_by_filter)
    }

    /// Deletes documents by filter.
    pub fn delete_where(filter: Filter) -> Self {
        Self { operations: alloc::vec![Operation::DeleteWhere(filter)] }
    }
}

/// What a deletion did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Deleted {
    /// Documents that were there and are gone.
    pub deleted: usize,
    /// Ids that no document had.
    pub missing: Vec<Id>,
}
