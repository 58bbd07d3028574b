//! The HTTP transport: `/v1/…`, errors as problem documents (RFC 9457).

mod bearer;
mod problem;

use crate::server::Context;
use axum::{Router, http::Uri};
use std::sync::Arc;
use vectordoc::Error;

pub(crate) use bearer::caller;
pub(crate) use problem::Problem;

/// The routes of this transport.
pub(crate) fn routes() -> Router<Arc<Context>> {
    Router::new().fallback(unknown)
}

async fn unknown(uri: Uri) -> Problem {
    Problem::from(Error::not_found(format!("there is nothing at {}", uri.path())))
}
