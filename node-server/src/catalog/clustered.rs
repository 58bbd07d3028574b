//! A catalog whose databases are those of a cluster, as far as this node has replicas of them.

use super::{Catalog, DataDirectory, Described, Home, Name, Serving};
use crate::{
    cluster::{Cluster, ClusterOptions, Shelf},
    keys::KeyFile,
};
use std::{path::Path, sync::Arc};
use vectordoc::{
    Database, Error, Result,
    native::{DatabaseOptions, ReadLevel},
};

impl Catalog {
    /// The databases of a node of a cluster, in the data directory `path`, which is created when
    /// missing; new databases get `shards` shards unless their creator says otherwise. The node goes on as it was, or joins, or begins a cluster, as `cluster` says; its
    /// databases open one after the other once this returns. On a runtime of tokio, which must
    /// outlive the catalog.
    pub async fn open_in_cluster(
        path: impl AsRef<Path>,
        shards: usize,
        options: DatabaseOptions,
        cluster: &ClusterOptions,
    ) -> Result<Self> {
        let path = path.as_ref();
        if Database::is_database(path) {
            return Err(Error::invalid(format!(
                "{} is one database; a node of a cluster needs a directory for several",
                path.display()
            )));
        }
        let options = DatabaseOptions { shards: None, ..options };
        let directory = DataDirectory::take(path)?;
        let home = Home::Directory { directory, options: options.clone() };
        let keys = Some(KeyFile::of(path));
        let catalog = Self { keys, ..Self::empty(home, shards) };
        let shelf = Shelf::new(path, options, Arc::clone(&catalog.entries));
        let cluster = Some(Cluster::start(cluster, shelf).await?);
        Ok(Self { cluster, ..catalog })
    }

    /// Where other nodes of its cluster reach this server, `host:port`; `None` if it is in none.
    pub fn cluster_address(&self) -> Option<&str> {
        self.cluster.as_ref().map(|cluster| cluster.address())
    }

    /// The cluster this server is in; `unsupported` when it is in none.
    pub(crate) fn cluster(&self) -> Result<&Arc<Cluster>> {
        self.cluster.as_ref().ok_or_else(|| {
            Error::unsupported(
                "this server is in no cluster; start it with a cluster key (`--cluster-key-file`) \
                 for that",
            )
        })
    }

    /// The database called `name`, with everything that was acknowledged before this was called.
    /// Blocks where it has replicas.
    pub(crate) fn get_fresh(&self, name: &str) -> Result<Database> {
        let database = self.get(name)?;
        match &self.cluster {
            // Each shard catches up where it is asked.
            Some(_) if database.is_spread() => Ok(database.with_reads(ReadLevel::Linearizable)),
            Some(cluster) if database.is_replicated() => {
                cluster.catch_up(&Name::parse(name)?)?;
                // It may have been replaced by what another replica had.
                self.get(name)
            }
            _ => Ok(database),
        }
    }

    /// The database `name` of a cluster, on this node or by way of others, if it is no other's.
    pub(super) fn get_clustered(&self, cluster: &Cluster, name: &Name) -> Result<Database> {
        if let Some(database) = self.entries.take_now(name) {
            return Ok(database);
        }
        match cluster.reach(name)? {
            Some(database) => Ok(database.with_reads(ReadLevel::Local)),
            None => Err(self.unknown(name)),
        }
    }

    /// Describes it.
    pub(super) fn describe_clustered(&self, cluster: &Cluster, name: &Name) -> Result<Described> {
        let database = self.get_clustered(cluster, name)?;
        let stats = database.measure()?;
        Ok(Described::measured(name, &database, &stats, None))
    }

    /// The names of all databases there are.
    pub(super) fn names(&self) -> Vec<Name> {
        match &self.cluster {
            Some(cluster) => cluster.database_names(),
            None => self.entries.names(),
        }
    }

    /// How many replicas the database `name` shall have; `None` where there is no cluster.
    pub(crate) fn replicas_of(&self, name: &str) -> Option<usize> {
        self.cluster.as_ref()?.replicas_of(name)
    }

    /// Gives the database `name` so many replicas, each on another node of the cluster, which make
    /// them, or remove them, as soon as they hear of it.
    pub fn set_replicas(&self, name: &str, replicas: usize) -> Result<Described> {
        let parsed = Name::parse(name)?;
        match &self.cluster {
            Some(cluster) => cluster.set_replicas(&parsed, replicas)?,
            None => {
                self.expect_there(name)?;
                expect_alone(Some(replicas))?;
            }
        }
        self.describe(name)
    }

    pub(super) fn expect_no_cluster(&self, verb: &str) -> Result<()> {
        match &self.cluster {
            None => Ok(()),
            Some(_) => Err(Error::unsupported(format!("a node of a cluster cannot {verb}"))),
        }
    }
}

/// Refuses to let a database of a cluster leave memory.
pub(super) fn expect_awake(serving: Serving) -> Result<()> {
    if serving.serverless != Some(true) && serving.idle_ms.is_none() {
        return Ok(());
    }
    Err(Error::unsupported(
        "a database of a cluster has replicas that hear of every write, and so never leaves memory; \
         leave out \"serverless\" and \"idle_ms\", or create it on a server without a cluster key",
    ))
}

/// Refuses replicas where there is nobody to have them.
pub(super) fn expect_alone(replicas: Option<usize>) -> Result<()> {
    match replicas {
        None | Some(1) => Ok(()),
        Some(0) => Err(Error::invalid("replicas: a database has at least 1")),
        Some(replicas) => Err(Error::unsupported(format!(
            "replicas: a server in no cluster keeps 1, the request says {replicas}; start it with a \
             cluster key (`--cluster-key-file`) and let others join"
        ))),
    }
}
