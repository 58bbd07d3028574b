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

use crate::{encoding::Encoding, operation::Answer, server::Context, work::Work};
use axum::{
    Router,
    extract::{RawPathParams, Request, State, rejection::RawPathParamsRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{MethodFilter, get, on},
};
use body::Content;
use condition::{Condition, etag};
use request::{Asked, Place};
use route::{ROUTES, Route};
use std::sync::Arc;
use tower_http::{compression::CompressionLayer, decompression::RequestDecompressionLayer};
use vectordoc::{Error, Result};

pub(crate) use bearer::caller;
pub(crate) use problem::Problem;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const CBOR: HeaderValue = HeaderValue::from_static("application/cbor");
const LINES: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// What answers to HTTP.
pub(crate) fn routes() -> Router<Arc<Context>> {
    let mut router = Router::new();
    for route in &ROUTES {
        let verb = MethodFilter::try_from(route.verb.clone()).expect("a verb that HTTP has");
        router = router.route(
            route.path,
            on(verb, move |context, place, request| serve(route, context, place, request)),
        );
    }
    router
        .layer(RequestDecompressionLayer::new())
        .layer(CompressionLayer::new())
        .route("/openapi.json", get(openapi::answer))
        .method_not_allowed_fallback(not_allowed)
        .fallback(unknown)
}

async fn unknown(uri: Uri) -> Problem {
    Problem::from(Error::not_found(format!("there is nothing at {}", uri.path())))
}

async fn not_allowed(verb: axum::http::Method, uri: Uri) -> Problem {
    let message = format!("{verb} is nothing that {} answers to", uri.path());
    Problem::with_status(StatusCode::METHOD_NOT_ALLOWED, Error::invalid(message))
}

async fn serve(
    route: &'static Route,
    State(context): State<Arc<Context>>,
    place: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
) -> Response {
    let answered = match place {
        Ok(params) => answer(route, context, Place::of(&params), request).await,
        Err(error) => Err(Problem::from(Error::invalid(error.body_text()))),
    };
    answered.unwrap_or_else(Problem::into_response)
}

/// Answers a request.
async fn answer(
    route: &'static Route,
    context: Arc<Context>,
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
    let body = if route.has_body() {
        match Content::of(&parts.headers)? {
            Content::Lines if route.takes_lines() => {
                let stream = lines::Stream { caller, place, headers: parts.headers, body };
                return lines::index(context, query_text, stream).await;
            }
            Content::Lines => return Err(body::lines_elsewhere()),
            Content::Object(encoding) => {
                let bytes = body::collect(body, &context.limits).await?;
                (!bytes.is_empty()).then_some((encoding, bytes))
            }
        }
    } else {
        None
    };
    let by_query: Vec<_> = route.free_params().filter(|_| !route.has_body()).collect();
    let query = request::query(query_text, &by_query)?;
    let asked = Asked { route, place, query, condition, body };
    let work = route.method().work;
    let bytes_max = context.limits.answer_bytes_max;
    let job = {
        let context = Arc::clone(&context);
        move || {
            let answer = asked.run(&caller, &context.catalog)?;
            Written::of(&answer, wanted, work, bytes_max)
        }
    };
    match context.workers.run(work, job).await? {
        Ok(written) => Ok(written.into_response(condition)),
        Err(error) => Err(condition.refusal(error)),
    }
}

/// An answer as it goes over the wire.
struct Written {
    encoding: Encoding,
    bytes: Vec<u8>,
    version: Option<u64>,
}

impl Written {
    /// Writes `answer`; that of a write is never refused for its length, as the write is done.
    fn of(answer: &Answer, encoding: Encoding, work: Work, bytes_max: usize) -> Result<Self> {
        let bytes_max = if work == Work::Commit { usize::MAX } else { bytes_max };
        Ok(Self { encoding, bytes: encoding.write(answer, bytes_max)?, version: answer.version() })
    }

    fn into_response(self, condition: Condition) -> Response {
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
        (headers, self.bytes).into_response()
    }
}
