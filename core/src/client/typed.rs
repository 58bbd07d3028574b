//! A served database of one Rust type: the verbs of [`Db`](crate::Db), asynchronous.

use super::{ChangeFeed, Connection, ConnectionBuilder, Description, LiveSearch, Remote};
use crate::{
    ChangePage, ChangeQuery, Deleted, Error, ErrorKind, Filter, GroupBy, Hit, HitGroup, Id,
    Include, IntoIds, Page, Patch, Result, Scroll, Value, VectorDoc,
    refine::{SearchBatch, SearchBuilder, SearchLike, typed},
};
use std::{fmt, marker::PhantomData, time::Duration};

/// A database of `T`s on a server: cheap to clone, its clones share its connections. Calls may be
/// made at the same time; they are sent as they come and answered in any order.
pub struct Client<T> {
    remote: Remote,
    holds: PhantomData<fn() -> T>,
}

impl<T> Clone for Client<T> {
    fn clone(&self) -> Self {
        Self { remote: self.remote.clone(), holds: PhantomData }
    }
}

/// How to connect a [`Client`].
#[derive(Clone)]
#[must_use = "nothing happens until it connects"]
pub struct ClientBuilder<T> {
    connection: ConnectionBuilder,
    db: Option<String>,
    shards: Option<usize>,
    holds: PhantomData<fn() -> T>,
}

/// Without the key.
impl<T> fmt::Debug for ClientBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connection, db, shards, .. } = self;
        let mut shown = f.debug_struct("ClientBuilder");
        shown
            .field("connection", connection)
            .field("db", db)
            .field("shards", shards)
            .finish_non_exhaustive()
    }
}

impl<T: VectorDoc> ClientBuilder<T> {
    /// The name the database is served under; [`VectorDoc::NAME`] unless set.
    pub fn db(mut self, name: impl Into<String>) -> Self {
        self.db = Some(name.into());
        self
    }

    /// The API key to show to a server that asks for one.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.connection = self.connection.key(key);
        self
    }

    /// Another address of the same service, to be used in turn and when others do not answer.
    pub fn or_at(mut self, url: impl Into<String>) -> Self {
        self.connection = self.connection.or_at(url);
        self
    }

    /// How many sockets there may be, 1 unless set: see [`ConnectionBuilder::sockets`].
    pub fn sockets(mut self, sockets: usize) -> Self {
        self.connection = self.connection.sockets(sockets);
        self
    }

    /// How long a request may take until it fails as `unavailable`, 60 s unless set: see
    /// [`ConnectionBuilder::timeout`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.connection = self.connection.timeout(timeout);
        self
    }

    /// How long what is safe to make again is made again, 20 s unless set, zero for never: see
    /// [`ConnectionBuilder::retry_for`].
    pub fn retry_for(mut self, time: Duration) -> Self {
        self.connection = self.connection.retry_for(time);
        self
    }

    /// Believes servers at `wss://` whose certificates come from these authorities, one or more
    /// certificates in PEM, and no others: see [`ConnectionBuilder::trust_only`].
    pub fn trust_only(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.connection = self.connection.trust_only(pem);
        self
    }

    /// Shards of a new database, the server's choice unless set; one that is there must have as
    /// many.
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = Some(shards);
        self
    }

    /// Connects, and creates the database when the server has none of the name. `conflict` when it
    /// has one, but not of `T`s.
    pub async fn connect(self) -> Result<Client<T>> {
        let connection = self.connection.clone().connect().await?;
        let name = self.db.as_deref().unwrap_or(T::NAME);
        let remote = match Remote::open(connection.clone(), name).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Remote::create(connection, name, T::schema(), self.shards).await?
            }
            found => {
                let remote = found?;
                let same = self.expect_same(&remote).await;
                same.map_err(|error| error.within(format!("database {name}")))?;
                remote
            }
        };
        Ok(Client { remote, holds: PhantomData })
    }

    /// Refuses a database that is there but is another than this asks for.
    async fn expect_same(&self, remote: &Remote) -> Result<()> {
        remote.schema().expect_same(&T::schema())?;
        let Some(wanted) = self.shards else {
            return Ok(());
        };
        match remote.describe().await?.shards {
            shards if shards == wanted => Ok(()),
            shards => Err(Error::conflict(format!(
                "there are {shards} shards, the client asks for {wanted}"
            ))),
        }
    }
}

impl<T: VectorDoc> Client<T> {
    /// Connects to the server at `url`, such as `ws://localhost:7700`, and creates the database
    /// [`VectorDoc::NAME`] when it has none. `conflict` when it has one of another shape than `T`,
    /// `unavailable` when no server answers.
    pub async fn connect(url: impl Into<String>) -> Result<Self> {
        Self::builder(url).connect().await
    }

    /// To connect with options.
    pub fn builder(url: impl Into<String>) -> ClientBuilder<T> {
        let connection = Connection::builder(url);
        ClientBuilder { connection, db: None, shards: None, holds: PhantomData }
    }

    /// The untyped database below.
    pub fn remote(&self) -> &Remote {
        &self.remote
    }

    /// What the server says about the database now.
    pub async fn describe(&self) -> Result<Description> {
        self.remote.describe().await
    }

    /// Gives the database another number of shards: see [`Remote::reshard`].
    pub async fn reshard(&self, shards: usize) -> Result<Description> {
        self.remote.reshard(shards).await
    }

    /// Inserts documents, replacing those whose id is there already; returns how many. They are
    /// durable and can be found when this returns. One bad document, and none is sent.
    pub async fn index(&self, documents: impl IntoIterator<Item = T>) -> Result<usize> {
        let documents = documents.into_iter().map(|document| document.to_document());
        self.remote.index(&documents.collect::<Result<Vec<_>>>()?).await
    }

    /// Replaces a document; `not_found` when there is none with its id.
    pub async fn update(&self, document: T) -> Result<()> {
        self.remote.update(&[document.to_document()?]).await.map(drop)
    }

    /// Changes fields of the document with this id and returns its new version; `not_found` when
    /// there is none.
    pub async fn patch(&self, id: impl Into<Id>, patch: Patch) -> Result<u64> {
        self.remote.patch(&id.into(), &patch).await
    }

    /// Changes fields of every document that passes; returns how many.
    pub async fn patch_where(&self, filter: Filter, patch: Patch) -> Result<usize> {
        self.remote.patch_where(&filter, &patch).await
    }

    /// The document with this id and its version, for a change on the condition that nobody else
    /// changed it meanwhile.
    pub async fn get_versioned(&self, id: impl Into<Id>) -> Result<Option<(T, u64)>> {
        let found = self.remote.get_versioned(&[id.into()], &Include::Everything).await?;
        let found = found.into_iter().flatten().next();
        found.map(|(document, version)| Ok((T::from_document(document)?, version))).transpose()
    }

    /// Replaces a document if it still has this version, and returns its new one; `conflict` when
    /// it has another. Version 0 inserts a document that is not there yet.
    pub async fn index_if(&self, document: T, version: u64) -> Result<u64> {
        self.remote.index_if(&document.to_document()?, version).await
    }

    /// Changes fields of a document if it still has this version, and returns its new one.
    pub async fn patch_if(&self, id: impl Into<Id>, patch: Patch, version: u64) -> Result<u64> {
        self.remote.patch_if(&id.into(), &patch, version).await
    }

    /// Deletes a document if it still has this version.
    pub async fn delete_if(&self, id: impl Into<Id>, version: u64) -> Result<()> {
        self.remote.delete_if(&id.into(), version).await
    }

    /// Deletes documents by one id or several; says how many, and which ids no document had.
    pub async fn delete(&self, ids: impl IntoIds) -> Result<Deleted> {
        self.remote.delete(&ids.into_ids()).await
    }

    /// Deletes every document that passes; returns how many.
    pub async fn delete_where(&self, filter: Filter) -> Result<usize> {
        self.remote.delete_where(&filter).await
    }

    /// The document with this id.
    pub async fn get(&self, id: impl Into<Id>) -> Result<Option<T>> {
        let found = self.remote.get(&[id.into()], &Include::Everything).await?;
        found.into_iter().flatten().next().map(T::from_document).transpose()
    }

    /// How many documents pass; [`Filter::All`] counts all.
    pub async fn count(&self, filter: Filter) -> Result<u64> {
        self.remote.count(&filter).await
    }

    /// Up to `limit` documents that pass, in order of their ids, after where `cursor` stands.
    pub async fn scroll(
        &self,
        filter: Filter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<T>> {
        let cursor = cursor.map(String::from);
        self.scroll_by(Scroll { filter, cursor, ..Scroll::new(limit) }).await
    }

    /// A part of the documents, in the order asked for.
    pub async fn scroll_by(&self, scroll: Scroll) -> Result<Page<T>> {
        let scroll = Scroll { include: Include::Everything, ..scroll };
        self.remote.scroll(&scroll).await?.try_map(T::from_document)
    }

    /// How many of the documents that pass have each value of the field at `path`: the `limit`
    /// most frequent values.
    pub async fn facet(
        &self,
        path: &str,
        filter: Filter,
        limit: usize,
    ) -> Result<Vec<(Value, u64)>> {
        self.remote.facet(path, &filter, limit).await
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

    /// A search for documents like those with these ids, which are no hits themselves.
    pub fn search_like(&self, ids: impl IntoIds) -> SearchLike<&Self> {
        SearchLike::new(self, ids.into_ids())
    }

    /// Searches for several vectors at once, refined alike.
    pub fn search_batch<V: AsRef<[f32]>>(&self, vectors: &[V]) -> SearchBatch<&Self> {
        SearchBatch::new(self, vectors)
    }

    /// What changed since a position, or the position there is now: see
    /// [`ChangeQuery`](crate::ChangeQuery). Documents come whole, whatever the query says to
    /// include. `conflict` when the server does not remember that far: then take a new position,
    /// scroll, and follow from it.
    pub async fn changes(&self, query: ChangeQuery) -> Result<ChangePage<T>> {
        let query = ChangeQuery { include: Include::Everything, ..query };
        self.remote.changes(&query).await?.try_map(T::from_document)
    }

    /// Is told what changes from a position on, or from now on; documents come whole.
    pub async fn subscribe(&self, query: ChangeQuery) -> Result<ChangeFeed<T>> {
        let query = ChangeQuery { include: Include::Everything, ..query };
        self.remote.subscribe_as(&query, T::from_document).await
    }

    /// The same as [`changes`](Self::changes), and where there is no change yet, asks again and
    /// again for one, at most so long.
    pub async fn changes_within(
        &self,
        query: ChangeQuery,
        time: Duration,
    ) -> Result<ChangePage<T>> {
        let query = ChangeQuery { include: Include::Everything, ..query };
        self.remote.changes_within(&query, time).await?.try_map(T::from_document)
    }

    /// Ends the connection, for every clone.
    pub async fn close(&self) -> Result<()> {
        self.remote.connection().close().await
    }
}

impl<T: VectorDoc> SearchBuilder<&Client<T>> {
    /// The hits, best first.
    pub async fn run(self) -> Result<Vec<Hit<T>>> {
        typed(self.source.remote.search(&self.query).await?)
    }

    /// Searches, and is told the hits again whenever they have changed.
    pub async fn live(self) -> Result<LiveSearch<T>> {
        self.source.remote.live_as(&self.query, T::from_document).await
    }

    /// The ids of the hits, best first, without fetching the documents.
    pub async fn ids(self) -> Result<Vec<Id>> {
        let remote = &self.source.remote;
        let hits = remote.search(&self.without_documents()).await?;
        Ok(hits.into_iter().map(|hit| hit.id).collect())
    }

    /// The best hits grouped by the field at `path`, `size` of each group: the limit and the offset
    /// count groups.
    pub async fn groups(self, path: impl Into<String>, size: usize) -> Result<Vec<HitGroup<T>>> {
        let by = GroupBy { field: path.into(), size };
        let groups = self.source.remote.search_groups(&self.query, &by).await?;
        let group = |HitGroup { value, hits }| Ok(HitGroup { value, hits: typed(hits)? });
        groups.into_iter().map(group).collect()
    }
}

impl<T: VectorDoc> SearchLike<&Client<T>> {
    /// The hits, best first.
    pub async fn run(self) -> Result<Vec<Hit<T>>> {
        let Self { examples, builder } = self;
        typed(builder.source.remote.search_like(&examples, &builder.query).await?)
    }
}

impl<T: VectorDoc> SearchBatch<&Client<T>> {
    /// The hits of each vector, in the order of the vectors.
    pub async fn run(self) -> Result<Vec<Vec<Hit<T>>>> {
        let Self { vectors, builder } = self;
        let results = builder.source.remote.search_batch(&vectors, &builder.query).await?;
        results.into_iter().map(typed).collect()
    }
}
