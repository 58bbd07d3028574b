//! The call that tells changes as they happen.

use super::{
    call::{Call, Requests, responses, said},
    messages::{ChangesRequest, ChangesResponse},
    rpc::{self, Ask, Session},
};
use crate::{
    account::Account,
    server::{Phase, stopped},
    telemetry::Arrival,
    work::Work,
};
use axum::body::Bytes;
use futures_util::Stream;
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tonic::Status;
use vectordoc::{Error, Result, native::Subscription};

/// Tells the changes that the one request is about, as they happen.
pub(super) async fn follow(
    (call, arrival): (Call, Arc<Arrival>),
    requests: Requests,
) -> Result<impl Stream<Item = Result<Bytes, Status>> + Send, Status> {
    let deadline = call.deadline;
    let follower = deadline.meet(said(Follower::begin(call, arrival, requests))).await?;
    Ok(responses(follower, |mut follower| async move {
        let deadline = follower.call.deadline;
        let told = deadline.meet(said(follower.next())).await?;
        Ok(Some((told, follower)))
    }))
}

/// Somebody who follows a database.
struct Follower {
    call: Call,
    /// What to read next.
    request: ChangesRequest,
    /// What was read and is not told yet.
    read: Option<Bytes>,
    /// Whether there is more to read at once.
    has_more: bool,
    changed: Arc<Notify>,
    /// Notifies as long as it is there.
    _subscription: Subscription,
    stopping: watch::Receiver<Phase>,
}

impl Follower {
    /// Reads the request and what there is to tell at once, so that what is wrong with it is said
    /// at once too.
    async fn begin(call: Call, arrival: Arc<Arrival>, requests: Requests) -> Result<Self> {
        let request = match call.only(requests).await {
            Ok(request) => rpc::read(&request),
            Err(error) => Err(error),
        };
        let request: ChangesRequest =
            request.inspect_err(|error| arrival.refused(ChangesRequest::METHOD, error))?;
        let read = {
            let (asked, account) = (request.clone(), Arc::clone(&call.account));
            let bytes_max = call.context.limits.answer_bytes_max;
            let job = move |session: &Session<'_>| {
                rpc::answer(&asked, session, |read| Page::of(read, bytes_max, &account))
            };
            call.run(&arrival, Work::Compute, job).await?
        };
        let (changed, db) = (Arc::new(Notify::new()), request.db.clone());
        let (context, notified) = (Arc::clone(&call.context), Arc::clone(&changed));
        let subscribe = move || context.catalog.get(&db)?.on_change(move || notified.notify_one());
        let workers = &call.context.workers;
        let subscription = workers.run(&call.account, Work::Compute, subscribe).await??;
        // Something may have changed between reading and subscribing.
        changed.notify_one();
        let stopping = call.context.phase.subscribe();
        let Page { bytes, cursor, has_more, .. } = read;
        let (request, read) = (ChangesRequest { since: cursor, ..request }, Some(bytes));
        Ok(Self { call, request, read, has_more, changed, _subscription: subscription, stopping })
    }

    /// What there is to tell, once there is something.
    async fn next(&mut self) -> Result<Bytes> {
        loop {
            if let Some(read) = self.read.take() {
                return Ok(read);
            }
            self.wait().await?;
            self.call.renew().await?;
            let Page { bytes, cursor, has_more, is_empty } =
                read(&self.call, &self.request).await?;
            (self.request.since, self.has_more) = (cursor, has_more);
            self.read = (!is_empty).then_some(bytes);
        }
    }

    /// Waits until there may be something to read.
    async fn wait(&mut self) -> Result<()> {
        let is_due = self.has_more;
        tokio::select! {
            biased;
            () = stopped(&mut self.stopping) => Err(Error::unavailable(
                "the server is shutting down; connect again later and follow from the last cursor",
            )),
            () = std::future::ready(()), if is_due => Ok(()),
            () = self.changed.notified() => Ok(()),
        }
    }
}

/// What there is to tell since the last time.
async fn read(call: &Call, request: &ChangesRequest) -> Result<Page> {
    let (context, caller) = (Arc::clone(&call.context), Arc::clone(&call.caller));
    let (request, account) = (request.clone(), Arc::clone(&call.account));
    let job = move || {
        let read = rpc::news(&request, &caller, &context.catalog)?;
        Page::of(read, context.limits.answer_bytes_max, &account)
    };
    call.context.workers.run(&call.account, Work::Live, job).await?
}

/// Changes as they are told, which count as unread from here.
struct Page {
    bytes: Bytes,
    /// Where the next page begins.
    cursor: String,
    has_more: bool,
    is_empty: bool,
}

impl Page {
    fn of(read: ChangesResponse, bytes_max: usize, account: &Arc<Account>) -> Result<Self> {
        let bytes = account.hold(rpc::encode(&read, bytes_max)?);
        let ChangesResponse { cursor, has_more, changes, .. } = read;
        Ok(Self { bytes, cursor, has_more, is_empty: changes.is_empty() })
    }
}
