//! A set of slots, one bit each: asked for every node that a filtered walk passes, where a
//! compressed set would have to search.

use crate::column::Slots;
use alloc::vec::Vec;

/// Slots as bits.
#[derive(Clone, Debug, Default)]
pub(crate) struct BitSet {
    words: Vec<u64>,
    count: u64,
}

impl BitSet {
    #[inline]
    pub(crate) fn contains(&self, slot: u32) -> bool {
        let word = self.words.get(slot as usize / 64);
        word.is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// The bits of the slots `64·number ..`, lowest first.
    #[inline]
    pub(crate) fn word(&self, number: usize) -> u64 {
        self.words.get(number).copied().unwrap_or(0)
    }

    pub(crate) fn insert(&mut self, slot: u32) {
        if !self.contains(slot) {
            let word = slot as usize / 64;
            if self.words.len() <= word {
                self.words.resize(word + 1, 0);
            }
            self.words[word] |= 1 << (slot % 64);
            self.count += 1;
        }
    }

    pub(crate) fn remove(&mut self, slot: u32) {
        if self.contains(slot) {
            self.words[slot as usize / 64] &= !(1 << (slot % 64));
            self.count -= 1;
        }
    }

    /// Whether every slot is less than `slots`.
    pub(crate) fn is_below(&self, slots: usize) -> bool {
        let last = self.words.iter().rposition(|word| *word != 0);
        last.is_none_or(|last| last * 64 + (self.words[last].ilog2() as usize) < slots)
    }

    /// How many slots there are.
    pub(crate) fn len(&self) -> u64 {
        self.count
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Leaves only the slots that `other` has too.
    pub(crate) fn intersect(&mut self, other: &Self) {
        self.words.truncate(other.words.len());
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
        self.count_anew();
    }

    /// Adds the slots of `other`.
    pub(crate) fn unite(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
        self.count_anew();
    }

    /// Leaves only the slots that `other` has not.
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= !other);
        self.count_anew();
    }

    fn count_anew(&mut self) {
        self.count = self.words.iter().map(|word| u64::from(word.count_ones())).sum();
    }

    /// One bit a slot, lowest first.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// The slots whose bit is set.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let word = |chunk: &[u8]| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        };
        let mut set = Self { words: bytes.chunks(8).map(word).collect(), count: 0 };
        set.count_anew();
        set
    }

    /// The slot before which there are `rank` others.
    pub(crate) fn select(&self, rank: u64) -> Option<u32> {
        let mut before = 0;
        let (first, word) = (0u32..).step_by(64).zip(&self.words).find(|(_, word)| {
            before += u64::from(word.count_ones());
            before > rank
        })?;
        before -= u64::from(word.count_ones());
        let bits = (0..64).filter(|bit| word >> bit & 1 == 1);
        bits.map(|bit| first + bit).nth(usize::try_from(rank - before).ok()?)
    }

    /// The slots in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).step_by(64).zip(&self.words).flat_map(|(first, word)| {
            let mut rest = *word;
            core::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(first + bit)
            })
        })
    }

    /// Bytes of memory held.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }
}

/// Slots while very many are put together: they are counted once, at the end.
#[derive(Default)]
pub(crate) struct Gathered {
    words: Vec<u64>,
}

impl Gathered {
    #[inline]
    pub(crate) fn add(&mut self, slot: u32) {
        let word = slot as usize / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (slot % 64);
    }

    pub(crate) fn into_set(self) -> BitSet {
        let mut set = BitSet { words: self.words, count: 0 };
        set.count_anew();
        set
    }
}

impl From<&Slots> for BitSet {
    fn from(slots: &Slots) -> Self {
        let words = slots.max().map_or(0, |last| last as usize / 64 + 1);
        let mut set = Self { words: alloc::vec![0; words], count: slots.len() };
        for slot in slots {
            set.words[slot as usize / 64] |= 1 << (slot % 64);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::{BitSet, Slots};
    use alloc::vec::Vec;

    #[test]
    fn a_set_holds_what_was_put_in_and_not_taken_out() {
        let slots: Slots = [0, 1, 63, 64, 1_000, 70_000].into_iter().collect();
        let mut set = BitSet::from(&slots);
        assert_eq!(set.iter().collect::<Vec<_>>(), slots.iter().collect::<Vec<_>>());
        set.insert(5);
        set.insert(5);
        set.remove(64);
        set.remove(65);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 1, 5, 63, 1_000, 70_000]);
        assert_eq!(set.len(), 6);
        assert_eq!((set.select(0), set.select(4), set.select(6)), (Some(0), Some(1_000), None));
        assert!(set.contains(63) && !set.contains(64) && !set.contains(u32::MAX));
    }
}
