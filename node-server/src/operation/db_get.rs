//! `db.get`: the description of one database.

use super::{
    Answer, Operation,
    params::Params,
    shape::{DB, DESCRIPTION, Field, Kind},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
};
use vectordoc::Result;

pub(super) struct DbGet {
    pub(super) db: String,
}

impl Operation for DbGet {
    const METHOD: &'static str = "db.get";
    const SUMMARY: &'static str = "Describe a database";
    const ROLE: Role = Role::Read;
    const PARAMS: &'static [Field] = &[DB];
    const RESULT: Kind = DESCRIPTION;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self { db: params.required("db")? })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        Ok(Answer::Database(catalog.describe(&self.db)?.into()))
    }
}
