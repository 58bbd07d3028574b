//! Where spans go besides the log: a collector of OpenTelemetry. Without the feature `otel` there is
//! none, and a setting that names one is refused where settings are read.

use vectordoc::Result;

use tracing_subscriber::{Layer, Registry};
#[cfg(feature = "otel")]
use {
    opentelemetry::{KeyValue, trace::TracerProvider},
    opentelemetry_otlp::{SpanExporter, WithExportConfig},
    opentelemetry_sdk::{Resource, trace::SdkTracerProvider},
    tracing_subscriber::filter::filter_fn,
    vectordoc::Error,
};

/// The target of the spans of requests.
#[cfg(feature = "otel")]
const REQUESTS: &str = "vectordoc::request";

/// Sends the spans of requests to a collector. Dropped, it sends what is left.
#[cfg(feature = "otel")]
pub(crate) struct Traces(SdkTracerProvider);

#[cfg(feature = "otel")]
impl Traces {
    /// To the collector at `endpoint`, by OTLP over gRPC. Called within a runtime, on which it sends.
    pub(super) fn to(endpoint: &str) -> Result<Self> {
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build();
        let exporter = exporter
            .map_err(|error| Error::invalid(format!("otel.endpoint {endpoint:?}: {error}")))?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource =
            Resource::builder().with_service_name("vectordoc").with_attribute(version).build();
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource);
        Ok(Self(provider.build()))
    }

    /// What is told of spans.
    pub(super) fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let layer = tracing_opentelemetry::layer().with_tracer(self.0.tracer("vectordoc"));
        let layer = layer.with_location(false).with_threads(false);
        // Log lines about a request are in the log, under the same id.
        layer.with_filter(filter_fn(|about| about.is_span() && about.target() == REQUESTS)).boxed()
    }
}

#[cfg(feature = "otel")]
impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// There is none in this build.
#[cfg(not(feature = "otel"))]
pub(crate) enum Traces {}

#[cfg(not(feature = "otel"))]
impl Traces {
    pub(super) fn to(_: &str) -> Result<Self> {
        Err(vectordoc::Error::unsupported(MISSING))
    }

    pub(super) fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        match *self {}
    }
}

/// What is said of the setting in a build that has no traces.
pub(super) const MISSING: &str = "this build sends no traces; build it with them: \
     `cargo build --release -p vectordoc-server --features otel`";
