//! `db.snapshot.read`: the next bytes of the archive that `db.snapshot` began.

use super::{
    Answer, Operation,
    bytes::Bytes,
    params::Params,
    shape::{DB, DONE, Field, Kind, NEXT, OFFSET, SNAPSHOT, TOTAL},
};
use crate::{
    Catalog,
    catalog::Piece,
    keys::{Caller, Role},
    limits::{TRANSFER_BYTES_DEFAULT, TRANSFER_BYTES_MAX},
    work::Work,
};
use vectordoc::{Error, Result};

pub(super) struct DbSnapshotRead {
    pub(super) db: String,
    pub(super) snapshot: String,
    pub(super) offset: u64,
    pub(super) length: usize,
}

impl Operation for DbSnapshotRead {
    const METHOD: &'static str = "db.snapshot.read";
    const SUMMARY: &'static str = "Read the next bytes of a snapshot";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] =
        &[DB, SNAPSHOT, OFFSET, Field::optional("length", Kind::Count, "How many bytes at most.")];
    const RESULT: Kind = Kind::Object(&[
        Field::required("bytes", Kind::Bytes, "The bytes."),
        NEXT,
        DONE,
        TOTAL,
        Field::required("has_more", Kind::Bool, "Whether the archive goes on."),
    ]);
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        let length = params.optional("length")?.unwrap_or(TRANSFER_BYTES_DEFAULT);
        match length {
            0 => return Err(Error::invalid("length is 0; ask for at least one byte")),
            1..=TRANSFER_BYTES_MAX => {}
            _ => {
                return Err(Error::limit_exceeded(format!(
                    "length is {length}, the limit is {TRANSFER_BYTES_MAX}"
                )));
            }
        }
        let (db, snapshot) = (params.required("db")?, params.required("snapshot")?);
        Ok(Self { db, snapshot, offset: params.required("offset")?, length })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        let snapshots = &catalog.transfers().snapshots;
        let read =
            snapshots.with(&self.db, &self.snapshot, |open| open.read(self.offset, self.length));
        let Piece { bytes, offset, progress: (done, total), is_last } = read?;
        Ok(Answer::Piece { bytes: Bytes(bytes), offset, done, total, has_more: !is_last })
    }
}
