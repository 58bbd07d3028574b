//! The counters of one server.

use super::request_id::RequestIds;
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};
use std::{
    fmt::{self, Write},
    time::Duration,
};
use tokio::sync::{Mutex, MutexGuard};
use vectordoc::{Error, Result};

/// Upper bounds of latency buckets, in seconds: from a search in memory to what only a large import
/// takes.
const LATENCY_BUCKETS: [f64; 16] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];
/// The method of requests that name none there is.
pub(crate) const UNKNOWN: &str = "unknown";
/// The code of what is no error.
const OK: &str = "ok";

/// How a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Transport {
    /// JSON-RPC in a WebSocket.
    WebSocket,
    /// HTTP.
    Http,
    /// gRPC.
    Grpc,
}

impl Transport {
    /// Its name in metrics and logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Http => "http",
            Self::Grpc => "grpc",
        }
    }
}

impl EncodeLabelValue for Transport {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(self.name())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    transport: Transport,
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabels {
    method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TransportLabels {
    transport: Transport,
}

/// What one server counts, and when a request is slow.
pub(crate) struct Telemetry {
    ids: RequestIds,
    slow_after: Option<Duration>,
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<MethodLabels, Histogram, fn() -> Histogram>,
    in_flight: Family<TransportLabels, Gauge>,
    slow: Family<MethodLabels, Counter>,
    connections: Gauge,
    unread: Gauge,
    refused: Family<ReasonLabels, Counter>,
    /// Held by whoever reads all of it.
    turn: Mutex<()>,
}

impl Telemetry {
    /// Nothing counted yet; a request that takes `slow_after` is slow, none without one.
    pub(crate) fn new(slow_after: Option<Duration>) -> Result<Self> {
        let requests = Family::default();
        let durations = Family::new_with_constructor(latencies as fn() -> Histogram);
        let (in_flight, slow) = (Family::default(), Family::default());
        let mut registry = Registry::with_prefix("vectordoc");
        registry.register(
            "requests",
            "Requests answered, by what they asked for and how they ended",
            Family::clone(&requests),
        );
        registry.register(
            "request_duration_seconds",
            "Time from a request's arrival to its answer being written",
            Family::clone(&durations),
        );
        registry.register(
            "requests_in_flight",
            "Requests that are not answered yet; a JSON-RPC batch counts once",
            Family::clone(&in_flight),
        );
        registry.register(
            "slow_requests",
            "Requests that took longer than log.slow_query",
            Family::clone(&slow),
        );
        let (connections, refused) = (Gauge::default(), Family::default());
        registry.register("connections", "Open connections", connections.clone());
        registry.register(
            "connections_refused",
            "Connections refused, by the limit that was reached",
            Family::clone(&refused),
        );
        let unread = Gauge::default();
        registry.register(
            "unread_bytes",
            "Bytes of answers that clients have not read yet",
            unread.clone(),
        );
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "What is running", version);
        let (ids, turn) = (RequestIds::new()?, Mutex::default());
        Ok(Self {
            ids,
            slow_after,
            registry,
            requests,
            durations,
            in_flight,
            slow,
            connections,
            unread,
            refused,
            turn,
        })
    }

    /// Counts a request that ended so, and was not [run](super::Arrival::run): it was refused, or is
    /// of a transport's own, such as `auth`. `method` is the name of what it asked for, or
    /// [`UNKNOWN`].
    pub(crate) fn count(
        &self,
        transport: Transport,
        method: &'static str,
        outcome: Result<(), &Error>,
    ) {
        let code = outcome.err().map_or(OK, |error| error.kind().code());
        self.requests.get_or_create(&RequestLabels { method, transport, code }).inc();
    }

    /// Counts a connection that was refused.
    pub(crate) fn turned_away(&self, reason: &'static str) {
        self.refused.get_or_create(&ReasonLabels { reason }).inc();
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The right to read all that is counted, which one at a time has.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    pub(super) fn connections_are(&self, open: usize) {
        self.connections.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    pub(super) fn unread_are(&self, bytes: usize) {
        self.unread.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    pub(super) fn ids(&self) -> &RequestIds {
        &self.ids
    }

    pub(super) fn slow_after(&self) -> Option<Duration> {
        self.slow_after
    }

    pub(super) fn took(&self, method: &'static str, time: Duration) {
        self.durations.get_or_create(&MethodLabels { method }).observe(time.as_secs_f64());
    }

    pub(super) fn was_slow(&self, method: &'static str) {
        self.slow.get_or_create(&MethodLabels { method }).inc();
    }

    pub(super) fn in_flight(&self, transport: Transport) -> Gauge {
        self.in_flight.get_or_create_owned(&TransportLabels { transport })
    }
}

fn latencies() -> Histogram {
    Histogram::new(LATENCY_BUCKETS)
}
