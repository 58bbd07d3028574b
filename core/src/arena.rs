//! Rows of equal length in chunks that never move, with a mark on every page that changed.
//!
//! A page is a run of rows and its bytes are the rows themselves, so that a checkpoint writes the
//! marked pages and opening copies pages in.

use crate::{Error, Result, rest::ReadPage};
use alloc::vec::Vec;

/// Bytes of a full page at most. Under 64 KiB with a key and a checksum, as stores that allocate
/// powers of two would double a page just beyond.
const PAGE_BYTES_MAX: usize = 65_536 - 512;
/// Bytes of a full chunk of memory, about: large enough for huge pages of the machine.
const CHUNK_BYTES: usize = 2 * 1024 * 1024;

/// What rows are made of: a number with a fixed little-endian form.
pub(crate) trait Element: Copy + Default + PartialEq + Send + Sync + 'static {
    const BYTES: usize;
    fn write(self, bytes: &mut Vec<u8>);
    /// Appends the elements of these bytes; what is left over is not looked at.
    fn read(bytes: &[u8], elements: &mut Vec<Self>);
}

macro_rules! elements {
    ($($type:ty),*) => {$(
        impl Element for $type {
            const BYTES: usize = size_of::<$type>();

            fn write(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn read(bytes: &[u8], elements: &mut Vec<Self>) {
                let (whole, _) = bytes.as_chunks();
                elements.extend(whole.iter().map(|bytes| Self::from_le_bytes(*bytes)));
            }
        }
    )*};
}
elements!(u8, u32, f32);

/// Rows of `stride` elements each.
#[derive(Clone, Debug)]
pub(crate) struct Arena<T> {
    stride: usize,
    rows: usize,
    /// Rows in a page.
    page_rows: usize,
    /// Rows in a chunk, as a power of two.
    chunk_shift: u32,
    chunks: Vec<Vec<T>>,
    /// One mark a page.
    dirty: Vec<bool>,
}

impl<T: Element> Arena<T> {
    pub(crate) fn new(stride: usize) -> Self {
        Self::with_page_bytes(stride, PAGE_BYTES_MAX)
    }

    /// An arena whose pages have at most so many bytes, unless one row has more.
    pub(crate) fn with_page_bytes(stride: usize, page_bytes: usize) -> Self {
        let row_bytes = (stride * T::BYTES).max(1);
        Self {
            stride,
            rows: 0,
            page_rows: (page_bytes / row_bytes).max(1),
            chunk_shift: (CHUNK_BYTES / row_bytes).max(1).ilog2(),
            chunks: Vec::new(),
            dirty: Vec::new(),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Elements of a row.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// Rows of a full page.
    pub(crate) fn page_rows(&self) -> usize {
        self.page_rows
    }

    #[inline]
    pub(crate) fn row(&self, row: usize) -> &[T] {
        let start = (row & (self.chunk_rows() - 1)) * self.stride;
        &self.chunks[row >> self.chunk_shift][start..start + self.stride]
    }

    #[inline]
    fn chunk_rows(&self) -> usize {
        1 << self.chunk_shift
    }

    /// The row, to be changed; its page is marked.
    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [T] {
        self.dirty[row / self.page_rows] = true;
        let start = (row & (self.chunk_rows() - 1)) * self.stride;
        &mut self.chunks[row >> self.chunk_shift][start..start + self.stride]
    }

    /// Makes the arena hold at least `rows` rows; new ones are filled with `fill`.
    pub(crate) fn grow(&mut self, rows: usize, fill: T) {
        if rows <= self.rows {
            return;
        }
        let first_page = self.rows / self.page_rows;
        self.extend(rows, |chunk, elements| chunk.resize(chunk.len() + elements, fill));
        self.dirty.resize(self.rows.div_ceil(self.page_rows), true);
        self.dirty[first_page..].fill(true);
    }

    /// Appends rows until there are `rows`; `append` adds so many elements to a chunk with room.
    fn extend(&mut self, rows: usize, mut append: impl FnMut(&mut Vec<T>, usize)) {
        while self.rows < rows {
            let (used, full) = (self.rows & (self.chunk_rows() - 1), self.chunk_rows());
            if used == 0 {
                self.chunks.push(Vec::new());
            }
            let added = (full - used).min(rows - self.rows);
            let is_first = self.chunks.len() == 1;
            if let Some(chunk) = self.chunks.last_mut() {
                let wanted = if is_first { added } else { full - used };
                reserve(chunk, wanted * self.stride, full * self.stride);
                append(chunk, added * self.stride);
            }
            self.rows += added;
        }
    }

    /// All rows in order, in runs that lie side by side.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &[T]> {
        self.chunks.iter().map(|rows| &rows[..])
    }

    pub(crate) fn pages(&self) -> usize {
        self.dirty.len()
    }

    pub(crate) fn is_dirty(&self, page: usize) -> bool {
        self.dirty[page]
    }

    pub(crate) fn mark_clean(&mut self) {
        self.dirty.fill(false);
    }

    pub(crate) fn page(&self, page: usize) -> Vec<u8> {
        let rows = page * self.page_rows..self.rows.min((page + 1) * self.page_rows);
        let mut bytes = Vec::with_capacity(rows.len() * self.stride * T::BYTES);
        for row in rows {
            self.row(row).iter().for_each(|element| element.write(&mut bytes));
        }
        bytes
    }

    /// An arena of `rows` rows out of its pages.
    pub(crate) fn from_pages(stride: usize, rows: usize, read: impl ReadPage) -> Result<Self> {
        Self::new(stride).filled(rows, read)
    }

    /// An arena with rows and pages as long as these, of `rows` rows out of its pages, asked for in
    /// order.
    pub(crate) fn filled(&self, rows: usize, mut read: impl ReadPage) -> Result<Self> {
        let mut arena = self.emptied();
        for number in 0..rows.div_ceil(arena.page_rows) {
            read(number, &mut |bytes| arena.append_page(rows, bytes))?;
        }
        Ok(arena)
    }

    /// An arena with rows and pages as long as these, of no rows.
    pub(crate) fn emptied(&self) -> Self {
        Self { page_rows: self.page_rows, ..Self::new(self.stride) }
    }

    /// Appends the next page of an arena that has `rows` rows when all of its pages were appended.
    pub(crate) fn append_page(&mut self, rows: usize, page: &[u8]) -> Result<()> {
        let expected = (rows - self.rows).min(self.page_rows);
        if page.len() != expected * self.stride * T::BYTES {
            return Err(Error::corrupt("a page has the wrong length"));
        }
        let mut rest = page;
        self.extend(self.rows + expected, |chunk, elements| {
            let (run, after) = rest.split_at(elements * T::BYTES);
            T::read(run, chunk);
            rest = after;
        });
        self.dirty.push(false);
        Ok(())
    }

    /// Bytes of memory held.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.capacity() * T::BYTES).sum()
    }
}

/// Room for `more` elements: doubling while the chunk grows, never beyond its full size.
fn reserve<T>(chunk: &mut Vec<T>, more: usize, full: usize) {
    let needed = chunk.len() + more;
    if needed > chunk.capacity() {
        let capacity = needed.max(chunk.capacity() * 2).min(full);
        chunk.reserve_exact(capacity - chunk.len());
    }
}
