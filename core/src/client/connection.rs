//! A server however many sockets lead there: each request goes over the least busy one, sockets that
//! are lost are replaced, and what may be asked again is.

use super::{
    failure::{Failure, Repeat, pause},
    inbox::Inbox,
    link::{Link, ServerLimits},
    options::ConnectionBuilder,
    pool::Pool,
};
use crate::{Error, Result};
use serde::Serialize;
use serde_json::value::RawValue;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout_at};

/// What changes nothing, or what done twice is done once.
const REPEATABLE: [&str; 9] = [
    "changes",
    "db.create",
    "db.get",
    "db.list",
    "doc.count",
    "doc.facet",
    "doc.get",
    "doc.scroll",
    "search",
];

/// The way to a server. Clones share it; it closes when the last is dropped.
///
/// Requests may be made at the same time: they are sent as they come, answered in any order, and
/// spread over the sockets by how many requests each has under way. A socket that is lost, or that
/// the server wants to be rid of, is replaced when there is something to ask; requests that were not
/// done are sent again, those that may have been done only if doing them twice is the same as doing
/// them once.
#[derive(Clone)]
pub struct Connection {
    pool: Arc<Pool>,
    timeout: Duration,
    retry_for: Duration,
}

impl Connection {
    /// Connects to `url`: `ws://host:port` or `wss://host`, to which `/v1/ws` is added when it has
    /// no path.
    ///
    /// `unavailable` when nobody answers there, `busy` when the server has too many connections,
    /// `denied` when it does not want this one.
    pub async fn open(url: &str) -> Result<Self> {
        Self::builder(url).connect().await
    }

    /// To connect with options: a key, several sockets, an own certificate authority.
    pub fn builder(url: impl Into<String>) -> ConnectionBuilder {
        ConnectionBuilder::new(url.into())
    }

    /// Opens the first socket, so that a wrong address is known at once.
    pub(super) async fn start(pool: Pool, timeout: Duration, retry_for: Duration) -> Result<Self> {
        pool.link().await.map_err(|failure| failure.error)?;
        Ok(Self { pool: Arc::new(pool), timeout, retry_for })
    }

    /// What the server takes, as it said last.
    pub fn limits(&self) -> ServerLimits {
        self.pool.limits()
    }

    /// Asks the server for `method` with `params`, an object, and returns its result.
    ///
    /// Waits while as many requests as the server takes are under way. `limit_exceeded` when the
    /// request is longer than the server takes. `unavailable` when there is no answer in time; then
    /// the message says whether the request may have been done. A request that only reads is sent
    /// again when its answer is lost, any other only when it was surely not done.
    pub async fn request<P: Serialize>(&self, method: &str, params: &P) -> Result<Box<RawValue>> {
        let repeat = match REPEATABLE.contains(&method) {
            true => Repeat::Always,
            false => Repeat::WhenUndone,
        };
        self.ask(method, params, repeat).await
    }

    /// The same for a request that may be done twice, as that is the same as doing it once; it is
    /// sent again when its answer is lost.
    pub async fn request_repeatable<P: Serialize>(
        &self,
        method: &str,
        params: &P,
    ) -> Result<Box<RawValue>> {
        self.ask(method, params, Repeat::Always).await
    }

    /// Says goodbye and waits until the server has answered. Requests under way, of every clone,
    /// are answered `closed`.
    pub async fn close(&self) -> Result<()> {
        self.pool.close().await;
        Ok(())
    }

    /// Asks to be told what `params` say. What is told comes into the inbox, also what comes right
    /// after the answer, as long as the socket lives that it comes over.
    pub(super) async fn subscribe(
        &self,
        params: &RawValue,
    ) -> Result<(Box<RawValue>, Arc<Inbox>, Arc<Link>)> {
        let inbox = Arc::new(Inbox::default());
        let asked = self.ask_link("subscribe", params, Repeat::WhenUndone, Some(&inbox)).await;
        asked.map(|(answer, link)| (answer, inbox, link))
    }

    pub(super) async fn ask<P: Serialize>(
        &self,
        method: &str,
        params: &P,
        repeat: Repeat,
    ) -> Result<Box<RawValue>> {
        self.ask_link(method, params, repeat, None).await.map(|(answer, _)| answer)
    }

    /// The answer, and the link that it came over.
    async fn ask_link<P: Serialize + ?Sized>(
        &self,
        method: &str,
        params: &P,
        repeat: Repeat,
        inbox: Option<&Arc<Inbox>>,
    ) -> Result<(Box<RawValue>, Arc<Link>)> {
        let start = Instant::now();
        let (deadline, retry_until) = (start + self.timeout, start + self.retry_for);
        let mut attempts = 0;
        loop {
            let failure = match self.attempt(method, params, deadline, inbox).await {
                Ok(result) => return Ok(result),
                Err(failure) => failure,
            };
            let resume = Instant::now() + pause(attempts, failure.retry_after);
            if !failure.allows(repeat) || resume >= retry_until.min(deadline) {
                return Err(failure.told());
            }
            attempts += 1;
            tokio::select! {
                () = sleep(resume - Instant::now()) => {}
                () = self.pool.closed() => {}
            }
        }
    }

    async fn attempt<P: Serialize + ?Sized>(
        &self,
        method: &str,
        params: &P,
        deadline: Instant,
        inbox: Option<&Arc<Inbox>>,
    ) -> Result<(Box<RawValue>, Arc<Link>), Failure> {
        let late = |what| {
            let seconds = self.timeout.as_secs_f64();
            Error::unavailable(format!("no answer within {seconds} s: {what}"))
        };
        let link = timeout_at(deadline, self.pool.link()).await;
        let link: Arc<Link> =
            link.map_err(|_| Failure::undone(late("the server is not there")))??;
        let start = Instant::now();
        match timeout_at(deadline, link.request(method, params, inbox)).await {
            Ok(answer) => answer.map(|answer| (answer, link)),
            Err(_) => {
                link.suspect(start);
                Err(Failure::unknown(late("the server is too slow, or gone")))
            }
        }
    }
}
