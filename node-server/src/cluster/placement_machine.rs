//! The state machine of the group of the placement: small, in memory, its snapshot in the file of the
//! logs.

use super::{
    group::{
        Command, Decision, Entry, IoError, LogId, Membership, Meta, StorageError, Types, decode,
        encode,
    },
    log::LogFile,
    placement::Placement,
    transfer::SnapshotData,
};
use openraft::{EntryPayload, RaftSnapshotBuilder, Snapshot, storage::RaftStateMachine};
use serde::{Deserialize, Serialize};
use std::{io, sync::Arc};
use tokio::sync::watch;

/// What the snapshot is called in the file.
const SNAPSHOT: &str = "placement";

/// The placement and where in its log it is.
#[derive(Clone, Default, Serialize, Deserialize)]
struct State {
    applied: Option<LogId>,
    membership: Membership,
    placement: Placement,
}

/// What applies the changes of the placement.
pub(super) struct PlacementMachine {
    state: State,
    /// The last snapshot, if there is one.
    snapshot: Option<State>,
    file: Arc<LogFile>,
    news: watch::Sender<Arc<Placement>>,
}

impl PlacementMachine {
    /// As the last snapshot left it; `news` hears of every change.
    pub(super) fn open(
        file: &Arc<LogFile>,
        news: watch::Sender<Arc<Placement>>,
    ) -> io::Result<Self> {
        let snapshot: Option<State> =
            file.node(SNAPSHOT)?.map(|bytes| decode(&bytes)).transpose()?;
        let state = snapshot.clone().unwrap_or_default();
        let machine = Self { state, snapshot, file: Arc::clone(file), news };
        machine.tell();
        Ok(machine)
    }

    fn tell(&self) {
        self.news.send_replace(Arc::new(self.state.placement.clone()));
    }
}

impl State {
    fn meta(&self) -> Meta {
        let index = self.applied.map_or(0, |id| id.index);
        Meta {
            last_log_id: self.applied,
            last_membership: self.membership.clone(),
            snapshot_id: format!("placement-{index}"),
        }
    }

    fn to_snapshot(&self) -> io::Result<Snapshot<Types>> {
        let data = SnapshotData::Placement(encode(self)?);
        Ok(Snapshot { meta: self.meta(), snapshot: Box::new(data) })
    }
}

impl RaftStateMachine<Types> for PlacementMachine {
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, Membership), StorageError> {
        Ok((self.state.applied, self.state.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Decision>, StorageError>
    where
        I: IntoIterator<Item = Entry> + Send,
        I::IntoIter: Send,
    {
        let mut decisions = Vec::new();
        for entry in entries {
            self.state.applied = Some(entry.log_id);
            decisions.push(match entry.payload {
                EntryPayload::Normal(Command::Place(change)) => self.state.placement.apply(change),
                EntryPayload::Normal(Command::Write { .. }) | EntryPayload::Blank => {
                    Decision::Blank
                }
                EntryPayload::Membership(membership) => {
                    self.state.membership = Membership::new(Some(entry.log_id), membership);
                    Decision::Blank
                }
            });
        }
        self.tell();
        Ok(decisions)
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        self.snapshot = Some(self.state.clone());
        Builder { state: self.state.clone(), file: Arc::clone(&self.file) }
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<SnapshotData>, StorageError> {
        Ok(Box::new(SnapshotData::Nothing))
    }

    async fn install_snapshot(
        &mut self,
        _: &Meta,
        snapshot: Box<SnapshotData>,
    ) -> Result<(), StorageError> {
        let SnapshotData::Placement(bytes) = *snapshot else {
            return Err(failed(&io::Error::other("a snapshot of something else")));
        };
        let state: State = decode(&bytes).map_err(|error| failed(&error))?;
        keep(&self.file, bytes).await?;
        self.state = state.clone();
        self.snapshot = Some(state);
        self.tell();
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<Types>>, StorageError> {
        let snapshot = self.snapshot.as_ref().map(State::to_snapshot).transpose();
        snapshot.map_err(|error| failed(&error))
    }
}

/// Makes a snapshot.
pub(super) struct Builder {
    state: State,
    file: Arc<LogFile>,
}

impl RaftSnapshotBuilder<Types> for Builder {
    async fn build_snapshot(&mut self) -> Result<Snapshot<Types>, StorageError> {
        let bytes = encode(&self.state).map_err(|error| failed(&error))?;
        keep(&self.file, bytes).await?;
        self.state.to_snapshot().map_err(|error| failed(&error))
    }
}

/// Puts a snapshot on stable storage, in the place of the last one.
async fn keep(file: &Arc<LogFile>, bytes: Vec<u8>) -> Result<(), StorageError> {
    file.set_node(SNAPSHOT, bytes).await.map_err(|error| failed(&error))
}

fn failed(error: &io::Error) -> StorageError {
    StorageError::IO { source: IoError::write_snapshot(None, error) }
}
