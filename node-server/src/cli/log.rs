//! What the service logs, on standard error.

use tracing_subscriber::EnvFilter;

/// Which messages are shown, in the syntax of `tracing-subscriber`; warnings unless set.
const VARIABLE: &str = "VECTORDOC_LOG";
const LEVEL_DEFAULT: &str = "warn";

/// Shows what the service logs, from now on.
pub(crate) fn show() {
    let filter =
        EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(LEVEL_DEFAULT));
    let shown = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An embedding program that shows them already keeps its own way.
    let _ = shown.try_init();
}
