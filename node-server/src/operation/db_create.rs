//! `db.create`: a new database, or the one that is there with the same schema.

use super::{
    Answer, Operation,
    db_configure::serving,
    params::Params,
    shape::{DB, DESCRIPTION, Field, IDLE_MS, Kind, SERVERLESS},
};
use crate::{
    Catalog, Serving,
    keys::{Caller, Role},
    work::Work,
};
use vectordoc::{ErrorKind, Result, Schema};

pub(super) struct DbCreate {
    pub(super) db: String,
    pub(super) schema: Schema,
    /// How many; the server's choice when not given.
    pub(super) shards: Option<usize>,
    /// How many; the cluster's choice when not given.
    pub(super) replicas: Option<usize>,
    /// How it is served, as far as that is said.
    pub(super) serving: Serving,
}

impl Operation for DbCreate {
    const METHOD: &'static str = "db.create";
    const SUMMARY: &'static str = "Create a database, which takes the role admin, or find the one that is there with the same schema";
    /// To find the database that is there; to create one takes [`Role::Admin`].
    const ROLE: Role = Role::Read;
    const PARAMS: &'static [Field] = &[
        DB,
        Field::required("schema", Kind::Schema, "What its documents look like."),
        Field::optional(
            "shards",
            Kind::Count,
            "The parts it is in, which work side by side; the server's choice without it.",
        ),
        Field::optional(
            "replicas",
            Kind::Count,
            "Copies of it, each on another node of a cluster: 3 without it, or as many as there are nodes; \
             1 where the server is in no cluster.",
        ),
        SERVERLESS,
        IDLE_MS,
    ];
    const RESULT: Kind = DESCRIPTION;
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self {
            db: params.required("db")?,
            schema: Schema::from_json(&params.required("schema")?)?,
            shards: params.optional("shards")?,
            replicas: params.optional("replicas")?,
            serving: serving(params)?,
        })
    }

    fn run(self, caller: &Caller, catalog: &Catalog) -> Result<Answer> {
        let Self { db, schema, shards, replicas, serving } = &self;
        let described = match caller.check(Role::Admin, Some(db)) {
            Ok(()) => catalog.create_with(db, schema, *shards, *replicas, *serving)?,
            Err(denied) => match catalog.find(db, schema, *shards, *serving) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Err(denied),
                found => {
                    let found = found?;
                    found.expect_replicas(*replicas)?;
                    found
                }
            },
        };
        Ok(Answer::Database(described.into()))
    }
}
