//! Operations over HTTP: which request asks for which, in which encoding, on which condition.
//!
//! A request comes in by [`routes`]; `route` names its operation, `request` makes the input of path,
//! query string, headers and body, and the answer leaves as JSON, as CBOR, or, for an error, as a
//! problem document (RFC 9457). `lines` takes documents as they come. `openapi` describes all of it
//! from the same tables.

mod bearer;
mod body;
mod condition;
mod lines;
mod openapi;
mod problem;
mod request;
mod route;

use crate::{
    account::Account,
    door::{Peer, Pieces},
    encoding::Encoding,
    keys::Caller,
    operation::Answer,
    server::Context,
    telemetry::{Arrival, Asked as Called, RequestId, Transport},
    work::Work,
};
use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{RawPathParams, Request, State, rejection::RawPathParamsRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{MethodFilter, get, on},
};
use body::Content;
use condition::{Condition, etag};
use http_body_util::Full;
use request::{Asked, Place};
use route::{ROUTES, Route};
use std::sync::Arc;
use tower_http::{compression::CompressionLayer, decompression::RequestDecompressionLayer};
use vectordoc::{Error, Result};

pub(crate) use bearer::caller;
pub(crate) use problem::{Problem, Refused};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const CBOR: HeaderValue = HeaderValue::from_static("application/cbor");
const LINES: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// What answers to HTTP.
pub(crate) fn routes() -> Router<Arc<Context>> {
    let mut router = Router::new();
    for route in ROUTES {
        let verb = MethodFilter::try_from(route.verb.clone()).expect("a verb that HTTP has");
        router = router.route(
            route.path,
            on(verb, move |context, id, peer, place, request| {
                serve(route, context, id, peer, place, request)
            }),
        );
    }
    router
        .layer(RequestDecompressionLayer::new())
        .layer(CompressionLayer::new())
        .route("/openapi.json", get(openapi::answer))
        .method_not_allowed_fallback(not_allowed)
        .fallback(unknown)
}

/// What is said where nothing is.
pub(crate) async fn unknown(uri: Uri) -> Problem {
    Problem::from(Error::not_found(format!("there is nothing at {}", uri.path())))
}

/// What is said to a verb that a path does not answer to.
pub(crate) async fn not_allowed(verb: axum::http::Method, uri: Uri) -> Problem {
    let message = format!("{verb} is nothing that {} answers to", uri.path());
    Problem::with_status(StatusCode::METHOD_NOT_ALLOWED, Error::invalid(message))
}

async fn serve(
    route: &'static Route,
    State(context): State<Arc<Context>>,
    Extension(id): Extension<RequestId>,
    Extension(peer): Extension<Peer>,
    place: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
) -> Response {
    let arrival = Arc::new(context.telemetry.arrival(Transport::Http, id.clone()));
    let answered = match place {
        Ok(params) => {
            let asker = Asker { arrival: &arrival, id, account: peer.account };
            answer(route, context, asker, Place::of(&params), request).await
        }
        Err(error) => Err(Problem::from(Error::invalid(error.body_text()))),
    };
    answered.unwrap_or_else(|problem| {
        arrival.refused(route.method().name, problem.error());
        problem.into_response()
    })
}

/// Where a request came from.
struct Asker<'a> {
    arrival: &'a Arc<Arrival>,
    id: RequestId,
    /// What its connection has of the server.
    account: Arc<Account>,
}

/// Answers a request; a problem is of one that was not run.
async fn answer(
    route: &'static Route,
    context: Arc<Context>,
    asker: Asker<'_>,
    place: Place,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = caller(&context.keyring, &parts.headers).await?;
    // Before anything of a stranger's is read.
    caller.check(route.method().role, place.db.as_deref())?;
    let wanted = body::wanted(&parts.headers);
    let condition = Condition::of(&parts.headers)?;
    let query_text = parts.uri.query().unwrap_or_default();
    let content = if route.has_body() { Some(Content::of(&parts.headers)?) } else { None };
    let body = match content {
        Some(Content::Lines) if route.takes_lines() => {
            condition.expect_none()?;
            let headers = parts.headers;
            let account = asker.account;
            let stream = lines::Stream { caller, id: asker.id, account, place, headers, body };
            return lines::index(context, query_text, stream).await;
        }
        Some(Content::Lines) => return Err(body::lines_elsewhere()),
        Some(Content::Object(encoding)) => {
            let bytes = body::collect(body, &context.limits).await?;
            (!bytes.is_empty()).then_some((encoding, bytes))
        }
        None => None,
    };
    let by_query: Vec<_> = route.free_params().filter(|_| !route.has_body()).collect();
    let query = request::query(query_text, &by_query)?;
    let asked = Asked { route, place, query, condition, body };
    Ok(run(asked, caller, context, asker, wanted).await)
}

/// Runs what is asked where operations run, and writes the answer as it is `wanted`.
async fn run(
    asked: Asked,
    caller: Caller,
    context: Arc<Context>,
    asker: Asker<'_>,
    wanted: Encoding,
) -> Response {
    let (method, condition) = (asked.route.method(), asked.condition);
    let bytes_max = context.limits.answer_bytes_max;
    let Asker { arrival, account, .. } = asker;
    let work = asked.work(&context.catalog);
    let job = {
        let (context, arrival) = (Arc::clone(&context), Arc::clone(arrival));
        let account = Arc::clone(&account);
        move || {
            let (params, caller) = (asked.object(), &caller);
            arrival.run(&Called { method, params, caller, rpc_id: None }, || {
                let answer = asked.run(caller, &context.catalog)?;
                Written::of(&answer, wanted, method.work, bytes_max, &account)
            })
        }
    };
    let answered = context.workers.run(&account, work, job).await;
    match answered.and_then(|answered| answered) {
        Ok(written) => written.into_response(condition, account),
        Err(error) => condition.refusal(error).into_response(),
    }
}

/// An answer as it goes over the wire.
struct Written {
    encoding: Encoding,
    bytes: Bytes,
    version: Option<u64>,
}

impl Written {
    /// Writes `answer`; that of a write is never refused for its length, as the write is done.
    fn of(
        answer: &Answer,
        encoding: Encoding,
        work: Work,
        bytes_max: usize,
        account: &Arc<Account>,
    ) -> Result<Self> {
        let is_done = work == Work::Commit;
        let bytes = encoding.write(answer, if is_done { usize::MAX } else { bytes_max })?;
        if !is_done {
            account.check(bytes.len())?;
        }
        Ok(Self { encoding, bytes: account.hold(bytes), version: answer.version() })
    }

    fn into_response(self, condition: Condition, account: Arc<Account>) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        if let Some(version) = self.version {
            headers.insert(header::ETAG, etag(version));
            if condition.known == Some(version) {
                return (StatusCode::NOT_MODIFIED, headers).into_response();
            }
        }
        let content_type = match self.encoding {
            Encoding::Json => JSON,
            Encoding::Cbor => CBOR,
        };
        headers.insert(header::CONTENT_TYPE, content_type);
        (headers, Body::new(Pieces::new(Full::new(self.bytes), account))).into_response()
    }
}
