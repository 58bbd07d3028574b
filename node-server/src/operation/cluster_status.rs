//! `cluster.status`: the nodes of the cluster this server is in, and where replicas are.

use super::{
    Answer, Operation,
    params::Params,
    shape::{Field, Kind},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
    work::Work,
};
use vectordoc::Result;

pub(super) struct ClusterStatus {
    with_hashes: bool,
}

const NODE: Field = Field::required("node", Kind::Count, "The number of the node.");
const NODES: Kind = Kind::List(&Kind::Object(&[
    NODE,
    Field::required("address", Kind::Text, "Where other nodes reach it."),
    Field::required("url", Kind::Text, "Where clients reach it."),
    Field::required("is_up", Kind::Bool, "Whether it answers."),
    Field::required("is_leader", Kind::Bool, "Whether it decides on nodes and databases."),
    Field::required("replicas", Kind::Count, "Replicas of shards that it shall have."),
]));
const SHARD: Field = Field::required("shard", Kind::Count, "The shard of it, from 0 on.");
const REPLICAS: Kind = Kind::List(&Kind::Object(&[
    SHARD,
    NODE,
    Field::required("role", Kind::Text, "leader, follower, learner, candidate, starting or down."),
    Field::required("term", Kind::Count, "The leadership it knows of."),
    Field::required("applied", Kind::Count, "The last entry of its log that it applied."),
    Field::required("documents", Kind::Count, "Documents it has."),
    Field::required("record", Kind::Count, "The number of its last record."),
    Field::required(
        "hash",
        Kind::Nullable(&Kind::Text),
        "Of every document with its version, if hashes were asked for: equal where records are.",
    ),
]));
const DATABASES: Kind = Kind::List(&Kind::Object(&[
    Field::required("db", Kind::Name, "The database."),
    Field::required("shards", Kind::Count, "How many shards it has."),
    Field::required("replicas_wanted", Kind::Count, "How many replicas each shard shall have."),
    Field::required("replicas", REPLICAS, "In order of the shards and of their nodes."),
]));
const MOVES: Kind = Kind::List(&Kind::Object(&[
    Field::required("db", Kind::Name, "The database."),
    SHARD,
    Field::required(
        "from",
        Kind::Nullable(&Kind::Count),
        "The node that has it now; null when one is made that was missing.",
    ),
    Field::required("to", Kind::Count, "The node that gets it."),
    Field::required("done", Kind::Count, "Entries of its store that were sent."),
    Field::required("total", Kind::Count, "Of so many; 0 while none are sent."),
]));

impl Operation for ClusterStatus {
    const METHOD: &'static str = "cluster.status";
    const SUMMARY: &'static str = "List the nodes of the cluster and the replicas of databases";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] = &[Field::optional(
        "hashes",
        Kind::Bool,
        "Whether every replica reads all its documents, to be compared with others.",
    )];
    const RESULT: Kind = Kind::Object(&[
        Field::required("cluster", Kind::Text, "Which cluster it is."),
        Field::required("node", Kind::Count, "The node that says this."),
        Field::required("nodes", NODES, "In order of their numbers."),
        Field::required("databases", DATABASES, "In order of their names."),
        Field::required("moves", MOVES, "Replicas on their way between nodes: one at most."),
    ]);
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self { with_hashes: params.optional("hashes")?.unwrap_or(false) })
    }

    fn run(self, caller: &Caller, catalog: &Catalog) -> Result<Answer> {
        let mut view = catalog.cluster()?.view_blocking(self.with_hashes)?;
        view.databases.retain(|database| caller.sees(&database.db));
        view.moves.retain(|moving| caller.sees(&moving.db));
        Ok(Answer::Cluster(view))
    }
}
