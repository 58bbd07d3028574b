//! `db.reshard`: another number of shards, while the database is read and written.

use super::{
    Answer, Operation,
    params::Params,
    read,
    shape::{DB, DESCRIPTION, Field, Kind},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
    work::Work,
};
use vectordoc::{Database, Result};

pub(super) struct DbReshard {
    pub(super) db: String,
    pub(super) database: Database,
    pub(super) shards: usize,
}

impl Operation for DbReshard {
    const METHOD: &'static str = "db.reshard";
    const SUMMARY: &'static str = "Spread a database over another number of shards";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] =
        &[DB, Field::required("shards", Kind::Count, "How many there shall be.")];
    const RESULT: Kind = DESCRIPTION;
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::database(params, catalog)?;
        Ok(Self { db: params.required("db")?, database, shards: params.required("shards")? })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        self.database.reshard(self.shards)?;
        tracing::info!(db = %self.db, shards = self.shards, "resharded");
        Ok(Answer::Database(catalog.describe(&self.db)?.into()))
    }
}
