//! What the client of one connection follows. Each subscription is a task that has one notification
//! on its way at most: what there is to tell is looked up once the one before has left and the
//! outbox has a place, so that a client that reads slowly is told more at a time and costs nothing
//! meanwhile.

use super::{
    connection::framed,
    outbox::{Outgoing, Sender},
    rpc::{Failure, Notification, Part, SUBSCRIBE, Success},
};
use crate::{
    account::Account,
    encoding::Encoding,
    keys::Caller,
    operation::{First, Followed, News, Reason},
    server::Context,
    telemetry::Transport,
    work::Work,
};
use serde::Serialize;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use tokio_tungstenite::tungstenite::Bytes;
use vectordoc::{Error, Result, Value};

/// The subscriptions of one connection.
pub(super) struct Subscriptions {
    count_max: usize,
    /// One per subscription, from its request to its end.
    places: Arc<Semaphore>,
    last: AtomicU64,
    /// By number; `None` once the connection has none any more.
    running: Mutex<Option<HashMap<u64, JoinHandle<()>>>>,
}

/// Who follows, and on what.
pub(super) struct Subscriber {
    pub(super) encoding: Encoding,
    pub(super) outbox: Sender,
    /// Whoever asked; what is said on the connection later does not change that.
    pub(super) caller: Arc<Caller>,
    pub(super) account: Arc<Account>,
    pub(super) context: Arc<Context>,
}

impl Subscriptions {
    /// None yet, and `count_max` at most.
    pub(super) fn new(count_max: usize) -> Arc<Self> {
        Arc::new(Self {
            count_max,
            places: Arc::new(Semaphore::new(count_max)),
            last: AtomicU64::new(0),
            running: Mutex::new(Some(HashMap::new())),
        })
    }

    /// Begins what request `id` asks for and answers it; `slot` is the request's until that has
    /// left.
    pub(super) async fn open(
        self: Arc<Self>,
        id: Value,
        params: Option<Part>,
        subscriber: Subscriber,
        slot: OwnedSemaphorePermit,
    ) {
        let (opened, outbox) = (self.begin(params, &subscriber).await, subscriber.outbox.clone());
        let outcome = opened.as_ref().map(drop);
        subscriber.context.telemetry.count(Transport::WebSocket, SUBSCRIBE, outcome);
        let (encoding, bytes_max) =
            (subscriber.encoding, subscriber.context.limits.answer_bytes_max);
        let refuse = |error: Error| encoding.write(&Failure::new(&id, &error.into()), usize::MAX);
        let written = match opened {
            Err(error) => refuse(error),
            Ok((following, place, first)) => {
                let begun = Begun { subscription: following.number, first };
                match encoding.write(&Success::new(&id, begun), bytes_max) {
                    Err(error) => refuse(error),
                    Ok(bytes) => {
                        let answer = Answer { bytes: subscriber.account.hold(bytes), slot };
                        return self.start(following, place, subscriber, answer);
                    }
                }
            }
        };
        match written {
            Ok(bytes) => {
                let message = Outgoing::Message(framed(encoding, bytes), Some(slot));
                let _ = outbox.send(message).await;
            }
            Err(error) => tracing::error!(%error, "an answer cannot be written"),
        }
    }

    /// Ends subscription `number`; after this nothing more is told of it. `not_found` when there is
    /// none.
    pub(super) async fn stop(&self, number: u64) -> Result<()> {
        let task = self.running().as_mut().and_then(|running| running.remove(&number));
        let task = task.ok_or_else(|| {
            Error::not_found(format!(
                "this connection has no subscription {number}: it never had, or that has ended"
            ))
        })?;
        task.abort();
        let _ = task.await;
        Ok(())
    }

    /// Ends all of them, and those still to begin.
    pub(super) fn end(&self) {
        let running = self.running().take();
        running.into_iter().flatten().for_each(|(_, task)| task.abort());
    }

    /// What there is to follow, and what is told first.
    async fn begin(
        &self,
        params: Option<Part>,
        subscriber: &Subscriber,
    ) -> Result<(Following, OwnedSemaphorePermit, First)> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            Error::limit_exceeded(format!(
                "this connection has {} subscriptions, which is the limit; unsubscribe, or open \
                 another connection",
                self.count_max
            ))
        })?;
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let changed = Arc::new(Notify::new());
        let (context, caller) = (Arc::clone(&subscriber.context), Arc::clone(&subscriber.caller));
        let (waking, written) = (Arc::clone(&changed), subscriber.writing(number));
        let workers = &subscriber.context.workers;
        let begun = workers.run(&subscriber.account, Work::Compute, move || -> Result<_> {
            let params = params.as_ref().map(Part::as_raw);
            let mut followed = Followed::read(params, &caller, &context.catalog)?;
            // Before the first look, so that nothing happens between the two.
            let listening = followed.on_change(move || waking.notify_one())?;
            let first = followed.first(written)?;
            Ok((followed, first, listening))
        });
        let (followed, first, listening) = begun.await??;
        let turn = Arc::new(Semaphore::new(1));
        let following = Following { number, followed, changed, turn, _listening: listening };
        Ok((following, place, first))
    }

    /// Sends the answer and then what happens, from a task of its own.
    fn start(
        self: Arc<Self>,
        following: Following,
        place: OwnedSemaphorePermit,
        subscriber: Subscriber,
        answer: Answer,
    ) {
        let (number, subscriptions) = (following.number, Arc::clone(&self));
        // Under the lock, so that it is there before it ends or is stopped.
        if let Some(running) = self.running().as_mut() {
            let task = tokio::spawn(async move {
                subscriber.follow(following, answer).await;
                if let Some(running) = subscriptions.running().as_mut() {
                    running.remove(&number);
                }
                drop(place);
            });
            running.insert(number, task);
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<HashMap<u64, JoinHandle<()>>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One subscription under way.
struct Following {
    number: u64,
    followed: Followed,
    /// Told when there may be news.
    changed: Arc<Notify>,
    /// Held by the notification that is on its way.
    turn: Arc<Semaphore>,
    _listening: vectordoc::native::Subscription,
}

/// The answer to the request that began it.
struct Answer {
    bytes: Bytes,
    slot: OwnedSemaphorePermit,
}

impl Subscriber {
    /// Tells what happens until the subscription ends, and then why.
    async fn follow(&self, following: Following, answer: Answer) {
        let message = framed(self.encoding, answer.bytes);
        if self.outbox.send(Outgoing::Message(message, Some(answer.slot))).await.is_err() {
            return;
        }
        let number = following.number;
        if let Err(error) = self.tell(following).await {
            tracing::debug!(%error, number, "a subscription ends");
            let ended = Ended { subscription: number, error: Reason::of(&error) };
            match self.encoding.write(&Notification::new("ended", ended), usize::MAX) {
                Ok(bytes) => {
                    let message = Outgoing::Message(framed(self.encoding, bytes), None);
                    let _ = self.outbox.send(message).await;
                }
                Err(error) => tracing::error!(%error, "a notification cannot be written"),
            }
        }
    }

    /// Tells what happens; done when nobody hears it any more.
    async fn tell(&self, mut following: Following) -> Result<()> {
        let interval = self.context.limits.live_interval;
        let mut may_look = Instant::now();
        let mut has_more = !following.followed.is_search();
        loop {
            // The notification before has left.
            let Ok(turn) = Arc::clone(&following.turn).acquire_owned().await else { return Ok(()) };
            if !has_more {
                following.changed.notified().await;
            }
            if following.followed.is_search() {
                sleep_until(may_look).await;
                may_look = Instant::now() + interval;
            }
            let Ok(place) = self.outbox.reserve().await else { return Ok(()) };
            let caller = self.context.keyring.renew(&self.caller).await?;
            following.followed.check(&caller)?;
            let (context, write) = (Arc::clone(&self.context), self.writing(following.number));
            let account = Arc::clone(&self.account);
            let looked = self.context.workers.run(&self.account, Work::Live, move || {
                let told = following.followed.next(&context.catalog, write);
                let held =
                    told.map(|told| (told.bytes.map(|bytes| account.hold(bytes)), told.has_more));
                (following, held)
            });
            let (kept, told) = looked.await?;
            (following, has_more) = (kept, false);
            let (bytes, more) = told?;
            has_more |= more;
            if let Some(bytes) = bytes {
                place.send(Outgoing::Message(framed(self.encoding, bytes), Some(turn)));
            }
        }
    }

    /// How news of subscription `number` are written.
    fn writing(&self, number: u64) -> impl Fn(&News) -> Result<Vec<u8>> + Send + 'static {
        let (encoding, bytes_max) = (self.encoding, self.context.limits.answer_bytes_max);
        move |news| {
            let told = Told { subscription: number, news };
            encoding.write(&Notification::new(news.method(), told), bytes_max)
        }
    }
}

/// The answer to `subscribe`.
#[derive(Serialize)]
struct Begun {
    subscription: u64,
    #[serde(flatten)]
    first: First,
}

/// The params of a notification of a subscription.
#[derive(Serialize)]
struct Told<'a> {
    subscription: u64,
    #[serde(flatten)]
    news: &'a News,
}

/// The last notification of a subscription that the client did not end.
#[derive(Serialize)]
struct Ended {
    subscription: u64,
    error: Reason,
}
