//! The call that takes a database out as an archive.

use super::{
    call::{Call, Requests, responses, said},
    messages::{SnapshotRequest, SnapshotResponse},
    params::Params,
    rpc::{self, Session},
    transfer::Transfer,
};
use crate::{
    catalog::OpenSnapshot,
    operation::{Answer, Method},
    server::Phase,
    telemetry::Arrival,
    work::Work,
};
use axum::body::Bytes;
use futures_util::Stream;
use std::sync::Arc;
use tonic::Status;
use vectordoc::{Error, Result};

const BEGIN: &str = "db.snapshot";
const READ: &str = "db.snapshot.read";

/// Tells the archive of the database that the one request names, piece by piece; the next is made
/// once the one before has left.
pub(super) async fn snapshot(
    (call, arrival): (Call, Arc<Arrival>),
    requests: Requests,
) -> Result<impl Stream<Item = Result<Bytes, Status>> + Send, Status> {
    let deadline = call.deadline;
    let pieces = deadline.meet(said(Pieces::begin(call, arrival, requests))).await?;
    Ok(responses(pieces, |mut pieces| async move {
        let deadline = pieces.call.deadline;
        let piece = deadline.meet(said(pieces.next())).await?;
        Ok(piece.map(|piece| (piece, pieces)))
    }))
}

/// An archive that is read.
struct Pieces {
    call: Call,
    transfer: Arc<Transfer<OpenSnapshot>>,
    /// Where the next piece begins.
    offset: u64,
    has_more: bool,
}

impl Pieces {
    async fn begin(call: Call, arrival: Arc<Arrival>, requests: Requests) -> Result<Self> {
        let request = call.only(requests).await;
        let request = request.inspect_err(|error| arrival.refused(BEGIN, error))?;
        let context = Arc::clone(&call.context);
        let begin = move |session: &Session<'_>| {
            let (db, token) = begin(&request, session)?;
            Ok(Transfer { context, table: |transfers| &transfers.snapshots, db, token })
        };
        let transfer = Arc::new(call.run(&arrival, Work::Commit, begin).await?);
        Ok(Self { call, transfer, offset: 0, has_more: true })
    }

    /// The next piece, if there is one.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if !self.has_more {
            return Ok(None);
        }
        if *self.call.context.phase.borrow() != Phase::Serving {
            return Err(Error::unavailable("the server is shutting down; begin anew later"));
        }
        self.call.renew().await?;
        let (transfer, offset) = (Arc::clone(&self.transfer), self.offset);
        let account = Arc::clone(&self.call.account);
        let read = move |session: &Session<'_>| {
            let (piece, offset, has_more) = read(&transfer, offset, session)?;
            Ok((account.hold(piece), offset, has_more))
        };
        let arrival = self.call.arrival();
        let (piece, offset, has_more) = self.call.run(&arrival, Work::Commit, read).await?;
        (self.offset, self.has_more) = (offset, has_more);
        Ok(Some(piece))
    }
}

/// The name of the database, and that of its open snapshot.
fn begin(request: &[u8], session: &Session<'_>) -> Result<(String, String)> {
    let SnapshotRequest { db } = session.read(BEGIN, rpc::read(request))?;
    let mut params = Params::new();
    params.text("db", &db);
    let token = session.run(Method::named(BEGIN)?, &params.finish(), |answer| match answer {
        Answer::Snapshot { snapshot } => Ok(snapshot),
        _ => Err(rpc::answered_otherwise(BEGIN)),
    })?;
    Ok((db, token))
}

/// The message of the piece at `offset`, where the next one begins, and whether there is one.
fn read(
    transfer: &Transfer<OpenSnapshot>,
    offset: u64,
    session: &Session<'_>,
) -> Result<(Vec<u8>, u64, bool)> {
    let mut params = Params::new();
    params.text("db", &transfer.db);
    params.text("snapshot", &transfer.token);
    params.give("offset").uint(offset);
    session.run(Method::named(READ)?, &params.finish(), |answer| match answer {
        Answer::Piece { bytes, offset, done, total, has_more } => {
            let piece = SnapshotResponse { bytes: bytes.0, done, total };
            Ok((rpc::encode(&piece, usize::MAX)?, offset, has_more))
        }
        _ => Err(rpc::answered_otherwise(READ)),
    })
}
