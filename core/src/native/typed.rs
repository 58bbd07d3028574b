//! The database of one Rust type: the verbs of [`Database`], typed.

use super::{Database, DatabaseOptions, Deleted, Residence};
use crate::{
    Filter, Hit, Id, Include, IntoIds, Page, Query, Result, VectorDoc,
    index::IndexFactory,
    refine::{SearchBatch, SearchBuilder, typed},
};
use std::{marker::PhantomData, path::Path};

/// A database of `T`s: cheap to clone, shared by threads, closed when the last clone goes.
///
/// ```
/// # fn main() -> vectordoc::Result<()> {
/// use vectordoc::{Db, VectorDoc};
///
/// #[derive(Debug, VectorDoc)]
/// struct Note {
///     #[vectordoc(id)]
///     id: u64,
///     #[vectordoc(vector(dim = 2))]
///     embedding: [f32; 2],
///     #[vectordoc(filter)]
///     stars: u8,
/// }
///
/// let db = Db::<Note>::in_memory()?;
/// db.index([
///     Note { id: 1, embedding: [1.0, 0.0], stars: 5 },
///     Note { id: 2, embedding: [0.9, 0.1], stars: 1 },
/// ])?;
/// let hits = db.search(&[1.0, 0.2]).filter(Note::stars().gte(3)).run()?;
/// assert_eq!(hits[0].doc.id, 1);
/// # Ok(())
/// # }
/// ```
pub struct Db<T> {
    database: Database,
    holds: PhantomData<fn() -> T>,
}

impl<T> Clone for Db<T> {
    fn clone(&self) -> Self {
        Self { database: self.database.clone(), holds: PhantomData }
    }
}

impl<T> std::fmt::Debug for Db<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.database.fmt(f)
    }
}

/// How to open a [`Db`].
#[derive(Clone, Debug)]
pub struct Builder<T> {
    options: DatabaseOptions,
    holds: PhantomData<fn() -> T>,
}

impl<T: VectorDoc> Builder<T> {
    /// Shards of a new database, 1 unless set; one that exists must have as many.
    #[must_use]
    pub fn shards(mut self, shards: usize) -> Self {
        self.options.shards = Some(shards);
        self
    }

    /// Threads that build indexes; as many as there are cores unless set.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.options.threads = Some(threads);
        self
    }

    /// Where documents and full vectors are while the database is open; in memory unless set.
    #[must_use]
    pub fn residence(mut self, residence: Residence) -> Self {
        self.options.residence = residence;
        self
    }

    /// Gives the vector field called `field`, whose schema says `custom`, an index of your own: see
    /// [`index`](crate::index#bring-your-own-algorithm).
    #[must_use]
    pub fn index(mut self, field: impl Into<String>, factory: impl IndexFactory + 'static) -> Self {
        self.options.indexes = self.options.indexes.with(field, factory);
        self
    }

    /// Opens the database in directory `path`, or creates it.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Db<T>> {
        Database::create(path, &T::schema(), &self.options).map(Db::of)
    }

    /// An empty database that is gone when it is closed.
    pub fn in_memory(self) -> Result<Db<T>> {
        Database::in_memory(&T::schema(), &self.options).map(Db::of)
    }
}

impl<T: VectorDoc> Db<T> {
    fn of(database: Database) -> Self {
        Self { database, holds: PhantomData }
    }

    /// Opens the database in directory `path`, or creates it. `conflict` when what is stored there
    /// has another shape than `T`; `busy` when another process has it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder().open(path)
    }

    /// An empty database that is gone when it is closed.
    pub fn in_memory() -> Result<Self> {
        Self::builder().in_memory()
    }

    /// To open with options.
    pub fn builder() -> Builder<T> {
        Builder { options: DatabaseOptions::default(), holds: PhantomData }
    }

    /// The untyped database below.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Inserts documents, replacing those whose id is there already; returns how many. They are
    /// durable and can be found when this returns. One bad document, and none is written.
    pub fn index(&self, documents: impl IntoIterator<Item = T>) -> Result<usize> {
        let documents = documents.into_iter().map(|document| document.to_document()).collect();
        self.database.index(documents)
    }

    /// Replaces a document; `not_found` when there is none with its id.
    pub fn update(&self, document: T) -> Result<()> {
        self.database.update(vec![document.to_document()]).map(|_| ())
    }

    /// Deletes documents by one id or several; says how many, and which ids no document had.
    pub fn delete(&self, ids: impl IntoIds) -> Result<Deleted> {
        self.database.delete(ids.into_ids())
    }

    /// Deletes every document that passes; returns how many.
    pub fn delete_where(&self, filter: Filter) -> Result<usize> {
        self.database.delete_where(&filter)
    }

    /// The document with this id.
    pub fn get(&self, id: impl Into<Id>) -> Result<Option<T>> {
        let found = self.database.get(&[id.into()], &Include::Everything)?;
        found.into_iter().flatten().next().map(T::from_document).transpose()
    }

    /// How many documents pass; [`Filter::All`] counts all.
    pub fn count(&self, filter: Filter) -> Result<u64> {
        self.database.count(&filter)
    }

    /// Up to `limit` documents that pass, in order of their ids, after where `cursor` stands.
    pub fn scroll(&self, filter: Filter, cursor: Option<&str>, limit: usize) -> Result<Page<T>> {
        let page = self.database.scroll(&filter, cursor, limit, &Include::Everything)?;
        page.try_map(T::from_document)
    }

    /// A search for the documents nearest to `vector`, to be refined and [`run`].
    ///
    /// [`run`]: SearchBuilder::run
    pub fn search(&self, vector: &[f32]) -> SearchBuilder<&Self> {
        SearchBuilder::new(self, vector)
    }

    /// A search for the documents that answer `words` best, to be refined and [`run`].
    ///
    /// [`run`]: SearchBuilder::run
    pub fn search_text(&self, words: impl Into<String>) -> SearchBuilder<&Self> {
        SearchBuilder::of_text(self, words.into())
    }

    /// Searches for several vectors at once, refined alike.
    pub fn search_batch<V: AsRef<[f32]>>(&self, vectors: &[V]) -> SearchBatch<&Self> {
        SearchBatch::new(self, vectors)
    }

    /// Finishes accepted writes, checkpoints and lets go of the directory; also done when the last
    /// clone is dropped, but here errors are heard.
    pub fn close(&self) -> Result<()> {
        self.database.close()
    }
}

impl<T: VectorDoc> SearchBuilder<&Db<T>> {
    /// The hits, best first.
    pub fn run(self) -> Result<Vec<Hit<T>>> {
        typed(self.source.database.search(&self.query)?)
    }

    /// The ids of the hits, best first, without reading the documents.
    pub fn ids(self) -> Result<Vec<Id>> {
        let database = &self.source.database;
        let hits = database.search(&self.without_documents())?;
        Ok(hits.into_iter().map(|hit| hit.id).collect())
    }
}

impl<T: VectorDoc> SearchBatch<&Db<T>> {
    /// The hits of each vector, in the order of the vectors.
    pub fn run(self) -> Result<Vec<Vec<Hit<T>>>> {
        let Self { vectors, builder } = self;
        let with = |vector| Query { vector: Some(vector), ..builder.query.clone() };
        let queries: Vec<Query> = vectors.into_iter().map(with).collect();
        let results = builder.source.database.search_batch(&queries)?;
        results.into_iter().map(typed).collect()
    }
}
