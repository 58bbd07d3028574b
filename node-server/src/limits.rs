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
    /// Bytes of answers of one connection that are made and not yet taken by its client. While there
    /// are so many, the further requests of the connection wait.
    pub unread_bytes_max: usize,
    /// The same of all connections together. While there are so many, connections that have more
    /// than an equal share wait, and longer answers than that are refused with `busy`.
    pub unread_all_bytes_max: usize,
    /// Requests of one connection that are accepted and not yet answered. Further ones are
    /// answered with `busy`.
    pub in_flight_max: usize,
    /// Requests in one JSON-RPC batch.
    pub batch_requests_max: usize,
    /// Subscriptions of one connection. A further one is answered with `limit_exceeded`.
    pub subscriptions_max: usize,
    /// The least time from one look of a subscription to a search to the next: what changes
    /// meanwhile is looked at once.
    pub live_interval: Duration,
    /// Open connections. Further ones are refused with HTTP status 503.
    pub connections_max: usize,
    /// Open connections of one peer: an IPv4 address, or an IPv6 network of 64 bits. Further ones are
    /// refused with HTTP status 503. Behind a proxy everyone has its address.
    pub connections_per_peer_max: usize,
    /// How often the server asks a peer whether it lives; one that says nothing from one ping to
    /// the next is dead.
    pub ping_interval: Duration,
    /// How long one answer may take to leave over WebSocket, and over HTTP and gRPC the next 64 KiB of
    /// any; a peer that reads slower is cut off.
    pub write_timeout: Duration,
    /// How long a new connection may take to say what it wants.
    pub handshake_timeout: Duration,
    /// How long the next 64 KiB of a request's body, or what is left of it, may take.
    pub body_timeout: Duration,
    /// How long a shutdown waits for accepted requests.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 8 * 1024 * 1024,
            answer_bytes_max: 32 * 1024 * 1024,
            unread_bytes_max: 32 * 1024 * 1024,
            unread_all_bytes_max: 256 * 1024 * 1024,
            in_flight_max: 64,
            batch_requests_max: 256,
            subscriptions_max: 16,
            live_interval: Duration::from_millis(100),
            connections_max: 1_024,
            connections_per_peer_max: 256,
            ping_interval: Duration::from_secs(20),
            write_timeout: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// Bytes of the head of an HTTP request.
pub(crate) const HANDSHAKE_BYTES_MAX: usize = 16 * 1024;
/// Headers of an HTTP request.
pub(crate) const HEADERS_MAX: usize = 64;
/// Streams that a peer opened and reset before they were taken up; with more it is cut off (CVE
/// 2023-44487).
pub(crate) const RESET_STREAMS_MAX: usize = 20;
/// Streams that a peer broke the rules on, each of which was reset; with more it is cut off.
pub(crate) const BROKEN_STREAMS_MAX: usize = 64;
/// Bytes of an answer that are handed to a connection at a time.
pub(crate) const PIECE_BYTES: usize = 64 * 1024;
/// Bytes a WebSocket reads at a time; each connection has room for them, also an idle one.
pub(crate) const READ_BUFFER_BYTES: usize = 16 * 1024;
/// How long a peer may take to answer a close frame.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a serverless database may be idle unless somebody says otherwise.
pub(crate) const IDLE_DEFAULT: Duration = Duration::from_secs(300);
/// The least of that.
pub(crate) const IDLE_MIN: Duration = Duration::from_millis(100);
/// The most of that.
pub(crate) const IDLE_MAX: Duration = Duration::from_secs(7 * 86_400);
/// How long a node may keep a database of a bucket without renewing its lease, unless it is told
/// otherwise.
pub(crate) const LEASE_DEFAULT: Duration = Duration::from_secs(60);
/// The least of that.
pub(crate) const LEASE_MIN: Duration = Duration::from_millis(500);
/// Bytes of a part of a file in a bucket.
pub(crate) const PART_BYTES: usize = 8 * 1024 * 1024;
/// Parts that are on their way to or from a bucket at the same time.
pub(crate) const PARTS_AT_ONCE: usize = 6;
/// Parts of a file in a bucket.
pub(crate) const PARTS_MAX: usize = 1 << 20;
/// Leases that are renewed, and heads that are read, at the same time.
pub(crate) const HEADS_AT_ONCE: usize = 16;
/// How long a request to a bucket may take, tries again included.
pub(crate) const OBJECT_TIMEOUT: Duration = Duration::from_secs(60);
/// The same of one about who has a database.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection to a bucket may take to be made.
pub(crate) const OBJECT_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How often a request to a bucket is made again.
pub(crate) const OBJECT_RETRIES_MAX: usize = 2;
/// Objects in one folder of a bucket.
pub(crate) const OBJECTS_LISTED_MAX: usize = 1 << 20;
/// How long an upload that failed waits before it is tried again, at first; twice as long each time.
pub(crate) const UPLOAD_RETRY_MIN: Duration = Duration::from_secs(1);
/// The most of that.
pub(crate) const UPLOAD_RETRY_MAX: Duration = Duration::from_secs(60);
/// Serverless databases in memory at the same time, unless the server is told otherwise: each has a
/// thread and a file open for each of its shards.
pub(crate) const AWAKE_MAX_DEFAULT: usize = 256;
/// How often a server looks which databases may sleep.
pub(crate) const SLEEP_CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// Lines about databases that a server keeps for `db.logs`.
pub(crate) const JOURNAL_LINES_MAX: usize = 4_096;
/// Bytes of one of them.
pub(crate) const JOURNAL_LINE_BYTES_MAX: usize = 1_024;
/// Lines of an answer that does not say.
pub(crate) const LOGS_LIMIT_DEFAULT: usize = 100;
/// Writes at work at the same time: they wait for the disk, and share one sync.
pub(crate) const WRITES_MAX: usize = 64;
/// Snapshots that clients have open at the same time.
pub(crate) const SNAPSHOTS_MAX: usize = 8;
/// Databases that are being restored at the same time.
pub(crate) const RESTORES_MAX: usize = 4;
/// How long a snapshot or a restore stays open that nobody asks for: until then it holds disk space.
pub(crate) const TRANSFER_IDLE_MAX: Duration = Duration::from_secs(60);
/// How often a server looks whether one was open for too long.
pub(crate) const TRANSFER_CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Bytes of a piece of an archive.
pub(crate) const TRANSFER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of a piece that does not say.
pub(crate) const TRANSFER_BYTES_DEFAULT: usize = 1024 * 1024;
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
/// Bytes of a request that may be done where it is asked for. Reading a longer one takes longer than
/// another thread's waking up.
pub(crate) const BRIEF_BYTES_MAX: usize = 64 * 1024;
/// When a client refused with `busy` or `unavailable` may try again.
pub(crate) const RETRY_AFTER_MS: u64 = 250;
/// A request that works for so long is logged as slow, unless the server is told otherwise.
pub(crate) const SLOW_AFTER_DEFAULT: Duration = Duration::from_secs(1);
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
