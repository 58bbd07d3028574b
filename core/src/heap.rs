//! Byte strings by slot: where documents rest. A page is the strings of 64 neighbouring slots, one
//! after the other, with the ends of each; its bytes in memory are its bytes at rest.

use crate::{
    Error, Result,
    bytes::{Reader, Writer},
};
use alloc::vec::Vec;

const SLOTS_PER_PAGE: usize = 64;

#[derive(Clone, Debug)]
struct Page {
    /// Where each slot's string ends in `bytes`.
    ends: [u32; SLOTS_PER_PAGE],
    bytes: Vec<u8>,
    dirty: bool,
}

impl Page {
    const EMPTY: Self = Self { ends: [0; SLOTS_PER_PAGE], bytes: Vec::new(), dirty: true };

    fn range(&self, index: usize) -> core::ops::Range<usize> {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        start as usize..self.ends[index] as usize
    }
}

/// Byte strings by slot; empty where none was set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heap {
    pages: Vec<Page>,
}

impl Heap {
    pub(crate) fn get(&self, slot: u32) -> &[u8] {
        let slot = slot as usize;
        self.pages
            .get(slot / SLOTS_PER_PAGE)
            .map_or(&[], |page| &page.bytes[page.range(slot % SLOTS_PER_PAGE)])
    }

    pub(crate) fn set(&mut self, slot: u32, bytes: &[u8]) {
        let (number, index) = (slot as usize / SLOTS_PER_PAGE, slot as usize % SLOTS_PER_PAGE);
        if self.pages.len() <= number {
            self.pages.resize(number + 1, Page::EMPTY);
        }
        let page = &mut self.pages[number];
        let range = page.range(index);
        let (old, new) = (range.len(), bytes.len());
        page.bytes.splice(range, bytes.iter().copied());
        for end in &mut page.ends[index..] {
            *end = u32::try_from(*end as usize - old + new).expect("64 documents fit 4 GiB");
        }
        if index + 1 == SLOTS_PER_PAGE {
            page.bytes.shrink_to_fit();
        }
        page.dirty = true;
    }

    pub(crate) fn pages(&self) -> usize {
        self.pages.len()
    }

    pub(crate) fn is_dirty(&self, page: usize) -> bool {
        self.pages[page].dirty
    }

    pub(crate) fn mark_clean(&mut self) {
        self.pages.iter_mut().for_each(|page| page.dirty = false);
    }

    pub(crate) fn page(&self, page: usize) -> Vec<u8> {
        let page = &self.pages[page];
        let mut writer = Writer::with_capacity(SLOTS_PER_PAGE * 4 + page.bytes.len());
        page.ends.iter().for_each(|end| writer.u32(*end));
        writer.raw(&page.bytes);
        writer.into_bytes()
    }

    /// A heap of `pages` pages, asked for in order.
    pub(crate) fn from_pages(
        pages: usize,
        mut page: impl FnMut(usize) -> Result<Vec<u8>>,
    ) -> Result<Self> {
        let pages = (0..pages).map(|number| read_page(&page(number)?));
        Ok(Self { pages: pages.collect::<Result<_>>()? })
    }

    /// Bytes of memory held.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.pages.iter().map(|page| size_of::<Page>() + page.bytes.capacity()).sum()
    }
}

fn read_page(bytes: &[u8]) -> Result<Page> {
    let mut reader = Reader::new(bytes);
    let mut ends = [0; SLOTS_PER_PAGE];
    for end in &mut ends {
        *end = reader.u32()?;
    }
    let bytes = reader.raw(reader.remaining())?.to_vec();
    let in_order = ends.is_sorted() && ends[SLOTS_PER_PAGE - 1] as usize == bytes.len();
    if !in_order {
        return Err(Error::corrupt("a page of documents has ends out of order"));
    }
    Ok(Page { ends, bytes, dirty: false })
}
