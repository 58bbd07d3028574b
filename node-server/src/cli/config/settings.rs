//! What a server is told, whole.

use crate::{
    BucketOptions, ClusterKey, ClusterOptions, Limits, ServeOptions, Serverless,
    limits::SLOW_AFTER_DEFAULT,
};
use std::{net::SocketAddr, num::NonZeroU64, path::PathBuf, time::Duration};
use vectordoc::{
    Error, Result,
    limits::{HISTORY_BYTES_DEFAULT, WAITING_WRITES_DEFAULT},
    native::{DatabaseOptions, Residence},
};

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
    pub(crate) console: bool,
    pub(crate) log_filter: String,
    pub(crate) log_format: LogFormat,
    pub(crate) log_slow_query: Duration,
    /// Empty for no traces.
    pub(crate) otel_endpoint: String,
    /// Nodes to let this one into their cluster.
    pub(crate) join: Vec<String>,
    pub(crate) cluster: ClusterSettings,
    pub(crate) database: Budgets,
    pub(crate) serverless: Serverless,
    /// Where serverless databases rest.
    pub(crate) bucket: BucketOptions,
    pub(crate) limits: Limits,
}

/// The PEM files of TLS; empty paths for no TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tls {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// How it is a node of a cluster; no key for no cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClusterSettings {
    pub(crate) key_file: PathBuf,
    pub(crate) listen: SocketAddr,
    /// Empty for the address it listens at.
    pub(crate) advertise: String,
    pub(crate) election_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) join_timeout: Duration,
    /// Zero for never.
    pub(crate) gone_after: Duration,
    /// 0 for no bound.
    pub(crate) snapshot_bytes_per_second: u64,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self {
            key_file: PathBuf::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 7800)),
            advertise: String::new(),
            election_timeout: ClusterOptions::ELECTION_TIMEOUT_DEFAULT,
            request_timeout: ClusterOptions::REQUEST_TIMEOUT_DEFAULT,
            join_timeout: ClusterOptions::JOIN_TIMEOUT_DEFAULT,
            gone_after: ClusterOptions::GONE_AFTER_DEFAULT,
            snapshot_bytes_per_second: 0,
        }
    }
}

/// What each database may take; 0 bytes for no bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Budgets {
    pub(crate) history_bytes: u64,
    pub(crate) memory_bytes_max: u64,
    pub(crate) disk_bytes_free_min: u64,
    pub(crate) waiting_writes_max: usize,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            history_bytes: HISTORY_BYTES_DEFAULT,
            memory_bytes_max: 0,
            disk_bytes_free_min: 0,
            waiting_writes_max: WAITING_WRITES_DEFAULT,
        }
    }
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
            console: true,
            log_filter: "warn".into(),
            log_format: LogFormat::Text,
            log_slow_query: SLOW_AFTER_DEFAULT,
            otel_endpoint: String::new(),
            join: Vec::new(),
            cluster: ClusterSettings::default(),
            database: Budgets::default(),
            serverless: Serverless::default(),
            bucket: BucketOptions::default(),
            limits: Limits::default(),
        }
    }
}

impl Settings {
    /// The same, for its databases.
    pub(crate) fn database_options(&self) -> DatabaseOptions {
        let Budgets { history_bytes, memory_bytes_max, disk_bytes_free_min, waiting_writes_max } =
            self.database;
        let bound = |bytes: u64| (bytes > 0).then_some(bytes);
        DatabaseOptions {
            residence: self.residence,
            // The first answer comes early; that damage is found by who reads it is what a server
            // does with each database anyway, as it must not stop for one.
            waking: true,
            history_bytes: Some(history_bytes),
            memory_bytes_max: bound(memory_bytes_max),
            disk_bytes_free_min: bound(disk_bytes_free_min),
            waiting_writes_max: Some(waiting_writes_max),
            ..DatabaseOptions::default()
        }
    }

    /// The same, for the cluster it is to be in, if it is.
    pub(crate) fn cluster_options(&self) -> Result<Option<ClusterOptions>> {
        let ClusterSettings {
            key_file,
            listen,
            advertise,
            election_timeout,
            request_timeout,
            join_timeout,
            gone_after,
            snapshot_bytes_per_second,
        } = &self.cluster;
        let is_named = *listen != ClusterSettings::default().listen || !advertise.is_empty();
        if key_file.as_os_str().is_empty() {
            return match self.join.is_empty() && !is_named {
                true => Ok(None),
                false => Err(Error::invalid(
                    "a node of a cluster needs the key of the cluster (`--cluster-key-file FILE`); \
                     `vectordoc cluster key FILE` makes one for all of them",
                )),
            };
        }
        if self.serverless.by_default {
            return Err(Error::unsupported(
                "the databases of a cluster have replicas that hear of every write, and so never \
                 leave memory; start it without `--serverless-all`",
            ));
        }
        if self.bucket.is_named() {
            return Err(Error::unsupported(
                "the databases of a cluster have replicas and rest with them, not in a bucket; start \
                 it without `--serverless-storage`, or without a cluster key",
            ));
        }
        if listen.ip().is_unspecified() && advertise.is_empty() {
            return Err(Error::invalid(format!(
                "other nodes cannot reach this one at {listen}; say where they can \
                 (`--cluster-advertise HOST:PORT`), or listen at one address"
            )));
        }
        let scheme = if self.tls.cert.as_os_str().is_empty() { "ws" } else { "wss" };
        Ok(Some(ClusterOptions {
            key: ClusterKey::read(key_file)?,
            listen: *listen,
            advertise: advertise.clone(),
            join: self.join.clone(),
            url: format!("{scheme}://{}", self.listen),
            election_timeout: *election_timeout,
            request_timeout: *request_timeout,
            join_timeout: *join_timeout,
            gone_after: Some(*gone_after).filter(|time| !time.is_zero()),
            snapshot_bytes_per_second: NonZeroU64::new(*snapshot_bytes_per_second),
        }))
    }

    /// The same, for the server.
    pub(crate) fn serve_options(&self) -> ServeOptions {
        let mut options = ServeOptions::default()
            .host(self.listen.ip().to_string())
            .port(self.listen.port())
            .insecure(self.insecure)
            .console(self.console)
            .slow_after(Some(self.log_slow_query).filter(|time| !time.is_zero()))
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
