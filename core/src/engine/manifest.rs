//! What a checkpoint consists of: the sections of an engine, the pages of each, and what else meta
//! says.

use super::{field::Field, tuning::Tuning};
use crate::{
    Error, Result,
    bytes::{Reader, Writer},
    column::COLUMN_SECTIONS,
    key::PageKey,
    limits,
};
use alloc::{collections::BTreeMap, vec::Vec};

pub(super) const MAGIC: &[u8; 4] = b"VDM1";
/// The format this build writes and reads.
pub(super) const FORMAT: u32 = 3;

pub(super) const SECTION_LIVE: u32 = 0;
pub(super) const SECTION_DOCUMENTS: u32 = 1;
pub(super) const SECTION_ID_HASHES: u32 = 3;
/// The first section of vector field 0; each field has as many.
pub(super) const FIELD_FIRST: u32 = 16;
pub(super) const FIELD_SECTIONS: u32 = 16;
pub(super) const FIELD_VECTORS: u32 = 0;
pub(super) const FIELD_PRESENT: u32 = 1;
pub(super) const FIELD_INDEX: u32 = 2;
/// The last of a field's sections, as an index may have several.
pub(super) const FIELD_CODES: u32 = FIELD_SECTIONS - 1;
/// The first section of filter column 0; each column has as many numbers.
pub(super) const COLUMN_FIRST: u32 = 1 << 16;
pub(super) const COLUMN_NUMBERS: u32 = 4;
const _: () = assert!(COLUMN_SECTIONS <= COLUMN_NUMBERS as usize);
const _: () =
    assert!((FIELD_FIRST + FIELD_SECTIONS) as usize * limits::FIELDS_MAX < COLUMN_FIRST as usize);
const _: () = assert!((FIELD_CODES - FIELD_INDEX) as usize == limits::INDEX_SECTIONS_MAX);

/// What the last checkpoint wrote: for each section its header and the generations of its pages.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Manifest {
    pub(super) generation: u64,
    pub(super) sections: BTreeMap<u32, Entry>,
    /// Checksums of pages of blobs, which carry no marks. Unknown after opening, so that the first
    /// checkpoint writes all blobs.
    pub(super) sums: BTreeMap<(u32, u32), u64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entry {
    pub(super) header: u64,
    pub(super) pages: Vec<u64>,
}

impl Manifest {
    pub(super) fn generation_of(&self, section: u32, page: usize) -> Option<u64> {
        self.sections.get(&section)?.pages.get(page).copied()
    }

    pub(super) fn generations(&self, section: u32) -> &[u64] {
        self.sections.get(&section).map_or(&[], |entry| &entry.pages)
    }

    pub(super) fn pages(&self) -> u64 {
        self.sections.values().map(|entry| entry.pages.len() as u64).sum()
    }

    pub(super) fn has(&self, key: &PageKey) -> bool {
        self.generation_of(key.section, key.page as usize) == Some(key.generation)
    }

    pub(super) fn pages_not_in(&self, other: &Self) -> Vec<PageKey> {
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

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u64(self.generation);
        writer.length(self.sections.len());
        for (section, entry) in &self.sections {
            writer.varint((*section).into());
            writer.u64(entry.header);
            writer.length(entry.pages.len());
            entry.pages.iter().for_each(|generation| writer.varint((*generation).into()));
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self> {
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

/// What meta says of a field.
pub(super) struct FieldState {
    pub(super) is_graph: bool,
    measured_at: u64,
    ef: u64,
    visits_per_ef: u64,
}

impl FieldState {
    pub(super) fn of(field: &Field) -> Self {
        Self {
            is_graph: !field.index.is_exact(),
            measured_at: field.tuning.measured_at,
            ef: field.tuning.ef as u64,
            visits_per_ef: field.tuning.visits_per_ef,
        }
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u8(self.is_graph.into());
        writer.u64(self.measured_at);
        writer.u64(self.ef);
        writer.u64(self.visits_per_ef);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            is_graph: reader.u8()? != 0,
            measured_at: reader.u64()?,
            ef: reader.u64()?,
            visits_per_ef: reader.u64()?,
        })
    }

    pub(super) fn tuning(&self) -> Tuning {
        let ef = usize::try_from(self.ef).unwrap_or(crate::limits::EF_MAX);
        Tuning::measured(self.measured_at, ef, self.visits_per_ef)
    }
}
