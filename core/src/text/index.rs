//! The inverted index of one text field: from each word to the documents that have it.

use super::{
    bm25::Statistics,
    terms::TermPosting,
    words::{Word, Words, words_in},
};
use crate::{
    Result, Schema, Value,
    arena::Arena,
    bitset::BitSet,
    column::{Tree, value_at},
    index::Section,
    rest::ReadPage,
};
use alloc::{string::String, vec::Vec};

/// Sections of one index: its words, and how many words each document has.
pub(crate) const TEXT_SECTIONS: usize = 2;

/// The index of the texts at one path.
pub(crate) struct TextIndex {
    /// Where the texts are: the number of the value field, then names into it.
    number: usize,
    names: Vec<String>,
    pub(super) terms: Tree<Word, TermPosting>,
    /// Words of each document, by slot.
    lengths: Arena<u32>,
    /// Documents that have a word.
    documents: u64,
    /// Words of all documents together.
    words: u64,
}

impl TextIndex {
    /// An empty index for each text path of `schema`, in order of the paths.
    pub(crate) fn all(schema: &Schema) -> Vec<Self> {
        let paths = schema.text_paths();
        let index = |path: &String| {
            let mut names = path.split('.');
            let top = names.next().unwrap_or_default();
            let number = schema.values().iter().position(|field| field.name == top)?;
            Some(Self {
                number,
                names: names.map(String::from).collect(),
                terms: Tree::default(),
                lengths: Arena::new(1),
                documents: 0,
                words: 0,
            })
        };
        paths.iter().filter_map(index).collect()
    }

    /// Adds the document in `slot`.
    pub(crate) fn insert(&mut self, slot: u32, values: &[Value]) {
        let words = self.words_of(values);
        if words.is_empty() {
            return;
        }
        for (word, frequency) in &words {
            self.terms.insert(word, slot, *frequency);
        }
        let length = length(&words);
        self.lengths.grow(slot as usize + 1, 0);
        self.lengths.row_mut(slot as usize)[0] = length;
        self.documents += 1;
        self.words += u64::from(length);
    }

    /// Removes the document in `slot`, which has these values.
    pub(crate) fn remove(&mut self, slot: u32, values: &[Value]) {
        let words = self.words_of(values);
        if words.is_empty() {
            return;
        }
        for word in words.keys() {
            self.terms.remove(word, slot);
        }
        self.lengths.row_mut(slot as usize)[0] = 0;
        self.documents -= 1;
        self.words -= u64::from(length(&words));
    }

    /// The slots of the documents that have all of `words`; none if there are no words.
    pub(crate) fn having_all(&self, words: &[Word]) -> BitSet {
        let mut by_count: Vec<_> = words.iter().map(|word| (self.count(word), word)).collect();
        by_count.sort_by_key(|(count, _)| *count);
        let having = |word: &Word| {
            let mut slots = BitSet::default();
            let postings = self.terms.get(word);
            postings.for_each(|posting| posting.slots().for_each(|slot| slots.insert(slot)));
            slots
        };
        let mut by_count = by_count.into_iter();
        let mut found = by_count.next().map(|(_, word)| having(word)).unwrap_or_default();
        for (_, word) in by_count {
            if found.is_empty() {
                break;
            }
            found.intersect(&having(word));
        }
        found
    }

    /// Whether a document with these values has all of `words`.
    pub(crate) fn has_all(&self, values: &[Value], words: &[Word]) -> bool {
        let present = self.words_of(values);
        !words.is_empty() && words.iter().all(|word| present.contains_key(word))
    }

    /// At least as many slots as have all of `words`.
    pub(crate) fn estimate(&self, words: &[Word]) -> u64 {
        words.iter().map(|word| self.count(word)).min().unwrap_or(0)
    }

    /// What scores depend on, besides the document itself.
    pub(crate) fn statistics(&self, words: &[Word]) -> Statistics {
        let having = words.iter().map(|word| self.count(word)).collect();
        Statistics { documents: self.documents, words: self.words, having }
    }

    /// Words of the document in `slot`.
    pub(super) fn length(&self, slot: u32) -> u32 {
        let slot = slot as usize;
        // A page with a right checksum and wrong slots is nobody's but an attacker's.
        if slot < self.lengths.rows() { self.lengths.row(slot)[0] } else { 0 }
    }

    /// How many documents have `word`.
    fn count(&self, word: &Word) -> u64 {
        self.terms.get(word).map(|posting| posting.occurrences.len() as u64).sum()
    }

    fn words_of(&self, values: &[Value]) -> Words {
        let value = values.get(self.number).and_then(|value| value_at(value, &self.names));
        value.map(|value| words_in(&value)).unwrap_or_default()
    }

    /// What a checkpoint writes.
    pub(crate) fn sections(&self) -> [&dyn Section; TEXT_SECTIONS] {
        [&self.terms, &self.lengths]
    }

    /// Everything is in a checkpoint.
    pub(crate) fn mark_clean(&mut self) {
        self.terms.mark_clean();
        self.lengths.mark_clean();
    }

    /// Reads the index out of its pages: `pages` says what is in the header of a section, `page`
    /// lends its pages.
    pub(crate) fn open<R: ReadPage>(
        &mut self,
        pages: impl Fn(usize) -> Result<usize>,
        page: impl Fn(usize) -> R,
    ) -> Result<()> {
        self.terms = Tree::open(pages(0)?, page(0))?;
        self.lengths = Arena::from_pages(1, pages(1)?, page(1))?;
        let lengths = self.lengths.runs().flatten().filter(|length| **length > 0);
        (self.documents, self.words) = lengths
            .fold((0, 0), |(documents, words), length| (documents + 1, words + u64::from(*length)));
        Ok(())
    }

    /// Bytes of memory held.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.terms.memory_bytes() + self.lengths.memory_bytes()
    }
}

/// How many words there are, each as often as it counts.
fn length(words: &Words) -> u32 {
    words.values().map(|frequency| u32::from(*frequency)).sum()
}
