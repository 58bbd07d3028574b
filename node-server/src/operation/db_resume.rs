//! `db.resume`: a database that was paused answers again.

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

pub(super) struct DbResume {
    pub(super) db: String,
}

impl Operation for DbResume {
    const METHOD: &'static str = "db.resume";
    const SUMMARY: &'static str = "Serve a database again that was paused";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] = &[DB];
    const RESULT: Kind = DESCRIPTION;
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self { db: params.required("db")? })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        Ok(Answer::Database(catalog.resume(&self.db)?.into()))
    }
}
