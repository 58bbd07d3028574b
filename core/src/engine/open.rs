//! An engine out of the pages of its last checkpoint.

use super::{
    Engine, Field, Residence, hash_of, id_of,
    manifest::{
        COLUMN_FIRST, COLUMN_NUMBERS, Entry, FIELD_CODES, FIELD_FIRST, FIELD_INDEX, FIELD_PRESENT,
        FIELD_SECTIONS, FIELD_VECTORS, FORMAT, FieldState, MAGIC, Manifest, SECTION_DOCUMENTS,
        SECTION_ID_HASHES, SECTION_LIVE,
    },
    spread,
};
use crate::{
    Error, ErrorKind, Result, Schema,
    arena::Arena,
    bitset::BitSet,
    bytes::{Reader, checksum},
    column::{Columns, Slots},
    heap::SLOTS_PER_PAGE,
    index::{Indexes, Sections},
    rest::{PageSource, ReadPage, read_page},
    schema::IndexKind,
};
use alloc::{format, sync::Arc, vec::Vec};

impl Engine {
    /// The engine as of a checkpoint, all of it in memory. What cannot be read of derived state is
    /// built again; what cannot be read of ground state is `corrupt`.
    pub fn open(meta: &[u8], source: &dyn PageSource, indexes: &Indexes) -> Result<Self> {
        Self::open_in(meta, source, indexes, Residence::Memory)
    }

    /// The same with documents and full vectors left at rest, to be read when they are needed.
    pub fn open_at_rest(
        meta: &[u8],
        source: &Arc<dyn PageSource>,
        indexes: &Indexes,
    ) -> Result<Self> {
        Self::open_in(meta, &**source, indexes, Residence::Rest(source))
    }

    pub(super) fn open_in(
        meta: &[u8],
        source: &dyn PageSource,
        indexes: &Indexes,
        residence: Residence<'_>,
    ) -> Result<Self> {
        let Meta { schema, record_number, slots, states, manifest } = Meta::read(meta)?;
        let mut engine = Self::empty(schema, indexes, residence)?;
        (engine.record_number, engine.slots) = (record_number, slots);
        let pages = Pages { manifest, source };
        let live = BitSet::from_bytes(&pages.blob(SECTION_LIVE)?);
        let documents = pages.manifest.generations(SECTION_DOCUMENTS);
        if !live.is_below(slots as usize) || documents.len() * SLOTS_PER_PAGE < slots as usize {
            return Err(Error::corrupt(format!(
                "the checkpoint has no documents for {slots} slots"
            )));
        }
        engine.documents.open(documents, pages.of(SECTION_DOCUMENTS))?;
        for (number, (field, state)) in engine.fields.iter_mut().zip(&states).enumerate() {
            field.open(number, state, &pages, indexes)?;
        }
        engine.open_columns(live, &pages)?;
        engine.open_ids(&pages)?;
        engine.checkpoint = pages.manifest;
        engine.find_free();
        Ok(engine)
    }

    /// The schema of the checkpoint with this meta.
    pub fn stored_schema(meta: &[u8]) -> Result<Schema> {
        read_schema(&mut open_meta(meta)?)
    }

    fn open_columns(&mut self, live: BitSet, pages: &Pages<'_>) -> Result<()> {
        let number = |column: usize, section: usize| {
            let place = column * COLUMN_NUMBERS as usize + section;
            COLUMN_FIRST.saturating_add(u32::try_from(place).unwrap_or(u32::MAX))
        };
        let read = Columns::open(
            &self.schema,
            live.clone(),
            |column, section| pages.rows(number(column, section)),
            |column, section| pages.of(number(column, section)),
        );
        match read {
            Ok(columns) => self.columns = columns,
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                for slot in live.iter() {
                    let values = self.values(slot)?;
                    self.columns.insert(slot, &values);
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn open_ids(&mut self, pages: &Pages<'_>) -> Result<()> {
        let stored = pages
            .rows(SECTION_ID_HASHES)
            .and_then(|rows| Arena::from_pages(1, rows, pages.of(SECTION_ID_HASHES)));
        match stored {
            Ok(hashes) if hashes.rows() == self.slots as usize => self.id_hashes = hashes,
            Err(error) if error.kind() != ErrorKind::Corrupt => return Err(error),
            _ => {
                self.id_hashes.grow(self.slots as usize, 0);
                for slot in self.columns.live().iter() {
                    let id = id_of(&self.documents, slot)?;
                    self.id_hashes.row_mut(slot as usize)[0] = hash_of(&id);
                }
            }
        }
        let Self { ids, id_hashes, columns, .. } = self;
        let hash = |slot: u32| spread(id_hashes.row(slot as usize)[0]);
        ids.reserve(usize::try_from(columns.live().len()).unwrap_or(0), |slot| hash(*slot));
        for slot in columns.live().iter() {
            ids.insert_unique(hash(slot), slot, |slot| hash(*slot));
        }
        Ok(())
    }

    pub(super) fn find_free(&mut self) {
        let mut free = Slots::new();
        free.insert_range(0..self.slots);
        self.columns.live().iter().for_each(|slot| {
            free.remove(slot);
        });
        for field in &self.fields {
            free -= field.dead();
        }
        self.free = free;
    }
}

/// What the meta of a checkpoint says.
pub(super) struct Meta {
    pub(super) schema: Schema,
    record_number: u64,
    slots: u32,
    /// By number of the vector field.
    states: Vec<FieldState>,
    pub(super) manifest: Manifest,
}

impl Meta {
    pub(super) fn read(meta: &[u8]) -> Result<Self> {
        let mut reader = open_meta(meta)?;
        let schema = read_schema(&mut reader)?;
        let (record_number, slots) = (reader.u64()?, reader.u32()?);
        let states = schema.vectors().iter().map(|_| FieldState::read(&mut reader));
        let states = states.collect::<Result<_>>()?;
        let manifest = Manifest::read(&mut reader)?;
        Ok(Self { schema, record_number, slots, states, manifest })
    }
}

impl Field {
    fn open(
        &mut self,
        number: usize,
        state: &FieldState,
        pages: &Pages<'_>,
        indexes: &Indexes,
    ) -> Result<()> {
        let first = FIELD_FIRST + FIELD_SECTIONS * u32::try_from(number).unwrap_or(0);
        let rows = pages.rows(first + FIELD_VECTORS)?;
        let generations = pages.manifest.generations(first + FIELD_VECTORS);
        self.vectors.open(rows, generations, pages.of(first + FIELD_VECTORS))?;
        match self.vectors.open_codes(pages.of(first + FIELD_CODES)) {
            Err(error) if error.kind() == ErrorKind::Corrupt => self.vectors.code_all()?,
            opened => opened?,
        }
        self.present = BitSet::from_bytes(&pages.blob(first + FIELD_PRESENT)?);
        if !self.present.is_below(rows) {
            return Err(Error::corrupt(format!("a checkpoint of {rows} vectors names others")));
        }
        if state.is_graph && self.spec.index.kind != IndexKind::Exact {
            if self.index.is_exact() {
                self.switch_to_graph();
            }
            let sections = IndexSections { pages, first: first + FIELD_INDEX };
            match indexes.open(&self.spec, &sections) {
                Ok(Some(index)) => {
                    self.index = index;
                    self.tuning = state.tuning();
                }
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::Corrupt => {}
                Err(error) => return Err(error),
            }
        }
        self.unindexed = self.present.iter().filter(|slot| !self.index.contains(*slot)).collect();
        if !self.index.is_exact() {
            let rows = u32::try_from(rows).unwrap_or(u32::MAX);
            let is_dead = |slot: &u32| self.index.contains(*slot) && !self.present.contains(*slot);
            self.dead = (0..rows).filter(is_dead).collect();
        }
        Ok(())
    }
}

/// The pages of a checkpoint while an engine is opened from it.
struct Pages<'a> {
    manifest: Manifest,
    source: &'a dyn PageSource,
}

impl Pages<'_> {
    fn entry(&self, section: u32) -> Result<&Entry> {
        let entry = self.manifest.sections.get(&section);
        entry.ok_or_else(|| Error::corrupt(format!("the checkpoint lacks section {section}")))
    }

    fn rows(&self, section: u32) -> Result<usize> {
        usize::try_from(self.entry(section)?.header)
            .map_err(|_| Error::corrupt("a section has too many rows for this machine"))
    }

    /// The pages of a section.
    fn of(&self, section: u32) -> impl ReadPage {
        let generations = self.manifest.generations(section);
        move |page, visit| read_page(self.source, section, page, generations, visit)
    }

    fn blob(&self, section: u32) -> Result<Vec<u8>> {
        let (mut blob, mut read) = (Vec::new(), self.of(section));
        for page in 0..self.entry(section)?.pages.len() {
            read(page, &mut |bytes| {
                blob.extend_from_slice(bytes);
                Ok(())
            })?;
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
        let mut content = Vec::new();
        self.pages.of(self.number(section))(page, &mut |bytes| {
            content = bytes.to_vec();
            Ok(())
        })?;
        Ok(content)
    }
}

impl IndexSections<'_> {
    fn number(&self, section: usize) -> u32 {
        self.first.saturating_add(u32::try_from(section).unwrap_or(u32::MAX))
    }
}

fn read_schema(reader: &mut Reader<'_>) -> Result<Schema> {
    Schema::from_json_str(&reader.text()?)
        .map_err(|error| Error::corrupt(format!("the stored schema: {}", error.message())))
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
    if format != FORMAT {
        let way_out =
            if format > FORMAT { "use a newer build" } else { "import its documents anew" };
        return Err(Error::unsupported(format!(
            "the database has format {format}, this build reads {FORMAT}; {way_out}"
        )));
    }
    if Reader::new(sum).u64()? != checksum(body) {
        return Err(Error::corrupt("meta does not match its checksum"));
    }
    Ok(reader)
}
