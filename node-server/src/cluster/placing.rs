//! What a node has the others agree on: which databases and nodes there are.

use super::{
    group::{Command, Decision, Node},
    member::{Cluster, LOOK_AGAIN, broken, no_leader},
    message::{Request, Response, error_of},
    network::news,
    peers::CallError,
    placement::Change,
    runtime::{sleep, timeout},
};
use crate::Name;
use openraft::error::RaftError;
use tokio::time::Instant;
use vectordoc::{Error, ErrorKind, Result, Schema};

impl Cluster {
    /// Makes a change of the placement, wherever its leader is.
    pub(super) async fn place(&self, change: Change) -> Result<()> {
        let end = Instant::now() + self.request_timeout;
        let raft = self.placement_raft()?;
        loop {
            let leader = raft.metrics().borrow().current_leader;
            let placed = match leader {
                None => None,
                Some(leader) if leader == self.node() => self.place_here(change.clone()).await?,
                Some(leader) => self.place_there(leader, change.clone()).await?,
            };
            match placed {
                Some(Decision::Refused(code, message)) => return Err(error_of(&code, message)),
                Some(_) => return Ok(()),
                None if Instant::now() > end => return Err(no_leader()),
                None => news(&raft, LOOK_AGAIN).await,
            }
        }
    }

    /// The same if this node leads; `None` if not.
    pub(super) async fn place_here(&self, change: Change) -> Result<Option<Decision>> {
        let raft = self.placement_raft()?;
        match timeout(self.request_timeout, raft.client_write(Command::Place(change))).await {
            Ok(Ok(response)) => Ok(Some(response.data)),
            Ok(Err(RaftError::APIError(_))) => Ok(None),
            Ok(Err(error)) => Err(broken(&error)),
            Err(_) => Err(no_leader()),
        }
    }

    async fn place_there(&self, leader: Node, change: Change) -> Result<Option<Decision>> {
        match self.peers().ask(leader, &Request::Place(change), 2 * self.request_timeout).await {
            Ok(Response::Placed) => Ok(Some(Decision::Placed)),
            Ok(Response::Failed(code, message)) => Err(error_of(&code, message)),
            Ok(_) | Err(CallError::Unsent(_)) => Ok(None),
            Err(unknown) => Err(unknown.into_error("the placement")),
        }
    }

    /// Creates a database, or finds the one of the same schema. Blocks until all of it answers.
    pub(crate) fn create(
        &self,
        name: &Name,
        schema: &Schema,
        shards: Option<usize>,
        replicas: Option<usize>,
    ) -> Result<()> {
        let change = Change::create(name.as_str(), schema, shards, replicas, self.node());
        self.handle.block_on(self.place(change))?;
        let end = Instant::now() + self.request_timeout;
        let database = loop {
            match self.reach(name)? {
                Some(database) => break database,
                None if Instant::now() > end => {
                    return Err(Error::unavailable(format!(
                        "database {name} is created, and this node has not heard of it; try again"
                    )));
                }
                None => self.handle.block_on(sleep(LOOK_AGAIN)),
            }
        };
        let measured = database.measure();
        measured.map(drop).map_err(|error| error.within("it is created, and not all of it answers"))
    }

    /// Drops a database: from all its nodes, as soon as they hear of it. Blocks.
    pub(crate) fn drop_database(&self, name: &Name) -> Result<()> {
        self.handle.block_on(async {
            self.place(Change::Drop(name.to_string())).await?;
            let end = Instant::now() + self.request_timeout;
            let is_there = || {
                let is_placed = self.placement().databases.contains_key(name.as_str());
                is_placed || self.shelf().shown(name).is_some()
            };
            while is_there() && Instant::now() < end {
                sleep(LOOK_AGAIN).await;
            }
            Ok(())
        })
    }

    /// Gives a database so many replicas. Blocks until this node knows that it shall have them.
    pub(crate) fn set_replicas(&self, name: &Name, replicas: usize) -> Result<()> {
        self.handle.block_on(async {
            let end = Instant::now() + self.request_timeout;
            loop {
                let scaled = self.place(Change::Scale { name: name.to_string(), replicas }).await;
                match scaled {
                    // Of one just created the replicas may not have begun.
                    Err(error)
                        if error.kind() == ErrorKind::Unavailable && Instant::now() < end =>
                    {
                        sleep(LOOK_AGAIN).await;
                    }
                    scaled => break scaled?,
                }
            }
            let is_unheard =
                || self.replicas_of(name.as_str()).is_some_and(|known| known != replicas);
            while is_unheard() && Instant::now() < end {
                sleep(LOOK_AGAIN).await;
            }
            Ok(())
        })
    }

    /// Removes a node for good. Blocks.
    pub(crate) fn remove_node(&self, node: Node) -> Result<()> {
        self.handle.block_on(self.place(Change::Remove(node)))
    }
}
