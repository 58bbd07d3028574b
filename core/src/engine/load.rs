//! Documents from one engine into another with their versions, for shards that are made of others.

use super::{Digested, Engine, read_version};
use crate::{
    Result,
    bytes::Reader,
    document::read_id,
    limits,
    record::{Change, Kept, Stored},
};
use alloc::{borrow::Cow, collections::BTreeSet, sync::Arc, vec::Vec};

/// A change as another engine made it.
pub(crate) struct Loaded {
    pub(crate) change: Change,
    /// The number of the record that made it there.
    pub(crate) version: u64,
}

impl Engine {
    /// Documents by slot, from slot `first` on, until they have so many bytes; and the slot to go
    /// on from, if one is left. What is written in between is seen or not.
    pub(crate) fn copy(&self, first: u32, bytes_max: usize) -> Result<(Vec<Loaded>, Option<u32>)> {
        let (mut copied, mut bytes) = (Vec::new(), 0);
        for slot in (first..self.slots).filter(|slot| self.columns.live().contains(*slot)) {
            if bytes >= bytes_max {
                return Ok((copied, Some(slot)));
            }
            let loaded = self.loaded(slot)?;
            bytes += loaded.change.bytes();
            copied.push(loaded);
        }
        Ok((copied, None))
    }

    /// The document in `slot`.
    fn loaded(&self, slot: u32) -> Result<Loaded> {
        let document = self.documents.get(slot)?;
        let mut reader = Reader::new(&document);
        let version = read_version(&mut reader)?;
        let bytes = reader.raw(reader.remaining())?.to_vec();
        let id = read_id(&mut Reader::new(&bytes))?;
        let vectors = self.fields.iter().map(|field| {
            let vector = field.get(slot)?.map(Cow::into_owned);
            Ok(vector.map(|numbers| Kept::reduced(&field.spec, numbers)))
        });
        let vectors = vectors.collect::<Result<_>>()?;
        Ok(Loaded { change: Change::Put(Arc::new(Stored { id, bytes, vectors })), version })
    }

    /// Works out what changes of other engines come down to, the later ones counting. The last
    /// record stays the one it is.
    pub(crate) fn digest_loaded<'l>(&self, loaded: &'l [Loaded]) -> Result<Digested<'l>> {
        let total = usize::try_from(self.len()).unwrap_or(usize::MAX).saturating_add(loaded.len());
        limits::at_most(total, limits::DOCUMENTS_PER_SHARD_MAX, "number of documents in a shard")?;
        let mut seen = BTreeSet::new();
        let mut last: Vec<_> = loaded.iter().rev().collect();
        last.retain(|loaded| seen.insert(loaded.change.id()));
        let steps = last.into_iter().rev().map(|loaded| self.step(loaded.version, &loaded.change));
        Ok(Digested { number: self.record_number, steps: steps.collect::<Result<_>>()? })
    }

    /// Applies what [`digest_loaded`](Self::digest_loaded) worked out.
    pub(crate) fn load(&mut self, digested: Digested<'_>) {
        digested.steps.into_iter().for_each(|step| self.take(step));
    }

    /// Lets the record after this one be the next, so that versions to come are greater than those
    /// of what was loaded.
    pub(crate) fn go_on_after(&mut self, number: u64) {
        self.record_number = self.record_number.max(number);
    }
}
