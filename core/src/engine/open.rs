//! An engine out of the pages of its last checkpoint.

use super::{
    Engine, Field, hash_of, id_of,
    manifest::{
        Entry, FIELD_FIRST, FIELD_INDEX, FIELD_PRESENT, FIELD_SECTIONS, FIELD_VECTORS, FORMAT,
        FieldState, MAGIC, Manifest, SECTION_COLUMNS, SECTION_DOCUMENTS, SECTION_LIVE, unseal,
    },
};
use crate::{
    Error, ErrorKind, Result, Schema,
    bitset::BitSet,
    bytes::{Reader, checksum},
    column::{Columns, Slots, slots_from_bits},
    heap::Heap,
    index::{Indexes, Sections, Vectors},
    key::PageKey,
    schema::IndexKind,
};
use alloc::{format, vec::Vec};

impl Engine {
    /// The engine as of a checkpoint. What cannot be read of derived state is built again; what
    /// cannot be read of ground state is `corrupt`.
    pub fn open(
        meta: &[u8],
        read_page: &dyn Fn(&PageKey) -> Result<Option<Vec<u8>>>,
        indexes: &Indexes,
    ) -> Result<Self> {
        let mut reader = open_meta(meta)?;
        let schema = Schema::from_json_str(&reader.text()?)
            .map_err(|error| Error::corrupt(format!("the stored schema: {}", error.message())))?;
        indexes.check(&schema)?;
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
            fields.push(open_field(&schema, number, state, &pages, indexes)?);
        }
        let empty = Self::with_fields(schema, fields);
        let mut engine = Self { record_number, slots, documents, ..empty };
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
            Err(error) if error.kind() == ErrorKind::Corrupt => {
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
            let id = id_of(documents, slot)?;
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
}

fn open_field(
    schema: &Schema,
    number: usize,
    state: &FieldState,
    pages: &Pages<'_>,
    indexes: &Indexes,
) -> Result<Field> {
    let spec = &schema.vectors()[number];
    let first = FIELD_FIRST + FIELD_SECTIONS * u32::try_from(number).unwrap_or(0);
    let rows = pages.rows(first + FIELD_VECTORS)?;
    let mut field = Field::new(spec, indexes.create(spec)?);
    field.vectors = Vectors::from_pages(spec, rows, |page| pages.get(first + FIELD_VECTORS, page))?;
    field.present = BitSet::from(&slots_from_bits(&pages.blob(first + FIELD_PRESENT)?));
    if state.is_graph && spec.index.kind != IndexKind::Exact {
        if field.index.is_exact() {
            field.switch_to_graph();
        }
        let sections = IndexSections { pages, first: first + FIELD_INDEX };
        match indexes.open(spec, &sections) {
            Ok(Some(index)) => {
                field.index = index;
                field.tuning = state.tuning();
            }
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::Corrupt => {}
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
