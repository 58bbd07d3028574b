//! The replicas that this node holds: they are started, stopped and removed.

use super::{
    group::{Group, Raft},
    machine::DatabaseMachine,
    member::{Cluster, broken, config},
    placement::ShardAt,
    replica::{Replica, Surroundings},
    runtime::{blocking, timeout},
    shard_name::ShardName,
};
use std::{io, sync::Arc, time::Duration};
use vectordoc::{Error, Result};

/// How long a group may take to end, which waits for the disk at most.
const END_TIMEOUT: Duration = Duration::from_secs(10);

/// The number of the stream of records of a group of the cluster `name`, which is not 0.
fn stream(name: &str, group: Group) -> u64 {
    let digest = ring::digest::digest(&ring::digest::SHA256, format!("{name} {group}").as_bytes());
    let bytes = digest.as_ref().iter().take(8);
    bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)).max(1)
}

impl Cluster {
    /// Whether this node has taken part in a group, and was not let go by it since.
    pub(super) async fn has_part(&self, group: Group) -> Result<bool> {
        let log = self.file.of(group);
        let has_part =
            move || log.is_begun().map_err(|error| Error::unavailable(format!("the log: {error}")));
        blocking(has_part).await
    }

    /// Starts the replica of a database, which requests do not find if it is placed elsewhere.
    pub(super) async fn start_replica(&self, shard: ShardAt<'_>) -> Result<()> {
        let (name, group) = (shard.name()?, shard.at.group);
        let is_left = self.file.of(group).is_left();
        if is_left.map_err(|error| Error::unavailable(format!("the log: {error}")))? {
            self.remove_replica(group, &name).await?;
        }
        let node = Surroundings {
            node: self.node(),
            peers: self.peers(),
            handle: self.handle.clone(),
            request_timeout: self.request_timeout,
            stream: stream(self.name(), group),
        };
        let replica = Replica::new(group, name, shard.placed.schema()?, node);
        let log = self.file.of(group);
        self.set_hidden(&replica, true).await?;
        let machine = {
            let (replica, shelf, log) =
                (Arc::clone(&replica), Arc::clone(self.shelf()), log.clone());
            blocking(move || DatabaseMachine::open(&replica, &shelf, &log)).await?
        };
        let raft = Raft::new(
            self.node(),
            config(group, self.election_timeout)?,
            self.network(group),
            log,
            machine,
        )
        .await;
        replica.join(raft.map_err(|error| broken(&error))?);
        self.groups().replicas.insert(group, Arc::clone(&replica));
        let is_here = shard.at.nodes.contains(&self.node());
        self.set_hidden(&replica, !is_here || !replica.is_ready()).await
    }

    /// Hides a replica's database from requests, or lets them find it again.
    pub(super) async fn set_hidden(&self, replica: &Arc<Replica>, is_hidden: bool) -> Result<()> {
        if replica.is_hidden() == is_hidden {
            return Ok(());
        }
        let (replica, shelf) = (Arc::clone(replica), Arc::clone(self.shelf()));
        blocking(move || {
            replica.set_hidden(is_hidden, &shelf);
            Ok(())
        })
        .await
    }

    /// Stops a replica and removes what it has.
    pub(super) async fn drop_replica(&self, replica: &Arc<Replica>) -> Result<()> {
        self.stop_replica(replica).await?;
        self.groups().replicas.remove(&replica.group);
        self.remove_replica(replica.group, &replica.name).await
    }

    /// Removes what rests of a replica. A crash on the way leaves a note that it was to go: a log
    /// without its database would be taken for that of one which was lost, and a database without its
    /// log for whole.
    async fn remove_replica(&self, group: Group, name: &ShardName) -> Result<()> {
        let failed = |error: io::Error| Error::unavailable(format!("the log: {error}"));
        self.file.leave(group).await.map_err(failed)?;
        let (name, shelf) = (name.clone(), Arc::clone(self.shelf()));
        blocking(move || shelf.remove(&name)).await?;
        self.file.forget(group).await.map_err(failed)
    }

    /// Ends the group of a replica on this node and closes its database. One that does not end in
    /// time has no requests any more, and can be stopped again.
    pub(super) async fn stop_replica(&self, replica: &Arc<Replica>) -> Result<()> {
        self.set_hidden(replica, true).await?;
        if let Ok(raft) = replica.raft() {
            match timeout(END_TIMEOUT, raft.shutdown()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(db = %replica.name.db, shard = replica.name.number, %error, "a group did not end cleanly");
                }
                Err(_) => {
                    return Err(Error::unavailable(format!(
                        "the group of {} did not end within {END_TIMEOUT:?}",
                        replica.name
                    )));
                }
            }
        }
        let (replica, shelf) = (Arc::clone(replica), Arc::clone(self.shelf()));
        let closed =
            blocking(move || replica.retire(&shelf).map_or(Ok(()), |database| database.close()));
        if let Err(error) = closed.await {
            tracing::warn!(%error, "a replica did not close cleanly");
        }
        Ok(())
    }
}
