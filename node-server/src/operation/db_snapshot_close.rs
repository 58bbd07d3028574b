//! `db.snapshot.close`: nobody reads a snapshot any more, so that the disk need not keep it.

use super::{
    Answer, Operation,
    params::Params,
    shape::{CLOSED, DB, Field, Kind, SNAPSHOT},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
    work::Work,
};
use vectordoc::Result;

pub(super) struct DbSnapshotClose {
    pub(super) db: String,
    pub(super) snapshot: String,
}

impl Operation for DbSnapshotClose {
    const METHOD: &'static str = "db.snapshot.close";
    const SUMMARY: &'static str = "Close a snapshot";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] = &[DB, SNAPSHOT];
    const RESULT: Kind = CLOSED;
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self { db: params.required("db")?, snapshot: params.required("snapshot")? })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        drop(catalog.transfers().snapshots.remove(&self.db, &self.snapshot)?);
        Ok(Answer::Closed { closed: true })
    }
}
