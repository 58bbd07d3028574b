//! An engine that is opened with what searches need, and takes in the rest while it answers.

use crate::{
    engine::Engine,
    failure::Failure,
    rest::{key_of, text_of},
};
use js_sys::{Array, Uint8Array};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use vectordoc::{
    Error, Result,
    engine::StoredPages,
    index::Indexes,
    key::{Key, PageKey},
    rest::PageSource,
};
use wasm_bindgen::prelude::*;

/// Pages that JavaScript fetched and the engine did not take yet.
#[derive(Default)]
pub(crate) struct Fetched(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    /// `None` for those that the store does not have.
    known: HashMap<PageKey, Option<Vec<u8>>>,
    /// Those asked for in vain.
    wanted: Vec<PageKey>,
}

impl Fetched {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the values that a store has of `keys`, `undefined` where it has none.
    fn put<'k>(&self, keys: impl IntoIterator<Item = &'k PageKey>, values: &Array) {
        let mut pages = self.pages();
        for (key, value) in keys.into_iter().zip(values.iter()) {
            pages.known.insert(*key, value.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec));
        }
    }

    fn forget(&self, keys: &[PageKey]) {
        let mut pages = self.pages();
        keys.iter().for_each(|key| {
            pages.known.remove(key);
        });
    }
}

impl PageSource for Fetched {
    fn read(&self, key: &PageKey, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let mut pages = self.pages();
        match pages.known.get(key) {
            Some(Some(page)) => visit(page).map(|()| true),
            Some(None) => Ok(false),
            None => {
                pages.wanted.push(*key);
                Err(Error::unavailable("a page was not fetched yet"))
            }
        }
    }

    fn expect(&self, keys: &mut dyn Iterator<Item = PageKey>) {
        let mut pages = self.pages();
        let Pages { known, wanted } = &mut *pages;
        wanted.extend(keys.filter(|key| !known.contains_key(key)));
    }
}

/// What an engine that is not awake yet has still to take in.
#[derive(Default)]
pub(crate) struct Sleep {
    source: Arc<Fetched>,
    /// The keys of the pages, in the order in which they are taken.
    resting: Vec<PageKey>,
    /// How many of them were.
    taken: usize,
}

/// A checkpoint that is being opened.
#[wasm_bindgen]
pub struct Opening {
    meta: Vec<u8>,
    pages: StoredPages,
    source: Arc<Fetched>,
    /// Pages that were brought.
    brought: usize,
}

#[wasm_bindgen]
impl Opening {
    /// The checkpoint with this `meta`.
    #[wasm_bindgen(constructor)]
    pub fn new(meta: Vec<u8>) -> Result<Opening, Failure> {
        let pages = vectordoc::Engine::stored_pages(&meta)?;
        Ok(Self { meta, pages, source: Arc::default(), brought: 0 })
    }

    /// The keys of the pages that have to be there first.
    pub fn keys(&self) -> Vec<String> {
        texts_of(&self.pages.needed)
    }

    /// Takes the values of the next of `keys`, `undefined` where a store has none.
    pub fn bring(&mut self, values: Array) {
        self.source.put(self.pages.needed.iter().skip(self.brought), &values);
        self.brought += values.length() as usize;
    }

    /// The engine, once the values of all keys were brought. It is `unavailable` when something of
    /// them is damaged and has to be made anew out of the others.
    pub fn open(self) -> Result<Engine, Failure> {
        let Self { meta, pages, source: fetched, .. } = self;
        let source: Arc<dyn PageSource> = Arc::clone(&fetched) as _;
        let engine = vectordoc::Engine::open_waking(&meta, &source, &Indexes::default())?;
        fetched.forget(&pages.needed);
        let mut opened = Engine::of(engine);
        opened.sleep = Sleep { source: fetched, resting: pages.resting, taken: 0 };
        Ok(opened)
    }
}

#[wasm_bindgen]
impl Engine {
    /// The keys of the pages that are still at rest.
    pub fn resting(&self) -> Vec<String> {
        texts_of(&self.sleep.resting[self.sleep.taken..])
    }

    /// Takes in the pages whose keys are the next of `resting`, of which these are the values,
    /// `undefined` where a store has none.
    pub fn wake(&mut self, values: Array) -> Result<(), Failure> {
        let Sleep { source, resting, taken } = &mut self.sleep;
        let next = &resting[*taken..];
        let next = &next[..next.len().min(values.length() as usize)];
        source.put(next, &values);
        self.engine.wake(next.len())?;
        source.forget(next);
        *taken += next.len();
        if *taken == resting.len() {
            // There may be no pages at all.
            self.engine.wake(1)?;
            self.sleep = Sleep::default();
        }
        Ok(())
    }

    /// The keys of the pages that calls which were `unavailable` looked for, each once.
    pub fn wanted(&self) -> Vec<String> {
        let mut wanted = core::mem::take(&mut self.sleep.source.pages().wanted);
        wanted.sort_unstable();
        wanted.dedup();
        texts_of(&wanted)
    }

    /// Takes the values of `keys` that were `wanted`, `undefined` where a store has none.
    pub fn bring(&self, keys: Vec<String>, values: Array) {
        let keys: Vec<PageKey> = keys.iter().filter_map(|key| page_of(key)).collect();
        self.sleep.source.put(&keys, &values);
    }
}

fn texts_of(keys: &[PageKey]) -> Vec<String> {
    keys.iter().map(|key| text_of(Key::Page(*key))).collect()
}

fn page_of(text: &str) -> Option<PageKey> {
    match key_of(text)? {
        Key::Page(key) => Some(key),
        Key::Meta | Key::Record(_) => None,
    }
}
