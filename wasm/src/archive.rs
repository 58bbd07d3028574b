//! A database as one file: see [`vectordoc::archive`].

use crate::{
    failure::Failure,
    rest::{key_of, text_of},
};
use js_sys::{Array, Uint8Array};
use vectordoc::{
    Error,
    archive::{self, ArchivePart},
};
use wasm_bindgen::prelude::*;

/// Writes an archive.
#[wasm_bindgen]
pub struct ArchiveWriter {
    writer: archive::ArchiveWriter,
    bytes: Vec<u8>,
}

#[wasm_bindgen]
impl ArchiveWriter {
    /// Begins an archive of so many entries in each shard.
    #[wasm_bindgen(constructor)]
    pub fn new(entries: Vec<u32>) -> Result<ArchiveWriter, Failure> {
        let entries: Vec<u64> = entries.into_iter().map(u64::from).collect();
        let mut bytes = Vec::new();
        Ok(Self { writer: archive::ArchiveWriter::new(&entries, &mut bytes)?, bytes })
    }

    /// Adds the next entry of the first shard that lacks one, in order of the keys, and returns the
    /// bytes that are to be written.
    pub fn entry(&mut self, key: &str, value: &[u8]) -> Result<Vec<u8>, Failure> {
        let known = key_of(key);
        let key = known.ok_or_else(|| Error::internal(format!("{key:?} is no key of a store")))?;
        self.writer.entry(key, value, &mut self.bytes)?;
        Ok(core::mem::take(&mut self.bytes))
    }

    /// Ends the archive, and returns its last bytes.
    pub fn finish(mut self) -> Result<Vec<u8>, Failure> {
        self.writer.finish(&mut self.bytes)?;
        Ok(self.bytes)
    }
}

/// Reads an archive that comes in pieces.
#[wasm_bindgen]
#[derive(Default)]
pub struct ArchiveReader(archive::ArchiveReader);

#[wasm_bindgen]
impl ArchiveReader {
    /// Nothing was read.
    #[wasm_bindgen(constructor)]
    pub fn new() -> ArchiveReader {
        Self::default()
    }

    /// Takes the next bytes and returns the entries that they complete: shard, key and value in turns.
    /// They count once all bytes were pushed and [`finish`](Self::finish) has nothing to say.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Array, Failure> {
        let entries = Array::new();
        self.0.push(bytes);
        while let Some(part) = self.0.part()? {
            if let ArchivePart::Entry { shard, key, value } = part {
                entries.push(&shard.into());
                entries.push(&text_of(key).into());
                entries.push(&Uint8Array::from(value.as_slice()));
            }
        }
        Ok(entries)
    }

    /// Refuses an archive that is not whole.
    pub fn finish(&self) -> Result<(), Failure> {
        Ok(self.0.finish()?)
    }
}
