//! Archives of shards on their way from one node to another.

use super::{
    group::{Bytes, Group, Node},
    member::Cluster,
    message::{self, PIECE_BYTES, Request, Response, error_of},
    peers::{Connection, Stream},
    runtime::{blocking, timeout},
    shard_name::ShardName,
};
use std::{io, sync::Arc, time::Duration};
use tokio::runtime::Handle;
use vectordoc::{
    Error, Result,
    native::{Pieces, Snapshot},
};

/// How long the next piece may take.
const PIECE_TIMEOUT: Duration = Duration::from_secs(60);

/// An archive of a shard, from this node or another that has a replica. Blocks.
pub(super) fn fetch(cluster: &Arc<Cluster>, name: &ShardName, group: Group) -> Result<Pieces> {
    let placement = cluster.placement();
    let Some(shard) = placement.shard(group) else {
        return Err(Error::closed(format!("the database {} was dropped", name.db)));
    };
    let mut last = None;
    let mut nodes: Vec<Node> = shard.at.nodes.iter().copied().collect();
    nodes.sort_by_key(|node| *node != cluster.node());
    for node in nodes {
        let begun = match node == cluster.node() {
            true => cluster.handle.block_on(cluster.snapshot_here(group)).map(here),
            false => cluster.handle.block_on(there(cluster, node, group)),
        };
        match begun {
            Ok(pieces) => return Ok(pieces),
            Err(error) => last = Some(error),
        }
    }
    let why = last.map_or_else(String::new, |error| format!(": {error}"));
    Err(Error::unavailable(format!("no replica of {name} can be read{why}; try again")))
}

fn here(mut snapshot: Snapshot) -> Pieces {
    Box::new(move || snapshot.piece(PIECE_BYTES))
}

async fn there(cluster: &Arc<Cluster>, node: Node, group: Group) -> Result<Pieces> {
    let failed =
        |error: &dyn std::fmt::Display| Error::unavailable(format!("node {node}: {error}"));
    let connection = cluster.peers().connection(node).await;
    let mut connection = connection.map_err(|error| failed(&error))?;
    let asked = message::write(&mut connection, &Request::Archive(group)).await;
    asked.map_err(|error| failed(&error))?;
    let first = next(&mut connection).await?;
    let handle: Handle = cluster.handle.clone();
    let (mut first, mut connection) = (Some(first), Some(connection));
    Ok(Box::new(move || {
        if let Some(first) = first.take() {
            return Ok(first);
        }
        let Some(open) = &mut connection else { return Ok(Vec::new()) };
        let piece = handle.block_on(next(open))?;
        if piece.is_empty() {
            connection = None;
        }
        Ok(piece)
    }))
}

async fn next(connection: &mut Connection) -> Result<Vec<u8>> {
    let lost = |error: io::Error| Error::unavailable(format!("an archive is interrupted: {error}"));
    let read = timeout(PIECE_TIMEOUT, message::read(connection)).await;
    match read.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(lost)? {
        Response::Piece(piece) => Ok(piece.0),
        Response::Failed(code, message) => Err(error_of(&code, message)),
        _ => Err(Error::unavailable("the replica is not there yet")),
    }
}

/// Sends an archive to a node that asked for it. An error of the connection ends it.
pub(super) async fn send(
    stream: &mut impl Stream,
    cluster: &Arc<Cluster>,
    group: Group,
) -> io::Result<()> {
    let mut snapshot = match cluster.snapshot_here(group).await {
        Ok(snapshot) => snapshot,
        Err(error) => return message::write(stream, &Response::failed(&error)).await,
    };
    loop {
        let read = blocking(move || snapshot.piece(PIECE_BYTES).map(|piece| (snapshot, piece)));
        let (left, piece) = match read.await {
            Ok(read) => read,
            Err(error) => return message::write(stream, &Response::failed(&error)).await,
        };
        snapshot = left;
        let is_last = piece.is_empty();
        let piece = Response::Piece(Bytes(piece));
        timeout(PIECE_TIMEOUT, message::write(stream, &piece)).await??;
        if is_last {
            return Ok(());
        }
    }
}

impl Cluster {
    /// What the replica of this node has, with everything that was acknowledged before.
    async fn snapshot_here(&self, group: Group) -> Result<Snapshot> {
        let replica = self.ready_replica(group)?;
        replica.catch_up().await?;
        blocking(move || replica.database()?.snapshot()).await
    }
}
