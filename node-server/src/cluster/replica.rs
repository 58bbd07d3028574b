//! The replica of a database that this node has.

use super::{
    group::{Bytes, Command, Decision, Group, Node, Raft},
    message::{Request, Response, error_of},
    network::news,
    peers::{CallError, Peers},
    runtime::{blocking, spawn_on, timeout},
    shard_name::ShardName,
    shelf::Shelf,
};
use openraft::{ServerState, error::RaftError};
use std::{
    sync::{Arc, OnceLock, PoisonError, RwLock, RwLockWriteGuard, Weak},
    time::Duration,
};
use tokio::{runtime::Handle, sync::oneshot, time::Instant};
use vectordoc::{
    Batch, Database, Error, Result, Schema,
    engine::Outcome,
    native::{Decided, Replication, WhenBusy, Written},
    planted::{self, Plant},
};

/// How long to wait for news of a group before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How long one other node may take to say something that is no write.
const ASK_TIMEOUT: Duration = Duration::from_secs(2);
/// A leader that has heard of no majority for so long takes no writes.
const QUORUM_SILENCE_MAX_MS: u64 = 10_000;

/// One member of the group of a database.
pub(super) struct Replica {
    pub(super) group: Group,
    /// Which shard of which database it is.
    pub(super) name: ShardName,
    pub(super) schema: Schema,
    node: Node,
    peers: Arc<Peers>,
    handle: Handle,
    /// How long a request waits for a majority.
    request_timeout: Duration,
    stream: u64,
    raft: OnceLock<Raft>,
    held: RwLock<Held>,
    /// Taken by who takes in what another replica has.
    arrival: tokio::sync::Mutex<()>,
    myself: Weak<Self>,
}

/// The database of a replica. What requests find changes only under the lock of this, so that none
/// finds a database that this node is to have no more.
#[derive(Default)]
struct Held {
    /// `None` while another takes its place, and at the end.
    database: Option<Database>,
    /// Requests do not find it, as it is placed on other nodes, although the group still has this one.
    is_hidden: bool,
    /// It holds no database any more.
    is_retired: bool,
}

/// What a replica is told of its node.
pub(super) struct Surroundings {
    pub(super) node: Node,
    pub(super) peers: Arc<Peers>,
    pub(super) handle: Handle,
    pub(super) request_timeout: Duration,
    /// Of the records of the group, in all of the world.
    pub(super) stream: u64,
}

impl Replica {
    pub(super) fn new(
        group: Group,
        name: ShardName,
        schema: Schema,
        node: Surroundings,
    ) -> Arc<Self> {
        let Surroundings { node, peers, handle, request_timeout, stream } = node;
        Arc::new_cyclic(|myself| Self {
            group,
            name,
            schema,
            node,
            peers,
            handle,
            request_timeout,
            stream,
            raft: OnceLock::new(),
            held: RwLock::default(),
            arrival: tokio::sync::Mutex::default(),
            myself: Weak::clone(myself),
        })
    }

    /// It is this database from now on, whose writes it agrees on; `closed` once it was retired. Blocks.
    pub(super) fn hold(self: &Arc<Self>, database: Database) -> Result<()> {
        let mut held = self.held();
        if held.is_retired {
            return Err(gone());
        }
        database.replicate(Arc::clone(self) as _)?;
        held.database = Some(database);
        Ok(())
    }

    /// Lets requests find the database, if it is not hidden. Blocks.
    pub(super) fn show(&self, shelf: &Shelf) {
        let held = self.held();
        if let Some(database) = held.database.clone().filter(|_| !held.is_hidden) {
            self.show_on(shelf, database);
        }
    }

    /// Hides the database from requests, or lets them find it again. Blocks.
    pub(super) fn set_hidden(&self, is_hidden: bool, shelf: &Shelf) {
        let mut held = self.held();
        if held.is_hidden == is_hidden {
            return;
        }
        held.is_hidden = is_hidden;
        match held.database.clone().filter(|_| !is_hidden) {
            Some(database) => self.show_on(shelf, database),
            None => self.hide_on(shelf),
        }
    }

    /// What is all of its database is found by requests without a way over others.
    fn show_on(&self, shelf: &Shelf, database: Database) {
        if self.name.is_whole() {
            shelf.show(&self.name.db, database);
        }
    }

    fn hide_on(&self, shelf: &Shelf) {
        if self.name.is_whole() {
            shelf.hide(&self.name.db);
        }
    }

    /// Whether it has a vote, and so has caught up: one that is just arriving answers nothing.
    pub(super) fn is_ready(&self) -> bool {
        let Some(raft) = self.raft.get() else { return false };
        let metrics = raft.metrics();
        let metrics = metrics.borrow();
        metrics.membership_config.voter_ids().any(|node| node == self.node)
    }

    /// The node that leads, as far as this one knows.
    pub(super) fn leader(&self) -> Option<Node> {
        self.raft.get()?.metrics().borrow().current_leader
    }

    /// Whether requests do not find it.
    pub(super) fn is_hidden(&self) -> bool {
        self.held.read().unwrap_or_else(PoisonError::into_inner).is_hidden
    }

    /// Lets go of the database, for another to take its place. Blocks.
    pub(super) fn release(&self, shelf: &Shelf) -> Option<Database> {
        let mut held = self.held();
        self.hide_on(shelf);
        held.database.take()
    }

    /// Lets go of the database for good. Blocks.
    pub(super) fn retire(&self, shelf: &Shelf) -> Option<Database> {
        let mut held = self.held();
        held.is_retired = true;
        self.hide_on(shelf);
        held.database.take()
    }

    fn held(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn database(&self) -> Result<Database> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.database.clone().ok_or_else(|| {
            Error::unavailable(format!("{} is being replaced; try again", self.name))
        })
    }

    /// Waits until nobody else takes in what another replica has.
    pub(super) async fn arriving(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.arrival.lock().await
    }

    /// The group goes on by this.
    pub(super) fn join(&self, raft: Raft) {
        // There is one for each replica.
        let _ = self.raft.set(raft);
    }

    pub(super) fn raft(&self) -> Result<&Raft> {
        self.raft.get().ok_or_else(|| Error::unavailable("the replica is just starting; try again"))
    }

    /// Waits until this replica has everything that was acknowledged before this was called.
    pub(super) async fn catch_up(&self) -> Result<()> {
        let end = Instant::now() + self.request_timeout;
        let raft = self.raft()?;
        loop {
            let leader = raft.metrics().borrow().current_leader;
            match self.read_index(raft, leader).await {
                Ok(Some(index)) => return self.apply_up_to(raft, index, end).await,
                Ok(None) | Err(_) if Instant::now() < end => news(raft, LOOK_AGAIN).await,
                Ok(None) => return Err(late(&self.name)),
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits until this replica has applied its log up to `index`.
    async fn apply_up_to(&self, raft: &Raft, index: Option<u64>, end: Instant) -> Result<()> {
        loop {
            let applied = raft.metrics().borrow().last_applied.map(|id| id.index);
            if applied >= index {
                return Ok(());
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(late(&self.name));
            }
            news(raft, left.min(LOOK_AGAIN)).await;
        }
    }

    /// Where the leader's log ends; `None` when nobody knows at this moment.
    async fn read_index(&self, raft: &Raft, leader: Option<Node>) -> Result<Option<Option<u64>>> {
        let Some(leader) = leader else { return Ok(None) };
        if leader == self.node {
            return Ok(self.own_read_index(raft).await);
        }
        let request = Request::ReadIndex(self.group);
        match self.peers.ask(leader, &request, ASK_TIMEOUT).await {
            Ok(Response::ReadIndex(index)) => Ok(Some(index)),
            Ok(Response::Failed(code, message)) => Err(error_of(&code, message)),
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// The same of this node, if it leads.
    pub(super) async fn own_read_index(&self, raft: &Raft) -> Option<Option<u64>> {
        if planted::is(Plant::StaleReads) {
            let metrics = raft.metrics();
            return Some(metrics.borrow().last_applied.map(|id| id.index));
        }
        let asked = timeout(ASK_TIMEOUT, raft.get_read_log_id()).await.ok()?;
        asked.ok().map(|(read, _)| read.map(|id| id.index))
    }

    /// Writes a batch that another node handed over; `None` when this one does not lead.
    pub(super) async fn write(self: Arc<Self>, batch: Vec<u8>) -> Result<Option<Outcome>> {
        if self.term().is_none() {
            return Ok(None);
        }
        let (written, heard) = oneshot::channel();
        let written: Written = Box::new(move |result| {
            // Who does not wait any more need not be told.
            let _ = written.send(result);
        });
        blocking(move || {
            let batch = Batch::from_bytes(&batch, &self.schema)?;
            self.database()?.when_busy(WhenBusy::Refuse).write_forwarded(batch, written)
        })
        .await?;
        heard.await.unwrap_or_else(|_| Err(gone())).map(Some)
    }

    /// Hands a batch to whoever leads, until somebody took it or nobody did for long.
    pub(super) async fn hand_over(self: Arc<Self>, batch: Batch) -> Result<Outcome> {
        let end = Instant::now() + self.request_timeout;
        let bytes = batch.to_bytes();
        let raft = self.raft()?;
        while Instant::now() < end {
            let leader = raft.metrics().borrow().current_leader;
            let written = match leader {
                None => None,
                Some(leader) if leader == self.node => {
                    Arc::clone(&self).write(bytes.clone()).await?
                }
                Some(leader) => self.write_there(leader, bytes.clone()).await?,
            };
            match written {
                Some(outcome) => return Ok(outcome),
                None => news(raft, LOOK_AGAIN).await,
            }
        }
        Err(late(&self.name))
    }

    async fn write_there(&self, leader: Node, batch: Vec<u8>) -> Result<Option<Outcome>> {
        let request = Request::Write(self.group, Bytes(batch));
        match self.peers.ask(leader, &request, self.request_timeout + ASK_TIMEOUT).await {
            Ok(Response::Written(outcome)) => Outcome::from_bytes(&outcome.0).map(Some),
            Ok(Response::Failed(code, message)) => Err(error_of(&code, message)),
            Ok(_) | Err(CallError::Unsent(_)) => Ok(None),
            Err(unknown) => Err(unknown.into_error(&self.name.to_string())),
        }
    }

    /// What became of records that were proposed.
    async fn propose_in(&self, term: u64, records: Vec<Vec<u8>>) -> Result<()> {
        let records = records.into_iter().map(Bytes).collect();
        let command = Command::Write { term, node: self.node, records };
        let patience = self.request_timeout;
        let written = timeout(patience, self.raft()?.client_write(command)).await;
        let Ok(written) = written else {
            return Err(self.unknown(&format!("no majority agreed within {patience:?}")));
        };
        match written {
            Ok(response) if response.data == Decision::Applied => Ok(()),
            Ok(_) => Err(Error::unavailable(format!(
                "{}: another replica leads by now; nothing was written, try again",
                self.name
            ))),
            Err(RaftError::APIError(_)) => Err(self.unknown("another replica leads by now")),
            Err(RaftError::Fatal(error)) => Err(self.unknown(&error.to_string())),
        }
    }

    /// Whether it leads in `term` as a majority sees it.
    async fn confirm_in(&self, term: u64) -> Result<()> {
        let raft = self.raft()?;
        let confirmed = timeout(self.request_timeout, raft.ensure_linearizable()).await;
        match confirmed {
            Ok(Ok(_)) if raft.metrics().borrow().current_term == term => Ok(()),
            _ => Err(Error::unavailable(format!(
                "{}: whether this replica leads could not be confirmed; nothing was \
                 written, try again",
                self.name
            ))),
        }
    }

    fn unknown(&self, why: &str) -> Error {
        Error::unavailable(format!(
            "{}: {why}; whether it was written is unknown, look before you try again",
            self.name
        ))
    }
}

fn late(name: &ShardName) -> Error {
    Error::unavailable(format!(
        "{name}: no majority of its replicas answers; nothing was done, try again, or read \
         with \"read\": \"local\" what this replica has"
    ))
}

impl Replication for Replica {
    fn term(&self) -> Option<u64> {
        let metrics = self.raft.get()?.metrics();
        let metrics = metrics.borrow();
        let is_heard = metrics.millis_since_quorum_ack.is_none_or(|ms| ms < QUORUM_SILENCE_MAX_MS);
        let applied = metrics.last_applied?.leader_id;
        let is_ready = applied.term == metrics.current_term && applied.node_id == self.node;
        let leads = metrics.state == ServerState::Leader && is_heard && is_ready;
        leads.then_some(metrics.current_term)
    }

    fn propose(&self, term: u64, records: Vec<Vec<u8>>, decided: Decided) {
        let Some(myself) = self.myself.upgrade() else { return decided(Err(gone())) };
        spawn_on(&self.handle, async move { decided(myself.propose_in(term, records).await) });
    }

    fn confirm(&self, term: u64, decided: Decided) {
        let Some(myself) = self.myself.upgrade() else { return decided(Err(gone())) };
        spawn_on(&self.handle, async move { decided(myself.confirm_in(term).await) });
    }

    fn forward(&self, batch: Batch, written: Written) {
        let Some(myself) = self.myself.upgrade() else { return written(Err(gone())) };
        spawn_on(&self.handle, async move { written(myself.hand_over(batch).await) });
    }

    fn stream(&self) -> u64 {
        self.stream
    }
}

fn gone() -> Error {
    Error::closed("the database was closed")
}
