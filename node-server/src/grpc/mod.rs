//! The gRPC transport: the service `vectordoc.v1.VectorDoc` of `proto/`, health and reflection, on
//! the port of everything else.
//!
//! A message becomes the parameters of an operation and its answer a message, both on the threads
//! where operations run (`rpc` is the table; `params` and `value` write what operations read). What
//! has many messages has a file of its own: `index_stream`, `follow`, `snapshot`, `restore`; `stream`
//! lists them. gRPC itself is tonic's.
//!
//! Everything that waits is bounded: a call is a stream of its HTTP/2 connection, which has no more
//! of them than limits allow, and a call has one message at work.

mod call;
mod cluster;
mod codec;
mod database;
mod deadline;
mod follow;
mod health;
mod index_stream;
#[path = "generated/messages.rs"]
#[rustfmt::skip]
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod messages;
mod params;
mod reading;
mod reflection;
mod refusal;
mod restore;
mod rpc;
mod search;
mod snapshot;
mod status;
mod stream;
mod transfer;
mod value;
mod writing;

use crate::server::Context;
use axum::{Router, routing::post};
use std::sync::Arc;

pub(crate) use refusal::say;
pub(crate) use stream::may_pause;

/// The name of the service.
const SERVICE: &str = "vectordoc.v1.VectorDoc";

/// The routes of this transport.
pub(crate) fn routes(context: &Arc<Context>) -> Router<Arc<Context>> {
    Router::new()
        .route(&format!("/{SERVICE}/{{rpc}}"), post(call::answer))
        .route_service("/grpc.health.v1.Health/{rpc}", health::service(context))
        .merge(reflection::routes(context))
}
