//! The state machine of a database's group: the database.

use super::{
    group::{
        Command, Decision, Entry, Group, IoError, LogId, Membership, Meta, StorageError, Types,
        decode, encode,
    },
    log::GroupLog,
    replica::Replica,
    runtime::{blocking, spawn},
    shelf::Shelf,
    transfer::SnapshotData,
};
use openraft::{
    EntryPayload, ErrorSubject, ErrorVerb, RaftSnapshotBuilder, Snapshot, storage::RaftStateMachine,
};
use std::{io, sync::Arc};
use vectordoc::{
    Database, Error, Result,
    native::Committed,
    planted::{self, Plant},
};

/// Bytes of records after which the database is asked to be stored, so that the log may be cut.
const LOG_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Where in the log of which group a database is: what its store remembers.
type Mark = (Group, Option<LogId>, Membership);

/// The mark of a database that has all entries up to `applied`.
pub(super) fn mark(
    group: Group,
    applied: Option<LogId>,
    membership: &Membership,
) -> io::Result<Vec<u8>> {
    encode(&(group, applied, membership))
}

fn read_mark(database: &Database) -> Result<Option<Mark>> {
    let mark = database.stored_mark()?;
    mark.map(|bytes| decode::<Mark>(&bytes)).transpose().map_err(unreadable)
}

/// The group that a database is a replica of, if it is one.
pub(super) fn group_of(database: &Database) -> Result<Option<Group>> {
    Ok(read_mark(database)?.map(|(group, ..)| group))
}

/// What applies the log of a database.
pub(super) struct DatabaseMachine {
    replica: Arc<Replica>,
    shelf: Arc<Shelf>,
    applied: Option<LogId>,
    membership: Membership,
    /// Of records since the last snapshot.
    bytes: usize,
}

impl DatabaseMachine {
    /// Opens the database of `replica`; `corrupt` when it lacks what the log does not have any more.
    /// Blocks.
    pub(super) fn open(replica: &Arc<Replica>, shelf: &Arc<Shelf>, log: &GroupLog) -> Result<Self> {
        let (database, applied, membership) = open(replica, shelf)?;
        let purged = log.purged().map_err(unreadable)?;
        if purged > applied {
            return Err(Error::corrupt(format!(
                "{} lacks records that its log does not have any more; remove this node \
                 from the cluster and let it join with an empty data directory",
                replica.name
            )));
        }
        replica.hold(database)?;
        let (replica, shelf) = (Arc::clone(replica), Arc::clone(shelf));
        Ok(Self { replica, shelf, applied, membership, bytes: 0 })
    }

    /// What an entry comes down to for the database.
    fn take(&mut self, entry: Entry) -> Result<Committed> {
        let id = entry.log_id;
        self.applied = Some(id);
        let records = match entry.payload {
            EntryPayload::Normal(Command::Write { term, node, records }) => {
                let is_leaders = term == id.leader_id.term && node == id.leader_id.node_id;
                let is_leaders = is_leaders || planted::is(Plant::OtherTermApplied);
                if is_leaders { records.into_iter().map(|bytes| bytes.0).collect() } else { vec![] }
            }
            EntryPayload::Normal(Command::Place(_)) | EntryPayload::Blank => Vec::new(),
            EntryPayload::Membership(membership) => {
                self.membership = Membership::new(Some(id), membership);
                Vec::new()
            }
        };
        self.bytes += records.iter().map(Vec::len).sum::<usize>();
        Ok(Committed { mark: self.mark()?, records })
    }

    fn mark(&self) -> Result<Vec<u8>> {
        mark(self.replica.group, self.applied, &self.membership).map_err(unreadable)
    }

    fn meta(&self) -> Meta {
        let id = self.applied.map_or_else(String::new, |id| format!("{id}"));
        Meta {
            last_log_id: self.applied,
            last_membership: self.membership.clone(),
            snapshot_id: format!("{}-{id}", self.replica.name.place()),
        }
    }

    /// Has the database stored when much was written since, so that the log may be cut.
    fn cut_log(&mut self) {
        if self.bytes < LOG_BYTES_MAX {
            return;
        }
        self.bytes = 0;
        if let Ok(raft) = self.replica.raft() {
            let raft = raft.clone();
            spawn(async move {
                // A group that has ended has no log to cut.
                let _ = raft.trigger().snapshot().await;
            });
        }
    }
}

impl RaftStateMachine<Types> for DatabaseMachine {
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, Membership), StorageError> {
        Ok((self.applied, self.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Decision>, StorageError>
    where
        I: IntoIterator<Item = Entry> + Send,
        I::IntoIter: Send,
    {
        let committed = entries.into_iter().map(|entry| {
            let is_write = matches!(entry.payload, EntryPayload::Normal(_));
            self.take(entry).map(|committed| (is_write, committed))
        });
        let committed = committed.collect::<Result<Vec<_>>>().map_err(|error| unapplied(&error))?;
        let (are_writes, committed): (Vec<bool>, Vec<Committed>) = committed.into_iter().unzip();
        let replica = Arc::clone(&self.replica);
        let applied = blocking(move || replica.database()?.commit(committed))
            .await
            .map_err(|error| unapplied(&error))?;
        self.cut_log();
        let decision = |(is_write, is_applied)| match (is_write, is_applied) {
            (true, true) => Decision::Applied,
            (true, false) => Decision::PassedOver,
            (false, _) => Decision::Blank,
        };
        Ok(are_writes.into_iter().zip(applied).map(decision).collect())
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        self.bytes = 0;
        Builder { meta: self.meta(), replica: Arc::clone(&self.replica) }
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<SnapshotData>, StorageError> {
        Ok(Box::new(SnapshotData::Nothing))
    }

    async fn install_snapshot(
        &mut self,
        meta: &Meta,
        snapshot: Box<SnapshotData>,
    ) -> Result<(), StorageError> {
        let SnapshotData::Arrived = *snapshot else {
            return Err(unapplied(&Error::internal("a snapshot of something else")));
        };
        let (replica, shelf) = (Arc::clone(&self.replica), Arc::clone(&self.shelf));
        blocking(move || install(&replica, &shelf)).await.map_err(|error| unapplied(&error))?;
        (self.applied, self.membership) = (meta.last_log_id, meta.last_membership.clone());
        Ok(())
    }

    /// What the database holds at this moment: nothing is applied meanwhile.
    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<Types>>, StorageError> {
        if self.applied.is_none() {
            return Ok(None);
        }
        let replica = Arc::clone(&self.replica);
        let snapshot = blocking(move || replica.database()?.snapshot()).await;
        let snapshot = snapshot.map_err(|error| unapplied(&error))?;
        let data = SnapshotData::Leaving(Box::new(snapshot));
        Ok(Some(Snapshot { meta: self.meta(), snapshot: Box::new(data) }))
    }
}

/// Has the database stored. What is sent to another node is read when it is sent.
pub(super) struct Builder {
    meta: Meta,
    replica: Arc<Replica>,
}

impl RaftSnapshotBuilder<Types> for Builder {
    async fn build_snapshot(&mut self) -> Result<Snapshot<Types>, StorageError> {
        let replica = Arc::clone(&self.replica);
        if !planted::is(Plant::LogCutBeforeStored) {
            let stored = blocking(move || replica.database()?.flush()).await;
            stored.map_err(|error| unapplied(&error))?;
        }
        Ok(Snapshot { meta: self.meta.clone(), snapshot: Box::new(SnapshotData::Nothing) })
    }
}

/// The database of `replica` and where in the log it is. One of the same name that was dropped while
/// this node was away is removed. Blocks.
fn open(replica: &Replica, shelf: &Shelf) -> Result<(Database, Option<LogId>, Membership)> {
    let (name, schema) = (&replica.name, &replica.schema);
    let stored = shelf.stored(name)?;
    if let Some(database) = stored {
        let mark = read_mark(&database)?;
        let is_empty = database.stats().record_number == 0;
        database.close()?;
        match mark {
            Some((group, ..)) if group != replica.group => shelf.remove(name)?,
            None if !is_empty => return Err(super::shelf::strangers(&[name.place()])),
            _ => {}
        }
    }
    let database = shelf.open(name, schema)?;
    let (_, applied, membership) = read_mark(&database)?.unwrap_or_default();
    Ok((database, applied, membership))
}

/// Puts the database that arrived into the place of the one there is. Blocks.
fn install(replica: &Arc<Replica>, shelf: &Shelf) -> Result<()> {
    if let Some(database) = replica.release(shelf) {
        database.close()?;
    }
    replica.hold(shelf.replace(&replica.name, &replica.schema)?)?;
    replica.show(shelf);
    tracing::info!(db = %replica.name.db, shard = replica.name.number, "took over the state of another replica");
    Ok(())
}

fn unreadable(error: io::Error) -> Error {
    Error::corrupt(format!("the log of the cluster cannot be read: {error}"))
}

fn unapplied(error: &Error) -> StorageError {
    tracing::error!(%error, "a replica fails");
    let source = IoError::new(ErrorSubject::StateMachine, ErrorVerb::Write, error);
    StorageError::IO { source }
}
