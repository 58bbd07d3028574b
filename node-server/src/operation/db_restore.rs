//! `db.restore`: a new database out of an archive, which `db.restore.write` brings.

use super::{
    Answer, Operation,
    params::Params,
    shape::{DB, Field, Kind, RESTORE},
};
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
    const SUMMARY: &'static str = "Begin to make a database of an archive";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] = &[DB];
    const RESULT: Kind = Kind::Object(&[
        RESTORE,
        Field::required(
            "piece_bytes_max",
            Kind::Count,
            "Bytes that one db.restore.write may have.",
        ),
    ]);
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
