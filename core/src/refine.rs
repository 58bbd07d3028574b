//! A search while it is being put together: the same words for an embedded database and a served
//! one.

use crate::{
    Error, Examples, Filter, Fusion, Hit, Id, Include, IntoIds, Query, Result, TextQuery, VectorDoc,
};
use alloc::{format, string::String, vec::Vec};

/// A search of `S`, an embedded database or a client, before it is run.
#[derive(Clone, Debug)]
#[must_use = "a search does nothing until it is run"]
pub struct SearchBuilder<S> {
    pub(crate) source: S,
    pub(crate) query: Query,
}

impl<S> SearchBuilder<S> {
    pub(crate) fn new(source: S, vector: &[f32]) -> Self {
        let query = Query { include: Include::Everything, ..Query::new(vector.to_vec()) };
        Self { source, query }
    }

    pub(crate) fn of_text(source: S, words: String) -> Self {
        let query = Query { include: Include::Everything, ..Query::of_text(words) };
        Self { source, query }
    }

    /// Looks for these words too, or instead of others: the hits are fused with those of the
    /// vector, if there is one.
    pub fn text(mut self, words: impl Into<String>) -> Self {
        let field = self.query.text.and_then(|text| text.field);
        self.query.text = Some(TextQuery { words: words.into(), field });
        self
    }

    /// Which text field to look for words in; needed when there are several.
    pub fn text_field(mut self, path: impl Into<String>) -> Self {
        let words = self.query.text.map(|text| text.words).unwrap_or_default();
        self.query.text = Some(TextQuery { words, field: Some(path.into()) });
        self
    }

    /// How the hits of vector and text become one list; by reciprocal ranks unless set.
    pub fn fusion(mut self, fusion: Fusion) -> Self {
        self.query.fusion = fusion;
        self
    }

    /// Hits wanted; 10 unless set.
    pub fn limit(mut self, limit: usize) -> Self {
        self.query.limit = limit;
        self
    }

    /// Nearest hits to leave out.
    pub fn offset(mut self, offset: usize) -> Self {
        self.query.offset = offset;
        self
    }

    /// Which documents may be hits.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.query.filter = filter;
        self
    }

    /// Candidates a graph considers: more find more, slower.
    pub fn ef(mut self, ef: usize) -> Self {
        self.query.ef = Some(ef);
        self
    }

    /// Compares with every vector, whatever the index.
    pub fn exact(mut self) -> Self {
        self.query.exact = true;
        self
    }

    /// Leaves out hits that score less.
    pub fn min_score(mut self, score: f32) -> Self {
        self.query.min_score = Some(score);
        self
    }

    /// Which vector field; needed when there are several.
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.query.field = Some(name.into());
        self
    }

    /// The same query for ids alone.
    pub(crate) fn without_documents(self) -> Query {
        Query { include: Include::Nothing, ..self.query }
    }
}

/// Several searches of `S` before they are run; refined by a [`SearchBuilder`].
#[derive(Clone, Debug)]
#[must_use = "a search does nothing until it is run"]
pub struct SearchBatch<S> {
    pub(crate) vectors: Vec<Vec<f32>>,
    pub(crate) builder: SearchBuilder<S>,
}

impl<S> SearchBatch<S> {
    pub(crate) fn new<V: AsRef<[f32]>>(source: S, vectors: &[V]) -> Self {
        let vectors = vectors.iter().map(|vector| vector.as_ref().to_vec()).collect();
        Self { vectors, builder: SearchBuilder::new(source, &[]) }
    }

    /// Refines every search alike: `.with(|search| search.limit(5))`.
    pub fn with(mut self, refine: impl FnOnce(SearchBuilder<S>) -> SearchBuilder<S>) -> Self {
        self.builder = refine(self.builder);
        self
    }
}

/// A search of `S` by example before it is run; refined by a [`SearchBuilder`].
#[derive(Clone, Debug)]
#[must_use = "a search does nothing until it is run"]
pub struct SearchLike<S> {
    pub(crate) examples: Examples,
    pub(crate) builder: SearchBuilder<S>,
}

impl<S> SearchLike<S> {
    pub(crate) fn new(source: S, like: Vec<Id>) -> Self {
        let examples = Examples { like, unlike: Vec::new() };
        Self { examples, builder: SearchBuilder::new(source, &[]) }
    }

    /// Documents to be far from.
    pub fn unlike(mut self, ids: impl IntoIds) -> Self {
        self.examples.unlike = ids.into_ids();
        self
    }

    /// Refines the search: `.with(|search| search.limit(5))`.
    pub fn with(mut self, refine: impl FnOnce(SearchBuilder<S>) -> SearchBuilder<S>) -> Self {
        self.builder = refine(self.builder);
        self
    }
}

/// Hits with their documents as the Rust type they are of.
pub(crate) fn typed<T: VectorDoc>(hits: Vec<Hit>) -> Result<Vec<Hit<T>>> {
    let typed = |hit: Hit| {
        let Hit { id, score, distance, doc } = hit;
        let doc = T::from_document(doc)
            .map_err(|error| Error::corrupt(format!("document {id:?}: {}", error.message())))?;
        Ok(Hit { id, score, distance, doc })
    };
    hits.into_iter().map(typed).collect()
}
