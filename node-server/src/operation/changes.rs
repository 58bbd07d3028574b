//! `changes`: what happened to documents since a position, or the position there is now.

use super::{
    Answer, Operation, answer::Changes as Changed, include::include, params::Params, read,
};
use crate::{
    Catalog,
    keys::{Caller, Role},
};
use vectordoc::{Database, Result, limits::CHANGES_LIMIT_DEFAULT, native::ChangeQuery};

pub(super) struct Changes {
    pub(super) database: Database,
    pub(super) query: ChangeQuery,
}

impl Operation for Changes {
    const METHOD: &'static str = "changes";
    const ROLE: Role = Role::Read;
    const PARAMS: &'static [&'static str] = &["db", "since", "limit", "filter", "include"];

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::database(params, catalog)?;
        let query = ChangeQuery {
            since: params.optional("since")?,
            limit: params.optional("limit")?.unwrap_or(CHANGES_LIMIT_DEFAULT),
            filter: read::filter(params)?,
            include: include(params, database.schema())?,
        };
        Ok(Self { database, query })
    }

    fn run(self, _: &Caller, _: &Catalog) -> Result<Answer> {
        let Self { database, query } = self;
        let page = database.changes(&query)?;
        Ok(Answer::Changes(Changed { database, page }))
    }
}
