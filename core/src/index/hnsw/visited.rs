//! Which slots a walk has seen: sets that are used again by the next walk, as clearing what was set
//! costs less than a new set as large as the graph.

use alloc::vec::Vec;

/// A set of slots, and all of them in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct VisitedSet {
    words: Vec<u64>,
    slots: Vec<u32>,
}

impl VisitedSet {
    /// Makes room for the slots below `slots`.
    fn grow(&mut self, slots: usize) {
        let words = slots.div_ceil(64);
        if self.words.len() < words {
            self.words.resize(words, 0);
        }
    }

    /// How many slots there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The slots that came after the first `count`.
    #[inline]
    pub(super) fn after(&self, count: usize) -> &[u32] {
        &self.slots[count..]
    }

    /// Adds a slot; true when it was not there.
    #[inline]
    pub(super) fn insert(&mut self, slot: u32) -> bool {
        let before = self.len();
        self.extend(&[slot]);
        self.len() > before
    }

    /// Adds those of `slots` that are not there.
    #[inline]
    pub(super) fn extend(&mut self, slots: &[u32]) {
        self.extend_where(slots, |_| u64::MAX);
    }

    /// Adds those of `slots` that are not there and whose bit is set in the words that `mask` gives.
    /// Without a branch for each, as half of them are, in no order that a processor could foresee.
    #[inline(always)]
    pub(super) fn extend_where(&mut self, slots: &[u32], mask: impl Fn(usize) -> u64) {
        let mut len = self.slots.len();
        self.slots.resize(len + slots.len(), 0);
        for slot in slots {
            let (number, bit) = ((*slot / 64) as usize, *slot % 64);
            let word = &mut self.words[number];
            let is_new = (!*word & mask(number)) >> bit & 1;
            *word |= is_new << bit;
            self.slots[len] = *slot;
            len += usize::from(is_new == 1);
        }
        self.slots.truncate(len);
    }

    pub(super) fn clear(&mut self) {
        for slot in self.slots.drain(..) {
            self.words[(slot / 64) as usize] = 0;
        }
    }
}

/// The sets of one graph that no walk is using.
#[derive(Debug, Default)]
pub(super) struct VisitedPool {
    #[cfg(feature = "std")]
    sets: std::sync::Mutex<Vec<VisitedSet>>,
}

impl VisitedPool {
    /// An empty set for slots below `slots`.
    pub(super) fn take(&self, slots: usize) -> Visited<'_> {
        let mut set = self.pop();
        set.grow(slots);
        Visited { set, pool: self }
    }

    #[cfg(feature = "std")]
    fn pop(&self) -> VisitedSet {
        let mut sets = self.sets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        sets.pop().unwrap_or_default()
    }

    #[cfg(not(feature = "std"))]
    fn pop(&self) -> VisitedSet {
        VisitedSet::default()
    }

    #[cfg(feature = "std")]
    fn put(&self, set: VisitedSet) {
        let mut sets = self.sets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        sets.push(set);
    }

    #[cfg(not(feature = "std"))]
    fn put(&self, _set: VisitedSet) {}
}

/// A set on loan from a pool.
pub(super) struct Visited<'a> {
    set: VisitedSet,
    pool: &'a VisitedPool,
}

impl core::ops::Deref for Visited<'_> {
    type Target = VisitedSet;

    fn deref(&self) -> &VisitedSet {
        &self.set
    }
}

impl core::ops::DerefMut for Visited<'_> {
    fn deref_mut(&mut self) -> &mut VisitedSet {
        &mut self.set
    }
}

impl Drop for Visited<'_> {
    fn drop(&mut self) {
        self.set.clear();
        self.pool.put(core::mem::take(&mut self.set));
    }
}
