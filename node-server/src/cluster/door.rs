//! What comes in from other nodes.

use super::{
    group::{Bytes, Decision, Group, Meta, Node, PLACEMENT, Raft, Types, Vote},
    member::Cluster,
    message::{self, Inspection, MESSAGE_BYTES_MAX, Request, Response},
    peers::Stream,
    replica::Replica,
    runtime::{blocking, sleep, spawn, timeout},
    status::{Inspected, ReplicaView},
    transfer::SnapshotData,
};
use openraft::{Snapshot, raft::SnapshotResponse};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_rustls::TlsAcceptor;
use vectordoc::{Error, Result, native::ReadLevel};

/// Connections of other nodes at the same time.
const CONNECTIONS_MAX: usize = 1_024;
/// How long a new connection may take to show that it has the key.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait when the system cannot accept a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long the next piece of a snapshot may take to come.
const PIECE_TIMEOUT: Duration = Duration::from_secs(60);

/// Lets other nodes in, for ever.
pub(super) async fn accept(listener: TcpListener, tls: TlsAcceptor, cluster: Arc<Cluster>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, address)) => {
                let (tls, cluster) = (tls.clone(), Arc::clone(&cluster));
                spawn(async move {
                    let _place = place;
                    if let Err(error) = let_in(stream, tls, &cluster).await {
                        tracing::debug!(%address, %error, "a connection of another node ended");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection of another node");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Answers one node until it goes.
async fn let_in(stream: TcpStream, tls: TlsAcceptor, cluster: &Arc<Cluster>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let stream = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await??;
    serve(stream, cluster).await
}

/// The same once it has shown that it has the key.
pub(super) async fn serve(mut stream: impl Stream, cluster: &Arc<Cluster>) -> io::Result<()> {
    loop {
        let response = match message::read(&mut stream).await? {
            Request::Snapshot(group, vote, meta) => {
                let taken = take_snapshot(&mut stream, cluster, group, vote, meta).await?;
                taken.map_or_else(|error| Response::failed(&error), Response::Snapshot)
            }
            Request::Archive(group) => {
                super::archives::send(&mut stream, cluster, group).await?;
                continue;
            }
            request => cluster.answer(request).await,
        };
        message::write(&mut stream, &response).await?;
    }
}

impl Cluster {
    /// The answer to another node.
    pub(super) async fn answer(self: &Arc<Self>, request: Request) -> Response {
        let answered = match request {
            Request::Join(joining) => self.admit(joining).await,
            Request::Place(change) => match self.place_here(change).await {
                Ok(Some(Decision::Refused(code, message))) => {
                    return Response::Failed(code, message);
                }
                Ok(Some(_)) => Ok(Response::Placed),
                Ok(None) => Ok(Response::NotLeader(self.placement_leader())),
                Err(error) => Err(error),
            },
            Request::Append(group, rpc) => match self.raft(group) {
                Some(raft) => Ok(Response::Append(raft.append_entries(rpc).await)),
                None => Ok(Response::NotLeader(None)),
            },
            Request::Vote(group, rpc) => match self.raft(group) {
                Some(raft) => Ok(Response::Vote(raft.vote(rpc).await)),
                None => Ok(Response::NotLeader(None)),
            },
            Request::ReadIndex(PLACEMENT) => Ok(Response::ReadIndex(None)),
            Request::ReadIndex(group) => self.read_index(group).await,
            Request::Write(group, batch) => self.write(group, batch).await,
            Request::Has(group, node) => Ok(self.has(group, node)),
            Request::Inspect(group, inspection) => self.inspect_here(group, inspection).await,
            Request::Ask(group, is_fresh, questions) => {
                let level = match is_fresh {
                    true => ReadLevel::Linearizable,
                    false => ReadLevel::Local,
                };
                let questions = questions.into_iter().map(|question| question.0).collect();
                let answers = self.answer_questions(group, questions, level).await;
                answers.map(|all| Response::Answered(all.into_iter().map(Bytes).collect()))
            }
            Request::Watch(group, seen) => {
                self.watch_here(group, seen).await.map(Response::Changed)
            }
            Request::Snapshot(..) | Request::Piece(_) | Request::Archive(_) => {
                Err(Error::invalid("a piece of a snapshot that nobody announced"))
            }
        };
        answered.unwrap_or_else(|error| Response::failed(&error))
    }

    async fn read_index(&self, group: Group) -> Result<Response> {
        let Some(replica) = self.replica(group) else { return Ok(Response::NotLeader(None)) };
        Ok(match replica.own_read_index(replica.raft()?).await {
            Some(index) => Response::ReadIndex(index),
            None => Response::NotLeader(None),
        })
    }

    async fn write(&self, group: Group, batch: Bytes) -> Result<Response> {
        let Some(replica) = self.replica(group) else { return Ok(Response::NotLeader(None)) };
        let leader = replica.leader();
        Ok(match replica.write(batch.0).await? {
            Some(outcome) => Response::Written(Bytes(outcome.to_bytes())),
            None => Response::NotLeader(leader),
        })
    }

    /// Whether a group that this node leads has `node`, as a majority knows; or that it has it no
    /// more, as far as that follows from what is placed and cannot change again.
    fn has(&self, group: Group, node: Node) -> Response {
        let placement = self.placement();
        if group == PLACEMENT {
            return Response::Has(!placement.removed.contains_key(&node));
        }
        if placement.has_ended(group) {
            return Response::Has(false);
        }
        let Some(raft) = self.raft(group) else { return Response::NotLeader(None) };
        let metrics = raft.metrics();
        let metrics = metrics.borrow();
        let is_agreed = *metrics.membership_config.log_id() <= metrics.last_applied;
        if metrics.current_leader != Some(self.node()) || !is_agreed {
            return Response::NotLeader(metrics.current_leader);
        }
        Response::Has(metrics.membership_config.membership().get_node(&node).is_some())
    }

    async fn inspect_here(&self, group: Group, inspection: Inspection) -> Result<Response> {
        let Some(replica) = self.replica(group) else { return Ok(Response::NotLeader(None)) };
        let node: Node = self.node();
        let sending = self.sending.of(group);
        blocking(move || {
            let view = ReplicaView::of(node, &replica, inspection)?;
            Ok(Response::Inspected(Inspected { view, sending }))
        })
        .await
    }
}

/// Takes a snapshot in. An error of the connection ends it; any other is the answer.
async fn take_snapshot(
    stream: &mut impl Stream,
    cluster: &Arc<Cluster>,
    group: Group,
    vote: Vote,
    meta: Meta,
) -> io::Result<Result<SnapshotResponse<Node>>> {
    let missing = || Ok(Err(Error::unavailable("the replica is not there yet")));
    let Some(raft) = cluster.raft(group) else { return missing() };
    let replica = cluster.replica(group);
    // What has arrived is not to be overwritten before it is taken over.
    let _one_at_a_time = match &replica {
        Some(replica) => Some(replica.arriving().await),
        None => None,
    };
    let data = match &replica {
        Some(replica) => take_database(stream, cluster, replica, &meta).await?,
        None if group == PLACEMENT => take_placement(stream).await?,
        None => return missing(),
    };
    let data = match data {
        Ok(data) => data,
        Err(error) => return Ok(Err(error)),
    };
    Ok(install(&raft, vote, Snapshot { meta, snapshot: Box::new(data) }).await)
}

async fn install(
    raft: &Raft,
    vote: Vote,
    snapshot: Snapshot<Types>,
) -> Result<SnapshotResponse<Node>> {
    let installed = raft.install_full_snapshot(vote, snapshot).await;
    installed.map_err(|error| Error::unavailable(error.to_string()))
}

/// The next bytes of a snapshot; none after its end.
async fn piece(stream: &mut impl Stream) -> io::Result<Vec<u8>> {
    match timeout(PIECE_TIMEOUT, message::read(stream)).await?? {
        Request::Piece(bytes) => Ok(bytes.0),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "a snapshot is interrupted")),
    }
}

async fn take_placement(stream: &mut impl Stream) -> io::Result<Result<SnapshotData>> {
    let mut bytes = Vec::new();
    loop {
        let piece = piece(stream).await?;
        if piece.is_empty() {
            return Ok(Ok(SnapshotData::Placement(bytes)));
        }
        if bytes.len() + piece.len() > MESSAGE_BYTES_MAX {
            return Err(io::Error::other("the placement is over the limit of a message"));
        }
        bytes.extend(piece);
    }
}

/// Takes a database into a directory beside its place; one at a time.
async fn take_database(
    stream: &mut impl Stream,
    cluster: &Arc<Cluster>,
    replica: &Arc<Replica>,
    meta: &Meta,
) -> io::Result<Result<SnapshotData>> {
    let mut import = match cluster.shelf().arriving(&replica.name) {
        Ok(import) => import,
        Err(error) => return Ok(Err(error)),
    };
    loop {
        let piece = piece(stream).await?;
        let is_last = piece.is_empty();
        if is_last {
            break;
        }
        let pushed = blocking(move || import.push(&piece).map(|()| import)).await;
        import = match pushed {
            Ok(import) => import,
            Err(error) => return Ok(Err(error)),
        };
    }
    let mark = super::machine::mark(replica.group, meta.last_log_id, &meta.last_membership)?;
    let finished = blocking(move || {
        let database = import.finish()?;
        database.remember(mark)?;
        database.close()?;
        Ok(SnapshotData::Arrived)
    });
    Ok(finished.await)
}
