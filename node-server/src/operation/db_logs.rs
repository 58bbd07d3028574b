//! `db.logs`: what the server did about a database lately.

use super::{
    Answer, Operation,
    params::Params,
    shape::{DB, Field, Kind},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
    limits::{JOURNAL_LINES_MAX, LOGS_LIMIT_DEFAULT},
    telemetry::Journal,
};
use vectordoc::{Error, Result};

pub(super) struct DbLogs {
    pub(super) db: String,
    /// The number of the last line that the caller has.
    pub(super) since: u64,
    pub(super) limit: usize,
}

/// One line.
const LINE: Kind = Kind::Object(&[
    Field::required("number", Kind::Count, "Each has a greater one than that before it."),
    Field::required("time", Kind::Text, "When it was, by RFC 3339."),
    Field::required("level", Kind::Text, "INFO, WARN or ERROR."),
    Field::required("message", Kind::Text, "What happened."),
]);

impl Operation for DbLogs {
    const METHOD: &'static str = "db.logs";
    const SUMMARY: &'static str = "Read what the server did about a database lately";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] = &[
        DB,
        Field::optional("since", Kind::Count, "Only lines after the one of this number."),
        Field::optional("limit", Kind::Count, "The last so many lines; 100 without it."),
    ];
    const RESULT: Kind =
        Kind::Object(&[Field::required("lines", Kind::List(&LINE), "In their order.")]);

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        let limit = params.optional("limit")?.unwrap_or(LOGS_LIMIT_DEFAULT);
        if limit > JOURNAL_LINES_MAX {
            return Err(Error::limit_exceeded(format!(
                "limit is {limit}, the limit is {JOURNAL_LINES_MAX}"
            )));
        }
        let since = params.optional("since")?.unwrap_or(0);
        Ok(Self { db: params.required("db")?, since, limit })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        catalog.expect_there(&self.db)?;
        let journal = Journal::of_process();
        if !journal.is_kept() {
            return Err(Error::unsupported(
                "this server is part of a program, which keeps its log in its own way",
            ));
        }
        Ok(Answer::Logs { lines: journal.about(&self.db, self.since, self.limit) })
    }
}
