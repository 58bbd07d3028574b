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
}

impl Operation for DbConfigure {
    const METHOD: &'static str = "db.configure";
    const SUMMARY: &'static str = "Change how a database is served";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] = &[DB, SERVERLESS, IDLE_MS];
    const RESULT: Kind = DESCRIPTION;
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        let serving = serving(params)?;
        if serving == Serving::default() {
            return Err(Error::invalid("give \"serverless\" or \"idle_ms\", or both"));
        }
        Ok(Self { db: params.required("db")?, serving })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        Ok(Answer::Database(catalog.configure(&self.db, self.serving)?.into()))
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
