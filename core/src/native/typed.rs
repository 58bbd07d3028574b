//! The database of one Rust type: the verbs of [`Database`], typed.

use super::{Database, DatabaseOptions, Disk, Residence};
use crate::{
    Batch, ChangePage, ChangeQuery, Deleted, Document, Filter, GroupBy, Hit, HitGroup, Id, Include,
    IntoIds, Page, Patch, Query, Result, Scroll, Value, VectorDoc,
    index::IndexFactory,
    refine::{SearchBatch, SearchBuilder, SearchLike, typed},
    schema::Layout,
};
use std::{marker::PhantomData, path::Path, sync::Arc, time::Duration};

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
    /// Where the fields of `T` are among those stored, if there are others.
    layout: Option<Arc<Layout>>,
    holds: PhantomData<fn() -> T>,
}

impl<T> Clone for Db<T> {
    fn clone(&self) -> Self {
        let (database, layout) = (self.database.clone(), self.layout.clone());
        Self { database, layout, holds: PhantomData }
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

    /// Whether the database is open before all of it is in memory; not unless set: see
    /// [`DatabaseOptions::waking`].
    #[must_use]
    pub fn waking(mut self, waking: bool) -> Self {
        self.options.waking = waking;
        self
    }

    /// Gives the vector field called `field`, whose schema says `custom`, an index of your own: see
    /// [`index`](crate::index#bring-your-own-algorithm).
    #[must_use]
    pub fn index(mut self, field: impl Into<String>, factory: impl IndexFactory + 'static) -> Self {
        self.options.indexes = self.options.indexes.with(field, factory);
        self
    }

    /// Writes that may wait for a shard: see
    /// [`waiting_writes_max`](field@DatabaseOptions::waiting_writes_max).
    #[must_use]
    pub fn waiting_writes_max(mut self, writes: usize) -> Self {
        self.options.waiting_writes_max = Some(writes);
        self
    }

    /// Bytes of changes to keep for who follows them: see
    /// [`history_bytes`](DatabaseOptions::history_bytes).
    #[must_use]
    pub fn history_bytes(mut self, bytes: u64) -> Self {
        self.options.history_bytes = Some(bytes);
        self
    }

    /// Bytes of memory that the database may take: see
    /// [`memory_bytes_max`](DatabaseOptions::memory_bytes_max).
    #[must_use]
    pub fn memory_bytes_max(mut self, bytes: u64) -> Self {
        self.options.memory_bytes_max = Some(bytes);
        self
    }

    /// Bytes that stay free on the disk: see
    /// [`disk_bytes_free_min`](DatabaseOptions::disk_bytes_free_min).
    #[must_use]
    pub fn disk_bytes_free_min(mut self, bytes: u64) -> Self {
        self.options.disk_bytes_free_min = Some(bytes);
        self
    }

    /// Whether all bytes of the files are checked when they are opened: see
    /// [`verify`](DatabaseOptions::verify).
    #[must_use]
    pub fn verify(mut self, verify: bool) -> Self {
        self.options.verify = verify;
        self
    }

    /// The disk that the directory is on: see [`disk`](field@DatabaseOptions::disk).
    #[must_use]
    pub fn disk(mut self, disk: Arc<dyn Disk>) -> Self {
        self.options.disk = Some(disk);
        self
    }

    /// Opens the database in directory `path`, or creates it.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Db<T>> {
        let options = DatabaseOptions { evolve: true, ..self.options };
        Database::create(path, &T::schema(), &options).map(Db::of)
    }

    /// An empty database that is gone when it is closed.
    pub fn in_memory(self) -> Result<Db<T>> {
        Database::in_memory(&T::schema(), &self.options).map(Db::of)
    }
}

impl<T: VectorDoc> Db<T> {
    fn of(database: Database) -> Self {
        let own = T::schema();
        let is_wider = *database.schema() != own;
        let layout = is_wider.then(|| Arc::new(Layout::new(&own, database.schema())));
        Self { database, layout, holds: PhantomData }
    }

    /// The same over another handle of the database.
    pub(super) fn over(&self, database: Database) -> Self {
        Self { database, layout: self.layout.clone(), holds: PhantomData }
    }

    /// The search, in the only vector field `T` has even if more are stored.
    fn of_own_field<'a>(&self, builder: SearchBuilder<&'a Self>) -> SearchBuilder<&'a Self> {
        match T::schema().vectors() {
            [only] if self.layout.is_some() => builder.field(only.name.as_str()),
            _ => builder,
        }
    }

    /// The document as it is stored.
    fn stored(&self, document: &T) -> Result<Document> {
        let document = document.to_document()?;
        Ok(match &self.layout {
            Some(layout) => layout.forward(document),
            None => document,
        })
    }

    /// The document a stored one is.
    fn own(&self, document: Document) -> Document {
        match &self.layout {
            Some(layout) => layout.back(document),
            None => document,
        }
    }

    fn typed(&self, document: Document) -> Result<T> {
        T::from_document(self.own(document))
    }

    fn typed_hits(&self, hits: Vec<Hit>) -> Result<Vec<Hit<T>>> {
        let own = |hit: Hit| Hit { doc: self.own(hit.doc), ..hit };
        typed(hits.into_iter().map(own).collect())
    }

    /// Opens the database in directory `path`, or creates it. Where `T` changed since it was stored
    /// and nothing is lost by that, the stored schema follows, and
    /// [`schema_changes`](Database::schema_changes) of [`database`](Self::database) says how: a
    /// field may be added if it is an `Option`, one that is gone keeps its stored values, indexes
    /// may change. Any other change is a `conflict` and names the field. `busy` when another process
    /// has the directory.
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
        let documents = documents.into_iter().map(|document| self.stored(&document));
        self.database.index(documents.collect::<Result<_>>()?)
    }

    /// Replaces a document; `not_found` when there is none with its id.
    pub fn update(&self, document: T) -> Result<()> {
        self.database.update(vec![self.stored(&document)?]).map(|_| ())
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
        found.map(|(document, version)| Ok((self.typed(document)?, version))).transpose()
    }

    /// Replaces a document if it still has this version, and returns its new one; `conflict` when
    /// it has another. Version 0 inserts a document that is not there yet.
    pub fn index_if(&self, document: T, version: u64) -> Result<u64> {
        let document = self.stored(&document)?;
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
        found.into_iter().flatten().next().map(|document| self.typed(document)).transpose()
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
        self.database.scroll(&scroll)?.try_map(|document| self.typed(document))
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
        self.of_own_field(SearchBuilder::new(self, vector))
    }

    /// A search for the documents that answer `words` best, to be refined and [`run`].
    ///
    /// [`run`]: SearchBuilder::run
    pub fn search_text(&self, words: impl Into<String>) -> SearchBuilder<&Self> {
        SearchBuilder::of_text(self, words.into())
    }

    /// A search for documents like those with these ids, which are no hits themselves.
    pub fn search_like(&self, ids: impl IntoIds) -> SearchLike<&Self> {
        let SearchLike { examples, builder } = SearchLike::new(self, ids.into_ids());
        SearchLike { examples, builder: self.of_own_field(builder) }
    }

    /// Searches for several vectors at once, refined alike.
    pub fn search_batch<V: AsRef<[f32]>>(&self, vectors: &[V]) -> SearchBatch<&Self> {
        let SearchBatch { vectors, builder } = SearchBatch::new(self, vectors);
        SearchBatch { vectors, builder: self.of_own_field(builder) }
    }

    /// What changed since a position, or the position there is now: see [`Database::changes`].
    pub fn changes(&self, query: ChangeQuery) -> Result<ChangePage<T>> {
        let query = ChangeQuery { include: Include::Everything, ..query };
        self.database.changes(&query)?.try_map(|document| self.typed(document))
    }

    /// The same, and where there is no change yet, waits for one, at most so long.
    pub fn changes_within(&self, query: ChangeQuery, time: Duration) -> Result<ChangePage<T>> {
        let query = ChangeQuery { include: Include::Everything, ..query };
        self.database.changes_within(&query, time)?.try_map(|document| self.typed(document))
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
        self.source.typed_hits(self.source.database.search(&self.query)?)
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
        let groups = self.source.database.search_groups(&self.query, &by)?;
        let group =
            |HitGroup { value, hits }| Ok(HitGroup { value, hits: self.source.typed_hits(hits)? });
        groups.into_iter().map(group).collect()
    }
}

impl<T: VectorDoc> SearchLike<&Db<T>> {
    /// The hits, best first.
    pub fn run(self) -> Result<Vec<Hit<T>>> {
        let Self { examples, builder } = self;
        let database = &builder.source.database;
        builder.source.typed_hits(database.search(&database.like(&examples, builder.query)?)?)
    }
}

impl<T: VectorDoc> SearchBatch<&Db<T>> {
    /// The hits of each vector, in the order of the vectors.
    pub fn run(self) -> Result<Vec<Vec<Hit<T>>>> {
        let Self { vectors, builder } = self;
        let with = |vector| Query { vector: Some(vector), ..builder.query.clone() };
        let queries: Vec<Query> = vectors.into_iter().map(with).collect();
        let results = builder.source.database.search_batch(&queries)?;
        results.into_iter().map(|hits| builder.source.typed_hits(hits)).collect()
    }
}
