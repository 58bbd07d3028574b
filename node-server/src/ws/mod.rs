//! The WebSocket transport: `/v1/ws`, JSON-RPC 2.0, as JSON in text frames or as CBOR in binary
//! frames. The sub-protocol says which.
//!
//! One connection is three parts. The `upgrade` turns a request into a WebSocket. The `guard` stands
//! between socket and protocol and swallows messages that are too long. The `connection` reads
//! requests, has them run, and ends; its `outbox` writes what there is to say, in one order.
//! `rpc` is the language, and knows neither sockets nor databases. `subscriptions` are tasks beside
//! it, each with one notification on its way at most.
//!
//! Everything that waits is bounded: a request holds one of the connection's slots from the moment
//! it is read until its answer has left.

mod connection;
mod guard;
mod outbox;
mod reply;
mod rpc;
mod subscriptions;
mod upgrade;

use crate::server::Context;
use axum::{Router, routing::any};
use std::sync::Arc;

/// The routes of this transport.
pub(crate) fn routes() -> Router<Arc<Context>> {
    Router::new().route(upgrade::PATH, any(upgrade::upgrade))
}
