//! `db.snapshot`: a database as it is at one moment, to be read as an archive by `db.snapshot.read`.

use super::{
    Answer, Operation,
    params::Params,
    shape::{DB, Field, Kind, SNAPSHOT},
};
use crate::{
    Catalog,
    catalog::OpenSnapshot,
    keys::{Caller, Role},
    work::Work,
};
use vectordoc::Result;

pub(super) struct DbSnapshot {
    pub(super) db: String,
}

impl Operation for DbSnapshot {
    const METHOD: &'static str = "db.snapshot";
    const SUMMARY: &'static str = "Begin to read a database as one archive";
    /// It has everything, and as long as it is open, the disk keeps what was replaced since.
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] = &[DB];
    const RESULT: Kind = Kind::Object(&[SNAPSHOT]);
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self { db: params.required("db")? })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        let snapshots = &catalog.transfers().snapshots;
        let begin = || catalog.snapshot(&self.db).map(OpenSnapshot::new);
        Ok(Answer::Snapshot { snapshot: snapshots.add(&self.db, begin)? })
    }
}
