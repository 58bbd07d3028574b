//! What changed since the last checkpoint of data that rests on a disk: strings of elements by
//! slot, in a few large pieces of memory that are given back as a whole.

use alloc::{collections::BTreeMap, vec::Vec};
use core::ops::Range;

/// Bytes of one piece, about.
const PIECE_BYTES: usize = 1024 * 1024;

/// Strings of elements by slot. One that is set again leaves its old place unused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changed<T> {
    /// By slot: the piece, and where in it.
    places: BTreeMap<u32, (usize, Range<usize>)>,
    pieces: Vec<Vec<T>>,
}

impl<T: Copy> Changed<T> {
    pub(crate) fn set(&mut self, slot: u32, elements: &[T]) {
        let room = |piece: &Vec<T>| piece.capacity() - piece.len() >= elements.len();
        if !self.pieces.last().is_some_and(room) {
            let count = (PIECE_BYTES / size_of::<T>()).max(elements.len());
            self.pieces.push(Vec::with_capacity(count));
        }
        let number = self.pieces.len() - 1;
        let piece = &mut self.pieces[number];
        let start = piece.len();
        piece.extend_from_slice(elements);
        self.places.insert(slot, (number, start..piece.len()));
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&[T]> {
        self.places.get(&slot).map(|place| self.at(place))
    }

    /// What was set for the slots of a range, in order.
    pub(crate) fn range(&self, slots: Range<u32>) -> impl Iterator<Item = (u32, &[T])> {
        self.places.range(slots).map(|(slot, place)| (*slot, self.at(place)))
    }

    fn at(&self, (piece, range): &(usize, Range<usize>)) -> &[T] {
        &self.pieces[*piece][range.clone()]
    }

    pub(crate) fn clear(&mut self) {
        *self = Self { places: BTreeMap::new(), pieces: Vec::new() };
    }

    /// Bytes of memory held.
    pub(crate) fn memory_bytes(&self) -> usize {
        let pieces: usize = self.pieces.iter().map(Vec::capacity).sum();
        pieces * size_of::<T>() + self.places.len() * size_of::<(u32, (usize, Range<usize>))>()
    }
}

#[cfg(test)]
mod tests {
    use super::{Changed, PIECE_BYTES};
    use alloc::{vec, vec::Vec};

    #[test]
    fn what_was_set_last_is_found_until_it_is_cleared() {
        let mut changed = Changed::default();
        let large = vec![7; PIECE_BYTES + 1];
        changed.set(5, b"first");
        changed.set(9, &large);
        changed.set(5, b"second");
        changed.set(6, b"");
        assert_eq!(changed.get(5), Some(&b"second"[..]));
        assert_eq!(changed.get(9), Some(&large[..]));
        assert_eq!((changed.get(6), changed.get(7)), (Some(&[][..]), None));
        assert_eq!(changed.range(5..9).map(|(slot, _)| slot).collect::<Vec<_>>(), [5, 6]);
        changed.clear();
        assert_eq!((changed.get(5), changed.memory_bytes()), (None, 0));
    }
}
