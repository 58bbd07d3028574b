//! `db.restore.write`: the next bytes of the archive that `db.restore` waits for.

use super::{
    Answer, Operation,
    bytes::Bytes,
    params::Params,
    shape::{DB, DONE, Field, Kind, NEXT, OFFSET, RESTORE, TOTAL},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
    limits::TRANSFER_BYTES_MAX,
    work::Work,
};
use vectordoc::{Error, Result};

pub(super) struct DbRestoreWrite {
    pub(super) db: String,
    pub(super) restore: String,
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

impl Operation for DbRestoreWrite {
    const METHOD: &'static str = "db.restore.write";
    const SUMMARY: &'static str = "Write the next bytes of an archive";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] =
        &[DB, RESTORE, OFFSET, Field::required("bytes", Kind::Bytes, "The bytes.")];
    const RESULT: Kind = Kind::Object(&[NEXT, DONE, TOTAL]);
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        let Bytes(bytes) = params.required("bytes")?;
        if bytes.len() > TRANSFER_BYTES_MAX {
            return Err(Error::limit_exceeded(format!(
                "the piece has {} bytes, the limit is {TRANSFER_BYTES_MAX}",
                bytes.len()
            )));
        }
        let (db, restore) = (params.required("db")?, params.required("restore")?);
        Ok(Self { db, restore, offset: params.required("offset")?, bytes })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        let restores = &catalog.transfers().restores;
        let written =
            restores.with(&self.db, &self.restore, |open| open.write(self.offset, &self.bytes));
        let (offset, (done, total)) = written?;
        Ok(Answer::Taken { offset, done, total })
    }
}
