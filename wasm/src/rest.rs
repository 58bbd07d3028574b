//! The engine out of a store and into it: text as keys, checkpoints, and opening.

use crate::{engine::Engine, failure::Failure};
use js_sys::{Map, Uint8Array};
use vectordoc::{
    Error, Record, Result, Schema,
    index::Indexes,
    key::{Key, PageKey},
    rest::PageSource,
};
use wasm_bindgen::prelude::*;

/// Keys as text, in the order of what they name: `meta`, `record/NUMBER`,
/// `page/SECTION/PAGE/GENERATION`, the numbers in hexadecimal and of one width each.
pub(crate) fn text_of(key: Key) -> String {
    match key {
        Key::Meta => "meta".into(),
        Key::Record(number) => format!("record/{number:016x}"),
        Key::Page(PageKey { section, page, generation }) => {
            format!("page/{section:08x}/{page:08x}/{generation:016x}")
        }
    }
}

/// The key that a text is, if it is one.
pub(crate) fn key_of(text: &str) -> Option<Key> {
    let mut parts = text.split('/');
    let key = match parts.next()? {
        "meta" => Key::Meta,
        "record" => Key::Record(u64::from_str_radix(parts.next()?, 16).ok()?),
        "page" => Key::Page(PageKey {
            section: u32::from_str_radix(parts.next()?, 16).ok()?,
            page: u32::from_str_radix(parts.next()?, 16).ok()?,
            generation: u64::from_str_radix(parts.next()?, 16).ok()?,
        }),
        _ => return None,
    };
    (text_of(key) == text).then_some(key)
}

/// Pages in JavaScript's memory, by the text of their keys.
struct Pages(Map);

impl PageSource for Pages {
    fn read(&self, key: &PageKey, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let value = self.0.get(&text_of(Key::Page(*key)).into());
        let Some(bytes) = value.dyn_ref::<Uint8Array>() else { return Ok(false) };
        visit(&bytes.to_vec())?;
        Ok(true)
    }
}

/// A checkpoint on its way into a store: first its pages, then its meta.
#[wasm_bindgen]
pub struct Checkpoint(vectordoc::engine::Checkpoint);

#[wasm_bindgen]
impl Checkpoint {
    /// The keys of the pages to store.
    pub fn keys(&self) -> Vec<String> {
        self.0.pages.iter().map(|page| text_of(Key::Page(*page))).collect()
    }

    /// The value of `meta`, to store when all pages are.
    pub fn meta(&self) -> Vec<u8> {
        self.0.meta.clone()
    }
}

#[wasm_bindgen]
impl Engine {
    /// The engine as of the checkpoint with this `meta`, whose pages are a `Map` by their keys.
    pub fn recover(meta: &[u8], pages: Map) -> Result<Engine, Failure> {
        let engine = vectordoc::Engine::open(meta, &Pages(pages), &Indexes::default())?;
        Ok(Self::of(engine))
    }

    /// The same documents under the schema `given`, where that loses nothing. Every page has to be
    /// stored anew if it changes anything; see [`changes_to`](Self::changes_to).
    pub fn evolve(self, given: &str) -> Result<Engine, Failure> {
        let given = Schema::from_json_str(given)?;
        let (schema, changes) = self.engine.schema().evolved(&given)?;
        if changes.is_empty() {
            return Ok(self);
        }
        Ok(Self::of(self.engine.evolve(schema, &Indexes::default())?))
    }

    /// What the schema `given` would change; `conflict` where it does not follow.
    #[wasm_bindgen(js_name = changesTo)]
    pub fn changes_to(&self, given: &str) -> Result<Vec<String>, Failure> {
        Ok(self.engine.schema().evolved(&Schema::from_json_str(given)?)?.1)
    }

    /// Applies the bytes of the record after the last one applied, as kept by an earlier engine.
    pub fn replay(&mut self, record: &[u8]) -> Result<(), Failure> {
        let record = Record::from_bytes(record, self.engine.schema())?;
        Ok(self.engine.apply(&record)?)
    }

    /// Of the keys in a store, those of pages and records that the engine needs no more.
    pub fn obsolete(&self, keys: Vec<String>) -> Vec<String> {
        let is_obsolete = |key: &String| match key_of(key) {
            Some(Key::Page(page)) => !self.engine.has_page(&page),
            Some(Key::Record(number)) => number <= self.engine.record_number(),
            Some(Key::Meta) | None => false,
        };
        keys.into_iter().filter(is_obsolete).collect()
    }

    /// What has to be stored so that opening needs no record applied so far. Until it is, or is
    /// dropped, nothing may be applied or maintained.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint(self.engine.checkpoint())
    }

    /// The bytes of one of a checkpoint's pages, by its place among `keys`.
    pub fn page(&self, checkpoint: &Checkpoint, place: usize) -> Result<Vec<u8>, Failure> {
        let key = checkpoint.0.pages.get(place);
        let key = key.ok_or_else(|| Error::internal("a checkpoint has no such page"))?;
        Ok(self.engine.page(&checkpoint.0, key)?)
    }

    /// The checkpoint is stored; returns the keys of the pages it made obsolete.
    pub fn checkpointed(&mut self, mut checkpoint: Checkpoint) -> Vec<String> {
        let stale = core::mem::take(&mut checkpoint.0.stale);
        self.engine.checkpointed(checkpoint.0);
        stale.into_iter().map(|page| text_of(Key::Page(page))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, PageKey, key_of, text_of};

    #[test]
    fn the_text_of_a_key_is_in_its_order_and_is_read_back() {
        let page = |page, generation| Key::Page(PageKey { section: 7, page, generation });
        let keys = [page(9, u64::MAX), page(10, 0), Key::Record(255), Key::Record(4096)];
        let texts = keys.map(text_of);
        assert!(texts.is_sorted());
        assert_eq!(texts.each_ref().map(|text| key_of(text)), keys.map(Some));
        assert_eq!(key_of(&text_of(Key::Meta)), Some(Key::Meta));
        for text in ["", "metal", "record/ff", "record/+0000000000000ff", "page/7/9/0"] {
            assert_eq!(key_of(text), None, "{text}");
        }
    }
}
