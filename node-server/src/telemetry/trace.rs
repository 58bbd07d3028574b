//! The trace that a request is part of: what began it says so by the header `traceparent` (W3C Trace
//! Context), in HTTP, in the metadata of gRPC and in the request that opens a WebSocket.
//!
//! Without the feature `otel` there are no traces, and the header is not looked at.

use axum::http::HeaderMap;
use tracing::Span;
use vectordoc::Error;

#[cfg(feature = "otel")]
use {
    axum::http::HeaderName,
    opentelemetry::{
        Context,
        propagation::{Extractor, TextMapPropagator},
        trace::Status,
    },
    opentelemetry_sdk::propagation::TraceContextPropagator,
    tracing_opentelemetry::OpenTelemetrySpanExt,
};

/// The trace of a request, or of all requests of a WebSocket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    /// What began the request, which may be nothing.
    #[cfg(feature = "otel")]
    parent: Context,
}

#[cfg(feature = "otel")]
impl Trace {
    /// What the headers of a request say.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let propagator = TraceContextPropagator::new();
        Self { parent: propagator.extract_with_context(&Context::new(), &Headers(headers)) }
    }

    /// Makes `span`, of a request for `method`, a part of the trace, if somebody is told of traces.
    pub(super) fn continue_in(&self, span: &Span, method: &'static str) {
        if span.set_parent(self.parent.clone()).is_ok() {
            span.record("otel.name", method);
            span.record("otel.kind", "server");
        }
    }

    /// Says in `span` how its request ended. Messages quote what clients send, so codes are told only.
    pub(super) fn end(span: &Span, error: Option<&Error>, is_ours: bool) {
        let code = error.map_or("ok", |error| error.kind().code());
        span.set_attribute("outcome", code);
        if is_ours {
            span.set_status(Status::error(code));
        }
    }
}

#[cfg(not(feature = "otel"))]
impl Trace {
    pub(super) fn of(_: &HeaderMap) -> Self {
        Self {}
    }

    pub(super) fn continue_in(&self, _: &Span, _: &'static str) {}

    pub(super) fn end(_: &Span, _: Option<&Error>, _: bool) {}
}

/// Headers as the propagator reads them.
#[cfg(feature = "otel")]
struct Headers<'a>(&'a HeaderMap);

#[cfg(feature = "otel")]
impl Extractor for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}
