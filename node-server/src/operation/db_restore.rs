//! `db.restore`: a new database out of an archive, which `db.restore.write` brings.

use super::{Answer, Operation, params::Params};
use crate::{
    Catalog,
    catalog::OpenRestore,
    keys::{Caller, Role},
    limits::TRANSFER_BYTES_MAX,
    work::Work,
};
use vectordoc::Result;

pub(super) struct DbRestore {
    pub(super) db: String,
}

impl Operation for DbRestore {
    const METHOD: &'static str = "db.restore";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [&'static str] = &["db"];
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self { db: params.required("db")? })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        let restores = &catalog.transfers().restores;
        let begin = || catalog.begin_restore(&self.db).map(OpenRestore::new);
        let restore = restores.add(&self.db, begin)?;
        Ok(Answer::Restore { restore, piece_bytes_max: TRANSFER_BYTES_MAX })
    }
}
