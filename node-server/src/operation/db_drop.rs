//! `db.drop`: a database and everything in it, gone for good.

use super::{
    Answer, Operation,
    params::Params,
    shape::{DB, Field, Kind},
};
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
    const SUMMARY: &'static str = "Drop a database and everything in it";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] = &[DB];
    const RESULT: Kind = Kind::Object(&[Field::required(
        "dropped",
        Kind::Bool,
        "Always true: what is not dropped is an error.",
    )]);
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self { db: params.required("db")? })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        catalog.drop_database(&self.db)?;
        Ok(Answer::Dropped { dropped: true })
    }
}
