//! `db.get`: the description of one database.

use super::{Answer, Operation, answer::Description, params::Params};
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
    const ROLE: Role = Role::Read;
    const PARAMS: &'static [&'static str] = &["db"];

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self { db: params.required("db")? })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        let database = catalog.get(&self.db)?;
        Ok(Answer::Database(Description::of(&self.db, &database)))
    }
}
