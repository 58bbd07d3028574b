//! Full text: which words the texts of a field are made of, which documents have them, and how
//! well a document answers a question in words.
//!
//! An index of this kind is derived state, as filter columns are: it can always be built again from
//! the documents. It is stored by page, and a checkpoint writes those that changed.

mod bm25;
mod index;
mod terms;
mod words;

pub(crate) use bm25::{Scorer, Statistics, best};
pub(crate) use index::{TEXT_SECTIONS, TextIndex};
pub(crate) use words::{Word, words_asked};
