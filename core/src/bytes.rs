//! Writing and reading the bytes of vectordoc's own format: little-endian fixed integers, LEB128
//! variable ones, lengths before contents. A reader never trusts what it reads.

use crate::{Error, Result};
use alloc::{string::String, vec::Vec};

/// Appends values to bytes.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn f64(&mut self, value: f64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// LEB128: 7 bits a byte, lowest first.
    pub(crate) fn varint(&mut self, mut value: u128) {
        while value >= 0x80 {
            self.bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push((value & 0x7f) as u8);
    }

    pub(crate) fn length(&mut self, value: usize) {
        self.varint(value as u128);
    }

    /// Zigzag, then LEB128, so that small negative numbers are short too.
    pub(crate) fn signed(&mut self, value: i128) {
        self.varint(((value << 1) ^ (value >> 127)).cast_unsigned());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.raw(bytes);
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn f32s(&mut self, numbers: &[f32]) {
        self.bytes.reserve(numbers.len() * 4);
        for number in numbers {
            self.bytes.extend_from_slice(&number.to_le_bytes());
        }
    }
}

/// Takes values from bytes, in the order a [`Writer`] appended them.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn raw(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn f64(&mut self) -> Result<f64> {
        self.array().map(f64::from_le_bytes)
    }

    pub(crate) fn varint(&mut self) -> Result<u128> {
        // Most are short, and arithmetic on 128 bits is slow.
        const SHORT_BYTES: usize = 8;
        let short = self.rest.iter().take(SHORT_BYTES).position(|byte| byte & 0x80 == 0);
        if let Some(last) = short {
            let (taken, rest) = self.rest.split_at(last + 1);
            self.rest = rest;
            let bits = |value: u64, byte: &u8| value << 7 | u64::from(byte & 0x7f);
            return Ok(u128::from(taken.iter().rev().fold(0, bits)));
        }
        let mut value = 0u128;
        for shift in (0..128).step_by(7) {
            let byte = self.u8()?;
            value |= u128::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Error::corrupt("a variable-length integer does not end"))
    }

    /// A length or count; at most what is left, as everything counted takes at least a byte.
    pub(crate) fn length(&mut self) -> Result<usize> {
        let value = self.varint()?;
        let value = usize::try_from(value).ok().filter(|value| *value <= self.rest.len());
        value.ok_or_else(ends_early)
    }

    pub(crate) fn signed(&mut self) -> Result<i128> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.length()?;
        self.raw(length)
    }

    pub(crate) fn text(&mut self) -> Result<String> {
        let text = core::str::from_utf8(self.bytes()?);
        text.map(Into::into).map_err(|_| Error::corrupt("text is not UTF-8"))
    }

    pub(crate) fn f32s(&mut self, count: usize) -> Result<Vec<f32>> {
        let bytes = count.checked_mul(4).ok_or_else(ends_early)?;
        let (chunks, _) = self.raw(bytes)?.as_chunks::<4>();
        Ok(chunks.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect())
    }
}

fn ends_early() -> Error {
    Error::corrupt("the data ends early")
}

/// XXH3-64 of `bytes`: the checksum of records and pages.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Reader, Writer};

    #[test]
    fn integers_of_any_length_come_back() {
        let powers = (0..128).map(|bit| 1u128 << bit);
        for value in powers.flat_map(|power| [power - 1, power, power + 1]).chain([u128::MAX]) {
            let mut writer = Writer::default();
            writer.varint(value);
            writer.u8(7);
            let mut reader = Reader::new(writer.as_bytes());
            assert_eq!(reader.varint().ok(), Some(value));
            assert_eq!(reader.u8().ok(), Some(7));
        }
        assert!(Reader::new(&[0x80; 40]).varint().is_err());
        assert!(Reader::new(&[0x80; 3]).varint().is_err());
    }
}
