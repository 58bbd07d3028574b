//! `db.recall`: how much of the true nearest searches find, measured now on the database's own
//! documents.

use super::{Answer, Operation, params::Params, read};
use crate::{
    Catalog,
    keys::{Caller, Role},
};
use vectordoc::{Database, Result, native::RecallQuery};

pub(super) struct DbRecall {
    pub(super) database: Database,
    pub(super) query: RecallQuery,
}

impl Operation for DbRecall {
    const METHOD: &'static str = "db.recall";
    /// It tells nothing that searches do not, and costs as much as a bounded number of them.
    const ROLE: Role = Role::Read;
    const PARAMS: &'static [&'static str] = &["db", "field", "sample", "k", "ef", "filter", "seed"];

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::database(params, catalog)?;
        let defaults = RecallQuery::default();
        let query = RecallQuery {
            field: params.optional("field")?,
            sample: params.optional("sample")?.unwrap_or(defaults.sample),
            k: params.optional("k")?.unwrap_or(defaults.k),
            ef: params.optional("ef")?,
            filter: read::filter(params)?,
            seed: params.optional("seed")?.unwrap_or(defaults.seed),
        };
        Ok(Self { database, query })
    }

    fn run(self, _: &Caller, _: &Catalog) -> Result<Answer> {
        Ok(Answer::Recall(self.database.recall(&self.query)?.into()))
    }
}
