//! `db.restore.close`: a restore is given up, and nothing of it is left.

use super::{Answer, Operation, params::Params};
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
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [&'static str] = &["db", "restore"];
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self { db: params.required("db")?, restore: params.required("restore")? })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        drop(catalog.transfers().restores.remove(&self.db, &self.restore)?);
        Ok(Answer::Closed { closed: true })
    }
}
