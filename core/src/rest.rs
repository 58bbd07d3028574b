//! Pages at rest: how they are sealed against damage, and how one is read when it is needed rather
//! than when a database opens.

use crate::{
    Error, Result,
    bytes::Reader,
    key::PageKey,
    planted::{self, Plant},
};
use alloc::{format, sync::Arc, vec::Vec};

/// Where the pages of the last checkpoint can be read at any time. A host that gives one to an
/// engine keeps those pages until the engine was told of the next checkpoint.
pub trait PageSource: Send + Sync {
    /// Lends the bytes stored under a key to `visit`, once, and returns what that returns; false
    /// when there are none.
    fn read(&self, key: &PageKey, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool>;

    /// Says which pages will be read next, so that a source that has to fetch them can do it
    /// together. Where reading is quick, nothing needs to be done.
    fn expect(&self, _keys: &mut dyn Iterator<Item = PageKey>) {}
}

/// Lends the content of the page with a number, once.
pub(crate) trait ReadPage:
    FnMut(usize, &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>
{
}

impl<F: FnMut(usize, &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>> ReadPage for F {}

/// The pages of one section.
#[derive(Clone)]
pub(crate) struct RestingPages {
    source: Arc<dyn PageSource>,
    section: u32,
    /// Which checkpoint wrote each page.
    generations: Vec<u64>,
}

impl RestingPages {
    pub(crate) fn new(source: Arc<dyn PageSource>, section: u32) -> Self {
        Self { source, section, generations: Vec::new() }
    }

    /// How many pages there are.
    pub(crate) fn len(&self) -> usize {
        self.generations.len()
    }

    /// Tells the source which pages will be read next.
    pub(crate) fn expect(&self, pages: impl Iterator<Item = usize>) {
        let key = |page: usize| {
            let generation = *self.generations.get(page)?;
            Some(PageKey { section: self.section, page: u32::try_from(page).ok()?, generation })
        };
        self.source.expect(&mut pages.filter_map(key));
    }

    /// A checkpoint was stored, of whose pages these are the generations.
    pub(crate) fn set(&mut self, generations: &[u64]) {
        self.generations = generations.to_vec();
    }

    /// What `look` makes of the content of a page.
    pub(crate) fn read<T>(
        &self,
        page: usize,
        mut look: impl FnMut(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let mut seen = None;
        read_page(&*self.source, self.section, page, &self.generations, &mut |content| {
            seen = Some(look(content)?);
            Ok(())
        })?;
        seen.ok_or_else(|| missing(page, self.section))
    }
}

/// Lends the content of page `page` of a section whose pages have these generations.
pub(crate) fn read_page(
    source: &dyn PageSource,
    section: u32,
    page: usize,
    generations: &[u64],
    visit: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let lacks = || missing(page, section);
    let generation = *generations.get(page).ok_or_else(lacks)?;
    let number = u32::try_from(page).map_err(|_| lacks())?;
    let key = PageKey { section, page: number, generation };
    let is_there = source.read(&key, &mut |bytes| visit(unseal(bytes, &key)?))?;
    if is_there { Ok(()) } else { Err(lacks()) }
}

fn missing(page: usize, section: u32) -> Error {
    Error::corrupt(format!("page {page} of section {section} is missing"))
}

/// The payload, and after it a checksum over payload and key: a page in the wrong place or of
/// another generation is noticed as damage is.
pub(crate) fn seal(payload: Vec<u8>, key: &PageKey) -> Vec<u8> {
    let sum = page_sum(&payload, key);
    let mut bytes = payload;
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

fn unseal<'a>(bytes: &'a [u8], key: &PageKey) -> Result<&'a [u8]> {
    let (payload, sum) = bytes.split_at(bytes.len().saturating_sub(size_of::<u64>()));
    let is_unchecked = planted::is(Plant::PageChecksumUnchecked);
    if Reader::new(sum).u64()? != page_sum(payload, key) && !is_unchecked {
        return Err(Error::corrupt(format!(
            "page {} of section {} does not match its checksum",
            key.page, key.section
        )));
    }
    Ok(payload)
}

fn page_sum(payload: &[u8], key: &PageKey) -> u64 {
    let place = (u64::from(key.section) << 32) | u64::from(key.page);
    xxhash_rust::xxh3::xxh3_64_with_seed(payload, place ^ key.generation.rotate_left(17))
}
