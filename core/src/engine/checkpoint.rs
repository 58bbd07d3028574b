//! Pages out and pages in: what opening is made fast with.
//!
//! A checkpoint writes the pages that changed under a new generation, then one `meta` that names
//! all pages there are. Until `meta` is replaced the old checkpoint stands; after that the pages
//! it no longer names, and the records it covers, can go.

use super::{Engine, Field, hash_of, tuning::Tuning};
use crate::{
    Error, Result, Schema,
    bytes::{Reader, Writer, checksum},
    column::{Columns, Slots, slots_from_bits, slots_to_bits},
    heap::Heap,
    index::{Hnsw, Section, Sections, Vectors},
    key::PageKey,
    schema::IndexKind,
};
use alloc::{borrow::Cow, boxed::Box, collections::BTreeMap, format, vec::Vec};

const MAGIC: &[u8; 4] = b"VDM1";
/// The format this build writes, and the newest it reads.
const FORMAT: u32 = 1;

const SECTION_LIVE: u32 = 0;
const SECTION_DOCUMENTS: u32 = 1;
const SECTION_COLUMNS: u32 = 2;
/// The first section of vector field 0; each field has as many.
const FIELD_FIRST: u32 = 16;
const FIELD_SECTIONS: u32 = 16;
const FIELD_VECTORS: u32 = 0;
const FIELD_PRESENT: u32 = 1;
const FIELD_INDEX: u32 = 2;

/// Bytes of one page of a section that is written as a whole.
const BLOB_PAGE_BYTES: usize = 65_536 - 512;

/// What the last checkpoint wrote: for each section its header and the generations of its pages.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Manifest {
    generation: u64,
    sections: BTreeMap<u32, Entry>,
    /// Checksums of pages of blobs, which carry no marks. Unknown after opening, so that the first
    /// checkpoint writes all blobs.
    sums: BTreeMap<(u32, u32), u64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Entry {
    header: u64,
    pages: Vec<u64>,
}

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

    /// The bytes of a page of a checkpoint, with a checksum.
    pub fn page(&self, checkpoint: &Checkpoint, key: &PageKey) -> Vec<u8> {
        let page = key.page as usize;
        let payload = match checkpoint.blobs.get(&key.section) {
            Some(blob) => blob.chunks(BLOB_PAGE_BYTES).nth(page).unwrap_or_default().to_vec(),
            None => self
                .paged()
                .into_iter()
                .find(|(section, _)| *section == key.section)
                .map(|(_, paged)| paged.page(page))
                .unwrap_or_default(),
        };
        seal(payload, key)
    }

    /// The checkpoint is stored.
    pub fn checkpointed(&mut self, checkpoint: Checkpoint) {
        self.checkpoint = checkpoint.manifest;
        self.documents.mark_clean();
        for field in &mut self.fields {
            field.vectors.mark_clean();
            field.index.mark_clean();
        }
    }

    /// Whether the last checkpoint has this page; a store may hold others that an interrupted
    /// checkpoint left behind.
    pub fn has_page(&self, key: &PageKey) -> bool {
        self.checkpoint.has(key)
    }

    /// The engine as of a checkpoint. What cannot be read of derived state is built again; what
    /// cannot be read of ground state is `corrupt`.
    pub fn open(
        meta: &[u8],
        read_page: &dyn Fn(&PageKey) -> Result<Option<Vec<u8>>>,
    ) -> Result<Self> {
        let mut reader = open_meta(meta)?;
        let schema = Schema::from_json_str(&reader.text()?)
            .map_err(|error| Error::corrupt(format!("the stored schema: {}", error.message())))?;
        let record_number = reader.u64()?;
        let slots = reader.u32()?;
        let states = schema.vectors().iter().map(|_| FieldState::read(&mut reader));
        let states = states.collect::<Result<Vec<_>>>()?;
        let pages = Pages { manifest: Manifest::read(&mut reader)?, read_page };
        let live = slots_from_bits(&pages.blob(SECTION_LIVE)?);
        let documents = Heap::from_pages(pages.count(SECTION_DOCUMENTS), |page| {
            pages.get(SECTION_DOCUMENTS, page)
        })?;
        let mut fields = Vec::new();
        for (number, state) in states.iter().enumerate() {
            fields.push(open_field(&schema, number, state, &pages)?);
        }
        let mut engine = Self { fields, record_number, slots, documents, ..Self::new(schema) };
        engine.open_columns(live, &pages)?;
        engine.fill_ids()?;
        engine.checkpoint = pages.manifest;
        engine.find_free();
        Ok(engine)
    }

    fn open_columns(&mut self, live: Slots, pages: &Pages<'_>) -> Result<()> {
        let read = pages
            .blob(SECTION_COLUMNS)
            .and_then(|bytes| Columns::read(&self.schema, live.clone(), &bytes));
        match read {
            Ok(columns) => self.columns = columns,
            Err(error) if error.kind() == crate::ErrorKind::Corrupt => {
                for slot in live {
                    let values = self.values(slot)?;
                    self.columns.insert(slot, &values);
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn fill_ids(&mut self) -> Result<()> {
        let Self { ids, documents, columns, .. } = self;
        let count = usize::try_from(columns.live().len()).unwrap_or(0);
        ids.reserve(count, |slot| hash_of(documents, *slot));
        for slot in columns.live() {
            let id = super::id_of(documents, slot)?;
            ids.insert_unique(id.hash64(), slot, |slot| hash_of(documents, *slot));
        }
        Ok(())
    }

    fn find_free(&mut self) {
        let mut free = Slots::new();
        free.insert_range(0..self.slots);
        free -= self.columns.live();
        for field in &self.fields {
            free -= field.dead();
        }
        self.free = free;
    }

    /// The sections kept as pages.
    fn paged(&self) -> Vec<(u32, &dyn Section)> {
        let mut paged: Vec<(u32, &dyn Section)> =
            alloc::vec![(SECTION_DOCUMENTS, &self.documents as &dyn Section)];
        for (first, field) in self.numbered_fields() {
            paged.push((first + FIELD_VECTORS, field.vectors.arena()));
            paged.extend((first + FIELD_INDEX..).zip(field.index.sections()));
        }
        paged
    }

    fn parts(&self) -> Vec<(u32, Part<'_>)> {
        let paged = self.paged().into_iter();
        let mut parts: Vec<_> =
            paged.map(|(section, paged)| (section, Part::Paged(paged))).collect();
        let mut blob = |section, bytes: Vec<u8>| parts.push((section, Part::Blob(bytes.into())));
        blob(SECTION_LIVE, slots_to_bits(self.columns.live()));
        blob(SECTION_COLUMNS, self.columns.to_bytes());
        for (first, field) in self.numbered_fields() {
            blob(first + FIELD_PRESENT, slots_to_bits(&field.present));
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

/// What meta says of a field.
struct FieldState {
    is_graph: bool,
    measured_at: u64,
    ef: u64,
    visits_per_ef: u64,
}

impl FieldState {
    fn of(field: &Field) -> Self {
        Self {
            is_graph: !field.index.is_exact(),
            measured_at: field.tuning.measured_at,
            ef: field.tuning.ef as u64,
            visits_per_ef: field.tuning.visits_per_ef,
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.u8(self.is_graph.into());
        writer.u64(self.measured_at);
        writer.u64(self.ef);
        writer.u64(self.visits_per_ef);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            is_graph: reader.u8()? != 0,
            measured_at: reader.u64()?,
            ef: reader.u64()?,
            visits_per_ef: reader.u64()?,
        })
    }

    fn tuning(&self) -> Tuning {
        let ef = usize::try_from(self.ef).unwrap_or(crate::limits::EF_MAX);
        Tuning::measured(self.measured_at, ef, self.visits_per_ef)
    }
}

fn open_field(
    schema: &Schema,
    number: usize,
    state: &FieldState,
    pages: &Pages<'_>,
) -> Result<Field> {
    let spec = &schema.vectors()[number];
    let first = FIELD_FIRST + FIELD_SECTIONS * u32::try_from(number).unwrap_or(0);
    let rows = pages.rows(first + FIELD_VECTORS)?;
    let mut field = Field::new(spec);
    field.vectors = Vectors::from_pages(spec, rows, |page| pages.get(first + FIELD_VECTORS, page))?;
    field.present = slots_from_bits(&pages.blob(first + FIELD_PRESENT)?);
    field.unindexed = field.present.clone();
    if state.is_graph && spec.index.kind != IndexKind::Exact {
        let sections = IndexSections { pages, first: first + FIELD_INDEX };
        match Hnsw::open(&spec.index, &sections) {
            Ok(graph) => {
                field.index = Box::new(graph);
                field.tuning = state.tuning();
            }
            Err(error) if error.kind() == crate::ErrorKind::Corrupt => field.switch_to_graph(),
            Err(error) => return Err(error),
        }
    }
    field.unindexed = field.present.iter().filter(|slot| !field.index.contains(*slot)).collect();
    if !field.index.is_exact() {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        let is_dead = |slot: &u32| field.index.contains(*slot) && !field.present.contains(*slot);
        field.dead = (0..rows).filter(is_dead).collect();
    }
    Ok(field)
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

impl Manifest {
    fn generation_of(&self, section: u32, page: usize) -> Option<u64> {
        self.sections.get(&section)?.pages.get(page).copied()
    }

    fn has(&self, key: &PageKey) -> bool {
        self.generation_of(key.section, key.page as usize) == Some(key.generation)
    }

    fn pages_not_in(&self, other: &Self) -> Vec<PageKey> {
        let mut gone = Vec::new();
        for (section, entry) in &self.sections {
            for (page, generation) in (0u32..).zip(&entry.pages) {
                let key = PageKey { section: *section, page, generation: *generation };
                if !other.has(&key) {
                    gone.push(key);
                }
            }
        }
        gone
    }

    fn write(&self, writer: &mut Writer) {
        writer.u64(self.generation);
        writer.length(self.sections.len());
        for (section, entry) in &self.sections {
            writer.varint((*section).into());
            writer.u64(entry.header);
            writer.length(entry.pages.len());
            entry.pages.iter().for_each(|generation| writer.varint((*generation).into()));
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let too_large = |_| Error::corrupt("a number in the checkpoint is too large");
        let mut manifest = Self { generation: reader.u64()?, ..Self::default() };
        for _ in 0..reader.length()? {
            let section = u32::try_from(reader.varint()?).map_err(too_large)?;
            let header = reader.u64()?;
            let count = reader.length()?;
            let pages = (0..count).map(|_| u64::try_from(reader.varint()?).map_err(too_large));
            let pages = pages.collect::<Result<_>>()?;
            manifest.sections.insert(section, Entry { header, pages });
        }
        Ok(manifest)
    }
}

/// The pages of a checkpoint while an engine is opened from it.
struct Pages<'a> {
    manifest: Manifest,
    read_page: &'a dyn Fn(&PageKey) -> Result<Option<Vec<u8>>>,
}

impl Pages<'_> {
    fn entry(&self, section: u32) -> Result<&Entry> {
        let entry = self.manifest.sections.get(&section);
        entry.ok_or_else(|| Error::corrupt(format!("the checkpoint lacks section {section}")))
    }

    fn count(&self, section: u32) -> usize {
        self.manifest.sections.get(&section).map_or(0, |entry| entry.pages.len())
    }

    fn rows(&self, section: u32) -> Result<usize> {
        usize::try_from(self.entry(section)?.header)
            .map_err(|_| Error::corrupt("a section has too many rows for this machine"))
    }

    fn get(&self, section: u32, page: usize) -> Result<Vec<u8>> {
        let lacks = || Error::corrupt(format!("page {page} of section {section} is missing"));
        let generation = self.manifest.generation_of(section, page).ok_or_else(lacks)?;
        let number = u32::try_from(page).map_err(|_| lacks())?;
        let key = PageKey { section, page: number, generation };
        unseal((self.read_page)(&key)?.ok_or_else(lacks)?, &key)
    }

    fn blob(&self, section: u32) -> Result<Vec<u8>> {
        let mut blob = Vec::new();
        for page in 0..self.entry(section)?.pages.len() {
            blob.extend(self.get(section, page)?);
        }
        if blob.len() as u64 != self.entry(section)?.header {
            return Err(Error::corrupt(format!("section {section} has the wrong length")));
        }
        Ok(blob)
    }
}

/// The sections of one field's index.
struct IndexSections<'a> {
    pages: &'a Pages<'a>,
    first: u32,
}

impl Sections for IndexSections<'_> {
    fn header(&self, section: usize) -> Result<u64> {
        self.pages.entry(self.number(section)).map(|entry| entry.header)
    }

    fn page(&self, section: usize, page: usize) -> Result<Vec<u8>> {
        self.pages.get(self.number(section), page)
    }
}

impl IndexSections<'_> {
    fn number(&self, section: usize) -> u32 {
        self.first.saturating_add(u32::try_from(section).unwrap_or(u32::MAX))
    }
}

/// The payload, and after it a checksum over payload and key: a page in the wrong place or of
/// another generation is noticed as damage is.
fn seal(payload: Vec<u8>, key: &PageKey) -> Vec<u8> {
    let sum = page_sum(&payload, key);
    let mut bytes = payload;
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

fn unseal(mut bytes: Vec<u8>, key: &PageKey) -> Result<Vec<u8>> {
    let sum = bytes.split_off(bytes.len().saturating_sub(size_of::<u64>()));
    if Reader::new(&sum).u64()? != page_sum(&bytes, key) {
        return Err(Error::corrupt(format!(
            "page {} of section {} does not match its checksum",
            key.page, key.section
        )));
    }
    Ok(bytes)
}

fn page_sum(payload: &[u8], key: &PageKey) -> u64 {
    let place = (u64::from(key.section) << 32) | u64::from(key.page);
    xxhash_rust::xxh3::xxh3_64_with_seed(payload, place ^ key.generation.rotate_left(17))
}

/// The content of a meta whose checksum and format are right.
fn open_meta(meta: &[u8]) -> Result<Reader<'_>> {
    let (body, sum) = meta
        .len()
        .checked_sub(size_of::<u64>())
        .map(|end| meta.split_at(end))
        .ok_or_else(|| Error::corrupt("meta is shorter than its checksum"))?;
    let mut reader = Reader::new(body);
    if reader.raw(MAGIC.len())? != MAGIC {
        return Err(Error::corrupt("this is no vectordoc database"));
    }
    let format = reader.u32()?;
    if format > FORMAT {
        return Err(Error::unsupported(format!(
            "the database has format {format}, this build reads up to {FORMAT}; use a newer build"
        )));
    }
    if Reader::new(sum).u64()? != checksum(body) {
        return Err(Error::corrupt("meta does not match its checksum"));
    }
    Ok(reader)
}

impl Section for Heap {
    fn header(&self) -> u64 {
        self.pages() as u64
    }

    fn pages(&self) -> usize {
        Heap::pages(self)
    }

    fn is_dirty(&self, page: usize) -> bool {
        Heap::is_dirty(self, page)
    }

    fn page(&self, page: usize) -> Vec<u8> {
        Heap::page(self, page)
    }
}
