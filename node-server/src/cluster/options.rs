//! What a node is told about its cluster before it starts.

use super::ClusterKey;
use std::{net::SocketAddr, num::NonZeroU64, time::Duration};

/// How a server is a node of a cluster.
///
/// A node that has been one before goes on as it was; `join` is for its first start. One that is new
/// and has nobody to join begins a cluster.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// What all nodes know and nobody else.
    pub key: ClusterKey,
    /// Where to listen for other nodes.
    pub listen: SocketAddr,
    /// Where other nodes reach this one, `host:port`; where it listens, if empty.
    pub advertise: String,
    /// Where nodes of the cluster listen, `host:port`; one that answers is enough. Where all nodes
    /// have the same list, the first of it begins the cluster once each of the others says that it is
    /// in none.
    pub join: Vec<String>,
    /// Where clients reach this node.
    pub url: String,
    /// How long others may hear nothing of a leader before they stand for election: they then wait
    /// for one and a half times as long that it holds its leadership to, so that writes stand still
    /// for up to three times as long. Longer than a sync of the disk ever takes.
    pub election_timeout: Duration,
    /// How long a request waits for a majority before it is told that there is none.
    pub request_timeout: Duration,
    /// How long a new node goes on asking to be let in.
    pub join_timeout: Duration,
    /// How long a node may not answer before its replicas are made anew on others; `None` for ever.
    pub gone_after: Option<Duration>,
    /// Bytes a second that a replica on its way to another node may take; `None` for as many as go.
    pub snapshot_bytes_per_second: Option<NonZeroU64>,
}

impl ClusterOptions {
    /// The default of [`election_timeout`](field@Self::election_timeout).
    pub const ELECTION_TIMEOUT_DEFAULT: Duration = Duration::from_millis(500);
    /// The default of [`request_timeout`](field@Self::request_timeout).
    pub const REQUEST_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
    /// The default of [`join_timeout`](field@Self::join_timeout).
    pub const JOIN_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
    /// The default of [`gone_after`](field@Self::gone_after).
    pub const GONE_AFTER_DEFAULT: Duration = Duration::from_secs(600);
}
