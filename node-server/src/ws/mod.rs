//! The WebSocket transport: `/v1/ws`, JSON-RPC 2.0, as JSON in text frames or as CBOR in binary
//! frames. The sub-protocol says which.
//!
//! One connection is three parts. The `handshake` decides who may connect. The `guard` stands
//! between socket and protocol and swallows messages that are too long. The `connection` reads
//! requests, has them run, and ends; its `outbox` writes what there is to say, in one order.
//! `rpc` is the language, and knows neither sockets nor databases.
//!
//! Everything that waits is bounded: a request holds one of the connection's slots from the moment
//! it is read until its answer has left.

mod connection;
mod guard;
mod handshake;
mod outbox;
mod reply;
mod rpc;

pub(crate) use connection::serve;
pub(crate) use handshake::Doorkeeper;
