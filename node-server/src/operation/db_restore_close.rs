//! `db.restore.close`: a restore is given up, and nothing of it is left.

use super::{
    Answer, Operation,
    params::Params,
    shape::{CLOSED, DB, Field, Kind, RESTORE},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
    work::Work,
};
use vectordoc::Result;

pub(super) struct DbRestoreClose {
    pub(super) db: String,
    pub(super) restore: String,
}

impl Operation for DbRestoreClose {
    const METHOD: &'static str = "db.restore.close";
    const SUMMARY: &'static str = "Give up a restore";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] = &[DB, RESTORE];
    const RESULT: Kind = CLOSED;
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self { db: params.required("db")?, restore: params.required("restore")? })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        drop(catalog.transfers().restores.remove(&self.db, &self.restore)?);
        Ok(Answer::Closed { closed: true })
    }
}
