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
        }
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
