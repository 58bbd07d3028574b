//! Waking: an engine that answers before all that rests was read, and then takes it into memory.

use super::{
    Engine, Residence,
    manifest::{FIELD_VECTORS, SECTION_DOCUMENTS},
    numbered,
    open::Meta,
};
use crate::{
    Result,
    index::{Indexes, Vectors},
    key::PageKey,
    rest::PageSource,
};
use alloc::{sync::Arc, vec::Vec};

/// The pages of a checkpoint, by when an engine reads them that is opened by
/// [`open_waking`](Engine::open_waking).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredPages {
    /// Before it is open.
    pub needed: Vec<PageKey>,
    /// Later, in this order: documents, and the full vectors that codes stand for.
    pub resting: Vec<PageKey>,
}

impl Engine {
    /// The pages of the checkpoint with this meta.
    pub fn stored_pages(meta: &[u8]) -> Result<StoredPages> {
        let Meta { schema, manifest, .. } = Meta::read(meta)?;
        let fields = numbered(&schema).filter(|(_, spec)| Vectors::can_rest(spec));
        let mut resting = alloc::vec![SECTION_DOCUMENTS];
        resting.extend(fields.map(|(first, _)| first + FIELD_VECTORS));
        let keys = |section: u32| {
            let pages = (0u32..).zip(manifest.generations(section));
            pages.map(move |(page, generation)| PageKey { section, page, generation: *generation })
        };
        let needed = manifest.sections.keys().filter(|section| !resting.contains(section));
        Ok(StoredPages {
            needed: needed.flat_map(|section| keys(*section)).collect(),
            resting: resting.iter().flat_map(|section| keys(*section)).collect(),
        })
    }

    /// The engine as of a checkpoint with documents, and vectors where codes stand for them, still
    /// at rest. Where derived state is damaged, it is built again from pages that rest.
    pub fn open_waking(
        meta: &[u8],
        source: &Arc<dyn PageSource>,
        indexes: &Indexes,
    ) -> Result<Self> {
        Self::open_in(meta, &**source, indexes, Residence::Waking(source))
    }

    /// Takes up to `pages_max` of the pages that rest into memory; false once there are none. What
    /// was taken is not read again, so that the source can forget it.
    pub fn wake(&mut self, pages_max: usize) -> Result<bool> {
        let mut pages = pages_max;
        self.documents.take(&mut pages)?;
        for field in &mut self.fields {
            field.vectors.take(&mut pages)?;
        }
        Ok(pages == 0)
    }
}
