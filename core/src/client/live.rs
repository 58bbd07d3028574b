//! Following a served database: its changes, or the hits of a search.

use super::{
    Connection, Remote,
    inbox::{Inbox, Next, Of, Reason, Told},
    message::decode,
    remote::{include_json, read},
    search::{Hits, SearchParams},
};
use crate::{
    Document, Error, ErrorKind, Filter, Hit, Query, Result,
    change::{Change, ChangePage, ChangeQuery},
    document::IdSeed,
};
use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use serde_json::{
    Value as Json,
    value::{RawValue, to_raw_value},
};
use std::sync::Arc;

/// Makes what is told of a `Document`.
type Read<D> = fn(Document) -> Result<D>;

/// Changes of a served database as they happen: see [`Remote::subscribe`]. Dropped, it is told no
/// more.
pub struct ChangeFeed<D = Document> {
    remote: Remote,
    query: ChangeQuery,
    cursor: String,
    following: Following,
    read: Read<D>,
}

/// The hits of a search whenever they have changed: see [`Remote::live`]. Dropped, it is told no
/// more.
pub struct LiveSearch<D = Document> {
    remote: Remote,
    /// Those found at first, until they are taken.
    first: Option<Vec<Hit>>,
    following: Following,
    read: Read<D>,
}

impl<D> ChangeFeed<D> {
    /// The next changes, one or more, once there are some.
    ///
    /// `conflict` when some were missed, as the database does not keep them any more: then take
    /// everything by scrolling, and go on here: what changes from before the scrolling on is told.
    /// Any other error is the end: `not_found` when the database was dropped, `unauthenticated` or
    /// `denied` when the key was revoked or may no longer, `unavailable` when the connection ended;
    /// then connect again and subscribe from [`cursor`](Self::cursor).
    ///
    /// It may be given up at any time and called again.
    pub async fn next(&mut self) -> Result<ChangePage<D>> {
        loop {
            match self.following.inbox.next().await {
                Next::Told(told) => return self.take(&told),
                Next::Missing => self.catch_up().await?,
                Next::Ended(error) => return Err(error),
            }
        }
    }

    /// The position after the changes taken so far, to subscribe from later.
    pub fn cursor(&self) -> &str {
        &self.cursor
    }

    /// The same as a stream, which ends after the error that is the end.
    pub fn into_stream(self) -> impl Stream<Item = Result<ChangePage<D>>> {
        stream::unfold(Some(self), |feed| async {
            let mut feed = feed?;
            let next = feed.next().await;
            let is_end = next.as_ref().is_err_and(|error| error.kind() != ErrorKind::Conflict);
            Some((next, (!is_end).then_some(feed)))
        })
    }

    fn take(&mut self, (method, params): &Told) -> Result<ChangePage<D>> {
        if method == "lagged" {
            let Lagged { cursor, error } = decode(params.get())?;
            self.cursor = cursor;
            return Err(error.into());
        }
        let page = self.remote.read_changes(params)?.try_map(self.read)?;
        self.cursor.clone_from(&page.cursor);
        Ok(page)
    }

    /// Asks again for what was told when there was no room for it.
    async fn catch_up(&mut self) -> Result<()> {
        // First, so that there is a place for the next.
        self.following.stop().await?;
        let query = ChangeQuery { since: Some(self.cursor.clone()), ..self.query.clone() };
        match self.remote.begin(&query).await {
            Ok((following, _)) => {
                self.following = following;
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Conflict => {
                let query = ChangeQuery { since: None, ..query };
                (self.following, self.cursor) = self.remote.begin(&query).await?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }
}

impl<D> LiveSearch<D> {
    /// All hits, best first: at first those there are, then whenever they have changed. Of hits
    /// that changed several times before they were taken, the last.
    ///
    /// An error is the end, as with [`ChangeFeed::next`].
    pub async fn next(&mut self) -> Result<Vec<Hit<D>>> {
        let hits = match self.first.take() {
            Some(hits) => hits,
            None => match self.following.inbox.next().await {
                Next::Told((_, params)) => self.remote.read_hits(&decode(params.get())?)?,
                Next::Missing => return Err(Error::internal("hits are kept until they are taken")),
                Next::Ended(error) => return Err(error),
            },
        };
        let typed = |hit: Hit| {
            let Hit { id, score, distance, doc } = hit;
            Ok(Hit { id, score, distance, doc: (self.read)(doc)? })
        };
        hits.into_iter().map(typed).collect()
    }

    /// The same as a stream, which ends after the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Vec<Hit<D>>>> {
        stream::unfold(Some(self), |live| async {
            let mut live = live?;
            let next = live.next().await;
            let is_end = next.is_err();
            Some((next, (!is_end).then_some(live)))
        })
    }
}

/// One subscription of a connection, ended when it is dropped.
struct Following {
    connection: Connection,
    subscription: u64,
    inbox: Arc<Inbox>,
    is_over: bool,
}

impl Following {
    async fn begin(connection: Connection, params: &RawValue) -> Result<(Self, Box<RawValue>)> {
        let (answer, inbox) = connection.subscribe(params).await?;
        let Of { subscription } = decode(answer.get())?;
        Ok((Self { connection, subscription, inbox, is_over: false }, answer))
    }

    /// Has the server tell no more.
    async fn stop(&mut self) -> Result<()> {
        if self.is_over {
            return Ok(());
        }
        let params = Unsubscribe { subscription: self.subscription };
        match self.connection.request("unsubscribe", &params).await {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.connection.inboxes().close(self.subscription);
        self.is_over = true;
        Ok(())
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.connection.inboxes().close(self.subscription);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (connection, subscription) = (self.connection.clone(), self.subscription);
            // Who has left by then needs no goodbye.
            runtime.spawn(async move {
                connection.request("unsubscribe", &Unsubscribe { subscription }).await
            });
        }
    }
}

#[derive(Serialize)]
struct Unsubscribe {
    subscription: u64,
}

#[derive(Deserialize)]
struct Lagged {
    cursor: String,
    error: Reason,
}

/// What `changes` and `subscribe` ask.
#[derive(Serialize)]
struct ChangeParams<'a> {
    db: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<&'a str>,
    limit: usize,
    filter: &'a Filter,
    #[serde(skip_serializing_if = "Option::is_none")]
    include: Option<Json>,
}

impl Remote {
    /// What changed since a position, or the position there is now: see [`ChangeQuery`].
    pub async fn changes(&self, query: &ChangeQuery) -> Result<ChangePage> {
        let answer = self.connection().request("changes", &self.change_params(query)).await?;
        self.read_changes(&answer)
    }

    /// Is told what changes from a position on, or from now on. Where the changes of a search are of
    /// more interest, see [`live`](Self::live). Of what is not taken for a while, little is kept
    /// here; the rest is asked for again.
    pub async fn subscribe(&self, query: &ChangeQuery) -> Result<ChangeFeed> {
        self.subscribe_as(query, Ok).await
    }

    pub(super) async fn subscribe_as<D>(
        &self,
        query: &ChangeQuery,
        read: Read<D>,
    ) -> Result<ChangeFeed<D>> {
        let (following, cursor) = self.begin(query).await?;
        Ok(ChangeFeed { remote: self.clone(), query: query.clone(), cursor, following, read })
    }

    /// Searches, and is told the hits again whenever they have changed.
    pub async fn live(&self, query: &Query) -> Result<LiveSearch> {
        self.live_as(query, Ok).await
    }

    pub(super) async fn live_as<D>(&self, query: &Query, read: Read<D>) -> Result<LiveSearch<D>> {
        #[derive(Serialize)]
        struct Params<'a> {
            search: Search<'a>,
        }
        #[derive(Serialize)]
        struct Search<'a> {
            db: &'a str,
            #[serde(flatten)]
            params: SearchParams<'a>,
        }
        self.check_query(query)?;
        let search = Search { db: self.name(), params: SearchParams::new(query) };
        let (following, answer) = self.follow(&Params { search }).await?;
        let hits: Hits<'_> = decode(answer.get())?;
        let first = Some(self.read_hits(&hits)?);
        Ok(LiveSearch { remote: self.clone(), first, following, read })
    }

    /// A subscription to changes, and the position it begins at.
    async fn begin(&self, query: &ChangeQuery) -> Result<(Following, String)> {
        #[derive(Deserialize)]
        struct Begun {
            cursor: String,
        }
        let (following, answer) = self.follow(&self.change_params(query)).await?;
        let Begun { cursor } = decode(answer.get())?;
        Ok((following, cursor))
    }

    async fn follow<P: Serialize>(&self, params: &P) -> Result<(Following, Box<RawValue>)> {
        let (connection, params) = (self.connection().clone(), to_raw_value(params));
        let params = params.map_err(|error| Error::invalid(format!("it is not JSON: {error}")))?;
        // A caller that gives up leaves a subscription that ends by being dropped.
        let begun = tokio::spawn(async move { Following::begin(connection, &params).await });
        begun.await.map_err(|error| Error::internal(format!("subscribing failed: {error}")))?
    }

    fn change_params<'a>(&'a self, query: &'a ChangeQuery) -> ChangeParams<'a> {
        ChangeParams {
            db: self.name(),
            since: query.since.as_deref(),
            limit: query.limit,
            filter: &query.filter,
            include: include_json(&query.include),
        }
    }

    fn read_changes(&self, raw: &RawValue) -> Result<ChangePage> {
        #[derive(Deserialize)]
        struct Page<'a> {
            #[serde(borrow)]
            changes: Vec<Raw<'a>>,
            cursor: String,
            has_more: bool,
        }
        #[derive(Deserialize)]
        struct Raw<'a> {
            op: &'a str,
            version: u64,
            #[serde(borrow)]
            doc: Option<&'a RawValue>,
            #[serde(borrow)]
            id: Option<&'a RawValue>,
        }
        let Page { changes, cursor, has_more } = decode(raw.get())?;
        let change = |Raw { op, version, doc, id }| {
            let kind = self.schema().id().kind;
            match (op, doc, id) {
                ("index", Some(doc), _) => {
                    Ok(Change::Index { doc: self.read_document(doc)?, version })
                }
                ("delete", _, Some(id)) => {
                    Ok(Change::Delete { id: read(id, IdSeed(kind))?, version })
                }
                ("leave", _, Some(id)) => {
                    Ok(Change::Leave { id: read(id, IdSeed(kind))?, version })
                }
                _ => Err(Error::internal(format!("a change {op:?} is not understood"))),
            }
        };
        let changes = changes.into_iter().map(change).collect::<Result<_>>()?;
        Ok(ChangePage { changes, cursor, has_more })
    }
}
