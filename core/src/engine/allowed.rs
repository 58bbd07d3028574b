//! The slots a search may return, and those of recent filters: who filters by tenant or category
//! asks for the same ones again and again.

use super::{Engine, field::Field};
use crate::{Filter, Result, bitset::BitSet};
use alloc::{sync::Arc, vec::Vec};

/// Filters whose slots are kept.
const FILTERS_MAX: usize = 32;

/// The slots of one filter in one vector field.
struct Kept {
    filter: Filter,
    field: usize,
    slots: Arc<BitSet>,
}

/// The slots of the filters asked for last, as of one record.
#[derive(Default)]
struct Recent {
    record_number: u64,
    /// The one asked for last at the end.
    kept: Vec<Kept>,
}

/// What filters let pass, kept until documents change.
#[derive(Default)]
pub(super) struct FilterCache {
    #[cfg(feature = "std")]
    recent: std::sync::Mutex<Recent>,
}

impl FilterCache {
    #[cfg(feature = "std")]
    fn with<T>(&self, act: impl FnOnce(&mut Recent) -> T) -> Option<T> {
        let mut recent = self.recent.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Some(act(&mut recent))
    }

    #[cfg(not(feature = "std"))]
    fn with<T>(&self, _act: impl FnOnce(&mut Recent) -> T) -> Option<T> {
        None
    }
}

impl Recent {
    fn get(&mut self, record_number: u64, filter: &Filter, field: usize) -> Option<Arc<BitSet>> {
        if self.record_number != record_number {
            *self = Self { record_number, kept: Vec::new() };
        }
        let is_it = |kept: &Kept| kept.field == field && kept.filter == *filter;
        let position = self.kept.iter().rposition(is_it)?;
        let kept = self.kept.remove(position);
        let slots = Arc::clone(&kept.slots);
        self.kept.push(kept);
        Some(slots)
    }

    fn put(&mut self, record_number: u64, kept: Kept) {
        if self.record_number == record_number {
            if self.kept.len() == FILTERS_MAX {
                self.kept.remove(0);
            }
            self.kept.push(kept);
        }
    }
}

impl Engine {
    /// The slots with a document that passes and a vector in field `number`.
    pub(super) fn allowed_in(&self, number: usize, filter: &Filter) -> Result<Arc<BitSet>> {
        let record = self.record_number;
        let known = self.filters.with(|recent| recent.get(record, filter, number));
        if let Some(slots) = known.flatten() {
            return Ok(slots);
        }
        let slots = Arc::new(self.fields[number].having(&self.allowed(filter)?));
        let kept = Kept { filter: filter.clone(), field: number, slots: Arc::clone(&slots) };
        self.filters.with(|recent| recent.put(record, kept));
        Ok(slots)
    }
}

impl Field {
    /// Those of `slots` that have a vector.
    fn having(&self, slots: &crate::column::Slots) -> BitSet {
        let mut having = BitSet::from(slots);
        having.intersect(&self.present);
        having
    }
}
