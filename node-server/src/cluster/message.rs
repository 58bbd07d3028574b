//! What nodes say to each other: one request and one answer at a time on a connection, each a length
//! and an item of CBOR.

use super::{
    group::{Bytes, Group, Meta, Node, Types, Vote, decode, encode},
    placement::{Change, NodeInfo},
};
use openraft::{
    error::RaftError,
    raft::{
        AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
    },
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, io};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use vectordoc::{Error, ErrorKind};

/// Bytes of one message: a group of records that a commit takes, the last of which may be as long as
/// a request of a client may be.
pub(super) const MESSAGE_BYTES_MAX: usize = 1 << 30;
/// Bytes of a snapshot in one message.
pub(super) const PIECE_BYTES: usize = 1024 * 1024;
/// Bytes that are read before more memory is taken for a message.
const READ_BYTES: usize = 1024 * 1024;

/// What a node asks another.
#[derive(Serialize, Deserialize)]
pub(super) enum Request {
    /// To be a node of the cluster, or to be one at this place from now on.
    Join(Joining),
    /// For a change of the placement.
    Place(Change),
    /// Raft's.
    Append(Group, AppendEntriesRequest<Types>),
    /// Raft's.
    Vote(Group, VoteRequest<Node>),
    /// Raft's: [`Request::Piece`]s follow.
    Snapshot(Group, Vote, Meta),
    /// The next bytes of a snapshot; none after its end.
    Piece(Bytes),
    /// Where the log has to be applied up to for a read that sees everything written before.
    ReadIndex(Group),
    /// To write a batch to the shard of this group.
    Write(Group, Bytes),
    /// Whether the group still has this node.
    Has(Group, Node),
    /// How its replica of this shard is.
    Inspect(Group, Inspection),
    /// What its replica of this shard answers to questions, and whether it has to catch up before.
    Ask(Group, bool, Vec<Bytes>),
    /// How often something changed in its replica, once that is another number than this, or after a
    /// while.
    Watch(Group, u64),
    /// For an archive of its replica: [`Response::Piece`]s are the answer.
    Archive(Group),
}

/// How closely to look at a replica.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Inspection {
    /// What it knows at once.
    State,
    /// Also a hash of every document.
    Documents,
}

/// A node that wants in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Joining {
    /// What it called itself when its data directory was made.
    pub(super) identity: String,
    /// The cluster it was in before, if it was in one.
    pub(super) cluster: Option<String>,
    /// Where it is.
    pub(super) info: NodeInfo,
}

/// What a node answers.
#[derive(Serialize, Deserialize)]
pub(super) enum Response {
    /// To [`Request::Join`].
    Joined {
        /// Which cluster that is.
        cluster: String,
        /// Its number in it.
        node: Node,
        /// All nodes there are.
        nodes: BTreeMap<Node, NodeInfo>,
    },
    /// To [`Request::Place`].
    Placed,
    /// To [`Request::Append`].
    Append(Result<AppendEntriesResponse<Node>, RaftError<Node>>),
    /// To [`Request::Vote`].
    Vote(Result<VoteResponse<Node>, RaftError<Node>>),
    /// To the last [`Request::Piece`].
    Snapshot(SnapshotResponse<Node>),
    /// To [`Request::ReadIndex`].
    ReadIndex(Option<u64>),
    /// To [`Request::Write`]: an outcome.
    Written(Bytes),
    /// To [`Request::Has`].
    Has(bool),
    /// To [`Request::Inspect`].
    Inspected(super::status::Inspected),
    /// To [`Request::Ask`], in the order of the questions.
    Answered(Vec<Bytes>),
    /// To [`Request::Watch`].
    Changed(u64),
    /// To [`Request::Archive`]: the next bytes; none after its end.
    Piece(Bytes),
    /// Another node leads; nothing was done. The one that does, as far as this one knows.
    NotLeader(Option<Node>),
    /// To anything: this node is in no cluster yet, and nothing was done.
    Outside,
    /// A code and a message of our errors.
    Failed(String, String),
}

impl Response {
    /// `error`, to be sent.
    pub(super) fn failed(error: &Error) -> Self {
        Self::Failed(error.kind().code().into(), error.message().into())
    }
}

/// An error that was sent.
pub(super) fn error_of(code: &str, message: String) -> Error {
    Error::new(ErrorKind::from_code(code).unwrap_or(ErrorKind::Internal), message)
}

/// Writes one message.
pub(super) async fn write(
    output: &mut (impl AsyncWrite + Unpin),
    message: &impl Serialize,
) -> io::Result<()> {
    let bytes = encode(message)?;
    let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= MESSAGE_BYTES_MAX);
    let length = length.ok_or_else(|| {
        io::Error::other(format!(
            "a message of {} bytes to another node is over the limit of {MESSAGE_BYTES_MAX}",
            bytes.len()
        ))
    })?;
    output.write_all(&length.to_be_bytes()).await?;
    output.write_all(&bytes).await?;
    output.flush().await
}

/// Reads one message.
pub(super) async fn read<T: DeserializeOwned>(
    input: &mut (impl AsyncRead + Unpin),
) -> io::Result<T> {
    let length = input.read_u32().await?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MESSAGE_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a message of {length} bytes is over the limit of {MESSAGE_BYTES_MAX}"),
        ));
    }
    // Memory is taken for what came, not for what was announced.
    let mut bytes = Vec::new();
    while bytes.len() < length {
        let (start, end) = (bytes.len(), length.min(bytes.len() + READ_BYTES));
        bytes.resize(end, 0);
        input.read_exact(&mut bytes[start..]).await?;
    }
    decode(&bytes)
}
