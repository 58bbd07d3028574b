//! The call that tells changes as they happen.

use super::{
    call::{Call, Requests, responses, said},
    messages::{ChangesRequest, ChangesResponse},
    rpc::{self, Ask, Session},
};
use crate::{
    server::{Phase, stopped},
    telemetry::Arrival,
    work::Work,
};
use futures_util::Stream;
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tonic::Status;
use vectordoc::{Error, Result, native::Subscription};

/// Tells the changes that the one request is about, as they happen.
pub(super) async fn follow(
    (call, arrival): (Call, Arc<Arrival>),
    requests: Requests,
) -> Result<impl Stream<Item = Result<Vec<u8>, Status>> + Send, Status> {
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
    read: Option<ChangesResponse>,
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
            let asked = request.clone();
            let job = move |session: &Session<'_>| rpc::answer(&asked, session, Ok);
            call.run(&arrival, Work::Compute, job).await?
        };
        let (changed, db) = (Arc::new(Notify::new()), request.db.clone());
        let (context, notified) = (Arc::clone(&call.context), Arc::clone(&changed));
        let subscribe = move || context.catalog.get(&db)?.on_change(move || notified.notify_one());
        let subscription = call.context.workers.run(Work::Compute, subscribe).await??;
        // Something may have changed between reading and subscribing.
        changed.notify_one();
        let stopping = call.context.phase.subscribe();
        let request = ChangesRequest { since: read.cursor.clone(), ..request };
        let has_more = read.has_more;
        let read = Some(read);
        Ok(Self { call, request, read, has_more, changed, _subscription: subscription, stopping })
    }

    /// What there is to tell, once there is something.
    async fn next(&mut self) -> Result<Vec<u8>> {
        let answer_bytes_max = self.call.context.limits.answer_bytes_max;
        loop {
            if let Some(read) = self.read.take() {
                return rpc::encode(&read, answer_bytes_max);
            }
            self.wait().await?;
            self.call.renew().await?;
            let read = read(&self.call, &self.request).await?;
            self.request.since.clone_from(&read.cursor);
            self.has_more = read.has_more;
            self.read = (!read.changes.is_empty()).then_some(read);
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
async fn read(call: &Call, request: &ChangesRequest) -> Result<ChangesResponse> {
    let (context, caller) = (Arc::clone(&call.context), Arc::clone(&call.caller));
    let request = request.clone();
    let job = move || rpc::news(&request, &caller, &context.catalog);
    call.context.workers.run(Work::Live, job).await?
}
