//! What is kept of each vector: in memory, or at rest with only those in memory that changed since
//! the last checkpoint.

use crate::{
    Error, Result,
    arena::{Arena, Element},
    changed::Changed,
    index::Section,
    rest::{ReadPage, RestingPages},
};
use alloc::{borrow::Cow, vec::Vec};

/// Bytes of a page: few, as at rest a page is read for one vector.
const PAGE_BYTES: usize = 16_384 - 512;

/// Rows of one length by slot.
#[derive(Clone)]
pub(super) enum Rows<T> {
    Memory(Arena<T>),
    Rest(RestingRows<T>),
}

/// Rows that are read when they are needed.
#[derive(Clone)]
pub(super) struct RestingRows<T> {
    stride: usize,
    rows: usize,
    /// Rows there were at the last checkpoint.
    rows_at_rest: usize,
    page_rows: usize,
    /// The rows set since.
    changed: Changed<T>,
    pages: RestingPages,
}

impl<T: Element> Rows<T> {
    pub(super) fn in_memory(stride: usize) -> Self {
        Self::Memory(Arena::with_page_bytes(stride, PAGE_BYTES))
    }

    pub(super) fn at_rest(stride: usize, pages: RestingPages) -> Self {
        let page_rows = Arena::<T>::with_page_bytes(stride, PAGE_BYTES).page_rows();
        let changed = Changed::default();
        Self::Rest(RestingRows { stride, rows: 0, rows_at_rest: 0, page_rows, changed, pages })
    }

    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Memory(arena) => arena.rows(),
            Self::Rest(rest) => rest.rows,
        }
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> Result<Cow<'_, [T]>> {
        match self {
            Self::Memory(arena) => Ok(Cow::Borrowed(arena.row(row))),
            Self::Rest(rest) => rest.get(row),
        }
    }

    pub(super) fn set(&mut self, row: usize, elements: &[T]) {
        match self {
            Self::Memory(arena) => {
                arena.grow(row + 1, T::default());
                arena.row_mut(row).copy_from_slice(elements);
            }
            Self::Rest(rest) => {
                rest.rows = rest.rows.max(row + 1);
                let slot = u32::try_from(row).expect("a row is a slot");
                rest.changed.set(slot, elements);
            }
        }
    }

    /// Hands all rows to `visit`, in order and up to `at_once` together, with the number of the
    /// first of them.
    pub(super) fn each_run(
        &self,
        at_once: usize,
        mut visit: impl FnMut(usize, &[T]),
    ) -> Result<()> {
        match self {
            Self::Memory(arena) => {
                let mut first = 0;
                for run in arena.runs().flat_map(|run| run.chunks(at_once * arena.stride())) {
                    visit(first, run);
                    first += run.len() / arena.stride();
                }
            }
            Self::Rest(rest) => {
                for page in 0..Section::pages(rest) {
                    visit(page * rest.page_rows, &rest.page_content(page)?);
                }
            }
        }
        Ok(())
    }

    pub(super) fn section(&self) -> &dyn Section {
        match self {
            Self::Memory(arena) => arena,
            Self::Rest(rest) => rest,
        }
    }

    /// A checkpoint was stored, of whose pages these are the generations.
    pub(super) fn checkpointed(&mut self, generations: &[u64]) {
        match self {
            Self::Memory(arena) => arena.mark_clean(),
            Self::Rest(rest) => {
                rest.changed.clear();
                rest.rows_at_rest = rest.rows;
                rest.pages.set(generations);
            }
        }
    }

    /// The rows of a checkpoint of which `rows` rows are at rest.
    pub(super) fn open(
        &mut self,
        rows: usize,
        generations: &[u64],
        read: impl ReadPage,
    ) -> Result<()> {
        match self {
            Self::Memory(arena) => *arena = arena.filled(rows, read)?,
            Self::Rest(rest) => {
                if generations.len() != rows.div_ceil(rest.page_rows) {
                    return Err(Error::corrupt("the vectors of a field lack pages"));
                }
                (rest.rows, rest.rows_at_rest) = (rows, rows);
                rest.pages.set(generations);
            }
        }
        Ok(())
    }

    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Memory(arena) => arena.memory_bytes(),
            Self::Rest(rest) => rest.changed.memory_bytes(),
        }
    }
}

impl<T: Element> RestingRows<T> {
    fn get(&self, row: usize) -> Result<Cow<'_, [T]>> {
        if let Some(vector) = u32::try_from(row).ok().and_then(|slot| self.changed.get(slot)) {
            return Ok(Cow::Borrowed(vector));
        }
        let row_bytes = self.stride * T::BYTES;
        let start = row % self.page_rows * row_bytes;
        let vector = self.pages.read(row / self.page_rows, |bytes| {
            let bytes = bytes.get(start..start + row_bytes);
            let bytes = bytes.ok_or_else(|| Error::corrupt("a page of vectors is too short"))?;
            let mut vector = Vec::with_capacity(self.stride);
            T::read(bytes, &mut vector);
            Ok(vector)
        })?;
        Ok(Cow::Owned(vector))
    }

    /// The numbers of a page as they are now.
    fn page_content(&self, page: usize) -> Result<Vec<T>> {
        let first = page * self.page_rows;
        let rows = first..self.rows.min(first + self.page_rows);
        let mut content = Vec::with_capacity(rows.len() * self.stride);
        if page < self.pages.len() {
            self.pages.read(page, |bytes| {
                T::read(bytes, &mut content);
                Ok(())
            })?;
        }
        content.resize(rows.len() * self.stride, T::default());
        for (slot, vector) in self.changed_in(page) {
            let start = (slot as usize - first) * self.stride;
            content[start..start + self.stride].copy_from_slice(vector);
        }
        Ok(content)
    }

    fn changed_in(&self, page: usize) -> impl Iterator<Item = (u32, &[T])> {
        let slot = |row: usize| u32::try_from(row).unwrap_or(u32::MAX);
        let first = page * self.page_rows;
        self.changed.range(slot(first)..slot(first + self.page_rows))
    }
}

impl<T: Element> Section for RestingRows<T> {
    fn header(&self) -> u64 {
        self.rows as u64
    }

    fn pages(&self) -> usize {
        self.rows.div_ceil(self.page_rows)
    }

    fn is_dirty(&self, page: usize) -> bool {
        let end = (page + 1) * self.page_rows;
        let grew = self.rows.min(end) > self.rows_at_rest.min(end);
        grew || self.changed_in(page).next().is_some()
    }

    fn page(&self, page: usize) -> Result<Vec<u8>> {
        let content = self.page_content(page)?;
        let mut bytes = Vec::with_capacity(content.len() * T::BYTES);
        content.into_iter().for_each(|number| number.write(&mut bytes));
        Ok(bytes)
    }
}
