//! One request, from its arrival to its answer.

use super::{RequestId, Telemetry, Transport, shape::Shape, trace::Trace};
use crate::{Name, encoding::Raw, keys::Caller, operation::Method};
use prometheus_client::metrics::gauge::Gauge;
use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use tracing::{Span, field::Empty};
use vectordoc::{Error, ErrorKind, Result, Value};

/// Characters of an id of JSON-RPC that a log shows.
const RPC_ID_CHARS_MAX: usize = 64;

/// A request that came in, or several that came in one message. It is in flight until this is
/// dropped.
pub(crate) struct Arrival {
    telemetry: Arc<Telemetry>,
    transport: Transport,
    id: RequestId,
    at: Instant,
    /// How long it waited for its turn.
    waited: OnceLock<Duration>,
    in_flight: Gauge,
}

/// What a request asks for, and who asks.
pub(crate) struct Asked<'a> {
    /// The operation.
    pub(crate) method: &'static Method,
    /// Its parameters, for the log of slow requests.
    pub(crate) params: Option<Raw<'a>>,
    /// Who asks.
    pub(crate) caller: &'a Caller,
    /// The id its client gave it, where one connection carries many.
    pub(crate) rpc_id: Option<&'a Value>,
}

impl Telemetry {
    /// A request that is read, and will be run or refused. `id` is the request's own, or that of the
    /// WebSocket it came by.
    pub(crate) fn arrival(self: &Arc<Self>, transport: Transport, id: RequestId) -> Arrival {
        let in_flight = self.in_flight(transport);
        in_flight.inc();
        let (telemetry, at) = (Arc::clone(self), Instant::now());
        Arrival { telemetry, transport, id, at, waited: OnceLock::new(), in_flight }
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.in_flight.dec();
    }
}

impl Arrival {
    /// Counts a request that is answered with `error` without being run; `method` is the name of what
    /// it asked for, or [`UNKNOWN`](super::UNKNOWN).
    pub(crate) fn refused(&self, method: &'static str, error: &Error) {
        self.telemetry.count(self.transport, method, Err(error));
    }

    /// Whether one of its requests was [run](Self::run).
    pub(crate) fn was_run(&self) -> bool {
        self.waited.get().is_some()
    }

    /// Does `work`, which runs an operation and writes its answer, in a span of its own; counts it
    /// by how it ended and times it. Of several requests of one arrival each is timed by itself, the
    /// time that they waited included. `work` that panics is counted as `internal`.
    pub(crate) fn run<T>(&self, asked: &Asked<'_>, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let waited = *self.waited.get_or_init(|| self.at.elapsed());
        let span = self.span(asked);
        let _entered = span.enter();
        let mut running =
            Running { arrival: self, asked, waited, started: Instant::now(), error: None };
        let result = work();
        running.error = Some(result.as_ref().err().cloned());
        drop(running);
        result
    }

    /// Never disabled but by `off`, as it says which request a line is about.
    fn span(&self, asked: &Asked<'_>) -> Span {
        let span = tracing::error_span!(
            target: "vectordoc::request",
            "request",
            transport = self.transport.name(),
            method = asked.method.name,
            db = Empty,
            caller = asked.caller.id(),
            request_id = self.id.as_str(),
            rpc_id = Empty,
            otel.name = Empty,
            otel.kind = Empty,
        );
        self.id.trace().continue_in(&span, asked.method.name);
        if let Some(id) = asked.rpc_id.and_then(shown) {
            span.record("rpc_id", id);
        }
        span
    }
}

/// Records in the current request's span which database it is about.
pub(crate) fn about(db: &str) {
    if Name::parse(db).is_ok() {
        Span::current().record("db", db);
    }
}

/// A request at work. When this is dropped it has ended, also by a panic.
struct Running<'a> {
    arrival: &'a Arrival,
    asked: &'a Asked<'a>,
    waited: Duration,
    started: Instant,
    /// How it ended; `None` while it has not.
    error: Option<Option<Error>>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let panicked = || Some(Error::internal("the operation panicked"));
        let error = self.error.take().unwrap_or_else(panicked);
        let worked = self.started.elapsed();
        let Arrival { telemetry, transport, .. } = self.arrival;
        let method = self.asked.method.name;
        telemetry.count(*transport, method, error.as_ref().map_or(Ok(()), Err));
        telemetry.took(method, self.waited + worked);
        self.log(error.as_ref(), worked);
        let is_ours = error.as_ref().is_some_and(|error| is_ours(error.kind()));
        Trace::end(&Span::current(), error.as_ref(), is_ours);
        if telemetry.slow_after().is_some_and(|slow| worked >= slow) {
            telemetry.was_slow(method);
            self.warn(worked);
        }
    }
}

impl Running<'_> {
    /// Messages of errors quote what clients send, so only those about the server are logged.
    fn log(&self, error: Option<&Error>, worked: Duration) {
        let outcome = error.map_or("ok", |error| error.kind().code());
        if let Some(error) = error.filter(|error| is_ours(error.kind())) {
            tracing::error!(target: "vectordoc::request", %error, "a request failed");
        }
        tracing::info!(
            target: "vectordoc::request",
            outcome,
            duration_ms = millis(self.waited + worked),
            waited_ms = millis(self.waited),
            "answered"
        );
    }

    fn warn(&self, worked: Duration) {
        let shape = Shape::of(self.asked.params);
        tracing::warn!(
            target: "vectordoc::slow",
            duration_ms = millis(worked),
            waited_ms = millis(self.waited),
            %shape,
            "a slow request"
        );
    }
}

fn is_ours(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Internal | ErrorKind::Corrupt | ErrorKind::Full)
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// An id of JSON-RPC as it may stand in a log.
fn shown(id: &Value) -> Option<String> {
    match id {
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Text(text) => {
            let plain = text.chars().filter(|char| !char.is_control());
            Some(plain.take(RPC_ID_CHARS_MAX).collect())
        }
        _ => None,
    }
}
