//! Following a served database: its changes, or the hits of a search.

use super::{
    Connection, Remote,
    inbox::{Inbox, Next, Of, Reason, Told},
    link::Link,
    message::decode,
    search::{Hits, SearchParams},
};
use crate::{ChangePage, ChangeQuery, Document, Error, ErrorKind, Hit, Query, Result};
use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
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
        let page = self.remote.read_page(params)?.try_map(self.read)?;
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

/// One subscription of a link, ended when it is dropped.
struct Following {
    link: Arc<Link>,
    subscription: u64,
    inbox: Arc<Inbox>,
    is_over: bool,
}

impl Following {
    async fn begin(connection: Connection, params: &RawValue) -> Result<(Self, Box<RawValue>)> {
        let (answer, inbox, link) = connection.subscribe(params).await?;
        let Of { subscription } = decode(answer.get())?;
        Ok((Self { link, subscription, inbox, is_over: false }, answer))
    }

    /// Has the server tell no more.
    async fn stop(&mut self) -> Result<()> {
        if self.is_over {
            return Ok(());
        }
        let params = Unsubscribe { subscription: self.subscription };
        match self.link.request("unsubscribe", &params, None).await {
            Err(failure) if failure.error.kind() != ErrorKind::NotFound => {
                return Err(failure.told());
            }
            _ => {}
        }
        self.link.inboxes().close(self.subscription);
        self.is_over = true;
        Ok(())
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.link.inboxes().close(self.subscription);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (link, subscription) = (Arc::clone(&self.link), self.subscription);
            // Who has left by then needs no goodbye.
            runtime.spawn(async move {
                link.request("unsubscribe", &Unsubscribe { subscription }, None).await
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

impl Remote {
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
        let (following, answer) = self.follow(&self.subscription(query)).await?;
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
}
