//! The call that writes batch after batch, and acknowledges each.

use super::{
    call::{Call, Requests, responses},
    messages::{self as proto, IndexRequest},
    rpc::{self, Ask, Session},
    status,
};
use crate::{
    server::{Phase, stopped},
    work::Work,
};
use axum::body::Bytes;
use futures_util::Stream;
use tokio::sync::watch;
use tonic::Status;
use vectordoc::{Error, Result};

/// Writes the batches in `requests`. Batches keep their order, so there is one at work at a time;
/// the next is read once the acknowledgement of the one before has left, so a client that does not
/// read stops itself.
pub(super) fn acknowledge(
    call: Call,
    requests: Requests,
) -> Result<impl Stream<Item = Result<Bytes, Status>> + Send, Status> {
    let stopping = call.context.phase.subscribe();
    let batches =
        Batches { call, requests, stopping, target: Target::default(), number: 0, total: 0 };
    Ok(responses(batches, |mut batches| async move {
        let deadline = batches.call.deadline;
        let acknowledged = deadline.meet(batches.next()).await?;
        Ok(acknowledged.map(|acknowledgement| (acknowledgement, batches)))
    }))
}

/// A stream of batches.
struct Batches {
    call: Call,
    requests: Requests,
    stopping: watch::Receiver<Phase>,
    /// Of the batch before.
    target: Target,
    /// Of the next batch.
    number: u64,
    /// Documents written so far.
    total: u64,
}

/// What a batch need not repeat.
#[derive(Clone, Default)]
struct Target {
    db: String,
    durability: i32,
}

impl Batches {
    /// Writes the next batch, if there is one; the acknowledgement.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Status> {
        let number = self.number;
        let written = match self.read().await {
            Ok(Some(request)) => self.write(request).await.map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        written.map_err(|error| status::of_batch(&error, number))
    }

    async fn read(&mut self) -> Result<Option<Bytes>> {
        tokio::select! {
            biased;
            () = stopped(&mut self.stopping) => Err(Error::unavailable(
                "the server is shutting down; connect again later and go on with this batch",
            )),
            request = self.call.next(&mut self.requests) => request,
        }
    }

    async fn write(&mut self, request: Bytes) -> Result<Vec<u8>> {
        self.call.renew().await?;
        let before = self.target.clone();
        let job = move |session: &Session<'_>| write(&request, before, session);
        let arrival = self.call.arrival();
        let (target, written) = self.call.run(&arrival, Work::Commit, job).await?;
        self.total += written.indexed;
        let acknowledgement = proto::IndexStreamResponse {
            batch: self.number,
            indexed: written.indexed,
            total: self.total,
            durability: written.durability,
        };
        self.number += 1;
        self.target = target;
        rpc::encode(&acknowledgement, usize::MAX)
    }
}

/// Writes the batch in `request`, to the target of the one before unless it has its own.
fn write(
    request: &[u8],
    before: Target,
    session: &Session<'_>,
) -> Result<(Target, proto::IndexResponse)> {
    let proto::IndexStreamRequest { db, docs, durability } =
        session.read(IndexRequest::METHOD, rpc::read(request))?;
    let db = if db.is_empty() { before.db } else { db };
    let durability = if durability == 0 { before.durability } else { durability };
    let request = IndexRequest { db, docs, if_version: None, durability };
    let written = rpc::answer(&request, session, Ok)?;
    Ok((Target { db: request.db, durability }, written))
}
