//! The call that makes a database of an archive.

use super::{
    call::{Call, Requests, said},
    database::described,
    messages::RestoreRequest,
    params::Params,
    rpc::{self, Session},
    transfer::Transfer,
};
use crate::{
    catalog::OpenRestore,
    limits::TRANSFER_IDLE_MAX,
    operation::{Answer, Method},
    server::{Context, stopped},
    work::Work,
};
use axum::body::Bytes;
use futures_util::{Stream, stream};
use std::{future::ready, sync::Arc};
use tokio::time::timeout;
use tonic::Status;
use vectordoc::{Error, Result};

const BEGIN: &str = "db.restore";
const WRITE: &str = "db.restore.write";
const FINISH: &str = "db.restore.finish";

/// Makes a database of the archive in `requests`. Whatever ends it before, nothing is left.
pub(super) async fn restore(
    call: Call,
    requests: Requests,
) -> Result<impl Stream<Item = Result<Bytes, Status>> + Send, Status> {
    let deadline = call.deadline;
    let restored = deadline.meet(said(take(call, requests))).await?;
    Ok(stream::once(ready(Ok(restored.into()))))
}

/// A restore of which so many bytes are there.
struct Taken {
    transfer: Arc<Transfer<OpenRestore>>,
    offset: u64,
}

async fn take(mut call: Call, mut requests: Requests) -> Result<Vec<u8>> {
    let mut taken: Option<Taken> = None;
    while let Some(request) = next(&call, &mut requests).await? {
        call.renew().await?;
        let (context, before) = (Arc::clone(&call.context), taken);
        let job = move |session: &Session<'_>| write(context, before, &request, session);
        taken = Some(call.run(&call.arrival(), Work::Commit, job).await?);
    }
    let arrival = call.arrival();
    let Some(taken) = taken else {
        let nothing = Error::invalid("there is no message; the first one has the name, `db`");
        arrival.refused(BEGIN, &nothing);
        return Err(nothing);
    };
    let finish = move |session: &Session<'_>| {
        session.run(Method::named(FINISH)?, &named(&taken.transfer).finish(), |answer| {
            let database = described(answer).ok_or_else(|| rpc::answered_otherwise(FINISH))?;
            rpc::encode(&database, usize::MAX)
        })
    };
    call.run(&arrival, Work::Commit, finish).await
}

/// The next piece, unless it does not come in time.
async fn next(call: &Call, requests: &mut Requests) -> Result<Option<Bytes>> {
    let mut phase = call.context.phase.subscribe();
    tokio::select! {
        biased;
        () = stopped(&mut phase) => Err(Error::unavailable(
            "the server is shutting down; nothing is left of this restore, begin anew later",
        )),
        piece = timeout(TRANSFER_IDLE_MAX, call.next(requests)) => piece.unwrap_or_else(|_| {
            Err(Error::unavailable(format!(
                "no piece came for {} seconds; nothing is left of this restore, begin anew",
                TRANSFER_IDLE_MAX.as_secs()
            )))
        }),
    }
}

/// Takes the piece in `request`; the first one begins the restore.
fn write(
    context: Arc<Context>,
    before: Option<Taken>,
    request: &[u8],
    session: &Session<'_>,
) -> Result<Taken> {
    let request: RestoreRequest = session.read(WRITE, rpc::read(request))?;
    let Taken { transfer, offset } = match before {
        Some(taken) => session.read(WRITE, same(taken, &request.db))?,
        None => begin(context, request.db, session)?,
    };
    let mut params = named(&transfer);
    params.give("offset").uint(offset);
    params.give("bytes").bytes(&request.bytes);
    let offset = session.run(Method::named(WRITE)?, &params.finish(), |answer| match answer {
        Answer::Taken { offset, .. } => Ok(offset),
        _ => Err(rpc::answered_otherwise(WRITE)),
    })?;
    Ok(Taken { transfer, offset })
}

/// What was taken, unless a piece is for another database.
fn same(taken: Taken, db: &str) -> Result<Taken> {
    if db.is_empty() || db == taken.transfer.db {
        return Ok(taken);
    }
    let begun = &taken.transfer.db;
    Err(Error::invalid(format!("the restore of {begun:?} goes on with {db:?}; one call each")))
}

fn begin(context: Arc<Context>, db: String, session: &Session<'_>) -> Result<Taken> {
    let mut params = Params::new();
    params.text("db", &db);
    let token = session.run(Method::named(BEGIN)?, &params.finish(), |answer| match answer {
        Answer::Restore { restore, .. } => Ok(restore),
        _ => Err(rpc::answered_otherwise(BEGIN)),
    })?;
    let transfer = Transfer { context, table: |transfers| &transfers.restores, db, token };
    Ok(Taken { transfer: Arc::new(transfer), offset: 0 })
}

/// The parameters that name a restore.
fn named(transfer: &Transfer<OpenRestore>) -> Params {
    let mut params = Params::new();
    params.text("db", &transfer.db);
    params.text("restore", &transfer.token);
    params
}
