//! `db.resume`: a database that was paused answers again.

use super::{
    Answer, Operation,
    params::Params,
    shape::{DB, DESCRIPTION, Field, Kind},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
    work::Work,
};
use vectordoc::Result;

pub(super) struct DbResume {
    pub(super) db: String,
    /// Whether to give up what only a lost node has.
    pub(super) force: bool,
}

impl Operation for DbResume {
    const METHOD: &'static str = "db.resume";
    const SUMMARY: &'static str = "Serve a database again that was paused";
    const ROLE: Role = Role::Admin;
    const PARAMS: &'static [Field] = &[
        DB,
        Field::optional(
            "force",
            Kind::Bool,
            "Take over a database that was awake at a node that is lost, as of its last upload to the \
             bucket: what was written there since is given up.",
        ),
    ];
    const RESULT: Kind = DESCRIPTION;
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, _: &Catalog) -> Result<Self> {
        let force = params.optional("force")?.unwrap_or(false);
        Ok(Self { db: params.required("db")?, force })
    }

    fn run(self, _: &Caller, catalog: &Catalog) -> Result<Answer> {
        Ok(Answer::Database(catalog.resume_forced(&self.db, self.force)?.into()))
    }
}
