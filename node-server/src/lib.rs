//! The vectordoc service: databases on one port, over WebSocket, HTTP and gRPC, with nothing else to
//! install.
//!
//! Three ways in, by who owns the data:
//! - a program that has a [`Db`](vectordoc::Db) calls [`Serve::serve`] on it;
//! - a program that wants to serve a data directory opens a [`Catalog`] and starts a [`Server`];
//! - everyone else runs `vectordoc serve`.
//!
//! A request goes one way: through the `door` to the transport (`ws`, `http`, `grpc`), which reads
//! and bounds it and says by its key who asks; `operation` does what it asks on a database of the
//! [`Catalog`]; the transport writes the answer. Operations know no transport.
//! **Invariant:** no queue without a bound, no blocking call on the threads that do input and
//! output.

mod account;
pub mod bucket;
pub mod catalog;
pub mod cluster;
mod console;
mod disk;
mod door;
mod encoding;
mod fault;
mod folders;
mod grpc;
mod http;
pub mod keys;
mod limits;
mod line;
mod network;
mod operation;
mod options;
mod random;
mod server;
mod service;
mod signal;
mod telemetry;
pub mod tls;
mod work;
mod ws;

#[cfg(feature = "cli")]
pub mod cli;

pub use bucket::BucketOptions;
pub use catalog::{Catalog, Described, Name, Restore, Rests, Serverless, Serving, State};
pub use cluster::{ClusterKey, ClusterOptions};
pub use limits::Limits;
// What benchmarks of this crate run their clients on.
#[doc(hidden)]
pub use network::runtime as network_runtime;
pub use options::ServeOptions;
pub use server::Server;
pub use service::{Serve, Service};
pub use signal::stop_requested;
