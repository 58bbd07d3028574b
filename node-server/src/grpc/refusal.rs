//! What refuses requests of every transport, said as gRPC says it.

use super::{call::is_grpc, status};
use crate::http::Refused;
use axum::{extract::Request, middleware::Next, response::Response};
use vectordoc::{Error, ErrorKind};

/// Hands a request on; a client of gRPC that gets a problem document for an answer could not read
/// it, and gets the status that says the same.
pub(crate) async fn say(request: Request, next: Next) -> Response {
    let is_grpc = is_grpc(request.headers());
    let response = next.run(request).await;
    match response.extensions().get::<Refused>() {
        Some(Refused(error)) if is_grpc => status::of(&of_call(error)).into_http(),
        _ => response,
    }
}

/// Where HTTP finds nothing there is no such call.
fn of_call(error: &Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::unsupported(error.message()),
        _ => error.clone(),
    }
}
