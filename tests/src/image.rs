//! What is in a simulated file: blocks, shared by all images that have the same.

use std::{collections::BTreeMap, sync::Arc};

/// Bytes of a block.
pub const BLOCK_BYTES: usize = 4096;
type Block = [u8; BLOCK_BYTES];

/// The bytes of a file. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Image {
    len: u64,
    blocks: BTreeMap<u64, Arc<Block>>,
}

impl Image {
    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Cuts it, or has zeros follow.
    pub fn set_len(&mut self, len: u64) {
        if len < self.len {
            let last = len / BLOCK_BYTES as u64;
            self.blocks.retain(|number, _| *number <= last);
            if let Some(block) = self.blocks.get_mut(&last) {
                Arc::make_mut(block)[within(len)..].fill(0);
            }
        }
        self.len = len;
    }

    /// Reads all of `bytes`; false when the file ends before.
    pub fn read(&self, offset: u64, bytes: &mut [u8]) -> bool {
        if offset + bytes.len() as u64 > self.len {
            return false;
        }
        for (number, place, range) in pieces(offset, bytes.len()) {
            match self.blocks.get(&number) {
                Some(block) => {
                    bytes[range.clone()].copy_from_slice(&block[place..place + range.len()]);
                }
                None => bytes[range].fill(0),
            }
        }
        true
    }

    /// Writes all of `bytes`.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        for (number, place, range) in pieces(offset, bytes.len()) {
            let block = self.blocks.entry(number).or_insert_with(|| Arc::new([0; BLOCK_BYTES]));
            Arc::make_mut(block)[place..place + range.len()].copy_from_slice(&bytes[range]);
        }
        self.len = self.len.max(offset + bytes.len() as u64);
    }

    /// The numbers of the blocks that are not all zeros.
    pub fn used(&self) -> Vec<u64> {
        let is_used = |block: &Arc<Block>| block.iter().any(|byte| *byte != 0);
        self.blocks.iter().filter(|(_, block)| is_used(block)).map(|(number, _)| *number).collect()
    }

    /// Changes one bit.
    pub fn flip(&mut self, offset: u64, bit: u8) {
        let block = self.blocks.entry(offset / BLOCK_BYTES as u64);
        let block = block.or_insert_with(|| Arc::new([0; BLOCK_BYTES]));
        Arc::make_mut(block)[within(offset)] ^= 1 << bit;
    }

    /// Puts a block of another image, or of another place, where block `number` is.
    pub fn replace(&mut self, number: u64, other: &Self, other_number: u64) {
        match other.blocks.get(&other_number) {
            Some(block) => self.blocks.insert(number, Arc::clone(block)),
            None => self.blocks.remove(&number),
        };
    }
}

#[expect(clippy::cast_possible_truncation, reason = "less than a block")]
fn within(offset: u64) -> usize {
    (offset % BLOCK_BYTES as u64) as usize
}

/// The blocks that a run of bytes lies in: number, place in the block, range of the run.
fn pieces(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let place = within(at);
        let count = (BLOCK_BYTES - place).min(len - done);
        let range = done..done + count;
        done += count;
        (count > 0).then_some((at / BLOCK_BYTES as u64, place, range))
    })
}
