//! In which slots a word is, and how often in each: in memory and as bytes.

use super::words::FREQUENCY_MAX;
use crate::{
    Error, Result,
    bytes::{Reader, Writer},
    column::Posting,
};
use alloc::vec::Vec;

/// The slots of one block that have a word.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TermPosting {
    /// The first slot of the block.
    pub(super) first: u32,
    /// In order of their slots; there is one at least.
    pub(super) occurrences: Vec<Occurrence>,
}

/// How often a word is in one document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Occurrence {
    /// The slot, counted from the first of the block.
    pub(super) offset: u16,
    /// Between 1 and [`FREQUENCY_MAX`].
    pub(super) frequency: u16,
}

impl TermPosting {
    /// The slots in order.
    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        self.occurrences.iter().map(|occurrence| self.first + u32::from(occurrence.offset))
    }

    /// How often the word is in the document in slot `offset` of the block.
    pub(super) fn frequency(&self, offset: u16) -> Option<u16> {
        self.find(offset).ok().map(|place| self.occurrences[place].frequency)
    }

    fn find(&self, offset: u16) -> Result<usize, usize> {
        match self.occurrences.last() {
            Some(last) if last.offset < offset => Err(self.occurrences.len()),
            _ => self.occurrences.binary_search_by_key(&offset, |occurrence| occurrence.offset),
        }
    }

    fn offset(slot: u32) -> u16 {
        (slot & BLOCK_MASK) as u16
    }
}

/// Slots of one block, less one.
const BLOCK_MASK: u32 = (1 << TermPosting::BLOCK_BITS) - 1;
/// Bytes at rest of an occurrence near the one before: one of how far it is, two of its frequency.
const OCCURRENCE_BYTES_MAX: usize = 3;

impl Posting for TermPosting {
    /// 16,384 slots: at three bytes each, less than a page.
    const BLOCK_BITS: u32 = 14;
    type Weight = u16;

    fn new(slot: u32, frequency: u16) -> Self {
        let occurrence = Occurrence { offset: Self::offset(slot), frequency };
        Self { first: slot & !BLOCK_MASK, occurrences: alloc::vec![occurrence] }
    }

    fn insert(&mut self, slot: u32, frequency: u16) {
        let occurrence = Occurrence { offset: Self::offset(slot), frequency };
        match self.find(occurrence.offset) {
            Ok(place) => self.occurrences[place] = occurrence,
            Err(place) => self.occurrences.insert(place, occurrence),
        }
    }

    fn remove(&mut self, slot: u32) -> bool {
        if let Ok(place) = self.find(Self::offset(slot)) {
            self.occurrences.remove(place);
        }
        self.occurrences.is_empty()
    }

    fn stored_bytes(&self) -> usize {
        const FIRST_AND_LENGTH: usize = 9;
        // So many can be 64 slots or more from the one before, which takes a byte more.
        const FAR_MAX: usize = 1 << (TermPosting::BLOCK_BITS - 6);
        let count = self.occurrences.len();
        FIRST_AND_LENGTH + count * OCCURRENCE_BYTES_MAX + count.min(FAR_MAX)
    }

    fn heap_bytes(&self) -> usize {
        self.occurrences.capacity() * size_of::<Occurrence>()
    }

    fn write(&self, writer: &mut Writer) {
        writer.u32(self.first);
        writer.length(self.occurrences.len());
        let mut next = 0;
        for Occurrence { offset, frequency } in &self.occurrences {
            let gap = u64::from(offset - next);
            writer.varint((gap << 1 | u64::from(*frequency > 1)).into());
            if *frequency > 1 {
                writer.varint((*frequency).into());
            }
            next = offset + 1;
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let wrong = || Error::corrupt("the places of a word are out of order");
        let (first, count) = (reader.u32()?, reader.length()?);
        if first & BLOCK_MASK != 0 || count == 0 || count > 1 << Self::BLOCK_BITS {
            return Err(wrong());
        }
        let mut occurrences = Vec::with_capacity(count);
        let mut next: u16 = 0;
        for _ in 0..count {
            let number = reader.varint()?;
            let gap = u16::try_from(number >> 1).map_err(|_| wrong())?;
            let offset = next.checked_add(gap).ok_or_else(wrong)?;
            let frequency = if number & 1 == 0 { 1 } else { reader.varint()? };
            let frequency = u16::try_from(frequency).map_err(|_| wrong())?;
            let is_right =
                u32::from(offset) <= BLOCK_MASK && (1..=FREQUENCY_MAX).contains(&frequency);
            if !is_right {
                return Err(wrong());
            }
            occurrences.push(Occurrence { offset, frequency });
            next = offset + 1;
        }
        Ok(Self { first, occurrences })
    }
}

#[cfg(test)]
mod tests {
    use super::{FREQUENCY_MAX, Posting, TermPosting};
    use crate::bytes::{Reader, Writer};
    use alloc::vec::Vec;

    fn posting(slots: impl IntoIterator<Item = u32>, frequency: u16) -> TermPosting {
        let mut slots = slots.into_iter();
        let first = slots.next().expect("there is one at least");
        let mut posting = TermPosting::new(first, frequency);
        slots.for_each(|slot| posting.insert(slot, frequency));
        posting
    }

    #[test]
    fn a_posting_survives_its_bytes_which_fit_a_page() {
        const PAGE_BYTES_MAX: usize = 64_000;
        let first = 3 << TermPosting::BLOCK_BITS;
        let end = first + (1 << TermPosting::BLOCK_BITS);
        for slots in [
            Vec::from([first]),
            Vec::from([end - 1]),
            Vec::from([end - 1, first]),
            (first..end).step_by(64).collect(),
            (first..end).collect(),
        ] {
            for frequency in [1, 2, FREQUENCY_MAX] {
                let posting = posting(slots.iter().copied(), frequency);
                let mut writer = Writer::default();
                posting.write(&mut writer);
                let bytes = writer.into_bytes();
                assert!(bytes.len() <= posting.stored_bytes());
                assert!(posting.stored_bytes() < PAGE_BYTES_MAX);
                assert_eq!(TermPosting::read(&mut Reader::new(&bytes)), Ok(posting));
            }
        }
    }

    #[test]
    fn slots_come_and_go() {
        const OFFSET: u16 = 464;
        let mut posting = posting([70_000, 65_600, 66_000], 2);
        posting.insert(66_000, 5);
        assert_eq!(posting.slots().collect::<Vec<_>>(), [65_600, 66_000, 70_000]);
        assert_eq!(posting.frequency(OFFSET), Some(5));
        assert!(!posting.remove(66_000) && !posting.remove(66_001) && !posting.remove(65_600));
        assert_eq!(posting.frequency(OFFSET), None);
        assert!(posting.remove(70_000));
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let mut writer = Writer::default();
        posting([1, 2, 16_383], 2).write(&mut writer);
        let bytes = writer.into_bytes();
        for end in 0..bytes.len() {
            assert!(TermPosting::read(&mut Reader::new(&bytes[..end])).is_err());
        }
        for damaged in [[1, 0, 0, 0, 1, 0].as_slice(), &[0, 0, 0, 0, 0], &[0, 0, 0, 0, 1, 1, 0]] {
            assert!(TermPosting::read(&mut Reader::new(damaged)).is_err(), "{damaged:?}");
        }
    }
}
