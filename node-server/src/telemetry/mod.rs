//! What operators see of a running server: counts, latencies, one span and one log line for every
//! request, and a warning for a slow one.
//!
//! A transport hooks in at one place. It takes an [`Arrival`] when a request has been read, and runs
//! the operation, the writing of its answer included, by [`Arrival::run`]; what it refuses without
//! running it tells by [`Arrival::refused`]. Everything else follows from that.
//!
//! **Invariant:** labels are bounded. Methods, transports and codes are those of this build, a
//! method that is not known is `unknown`, and databases are those there are. No key, vector or
//! document is ever logged.

mod arrival;
mod journal;
mod metrics;
mod probes;
mod process;
mod request_id;
mod scrape;
mod shape;
mod trace;

pub(crate) use arrival::{Arrival, Asked, about};
pub(crate) use journal::{Journal, Line};
pub(crate) use metrics::{Telemetry, Transport, UNKNOWN};
pub(crate) use probes::{is_probe, routes};
pub(crate) use request_id::{RequestId, identify};
