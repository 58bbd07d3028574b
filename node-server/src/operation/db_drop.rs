//! `db.drop`: a database and everything in it, gone for good.

use super::{Answer, Operation, params::Params};
use crate::{
    Catalog,
    keys::{Caller, Role},
    work::Work,
};
use vectordoc::Result;

pub(super) struct DbDrop {
    pub(super) db: String,
}

impl Operation for DbDrop {
    const METHOD: &'static str = "db.drop";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [&'static str] = &["db"];
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self { db: params.required("db")? })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        catalog.drop_database(&self.db)?;
        Ok(Answer::Dropped { dropped: true })
    }
}
