//! The slots that have one value, in memory and as bytes.

use super::{Slots, tree::Posting};
use crate::{
    Error, Result,
    bytes::{Reader, Writer},
};
use alloc::boxed::Box;

/// Slots of one block that have one value; most values of a unique field have one slot.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Postings {
    One(u32),
    Many(Box<Slots>),
}

impl Postings {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::One(_) => 1,
            Self::Many(slots) => slots.len(),
        }
    }

    pub(super) fn each(&self, mut act: impl FnMut(u32)) {
        const AT_ONCE: usize = 256;
        match self {
            Self::One(only) => act(*only),
            Self::Many(slots) => {
                let (mut iter, mut buffer) = (slots.iter(), [0; AT_ONCE]);
                loop {
                    match iter.next_many(&mut buffer) {
                        [] => break,
                        some => some.iter().for_each(|slot| act(*slot)),
                    }
                }
            }
        }
    }
}

impl Posting for Postings {
    /// 262,144 slots: at one bit each, half a page.
    const BLOCK_BITS: u32 = 18;
    type Weight = ();

    fn new(slot: u32, (): ()) -> Self {
        Self::One(slot)
    }

    fn insert(&mut self, slot: u32, (): ()) {
        match self {
            Self::One(only) if *only == slot => {}
            Self::One(only) => *self = Self::Many(Box::new([*only, slot].into_iter().collect())),
            Self::Many(slots) => {
                slots.insert(slot);
            }
        }
    }

    fn remove(&mut self, slot: u32) -> bool {
        match self {
            Self::One(only) => *only == slot,
            Self::Many(slots) => {
                slots.remove(slot);
                slots.is_empty()
            }
        }
    }

    fn stored_bytes(&self) -> usize {
        const TAG_AND_LENGTH: usize = 6;
        match self {
            Self::One(_) => TAG_AND_LENGTH,
            Self::Many(slots) => TAG_AND_LENGTH + (4 * count(slots)).min(Self::BITS_BYTES),
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::One(_) => 0,
            // A compressed set has 2 bytes a slot, or a bit.
            Self::Many(slots) => size_of::<Slots>() + (2 * count(slots)).min(Self::BITS_BYTES),
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::One(only) => {
                writer.u8(ONE);
                writer.u32(*only);
            }
            Self::Many(slots) => write_slots(writer, slots, Self::BLOCK_BITS),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        match reader.u8()? {
            ONE => reader.u32().map(Self::One),
            tag => read_slots(reader, tag).map(|slots| Self::Many(Box::new(slots))),
        }
    }
}

impl Postings {
    /// Bytes of a block at one bit a slot.
    const BITS_BYTES: usize = 1 << (Self::BLOCK_BITS - 3);
}

fn count(slots: &Slots) -> usize {
    usize::try_from(slots.len()).unwrap_or(usize::MAX)
}

const ONE: u8 = 0;
const LIST: u8 = 1;
const BITS: u8 = 2;

/// Slots of one block: each, or where that is shorter, one bit a slot of the block.
fn write_slots(writer: &mut Writer, slots: &Slots, block_bits: u32) {
    let count = count(slots);
    let first = slots.min().unwrap_or(0) >> block_bits << block_bits;
    let span = slots.max().map_or(0, |last| (last - first) as usize / 8 + 1);
    if count.saturating_mul(4) <= span {
        writer.u8(LIST);
        writer.length(count);
        slots.iter().for_each(|slot| writer.u32(slot));
        return;
    }
    let mut bits = alloc::vec![0; span];
    for slot in slots {
        let place = (slot - first) as usize;
        bits[place / 8] |= 1u8 << (place % 8);
    }
    writer.u8(BITS);
    writer.u32(first);
    writer.bytes(&bits);
}

fn read_slots(reader: &mut Reader<'_>, tag: u8) -> Result<Slots> {
    match tag {
        LIST => {
            let count = reader.length()?;
            let bytes = count.checked_mul(4);
            let bytes = bytes.ok_or_else(|| Error::corrupt("a slot count is too large"))?;
            let (slots, _) = reader.raw(bytes)?.as_chunks::<4>();
            Slots::from_sorted_iter(slots.iter().map(|slot| u32::from_le_bytes(*slot)))
                .map_err(|_| Error::corrupt("slots are out of order"))
        }
        BITS => {
            let first = reader.u32()?;
            let bits = reader.bytes()?;
            let end = u64::from(first) + 8 * bits.len() as u64;
            if first % 8 != 0 || end > u64::from(u32::MAX) {
                return Err(Error::corrupt("slots begin at no block"));
            }
            Ok(Slots::from_lsb0_bytes(first, bits))
        }
        _ => Err(Error::corrupt(alloc::format!("slots have the unknown tag {tag}"))),
    }
}
