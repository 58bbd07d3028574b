//! Byte strings by slot: the documents. A page is the strings of 64 neighbouring slots, one after
//! the other, with the ends of each; its bytes in memory are its bytes at rest. Pages are in memory,
//! or at rest with only those strings in memory that changed since the last checkpoint.

use crate::{
    Error, Result,
    bytes::{Reader, Writer},
    changed::Changed,
    index::Section,
    rest::{ReadPage, RestingPages},
};
use alloc::{borrow::Cow, vec::Vec};

pub(crate) const SLOTS_PER_PAGE: usize = 64;

/// Byte strings by slot; empty where none was set.
pub(crate) enum Heap {
    Memory(Vec<Page>),
    Rest(RestingHeap),
}

#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// Where each slot's string ends in `bytes`.
    ends: [u32; SLOTS_PER_PAGE],
    bytes: Vec<u8>,
    dirty: bool,
}

/// Strings that are read when they are needed.
pub(crate) struct RestingHeap {
    count: usize,
    changed: Changed<u8>,
    pages: RestingPages,
    /// The first pages, where they were taken into memory already.
    taken: Vec<Page>,
}

impl Heap {
    pub(crate) fn in_memory() -> Self {
        Self::Memory(Vec::new())
    }

    pub(crate) fn at_rest(pages: RestingPages) -> Self {
        let changed = Changed::default();
        Self::Rest(RestingHeap { count: 0, changed, pages, taken: Vec::new() })
    }

    pub(crate) fn get(&self, slot: u32) -> Result<Cow<'_, [u8]>> {
        let (number, index) = place(slot);
        match self {
            Self::Memory(pages) => {
                let string = pages.get(number).map_or(&[][..], |page| page.get(index));
                Ok(Cow::Borrowed(string))
            }
            Self::Rest(rest) => match rest.changed.get(slot) {
                Some(bytes) => Ok(Cow::Borrowed(bytes)),
                None if number < rest.taken.len() => {
                    Ok(Cow::Borrowed(rest.taken[number].get(index)))
                }
                None if number < rest.pages.len() => {
                    let string = |bytes: &[u8]| Ok(Page::read(bytes)?.get(index).to_vec());
                    Ok(Cow::Owned(rest.pages.read(number, string)?))
                }
                None => Ok(Cow::Borrowed(&[])),
            },
        }
    }

    pub(crate) fn set(&mut self, slot: u32, bytes: &[u8]) {
        let (number, index) = place(slot);
        match self {
            Self::Memory(pages) => {
                if pages.len() <= number {
                    pages.resize(number + 1, Page::EMPTY);
                }
                pages[number].set(index, bytes);
            }
            Self::Rest(rest) => {
                rest.count = rest.count.max(number + 1);
                rest.changed.set(slot, bytes);
            }
        }
    }

    /// Says whose strings will be read next.
    pub(crate) fn expect(&self, slots: impl Iterator<Item = u32>) {
        if let Self::Rest(rest) = self {
            let pages = slots.map(|slot| place(slot).0);
            rest.pages.expect(pages.filter(|number| *number >= rest.taken.len()));
        }
    }

    /// Takes pages that rest into memory, as many as `pages` says, which then says how many more
    /// could have been; all strings are in memory if that is not 0.
    pub(crate) fn take(&mut self, pages: &mut usize) -> Result<()> {
        if let Self::Rest(rest) = self
            && rest.take(pages)?
        {
            *self = Self::Memory(rest.in_memory());
        }
        Ok(())
    }

    /// A checkpoint was stored, of whose pages these are the generations.
    pub(crate) fn checkpointed(&mut self, generations: &[u64]) {
        match self {
            Self::Memory(pages) => pages.iter_mut().for_each(|page| page.dirty = false),
            Self::Rest(rest) => {
                rest.changed.clear();
                rest.pages.set(generations);
                rest.taken.clear();
            }
        }
    }

    /// The strings of a checkpoint whose pages have these generations.
    pub(crate) fn open(&mut self, generations: &[u64], mut read: impl ReadPage) -> Result<()> {
        match self {
            Self::Memory(pages) => {
                pages.reserve_exact(generations.len());
                for number in 0..generations.len() {
                    read(number, &mut |bytes| {
                        pages.push(Page::read(bytes)?);
                        Ok(())
                    })?;
                }
            }
            Self::Rest(rest) => {
                rest.count = generations.len();
                rest.pages.set(generations);
            }
        }
        Ok(())
    }

    /// Bytes of memory held.
    pub(crate) fn memory_bytes(&self) -> usize {
        match self {
            Self::Memory(pages) => bytes_of(pages),
            Self::Rest(rest) => rest.changed.memory_bytes() + bytes_of(&rest.taken),
        }
    }
}

fn bytes_of(pages: &[Page]) -> usize {
    pages.iter().map(|page| size_of::<Page>() + page.bytes.capacity()).sum()
}

/// The page a slot is on, and its place there.
fn place(slot: u32) -> (usize, usize) {
    (slot as usize / SLOTS_PER_PAGE, slot as usize % SLOTS_PER_PAGE)
}

impl Page {
    const EMPTY: Self = Self { ends: [0; SLOTS_PER_PAGE], bytes: Vec::new(), dirty: true };

    fn range(&self, index: usize) -> core::ops::Range<usize> {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        start as usize..self.ends[index] as usize
    }

    fn get(&self, index: usize) -> &[u8] {
        &self.bytes[self.range(index)]
    }

    fn set(&mut self, index: usize, bytes: &[u8]) {
        let range = self.range(index);
        let (old, new) = (range.len(), bytes.len());
        self.bytes.splice(range, bytes.iter().copied());
        for end in &mut self.ends[index..] {
            *end = u32::try_from(*end as usize - old + new).expect("64 documents fit 4 GiB");
        }
        if index + 1 == SLOTS_PER_PAGE {
            self.bytes.shrink_to_fit();
        }
        self.dirty = true;
    }

    fn read(bytes: &[u8]) -> Result<Self> {
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
        Ok(Self { ends, bytes, dirty: false })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(SLOTS_PER_PAGE * 4 + self.bytes.len());
        self.ends.iter().for_each(|end| writer.u32(*end));
        writer.raw(&self.bytes);
        writer.into_bytes()
    }
}

impl RestingHeap {
    /// Takes the next pages into memory; whether all of them are there.
    fn take(&mut self, pages: &mut usize) -> Result<bool> {
        while self.taken.len() < self.pages.len() {
            if *pages == 0 {
                return Ok(false);
            }
            self.taken.push(self.pages.read(self.taken.len(), Page::read)?);
            *pages -= 1;
        }
        Ok(true)
    }

    /// The pages as they are now, once all were taken.
    fn in_memory(&mut self) -> Vec<Page> {
        let mut pages = core::mem::take(&mut self.taken);
        pages.resize(self.count, Page::EMPTY);
        for (slot, bytes) in self.changed.range(0..u32::MAX) {
            let (number, index) = place(slot);
            pages[number].set(index, bytes);
        }
        pages
    }

    fn changed_in(&self, page: usize) -> impl Iterator<Item = (u32, &[u8])> {
        let slot = |page: usize| u32::try_from(page * SLOTS_PER_PAGE).unwrap_or(u32::MAX);
        self.changed.range(slot(page)..slot(page + 1))
    }
}

impl Section for Heap {
    fn header(&self) -> u64 {
        self.pages() as u64
    }

    fn pages(&self) -> usize {
        match self {
            Self::Memory(pages) => pages.len(),
            Self::Rest(rest) => rest.count,
        }
    }

    fn is_dirty(&self, page: usize) -> bool {
        match self {
            Self::Memory(pages) => pages[page].dirty,
            Self::Rest(rest) => page >= rest.pages.len() || rest.changed_in(page).next().is_some(),
        }
    }

    fn page(&self, page: usize) -> Result<Vec<u8>> {
        match self {
            Self::Memory(pages) => Ok(pages[page].to_bytes()),
            Self::Rest(rest) => {
                let mut content = match rest.taken.get(page) {
                    Some(taken) => taken.clone(),
                    None if page < rest.pages.len() => rest.pages.read(page, Page::read)?,
                    None => Page::EMPTY,
                };
                for (slot, bytes) in rest.changed_in(page) {
                    content.set(place(slot).1, bytes);
                }
                Ok(content.to_bytes())
            }
        }
    }
}
