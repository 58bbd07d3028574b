//! A catalog whose databases are those of a cluster, as far as this node has replicas of them.

use super::{Catalog, DataDirectory, Described, Home, Name, Serving};
use crate::{
    cluster::{Cluster, ClusterOptions, Shelf},
    keys::KeyFile,
};
use std::{path::Path, sync::Arc};
use vectordoc::{Database, Error, Result, Schema, native::DatabaseOptions};

impl Catalog {
    /// The databases of a node of a cluster, in the data directory `path`, which is created when
    /// missing. The node goes on as it was, or joins, or begins a cluster, as `cluster` says; its
    /// databases open one after the other once this returns. On a runtime of tokio, which must
    /// outlive the catalog.
    pub async fn open_in_cluster(
        path: impl AsRef<Path>,
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
        let catalog = Self { keys, ..Self::empty(home, 1) };
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
            Some(cluster) if database.is_replicated() => {
                cluster.catch_up(&Name::parse(name)?)?;
                // It may have been replaced by what another replica had.
                self.get(name)
            }
            _ => Ok(database),
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

    /// The list with the databases that other nodes have, and why this one has them not.
    pub(super) fn with_those_elsewhere(
        &self,
        mut listed: Vec<(Name, Result<Described>)>,
    ) -> Vec<(Name, Result<Described>)> {
        let Some(cluster) = &self.cluster else { return listed };
        for name in cluster.database_names() {
            let is_listed = listed.iter().any(|(there, _)| *there == name);
            if let Some(error) = cluster.why_not_here(&name).filter(|_| !is_listed) {
                listed.push((name, Err(error)));
            }
        }
        listed.sort_by(|(one, _), (other, _)| one.cmp(other));
        listed
    }
}

/// Creates a database of the cluster.
pub(super) fn create(
    cluster: &Cluster,
    name: &Name,
    schema: &Schema,
    shards: Option<usize>,
    replicas: Option<usize>,
) -> Result<Database> {
    match shards {
        None | Some(1) => cluster.create(name, schema, replicas),
        Some(0) => Err(Error::invalid("a database has at least 1 shard")),
        Some(shards) => Err(Error::unsupported(format!(
            "in a cluster a database has 1 shard in this build, the request says {shards}"
        ))),
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
