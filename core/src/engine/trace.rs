//! A search's way through a graph, told by the ids of documents.

use super::{Engine, part::depth, read_version};
use crate::{Id, Query, Result, bytes::Reader, document::read_id, index, query::Hop};
use alloc::vec::Vec;

impl Engine {
    /// The way that a walk for this query takes through the graph of its field, hop by hop from the
    /// highest level down: also where the search itself would rather scan, to see what it avoids.
    /// None where the field has no graph (yet), or nothing passes the filter.
    pub fn trace(&self, query: &Query) -> Result<Vec<Hop>> {
        let searching = self.searching(query, depth(query))?;
        let hop = |index::Hop { level, at, compared }: index::Hop| {
            let compared = compared.into_iter().map(|neighbour| {
                let id = self.id_in(neighbour.slot)?;
                Ok(id.map(|id| (id, searching.reported(neighbour.distance))))
            });
            let compared = compared.filter_map(Result::transpose).collect::<Result<_>>()?;
            Ok(Hop { level, at: self.id_in(at)?, compared })
        };
        searching.trace().into_iter().map(hop).collect()
    }

    /// The id of the document in `slot`; `None` where it was deleted.
    fn id_in(&self, slot: u32) -> Result<Option<Id>> {
        let document = self.documents.get(slot)?;
        if document.is_empty() {
            return Ok(None);
        }
        let mut reader = Reader::new(&document);
        read_version(&mut reader)?;
        read_id(&mut reader).map(Some)
    }
}
