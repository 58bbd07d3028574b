//! What the service logs, on standard error.

use super::config::{LOG_VARIABLE, LogFormat, Settings};
use tracing_subscriber::EnvFilter;
use vectordoc::{Error, Result};

const LEVEL_DEFAULT: &str = "warn";

/// Shows what commands log, from now on: warnings, unless the variable says.
pub(crate) fn show() {
    let filter =
        EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new(LEVEL_DEFAULT));
    start(filter, LogFormat::Text);
}

/// Shows what a server logs, from now on, as its settings say.
pub(crate) fn show_as(settings: &Settings) -> Result<()> {
    let filter = &settings.log_filter;
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| Error::invalid(format!("log.filter {filter:?}: {error}")))?;
    start(filter, settings.log_format);
    Ok(())
}

fn start(filter: EnvFilter, format: LogFormat) {
    let shown = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An embedding program that shows them already keeps its own way.
    let _ = match format {
        LogFormat::Text => shown.try_init(),
        LogFormat::Json => shown.json().flatten_event(true).try_init(),
    };
}
