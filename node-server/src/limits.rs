//! Every bound of the service, named. The engine's own are in [`vectordoc::limits`].

use std::time::Duration;

/// The bounds of one server; [`Limits::default`] is what `vectordoc serve` uses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one message from a client. A longer one is answered with `limit_exceeded`.
    pub message_bytes_max: usize,
    /// Bytes of one answer. A longer one is replaced by `limit_exceeded`.
    pub answer_bytes_max: usize,
    /// Requests of one connection that are accepted and not yet answered. Further ones are
    /// answered with `busy`.
    pub in_flight_max: usize,
    /// Requests in one JSON-RPC batch.
    pub batch_requests_max: usize,
    /// Open connections. Further ones are refused with HTTP status 503.
    pub connections_max: usize,
    /// How often the server asks a peer whether it lives; one that says nothing from one ping to
    /// the next is dead.
    pub ping_interval: Duration,
    /// How long one answer may take to leave; a peer that reads slower is cut off.
    pub write_timeout: Duration,
    /// How long a new connection may take to say what it wants.
    pub handshake_timeout: Duration,
    /// How long a shutdown waits for accepted requests.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 8 * 1024 * 1024,
            answer_bytes_max: 32 * 1024 * 1024,
            in_flight_max: 64,
            batch_requests_max: 256,
            connections_max: 1_024,
            ping_interval: Duration::from_secs(20),
            write_timeout: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// Bytes of the head of an HTTP request.
pub(crate) const HANDSHAKE_BYTES_MAX: usize = 16 * 1024;
/// Headers of an HTTP request.
pub(crate) const HEADERS_MAX: usize = 64;
/// How long a peer may take to answer a close frame.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Writes at work at the same time: they wait for the disk, and share one sync.
pub(crate) const WRITES_MAX: usize = 64;
/// Documents that come as lines are written this many at a time.
pub(crate) const LINES_BATCH_DOCUMENTS: usize = 1_000;
/// The same in bytes of lines: a batch ends with the line that reaches them.
pub(crate) const LINES_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Documents of a page of a scroll that does not say.
pub(crate) const SCROLL_LIMIT_DEFAULT: usize = 100;
/// Values of a facet that does not say.
pub(crate) const FACET_LIMIT_DEFAULT: usize = 100;
/// Hits of each group of a search that does not say.
pub(crate) const GROUP_SIZE_DEFAULT: usize = 1;
/// When a client refused with `busy` or `unavailable` may try again.
pub(crate) const RETRY_AFTER_MS: u64 = 250;
/// Keys of one server.
pub(crate) const KEYS_MAX: usize = 10_000;
/// Databases one key may name.
pub(crate) const KEY_DBS_MAX: usize = 64;
/// Characters of the name of a key.
pub(crate) const KEY_NAME_CHARS_MAX: usize = 128;
/// Bytes of the file of keys: the most keys with the longest names.
pub(crate) const KEY_FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How often requests have the server look whether keys were created or revoked.
pub(crate) const KEYS_CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// The same, for requests with a key that is not known.
pub(crate) const KEYS_RECHECK_INTERVAL: Duration = Duration::from_millis(10);
/// Bytes of a configuration file.
#[cfg(feature = "cli")]
pub(crate) const CONFIG_BYTES_MAX: u64 = 1024 * 1024;
/// Bytes of a file with a certificate or its key.
pub(crate) const PEM_BYTES_MAX: u64 = 1024 * 1024;
/// How often a server looks whether its certificate has changed.
pub(crate) const TLS_CHECK_INTERVAL: Duration = Duration::from_secs(10);
