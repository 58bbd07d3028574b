//! What the service logs, on standard error, and the traces it sends.

use super::{
    config::{LOG_VARIABLE, LogFormat, Settings},
    journaling,
    traces::Traces,
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};
use vectordoc::{Error, Result};

const LEVEL_DEFAULT: &str = "warn";

/// Shows what commands log, from now on: warnings, unless the variable says.
pub(crate) fn show() {
    let filter =
        EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new(LEVEL_DEFAULT));
    start(filter, LogFormat::Text, None);
}

/// What Raft logs as.
const RAFT: &str = "openraft";

/// Shows what a server logs, from now on, as its settings say, and sends traces as long as what is
/// returned is there. Called within the server's runtime.
pub(crate) fn show_as(settings: &Settings) -> Result<Option<Traces>> {
    let filter = &settings.log_filter;
    let wrong = |error| Error::invalid(format!("log.filter {:?}: {error}", settings.log_filter));
    let mut filter = EnvFilter::try_new(filter).map_err(wrong)?;
    // Raft says of every node that is away that it is, many times a second.
    if !settings.log_filter.contains(RAFT) {
        let quiet = format!("{RAFT}=off").parse();
        filter =
            filter
                .add_directive(quiet.map_err(|error| {
                    Error::internal(format!("{RAFT} cannot be quiet: {error}"))
                })?);
    }
    let endpoint = Some(&settings.otel_endpoint).filter(|endpoint| !endpoint.is_empty());
    let traces = endpoint.map(|endpoint| Traces::to(endpoint)).transpose()?;
    start(filter, settings.log_format, traces.as_ref());
    Ok(traces)
}

fn start(filter: EnvFilter, format: LogFormat, traces: Option<&Traces>) {
    let shown = fmt::layer().with_writer(std::io::stderr);
    let shown: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => shown.with_filter(filter).boxed(),
        LogFormat::Json => shown.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let layers: Vec<_> =
        [shown, journaling::layer()].into_iter().chain(traces.map(Traces::layer)).collect();
    // An embedding program that shows them already keeps its own way.
    let _ = tracing_subscriber::registry().with(layers).try_init();
}
