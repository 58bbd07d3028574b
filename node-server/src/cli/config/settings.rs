//! What a server is told, whole.

use crate::{Limits, ServeOptions};
use std::{net::SocketAddr, path::PathBuf};
use vectordoc::native::Residence;

/// Every setting with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) data: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) shards: usize,
    pub(crate) residence: Residence,
    pub(crate) insecure: bool,
    pub(crate) tls: Tls,
    pub(crate) allow_origins: Vec<String>,
    pub(crate) log_filter: String,
    pub(crate) log_format: LogFormat,
    pub(crate) limits: Limits,
}

/// The PEM files of TLS; empty paths for no TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tls {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data: "./data".into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 7700)),
            shards: 1,
            residence: Residence::Memory,
            insecure: false,
            tls: Tls::default(),
            allow_origins: Vec::new(),
            log_filter: "warn".into(),
            log_format: LogFormat::Text,
            limits: Limits::default(),
        }
    }
}

impl Settings {
    /// The same, for the server.
    pub(crate) fn serve_options(&self) -> ServeOptions {
        let mut options = ServeOptions::default()
            .host(self.listen.ip().to_string())
            .port(self.listen.port())
            .insecure(self.insecure)
            .limits(self.limits.clone());
        let Tls { cert, key } = &self.tls;
        if !cert.as_os_str().is_empty() || !key.as_os_str().is_empty() {
            options = options.tls(cert, key);
        }
        for origin in &self.allow_origins {
            options = options.allow_origin(origin);
        }
        options
    }
}
