//! The calls that have many messages, and how their requests may pause.

use super::{
    SERVICE,
    call::is_grpc,
    messages::{ChangesRequest, IndexRequest},
    rpc::Ask,
};
use axum::http::{HeaderMap, Uri};

/// A call with many messages in one direction or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Streamed {
    /// Batch after batch is written, and each acknowledged.
    Index,
    /// Changes are told as they happen.
    Follow,
    /// A database leaves as an archive.
    Snapshot,
    /// A database comes as an archive.
    Restore,
}

impl Streamed {
    /// Each of them.
    pub(super) const ALL: [Self; 4] = [Self::Index, Self::Follow, Self::Snapshot, Self::Restore];

    /// The one that gRPC calls `name`.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stream| stream.name() == name)
    }

    /// What gRPC calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Index => "IndexStream",
            Self::Follow => "Follow",
            Self::Snapshot => "Snapshot",
            Self::Restore => "Restore",
        }
    }

    /// The operation that it begins with.
    pub(super) fn method_name(self) -> &'static str {
        match self {
            Self::Index => IndexRequest::METHOD,
            Self::Follow => ChangesRequest::METHOD,
            Self::Snapshot => "db.snapshot",
            Self::Restore => "db.restore",
        }
    }

    /// Whether its requests are a stream.
    fn takes_many(self) -> bool {
        matches!(self, Self::Index | Self::Restore)
    }
}

/// Whether a request is one whose messages come when its client has something to say: it may be
/// silent between them, for as long as its connection lives.
pub(crate) fn may_pause(uri: &Uri, headers: &HeaderMap) -> bool {
    let Some((service, rpc)) = uri.path().trim_start_matches('/').split_once('/') else {
        return false;
    };
    let is_stream = match service {
        SERVICE => Streamed::named(rpc).is_some_and(Streamed::takes_many),
        _ => service.starts_with("grpc.reflection."),
    };
    is_stream && is_grpc(headers)
}
