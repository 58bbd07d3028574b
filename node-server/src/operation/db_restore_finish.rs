//! `db.restore.finish`: the archive is whole, and its database is served.

use super::{
    Answer, Operation,
    params::Params,
    shape::{DB, DESCRIPTION, Field, Kind, RESTORE},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
    work::Work,
};
use vectordoc::Result;

pub(super) struct DbRestoreFinish {
    pub(super) db: String,
    pub(super) restore: String,
}

impl Operation for DbRestoreFinish {
    const METHOD: &'static str = "db.restore.finish";
    const SUMMARY: &'static str = "Serve the database that an archive made";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] = &[DB, RESTORE];
    const RESULT: Kind = DESCRIPTION;
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self { db: params.required("db")?, restore: params.required("restore")? })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        let restore = catalog.transfers().restores.remove(&self.db, &self.restore)?;
        restore.into_restore().finish()?;
        Ok(Answer::Database(catalog.describe(&self.db)?.into()))
    }
}
