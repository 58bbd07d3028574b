//! Changes as those who follow a database are told of them.

use crate::{Document, Filter, Id, Include, limits};
use alloc::{string::String, vec::Vec};

/// Which changes to read, and what of them.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeQuery {
    /// What came with the changes before; `None` to be told the position there is now.
    pub since: Option<String>,
    /// Changes to read at most; fewer come when they have many bytes.
    pub limit: usize,
    /// Which documents are of interest. A document that is written and does not pass is told as
    /// [`Change::Leave`], as nobody remembers whether it passed before; of one that is deleted it is
    /// told in any case. So what passes the filter is what has been indexed and has neither left nor
    /// been deleted since; who does not have what leaves need not mind.
    pub filter: Filter,
    /// What of each document to return.
    pub include: Include,
}

impl ChangeQuery {
    /// No change yet, but the position to follow from: take it, then scroll, then follow.
    pub fn from_now() -> Self {
        let (filter, include) = (Filter::All, Include::Everything);
        Self { since: None, limit: limits::CHANGES_LIMIT_DEFAULT, filter, include }
    }

    /// What changed since the position that came with other changes.
    pub fn since(cursor: impl Into<String>) -> Self {
        Self { since: Some(cursor.into()), ..Self::from_now() }
    }
}

/// What happened to one document.
#[derive(Clone, Debug, PartialEq)]
pub enum Change<D = Document> {
    /// It was inserted, or put in the place of the one with its id.
    Index {
        /// As it is now.
        doc: D,
        /// The number of the record that wrote it.
        version: u64,
    },
    /// It was deleted.
    Delete {
        /// Its id.
        id: Id,
        /// The number of the record that deleted it.
        version: u64,
    },
    /// It was written and does not pass the filter; it may have passed before.
    Leave {
        /// Its id.
        id: Id,
        /// The number of the record that wrote it.
        version: u64,
    },
}

/// Changes in the order they happened to each document, and where they end. Those of different
/// shards are in no order.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangePage<D = Document> {
    /// The changes.
    pub changes: Vec<Change<D>>,
    /// Where to go on.
    pub cursor: String,
    /// Whether there were more changes than fit; else they are still to happen.
    pub has_more: bool,
}

#[cfg(any(feature = "native", feature = "client"))]
impl<D> ChangePage<D> {
    pub(crate) fn try_map<T>(
        self,
        read: impl Fn(D) -> crate::Result<T>,
    ) -> crate::Result<ChangePage<T>> {
        let change = |change| {
            Ok(match change {
                Change::Index { doc, version } => Change::Index { doc: read(doc)?, version },
                Change::Delete { id, version } => Change::Delete { id, version },
                Change::Leave { id, version } => Change::Leave { id, version },
            })
        };
        let changes = self.changes.into_iter().map(change).collect::<crate::Result<_>>()?;
        Ok(ChangePage { changes, cursor: self.cursor, has_more: self.has_more })
    }
}
