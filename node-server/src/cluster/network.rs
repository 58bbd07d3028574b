//! How Raft reaches the other nodes of a group.

use super::{
    group::{Group, Node, Raft, Types, Vote},
    message::{self, PIECE_BYTES, Request, Response},
    peers::{CallError, Connection, Peers},
    runtime::{blocking, changed, sleep, spawn, timeout},
    sending::{Departure, Sending},
    transfer::SnapshotData,
};
use crate::cluster::group::{Bytes, LogId};
use openraft::{
    EmptyNode, OptionalSend, RaftNetwork, RaftNetworkFactory, Snapshot,
    error::{
        Fatal, NetworkError, RPCError, RaftError, RemoteError, ReplicationClosed, StreamingError,
        Unreachable,
    },
    network::{Backoff, RPCOption},
    raft::{
        AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
    },
};
use std::{future::Future, io, sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use vectordoc::Error;

/// How long entries may be on their way to a node. Raft gives up after the interval of heartbeats,
/// which a slow network is too slow for; so they go on, and Raft finds them when it asks again.
const APPEND_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a node is told that its leader lives while entries are on their way to it.
const CALM_INTERVAL: Duration = Duration::from_millis(150);
/// How long one piece of a snapshot may take, and what is done with the last of them.
const PIECE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long Raft waits before it asks a node again that did not answer, the first times and later.
const BACKOFF_MS: [u64; 5] = [10, 20, 50, 100, 200];

/// What makes the ways to nodes of one group.
pub(super) struct Network {
    pub(super) group: Group,
    pub(super) peers: Arc<Peers>,
    pub(super) sending: Arc<Sending>,
}

impl RaftNetworkFactory<Types> for Network {
    type Network = Way;

    async fn new_client(&mut self, target: Node, _: &EmptyNode) -> Way {
        let (peers, sending) = (Arc::clone(&self.peers), Arc::clone(&self.sending));
        Way { group: self.group, target, peers, sending, on_their_way: None }
    }
}

/// The way to one node.
pub(super) struct Way {
    group: Group,
    target: Node,
    peers: Arc<Peers>,
    sending: Arc<Sending>,
    on_their_way: Option<OnTheirWay>,
}

/// Entries that were sent and are not answered yet.
struct OnTheirWay {
    vote: Vote,
    before: Option<LogId>,
    last: Option<LogId>,
    answer: JoinHandle<Result<Response, CallError>>,
}

impl Drop for OnTheirWay {
    fn drop(&mut self) {
        self.answer.abort();
    }
}

type AppendError = RPCError<Node, EmptyNode, RaftError<Node>>;

impl Way {
    /// Begins to send entries.
    fn send(&self, rpc: AppendEntriesRequest<Types>) -> OnTheirWay {
        let (vote, before) = (rpc.vote, rpc.prev_log_id);
        let last = rpc.entries.last().map(|entry| entry.log_id).or(before);
        let (peers, target, group) = (Arc::clone(&self.peers), self.target, self.group);
        let answer = spawn(async move {
            peers.ask(target, &Request::Append(group, rpc), APPEND_TIMEOUT).await
        });
        OnTheirWay { vote, before, last, answer }
    }

    /// Waits for the answer to entries, and lets their receiver know meanwhile that its leader lives.
    async fn answered(
        &mut self,
        calm: &AppendEntriesRequest<Types>,
    ) -> Result<Answered, AppendError> {
        let Some(sent) = &mut self.on_their_way else {
            return Err(network(&io::Error::other("nothing was sent")));
        };
        let answer = loop {
            tokio::select! {
                biased;
                answer = &mut sent.answer => break answer,
                () = sleep(CALM_INTERVAL) => {
                    let (peers, target) = (Arc::clone(&self.peers), self.target);
                    let calm = Request::Append(self.group, calm.clone());
                    spawn(async move {
                        // What it answers says the answer to the entries too.
                        let _ = peers.ask(target, &calm, CALM_INTERVAL).await;
                    });
                }
            }
        };
        let last = sent.last;
        self.on_their_way = None;
        let response = answer.map_err(|error| network(&io::Error::other(error)))?;
        match response.map_err(|error| unreached(&error))? {
            Response::Append(Ok(response)) => Ok(Answered { response, last }),
            Response::Append(Err(error)) => {
                Err(RPCError::RemoteError(RemoteError::new(self.target, error)))
            }
            other => Err(network(&unexpected(other))),
        }
    }
}

/// The answer to entries, and the last of those.
struct Answered {
    response: AppendEntriesResponse<Node>,
    last: Option<LogId>,
}

impl RaftNetwork<Types> for Way {
    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<Types>,
        _: RPCOption,
    ) -> Result<AppendEntriesResponse<Node>, AppendError> {
        let calm = AppendEntriesRequest { entries: Vec::new(), ..rpc.clone() };
        let wanted = rpc.entries.last().map(|entry| entry.log_id).or(rpc.prev_log_id);
        // What carried nothing says nothing about entries.
        let is_same = |sent: &OnTheirWay| {
            let has_some = sent.last.is_some() || wanted.is_none();
            has_some && sent.vote == rpc.vote && sent.before == rpc.prev_log_id
        };
        if !self.on_their_way.as_ref().is_some_and(is_same) {
            self.on_their_way = Some(self.send(rpc));
        }
        let Answered { response, last } = self.answered(&calm).await?;
        Ok(match response {
            AppendEntriesResponse::Success if last < wanted => {
                AppendEntriesResponse::PartialSuccess(last)
            }
            response => response,
        })
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<Node>,
        option: RPCOption,
    ) -> Result<VoteResponse<Node>, AppendError> {
        let request = Request::Vote(self.group, rpc);
        let response = self.peers.ask(self.target, &request, option.hard_ttl()).await;
        match response.map_err(|error| unreached(&error))? {
            Response::Vote(Ok(response)) => Ok(response),
            Response::Vote(Err(error)) => {
                Err(RPCError::RemoteError(RemoteError::new(self.target, error)))
            }
            other => Err(network(&unexpected(other))),
        }
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot<Types>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _: RPCOption,
    ) -> Result<SnapshotResponse<Node>, StreamingError<Types, Fatal<Node>>> {
        let Snapshot { meta, snapshot } = snapshot;
        let departure = self.sending.begin(self.group, self.target);
        let sending = async {
            let connection = self.peers.connection(self.target).await;
            let connection = connection.map_err(|error| io::Error::other(error.to_string()))?;
            let first = Request::Snapshot(self.group, vote, meta);
            send_snapshot(connection, &first, *snapshot, departure).await
        };
        tokio::select! {
            biased;
            closed = cancel => Err(StreamingError::Closed(closed)),
            sent = sending => sent.map_err(|error| {
                tracing::warn!(node = self.target, group = self.group, %error, "a snapshot did not arrive");
                StreamingError::Network(NetworkError::new(&error))
            }),
        }
    }

    fn backoff(&self) -> Backoff {
        let last = BACKOFF_MS[BACKOFF_MS.len() - 1];
        let times = BACKOFF_MS.into_iter().chain(std::iter::repeat(last));
        Backoff::new(times.map(Duration::from_millis))
    }
}

/// Sends a snapshot piece by piece.
async fn send_snapshot(
    mut connection: Connection,
    first: &Request,
    mut data: SnapshotData,
    mut departure: Departure,
) -> io::Result<SnapshotResponse<Node>> {
    message::write(&mut connection, first).await?;
    loop {
        let read = blocking(move || {
            let piece =
                data.piece(PIECE_BYTES).map_err(|error| Error::unavailable(error.to_string()))?;
            Ok((data, piece))
        });
        let (left, piece) = read.await.map_err(io::Error::other)?;
        data = left;
        let (is_last, bytes) = (piece.is_empty(), piece.len());
        let piece = Request::Piece(Bytes(piece));
        let writing = message::write(&mut connection, &piece);
        timeout(PIECE_TIMEOUT, writing).await??;
        departure.sent(bytes, data.progress()).await;
        if is_last {
            break;
        }
    }
    match message::read(&mut connection).await? {
        Response::Snapshot(response) => Ok(response),
        other => Err(unexpected(other)),
    }
}

fn unexpected(response: Response) -> io::Error {
    match response {
        Response::Failed(code, message) => io::Error::other(format!("{code}: {message}")),
        Response::NotLeader(_) => io::Error::other("the node is not in the group yet"),
        _ => io::Error::other("the answer is one to something else"),
    }
}

fn unreached(error: &CallError) -> AppendError {
    match error {
        CallError::Unsent(_) => RPCError::Unreachable(Unreachable::new(error)),
        CallError::Unknown(_) => RPCError::Network(NetworkError::new(error)),
    }
}

fn network(error: &io::Error) -> AppendError {
    RPCError::Network(NetworkError::new(error))
}

/// Waits until a group says something, at most so long.
pub(super) async fn news(raft: &Raft, patience: Duration) {
    let mut metrics = raft.metrics();
    metrics.mark_unchanged();
    changed(&mut metrics, patience).await;
}
