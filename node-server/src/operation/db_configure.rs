//! `db.configure`: how a database is served, from now on.

use super::{
    Answer, Operation,
    params::Params,
    shape::{DB, DESCRIPTION, Field, IDLE_MS, Kind, SERVERLESS},
};
use crate::{
    Catalog, Serving,
    keys::{Caller, Role},
    work::Work,
};
use vectordoc::{Error, Result};

pub(super) struct DbConfigure {
    pub(super) db: String,
    pub(super) serving: Serving,
    /// How many replicas it shall have.
    pub(super) replicas: Option<usize>,
}

impl Operation for DbConfigure {
    const METHOD: &'static str = "db.configure";
    const SUMMARY: &'static str = "Change how a database is served";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] = &[
        DB,
        Field::optional(
            "replicas",
            Kind::Count,
            "Copies of it, each on another node of a cluster; 1 where the server is in none.",
        ),
        SERVERLESS,
        IDLE_MS,
    ];
    const RESULT: Kind = DESCRIPTION;
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        let (serving, replicas) = (serving(params)?, params.optional("replicas")?);
        if serving == Serving::default() && replicas.is_none() {
            return Err(Error::invalid("give \"replicas\", \"serverless\" or \"idle_ms\""));
        }
        Ok(Self { db: params.required("db")?, serving, replicas })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        let Self { db, serving, replicas } = &self;
        // What is refused leaves nothing changed.
        let mut described = catalog.configure(db, *serving)?;
        if let Some(replicas) = replicas {
            described = catalog.set_replicas(db, *replicas)?;
        }
        Ok(Answer::Database(described.into()))
    }
}

/// How a database is to be served, as far as the parameters say.
pub(super) fn serving(params: &Params<'_>) -> Result<Serving> {
    let serving = Serving::default();
    let serving = match params.optional("serverless")? {
        Some(serverless) => serving.serverless(serverless),
        None => serving,
    };
    match params.optional("idle_ms")? {
        Some(idle_ms) => serving.idle_ms(idle_ms),
        None => Ok(serving),
    }
}
