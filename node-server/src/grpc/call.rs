//! From an HTTP request to the call that it is.

use super::{
    codec::Opaque,
    deadline::Deadline,
    follow::follow,
    index_stream::acknowledge,
    restore::restore,
    rpc::{Rpc, Session},
    snapshot::snapshot,
    status,
    stream::Streamed,
};
use crate::{
    account::Account,
    door::{Peer, Pieces},
    encoding::Raw,
    http::caller,
    keys::Caller,
    limits::BRIEF_BYTES_MAX,
    operation::Method,
    server::Context,
    telemetry::{Arrival, RequestId, Transport, UNKNOWN},
    work::Work,
};
use axum::{
    Extension,
    body::{Body, Bytes, HttpBody},
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{Stream, stream};
use http_body_util::BodyExt;
use std::{
    future::{Future, ready},
    sync::Arc,
};
use tokio::time::timeout;
use tonic::{Status, Streaming, server::Grpc};
use tower::service_fn;
use vectordoc::{Error, Result};

/// The requests of one call.
pub(super) type Requests = Streaming<Bytes>;

/// What all calls have: who asks, of which server, and how long there is time.
#[derive(Clone)]
pub(super) struct Call {
    /// The server.
    pub(super) context: Arc<Context>,
    /// Who asks.
    pub(super) caller: Arc<Caller>,
    /// What the connection has of the server.
    pub(super) account: Arc<Account>,
    /// When it is too late.
    pub(super) deadline: Deadline,
    id: RequestId,
}

/// What a call is.
enum Asked {
    One(&'static Rpc),
    Stream(Streamed),
}

impl Asked {
    fn named(name: &str) -> Result<Self> {
        match Streamed::named(name) {
            Some(stream) => Ok(Self::Stream(stream)),
            None => Rpc::named(name).map(Self::One),
        }
    }

    /// The operation that it is, or that it begins with.
    fn method(&self) -> &'static str {
        match self {
            Self::One(rpc) => rpc.method_name(),
            Self::Stream(stream) => stream.method_name(),
        }
    }
}

/// Answers the call `rpc` of the service.
pub(super) async fn answer(
    State(context): State<Arc<Context>>,
    Extension(id): Extension<RequestId>,
    Extension(peer): Extension<Peer>,
    Path(rpc): Path<String>,
    request: Request,
) -> Response {
    if !is_grpc(request.headers()) {
        let said = "here gRPC is spoken, whose content-type is application/grpc";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, said).into_response();
    }
    let arrival = context.telemetry.arrival(Transport::Grpc, id.clone());
    let (asked, caller) = match begin(&context, &arrival, &rpc, request.headers()).await {
        Ok(begun) => begun,
        Err(error) => return status::of(&error).into_http(),
    };
    let deadline = Deadline::of(request.headers());
    let bytes_max = context.limits.message_bytes_max;
    let account = Arc::clone(&peer.account);
    let call = Call { context, caller: Arc::new(caller), account: peer.account, deadline, id };
    let arrival = Arc::new(arrival);
    let call = || (call.clone(), Arc::clone(&arrival));
    let one = |(call, arrival): (Call, _), rpc, requests| call.answer(arrival, rpc, requests);
    let response = match asked {
        Asked::One(rpc) => run(request, bytes_max, |requests| one(call(), rpc, requests)).await,
        Asked::Stream(Streamed::Index) => {
            run(request, bytes_max, |requests| ready(acknowledge(call().0, requests))).await
        }
        Asked::Stream(Streamed::Follow) => {
            run(request, bytes_max, |requests| follow(call(), requests)).await
        }
        Asked::Stream(Streamed::Snapshot) => {
            run(request, bytes_max, |requests| snapshot(call(), requests)).await
        }
        Asked::Stream(Streamed::Restore) => {
            run(request, bytes_max, |requests| restore(call().0, requests)).await
        }
    };
    response.map(|body| Body::new(counted(body, account)))
}

/// The same body, counted as unread while it waits to be sent.
fn counted(body: Body, account: Arc<Account>) -> impl HttpBody<Data = Bytes, Error = axum::Error> {
    let holder = Arc::clone(&account);
    let held = body.map_frame(move |frame| frame.map_data(|bytes| holder.hold_shared(bytes)));
    Pieces::new(held, account)
}

/// What is asked, by whom. Refuses, and counts, who may not do this on any database, before anything
/// of theirs is read.
async fn begin(
    context: &Context,
    arrival: &Arrival,
    rpc: &str,
    headers: &HeaderMap,
) -> Result<(Asked, Caller)> {
    let asked = Asked::named(rpc).inspect_err(|error| arrival.refused(UNKNOWN, error))?;
    let admitted = async {
        let caller = caller(&context.keyring, headers).await?;
        caller.check(Method::named(asked.method())?.role, None)?;
        Ok(caller)
    };
    let admitted = admitted.await.inspect_err(|error| arrival.refused(asked.method(), error));
    Ok((asked, admitted?))
}

/// Whether a request with these headers is one of gRPC.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let rest = kind.and_then(|kind| kind.strip_prefix("application/grpc"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}

/// Answers the requests in `request` with the messages that `respond` makes of them.
async fn run<R, S>(
    request: Request,
    message_bytes_max: usize,
    mut respond: impl FnMut(Requests) -> R + Send,
) -> Response
where
    R: Future<Output = Result<S, Status>>,
    S: Stream<Item = Result<Bytes, Status>> + Send + 'static,
{
    let service = service_fn(|request: tonic::Request<Requests>| {
        let responses = respond(request.into_inner());
        async { responses.await.map(tonic::Response::new) }
    });
    let mut grpc = Grpc::new(Opaque).max_decoding_message_size(message_bytes_max);
    grpc.streaming(service, request).await.map(Body::new)
}

impl Call {
    /// Answers the one request there is.
    async fn answer(
        self,
        arrival: Arc<Arrival>,
        rpc: &'static Rpc,
        requests: Requests,
    ) -> Result<impl Stream<Item = Result<Bytes, Status>> + Send + use<>, Status> {
        let account = Arc::clone(&self.account);
        let answered = async {
            let method = rpc.method()?;
            let refused = |error: &Error| arrival.refused(method.name, error);
            let request = self.only(requests).await.inspect_err(refused)?;
            if request.len() > BRIEF_BYTES_MAX {
                let job = move |session: &Session<'_>| {
                    let params = session.read(method.name, rpc.params(&request))?;
                    rpc.run(method, &params, session).map(|bytes| account.hold(bytes))
                };
                return self.run(&arrival, method.work, job).await;
            }
            let params = rpc.params(&request).inspect_err(refused)?;
            let work = method.work_with(Some(Raw::Cbor(&params)), &self.context.catalog);
            let job = move |session: &Session<'_>| {
                rpc.run(method, &params, session).map(|bytes| account.hold(bytes))
            };
            self.run(&arrival, work, job).await
        };
        let answered = self.deadline.meet(said(answered)).await;
        if answered.is_err() && self.deadline.is_over() && !arrival.was_run() {
            arrival.refused(rpc.method_name(), &Error::unavailable("it was too late to run it"));
        }
        Ok(stream::once(ready(Ok(answered?))))
    }

    /// A message of a stream that has been read.
    pub(super) fn arrival(&self) -> Arc<Arrival> {
        Arc::new(self.context.telemetry.arrival(Transport::Grpc, self.id.clone()))
    }

    /// The one request there is.
    pub(super) async fn only(&self, mut requests: Requests) -> Result<Bytes> {
        let patience = self.context.limits.write_timeout;
        let reading = timeout(patience, async {
            let request = self.next(&mut requests).await?;
            let request = request.ok_or_else(|| Error::invalid("there is no message"))?;
            match self.next(&mut requests).await? {
                None => Ok(request),
                Some(_) => Err(Error::invalid("there is more than one message; send one")),
            }
        });
        reading.await.unwrap_or_else(|_| {
            Err(Error::unavailable(format!("the message did not come within {patience:?}")))
        })
    }

    /// The next request, if there is one.
    pub(super) async fn next(&self, requests: &mut Requests) -> Result<Option<Bytes>> {
        let bytes_max = self.context.limits.message_bytes_max;
        requests.message().await.map_err(|status| status::reading(&status, bytes_max))
    }

    /// Runs `job`, which blocks, for a message that `arrival` is.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        arrival: &Arc<Arrival>,
        work: Work,
        job: impl FnOnce(&Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (context, caller) = (Arc::clone(&self.context), Arc::clone(&self.caller));
        let (account, arrival) = (Arc::clone(&self.account), Arc::clone(arrival));
        let job = move || {
            let answer_bytes_max = context.limits.answer_bytes_max;
            let (caller, account, catalog) = (&*caller, &*account, &context.catalog);
            job(&Session { caller, account, catalog, arrival: &arrival, answer_bytes_max })
        };
        self.context.workers.run(&self.account, work, job).await?
    }

    /// Refuses to go on with a key that was revoked since.
    pub(super) async fn renew(&mut self) -> Result<()> {
        let caller = self.context.keyring.renew(&self.caller).await?;
        if caller != *self.caller {
            self.caller = Arc::new(caller);
        }
        Ok(())
    }
}

/// What `work` comes to, errors as statuses.
pub(super) async fn said<T>(work: impl Future<Output = Result<T>>) -> Result<T, Status> {
    work.await.map_err(|error| status::of(&error))
}

/// What `next` makes of `state` time after time, until there is nothing more or an error.
pub(super) fn responses<T, F, B>(
    state: T,
    next: impl Fn(T) -> F + Copy + Send + 'static,
) -> impl Stream<Item = Result<Bytes, Status>> + Send
where
    T: Send + 'static,
    B: Into<Bytes>,
    F: Future<Output = Result<Option<(B, T)>, Status>> + Send,
{
    stream::unfold(Some(state), move |state| async move {
        match next(state?).await {
            Ok(Some((response, state))) => Some((Ok(response.into()), Some(state))),
            Ok(None) => None,
            Err(status) => Some((Err(status), None)),
        }
    })
}
