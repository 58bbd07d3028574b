//! The slots a search may return, and those of recent filters: who filters by tenant or category
//! asks for the same ones again and again.
//!
//! What is kept is kept true: each document that comes or goes is put to every filter kept, and a
//! filter that is not asked for again while many documents change is forgotten.

use super::{Engine, field::Field};
use crate::{
    Filter, Result, Value,
    bitset::BitSet,
    column::Columns,
    filter::Bound,
    planted::{self, Plant},
};
use alloc::{sync::Arc, vec::Vec};

/// Filters whose slots are kept.
const FILTERS_MAX: usize = 32;

/// The slots of one filter in one vector field, or in all of the collection.
struct Kept {
    filter: Filter,
    bound: Bound,
    field: Option<usize>,
    slots: Arc<BitSet>,
    /// Documents that changed since it was asked for.
    changes: usize,
}

/// What recent filters let pass, the one asked for last at the end.
#[derive(Default)]
pub(super) struct FilterCache {
    #[cfg(feature = "std")]
    kept: std::sync::Mutex<Vec<Kept>>,
}

#[cfg(feature = "std")]
impl FilterCache {
    fn with<T>(&self, act: impl FnOnce(&mut Vec<Kept>) -> T) -> Option<T> {
        let mut kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Some(act(&mut kept))
    }

    fn kept(&mut self) -> &mut [Kept] {
        /// Documents that may change before a filter that is not asked for is forgotten.
        const CHANGES_MAX: usize = 1_024;
        let kept = self.kept.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.retain(|kept| kept.changes < CHANGES_MAX);
        kept
    }
}

/// Without locks nothing is kept.
#[cfg(not(feature = "std"))]
impl FilterCache {
    fn with<T>(&self, _act: impl FnOnce(&mut Vec<Kept>) -> T) -> Option<T> {
        None
    }

    fn kept(&mut self) -> &mut [Kept] {
        &mut []
    }
}

impl FilterCache {
    /// The document in `slot` has these values now, or there is none.
    pub(super) fn changed(
        &mut self,
        slot: u32,
        values: Option<&[Value]>,
        columns: &Columns,
        fields: &[Field],
    ) {
        for kept in self.kept() {
            if planted::is(Plant::StaleFilterSlots) {
                break;
            }
            kept.changes += 1;
            let passes = values.is_some_and(|values| columns.passes(&kept.bound, values))
                && kept.field.is_none_or(|field| fields[field].present.contains(slot));
            if passes == kept.slots.contains(slot) {
                continue;
            }
            let slots = Arc::make_mut(&mut kept.slots);
            if passes { slots.insert(slot) } else { slots.remove(slot) }
        }
    }

    /// Bytes of memory held.
    pub(super) fn memory_bytes(&self) -> usize {
        let bytes = self.with(|kept| kept.iter().map(|kept| kept.slots.memory_bytes()).sum());
        bytes.unwrap_or(0)
    }
}

/// The slots kept of `filter`, which then stands last.
fn recall(kept: &mut [Kept], filter: &Filter, field: Option<usize>) -> Option<Arc<BitSet>> {
    let is_it = |kept: &Kept| kept.field == field && kept.filter == *filter;
    let position = kept.iter().rposition(is_it)?;
    kept[position..].rotate_left(1);
    let last = kept.last_mut()?;
    last.changes = 0;
    Some(Arc::clone(&last.slots))
}

impl Engine {
    /// The slots with a document that passes and, if a field is given, a vector in it.
    pub(super) fn allowed_in(&self, field: Option<usize>, filter: &Filter) -> Result<Arc<BitSet>> {
        if let Some(slots) = self.filters.with(|kept| recall(kept, filter, field)).flatten() {
            return Ok(slots);
        }
        let bound = Bound::new(filter, &self.schema)?;
        let mut slots = self.columns.find(&bound, &|slot| self.values(slot))?;
        if let Some(number) = field {
            slots.intersect(&self.fields[number].present);
        }
        let slots = Arc::new(slots);
        let (filter, shared) = (filter.clone(), Arc::clone(&slots));
        self.filters.with(|kept| {
            if kept.len() == FILTERS_MAX {
                kept.remove(0);
            }
            kept.push(Kept { filter, bound, field, slots: shared, changes: 0 });
        });
        Ok(slots)
    }
}
