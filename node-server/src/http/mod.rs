//! What HTTP has of its own: errors as problem documents (RFC 9457), keys in a header, and an answer
//! for paths where there is nothing. Operations are not served by HTTP yet.

mod bearer;
mod problem;

use crate::server::Context;
use axum::{Router, http::Uri};
use std::sync::Arc;
use vectordoc::Error;

pub(crate) use bearer::caller;
pub(crate) use problem::Problem;

/// What answers where nothing else does.
pub(crate) fn routes() -> Router<Arc<Context>> {
    Router::new().fallback(unknown)
}

async fn unknown(uri: Uri) -> Problem {
    Problem::from(Error::not_found(format!("there is nothing at {}", uri.path())))
}
