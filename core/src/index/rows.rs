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
    /// The first pages, where they were taken into memory already.
    taken: Arena<T>,
}

impl<T: Element> Rows<T> {
    pub(super) fn in_memory(stride: usize) -> Self {
        Self::Memory(Arena::with_page_bytes(stride, PAGE_BYTES))
    }

    pub(super) fn at_rest(stride: usize, pages: RestingPages) -> Self {
        let taken = Arena::with_page_bytes(stride, PAGE_BYTES);
        let (page_rows, changed) = (taken.page_rows(), Changed::default());
        let (rows, rows_at_rest) = (0, 0);
        Self::Rest(RestingRows { stride, rows, rows_at_rest, page_rows, changed, pages, taken })
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

    /// Says which rows will be read next.
    pub(super) fn expect(&self, rows: impl Iterator<Item = usize>) {
        if let Self::Rest(rest) = self {
            let at_rest = rows.filter(|row| *row >= rest.taken.rows());
            rest.pages.expect(at_rest.map(|row| row / rest.page_rows));
        }
    }

    /// Takes pages that rest into memory, as many as `pages` says, which then says how many more
    /// could have been; all rows are in memory if that is not 0.
    pub(super) fn take(&mut self, pages: &mut usize) -> Result<()> {
        if let Self::Rest(rest) = self
            && rest.take(pages)?
        {
            *self = Self::Memory(rest.in_memory());
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
                rest.taken = rest.taken.emptied();
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
            Self::Rest(rest) => rest.changed.memory_bytes() + rest.taken.memory_bytes(),
        }
    }
}

impl<T: Element> RestingRows<T> {
    fn get(&self, row: usize) -> Result<Cow<'_, [T]>> {
        if let Some(vector) = u32::try_from(row).ok().and_then(|slot| self.changed.get(slot)) {
            return Ok(Cow::Borrowed(vector));
        }
        if row < self.taken.rows() {
            return Ok(Cow::Borrowed(self.taken.row(row)));
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
        if page < self.taken.pages() {
            let taken = first..self.taken.rows().min(rows.end);
            taken.for_each(|row| content.extend_from_slice(self.taken.row(row)));
        } else if page < self.pages.len() {
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

    /// Takes the next pages into memory; whether all of them are there.
    fn take(&mut self, pages: &mut usize) -> Result<bool> {
        let Self { pages: resting, taken, rows_at_rest, .. } = self;
        while taken.pages() < resting.len() {
            if *pages == 0 {
                return Ok(false);
            }
            resting.read(taken.pages(), |bytes| taken.append_page(*rows_at_rest, bytes))?;
            *pages -= 1;
        }
        Ok(true)
    }

    /// The rows as they are now, once all pages were taken.
    fn in_memory(&mut self) -> Arena<T> {
        let empty = self.taken.emptied();
        let mut arena = core::mem::replace(&mut self.taken, empty);
        arena.grow(self.rows, T::default());
        for (slot, row) in self.changed.range(0..u32::MAX) {
            arena.row_mut(slot as usize).copy_from_slice(row);
        }
        arena
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
