//! `db.pause`: a database that answers nothing, and takes no memory, until it is resumed.

use super::{
    Answer, Operation,
    params::Params,
    shape::{DB, DESCRIPTION, Field, Kind},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
    work::Work,
};
use vectordoc::Result;

pub(super) struct DbPause {
    pub(super) db: String,
}

impl Operation for DbPause {
    const METHOD: &'static str = "db.pause";
    const SUMMARY: &'static str = "Refuse requests about a database until it is resumed";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] = &[DB];
    const RESULT: Kind = DESCRIPTION;
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self { db: params.required("db")? })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        Ok(Answer::Database(catalog.pause(&self.db)?.into()))
    }
}
