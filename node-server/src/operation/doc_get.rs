//! `doc.get`: documents by id, each with its version.

use super::{Answer, Operation, answer::Documents, include::include, params::Params, read};
use crate::{
    Catalog,
    keys::{Caller, Role},
};
use vectordoc::{Database, Id, Include, Result};

pub(super) struct DocGet {
    pub(super) database: Database,
    pub(super) ids: Vec<Id>,
    pub(super) include: Include,
}

impl Operation for DocGet {
    const METHOD: &'static str = "doc.get";
    const ROLE: Role = Role::Read;
    const PARAMS: &'static [&'static str] = &["db", "ids", "include"];

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::database(params, catalog)?;
        let ids = read::ids(params, database.schema().id().kind)?;
        let include = include(params, database.schema())?;
        Ok(Self { database, ids, include })
    }

    fn run(self, _: &Caller, _: &Catalog) -> Result<Answer> {
        let docs = self.database.get_versioned(&self.ids, &self.include)?;
        Ok(Answer::Documents(Documents { database: self.database, docs }))
    }
}
