//! What there is to know of a database, which need not be in memory for that.

use super::{Name, Serverless, Serving, entries::Served};
use vectordoc::{
    Database, Error, Result, Schema,
    native::{Resharding, Resting, Stats},
};

/// Whether a database is in memory, and if not, whether a request brings it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// It is.
    Awake,
    /// The next request brings it there.
    Asleep,
    /// Requests are refused until it is resumed.
    Paused,
}

impl State {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Awake => "awake",
            Self::Asleep => "asleep",
            Self::Paused => "paused",
        }
    }
}

/// Where the newest of a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rests {
    /// On the disk of this server, or of a cluster.
    Here,
    /// The same, until it is uploaded to the bucket.
    Waiting,
    /// In the bucket.
    Bucket,
    /// At another node of the bucket, which has it awake.
    Elsewhere,
}

impl Rests {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Waiting => "waiting",
            Self::Bucket => "bucket",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// What there is to know of one database.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Described {
    /// Its name.
    pub name: Name,
    /// What its documents look like.
    pub schema: Schema,
    /// How many shards its documents are spread over.
    pub shards: usize,
    /// How many it has.
    pub documents: u64,
    /// Vectors that wait for an index.
    pub unindexed: u64,
    /// Bytes of memory it takes.
    pub memory_bytes: u64,
    /// How far it is with getting another number of shards, if it is.
    pub resharding: Option<Resharding>,
    /// Whether it is in memory.
    pub state: State,
    /// Milliseconds without a request after which it leaves memory; `None` when it never does.
    pub idle_ms: Option<u64>,
    /// How many replicas it shall have; `None` where there is no cluster.
    pub replicas: Option<usize>,
    /// Where the newest of it is.
    pub rests: Rests,
    /// Which node has it, if it is elsewhere; why it is not uploaded, if that waits and was tried.
    pub rests_why: Option<String>,
}

impl Described {
    /// A database in memory.
    pub(super) fn awake(name: &Name, database: &Database, idle_ms: Option<u64>) -> Self {
        Self::measured(name, database, &database.stats(), idle_ms)
    }

    /// The same with what was measured.
    pub(super) fn measured(
        name: &Name,
        database: &Database,
        stats: &Stats,
        idle_ms: Option<u64>,
    ) -> Self {
        Self {
            name: name.clone(),
            schema: database.schema().clone(),
            shards: database.shards(),
            documents: stats.documents,
            unindexed: stats.unindexed,
            memory_bytes: stats.memory_bytes,
            resharding: database.resharding(),
            state: State::Awake,
            idle_ms,
            replicas: None,
            rests: Rests::Here,
            rests_why: None,
        }
    }

    /// The same of one of the catalog.
    pub(super) fn served(name: &Name, served: &Served, server: &Serverless) -> Self {
        Self::awake(name, &served.database, idle_ms(served.serving, server))
    }

    /// A database that is not in memory.
    pub(super) fn resting(
        name: &Name,
        resting: Resting,
        serving: Serving,
        server: &Serverless,
    ) -> Self {
        let Resting { schema, shards, documents, unindexed } = resting;
        let state = if serving.paused { State::Paused } else { State::Asleep };
        Self {
            name: name.clone(),
            schema,
            shards,
            documents,
            unindexed,
            memory_bytes: 0,
            resharding: None,
            state,
            idle_ms: idle_ms(serving, server),
            replicas: None,
            rests: Rests::Here,
            rests_why: None,
        }
    }

    /// The same, of one whose newest is elsewhere than here.
    pub(super) fn rests(self, rests: Rests, why: Option<String>) -> Self {
        let state = match (rests, self.state) {
            (Rests::Elsewhere, State::Asleep) => State::Awake,
            (_, state) => state,
        };
        Self { rests, rests_why: why, state, ..self }
    }

    /// `conflict` when, if `replicas` is given, it shall have another number of them.
    pub(crate) fn expect_replicas(&self, replicas: Option<usize>) -> Result<()> {
        let there = self.replicas.unwrap_or(1);
        match replicas {
            Some(replicas) if replicas != there => Err(Error::conflict(format!(
                "database {}: there are {there} replicas, the request says {replicas}",
                self.name
            ))),
            _ => Ok(()),
        }
    }

    /// `conflict` when it is of another schema or, if `shards` is given, of another number of shards.
    pub(super) fn expect_same(&self, schema: &Schema, shards: Option<usize>) -> Result<()> {
        self.schema.expect_same(schema)?;
        match shards {
            Some(shards) if shards != self.shards => Err(Error::conflict(format!(
                "there are {} shards, the request says {shards}",
                self.shards
            ))),
            _ => Ok(()),
        }
    }
}

fn idle_ms(serving: Serving, server: &Serverless) -> Option<u64> {
    let idle = || u64::try_from(serving.idle(server).as_millis()).unwrap_or(u64::MAX);
    serving.is_serverless(server).then(idle)
}
