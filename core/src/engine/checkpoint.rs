//! Pages out: what opening is made fast with.
//!
//! A checkpoint writes the pages that changed under a new generation, then one `meta` that names
//! all pages there are. Until `meta` is replaced the old checkpoint stands; after that the pages
//! it no longer names, and the records it covers, can go.

use super::{
    Engine, Field,
    manifest::{
        COLUMN_FIRST, COLUMN_NUMBERS, Entry, FIELD_CODES, FIELD_FIRST, FIELD_INDEX, FIELD_PRESENT,
        FIELD_SECTIONS, FIELD_VECTORS, FORMAT, FieldState, MAGIC, Manifest, SECTION_DOCUMENTS,
        SECTION_ID_HASHES, SECTION_LIVE,
    },
};
use crate::{
    Result,
    bytes::{Writer, checksum},
    index::Section,
    key::PageKey,
    rest::seal,
};
use alloc::{borrow::Cow, collections::BTreeMap, vec::Vec};

/// Bytes of one page of a section that is written as a whole.
const BLOB_PAGE_BYTES: usize = 65_536 - 512;

/// A checkpoint to be written: first its pages, then its meta, then what it makes stale removed.
pub struct Checkpoint {
    /// Pages to write, before the meta.
    pub pages: Vec<PageKey>,
    /// The value of [`Key::Meta`](crate::key::Key::Meta).
    pub meta: Vec<u8>,
    /// Pages that no longer count once the meta is written.
    pub stale: Vec<PageKey>,
    /// Records up to this number no longer count once the meta is written.
    pub record_number: u64,
    manifest: Manifest,
    blobs: BTreeMap<u32, Vec<u8>>,
}

/// A section of an engine: in memory as pages, or a blob made for the occasion.
enum Part<'a> {
    Paged(&'a dyn Section),
    Blob(Cow<'a, [u8]>),
}

impl Engine {
    /// What has to be written so that opening needs no record applied so far. The engine must not
    /// change before [`checkpointed`](Self::checkpointed) or before the checkpoint is dropped.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut checkpoint = Checkpoint {
            pages: Vec::new(),
            meta: Vec::new(),
            stale: Vec::new(),
            record_number: self.record_number,
            manifest: Manifest {
                generation: self.checkpoint.generation + 1,
                ..Manifest::default()
            },
            blobs: BTreeMap::new(),
        };
        for (section, part) in self.parts() {
            match part {
                Part::Paged(paged) => checkpoint.add_paged(section, paged, &self.checkpoint),
                Part::Blob(blob) => checkpoint.add_blob(section, blob, &self.checkpoint),
            }
        }
        checkpoint.stale = self.checkpoint.pages_not_in(&checkpoint.manifest);
        checkpoint.meta = self.write_meta(&checkpoint.manifest);
        checkpoint
    }

    /// The bytes of a page of a checkpoint, with a checksum. It fails only where the rest of the
    /// page has to be read from the last checkpoint and cannot be.
    pub fn page(&self, checkpoint: &Checkpoint, key: &PageKey) -> Result<Vec<u8>> {
        let page = key.page as usize;
        let payload = match checkpoint.blobs.get(&key.section) {
            Some(blob) => blob.chunks(BLOB_PAGE_BYTES).nth(page).unwrap_or_default().to_vec(),
            None => {
                let mut paged = self.paged().into_iter();
                match paged.find(|(section, _)| *section == key.section) {
                    Some((_, paged)) => paged.page(page)?,
                    None => Vec::new(),
                }
            }
        };
        Ok(seal(payload, key))
    }

    /// The checkpoint is stored.
    pub fn checkpointed(&mut self, checkpoint: Checkpoint) {
        let manifest = checkpoint.manifest;
        self.documents.checkpointed(manifest.generations(SECTION_DOCUMENTS));
        self.id_hashes.mark_clean();
        self.columns.mark_clean();
        let numbers = (FIELD_FIRST..).step_by(FIELD_SECTIONS as usize);
        for (first, field) in numbers.zip(&mut self.fields) {
            field.vectors.checkpointed(manifest.generations(first + FIELD_VECTORS));
            field.index.mark_clean();
        }
        self.checkpoint = manifest;
    }

    /// Whether the last checkpoint has this page; a store may hold others that an interrupted
    /// checkpoint left behind.
    pub fn has_page(&self, key: &PageKey) -> bool {
        self.checkpoint.has(key)
    }

    /// How many pages the last checkpoint has: a store that holds as many holds no others.
    pub fn pages(&self) -> u64 {
        self.checkpoint.pages()
    }

    /// The sections kept as pages.
    fn paged(&self) -> Vec<(u32, &dyn Section)> {
        let mut paged: Vec<(u32, &dyn Section)> =
            alloc::vec![(SECTION_DOCUMENTS, &self.documents), (SECTION_ID_HASHES, &self.id_hashes)];
        for (first, field) in self.numbered_fields() {
            let (vectors, codes) = field.vectors.sections();
            paged.push((first + FIELD_VECTORS, vectors));
            paged.extend(codes.map(|codes| (first + FIELD_CODES, codes)));
            let numbers = first + FIELD_INDEX..first + FIELD_CODES;
            paged.extend(numbers.zip(field.index.sections()));
        }
        let numbers = (COLUMN_FIRST..).step_by(COLUMN_NUMBERS as usize);
        for (first, sections) in numbers.zip(self.columns.sections()) {
            paged.extend((first..).zip(sections));
        }
        paged
    }

    fn parts(&self) -> Vec<(u32, Part<'_>)> {
        let paged = self.paged().into_iter();
        let mut parts: Vec<_> =
            paged.map(|(section, paged)| (section, Part::Paged(paged))).collect();
        let mut blob = |section, bytes: Vec<u8>| parts.push((section, Part::Blob(bytes.into())));
        blob(SECTION_LIVE, self.columns.live().to_bytes());
        for (first, field) in self.numbered_fields() {
            blob(first + FIELD_PRESENT, field.present.to_bytes());
        }
        parts
    }

    fn numbered_fields(&self) -> impl Iterator<Item = (u32, &Field)> {
        (FIELD_FIRST..).step_by(FIELD_SECTIONS as usize).zip(&self.fields)
    }

    fn write_meta(&self, manifest: &Manifest) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.raw(MAGIC);
        writer.u32(FORMAT);
        writer.bytes(self.schema.to_json_string().as_bytes());
        writer.u64(self.record_number);
        writer.u32(self.slots);
        for field in &self.fields {
            FieldState::of(field).write(&mut writer);
        }
        manifest.write(&mut writer);
        let sum = checksum(writer.as_bytes());
        writer.u64(sum);
        writer.into_bytes()
    }
}

impl Checkpoint {
    fn add_paged(&mut self, section: u32, paged: &dyn Section, last: &Manifest) {
        let generations = (0..paged.pages()).map(|page| match last.generation_of(section, page) {
            Some(generation) if !paged.is_dirty(page) => generation,
            _ => self.manifest.generation,
        });
        let pages: Vec<u64> = generations.collect();
        self.add(section, paged.header(), pages);
    }

    fn add_blob(&mut self, section: u32, blob: Cow<'_, [u8]>, last: &Manifest) {
        let mut pages = Vec::new();
        for (number, page) in (0u32..).zip(blob.chunks(BLOB_PAGE_BYTES)) {
            let sum = checksum(page);
            let same = last.sums.get(&(section, number)) == Some(&sum);
            let old = last.generation_of(section, number as usize).filter(|_| same);
            pages.push(old.unwrap_or(self.manifest.generation));
            self.manifest.sums.insert((section, number), sum);
        }
        self.add(section, blob.len() as u64, pages);
        self.blobs.insert(section, blob.into_owned());
    }

    fn add(&mut self, section: u32, header: u64, pages: Vec<u64>) {
        let new = (0u32..).zip(&pages).filter(|(_, old)| **old == self.manifest.generation);
        let keys = new.map(|(page, generation)| PageKey { section, page, generation: *generation });
        self.pages.extend(keys);
        self.manifest.sections.insert(section, Entry { header, pages });
    }
}
