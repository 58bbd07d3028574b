//! The database of one Rust type: the verbs of [`Database`], typed.

use super::{Database, DatabaseOptions, Deleted, Residence};
use crate::{
    Batch, Filter, GroupBy, Hit, HitGroup, Id, Include, IntoIds, Page, Patch, Query, Result,
    Scroll, Value, VectorDoc,
    index::IndexFactory,
    refine::{SearchBatch, SearchBuilder, SearchLike, typed, typed_groups},
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

    /// Changes fields of the document with this id and returns its new version; `not_found` when
    /// there is none.
    pub fn patch(&self, id: impl Into<Id>, patch: Patch) -> Result<u64> {
        Ok(self.database.patch(&id.into(), &patch)?.version)
    }

    /// Changes fields of every document that passes; returns how many.
    pub fn patch_where(&self, filter: Filter, patch: Patch) -> Result<usize> {
        self.database.patch_where(&filter, &patch)
    }

    /// The document with this id and its version, for a change on the condition that nobody else
    /// changed it meanwhile.
    pub fn get_versioned(&self, id: impl Into<Id>) -> Result<Option<(T, u64)>> {
        let found = self.database.get_versioned(&[id.into()], &Include::Everything)?;
        let found = found.into_iter().flatten().next();
        found.map(|(document, version)| Ok((T::from_document(document)?, version))).transpose()
    }

    /// Replaces a document if it still has this version, and returns its new one; `conflict` when
    /// it has another. Version 0 inserts a document that is not there yet.
    pub fn index_if(&self, document: T, version: u64) -> Result<u64> {
        let document = document.to_document();
        let id = document.id.clone();
        let batch = Batch::index(vec![document]).expecting(id.clone(), version);
        Ok(self.database.change(&id, batch)?.version)
    }

    /// Changes fields of a document if it still has this version, and returns its new one.
    pub fn patch_if(&self, id: impl Into<Id>, patch: Patch, version: u64) -> Result<u64> {
        let id = id.into();
        let batch = Batch::patch(id.clone(), patch).expecting(id.clone(), version);
        Ok(self.database.change(&id, batch)?.version)
    }

    /// Deletes a document if it still has this version.
    pub fn delete_if(&self, id: impl Into<Id>, version: u64) -> Result<()> {
        let id = id.into();
        let batch = Batch::delete(vec![id.clone()]).expecting(id.clone(), version);
        self.database.change(&id, batch).map(|_| ())
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
        let cursor = cursor.map(String::from);
        let include = Include::Everything;
        self.scroll_by(Scroll { filter, cursor, include, ..Scroll::new(limit) })
    }

    /// A part of the documents, in the order asked for.
    pub fn scroll_by(&self, scroll: Scroll) -> Result<Page<T>> {
        let scroll = Scroll { include: Include::Everything, ..scroll };
        self.database.scroll(&scroll)?.try_map(T::from_document)
    }

    /// How many of the documents that pass have each value of the field at `path`: the `limit`
    /// most frequent values.
    pub fn facet(&self, path: &str, filter: Filter, limit: usize) -> Result<Vec<(Value, u64)>> {
        self.database.facet(path, &filter, limit)
    }

    /// A search for the documents nearest to `vector`, to be refined and [`run`].
    ///
    /// [`run`]: SearchBuilder::run
    pub fn search(&self, vector: &[f32]) -> SearchBuilder<&Self> {
        SearchBuilder::new(self, vector)
    }

    /// A search for documents like those with these ids, which are no hits themselves.
    pub fn search_like(&self, ids: impl IntoIds) -> SearchLike<&Self> {
        SearchLike::new(self, ids.into_ids())
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

impl<T: VectorDoc> SearchBuilder<&Db<T>> {
    /// The best hits grouped by the field at `path`, `size` of each group: the limit and the offset
    /// count groups.
    pub fn groups(self, path: impl Into<String>, size: usize) -> Result<Vec<HitGroup<T>>> {
        let by = GroupBy { field: path.into(), size };
        typed_groups(self.source.database.search_groups(&self.query, &by)?)
    }
}

impl<T: VectorDoc> SearchLike<&Db<T>> {
    /// The hits, best first.
    pub fn run(self) -> Result<Vec<Hit<T>>> {
        let Self { examples, builder } = self;
        let database = &builder.source.database;
        typed(database.search(&database.like(&examples, builder.query)?)?)
    }
}

impl<T: VectorDoc> SearchBatch<&Db<T>> {
    /// The hits of each vector, in the order of the vectors.
    pub fn run(self) -> Result<Vec<Vec<Hit<T>>>> {
        let Self { vectors, builder } = self;
        let with = |vector| Query { vector, ..builder.query.clone() };
        let queries: Vec<Query> = vectors.into_iter().map(with).collect();
        let results = builder.source.database.search_batch(&queries)?;
        results.into_iter().map(typed).collect()
    }
}
