//! `db.list`: every database, those that cannot be used with their reason.

use super::{
    Answer, Operation,
    answer::Listed,
    params::Params,
    shape::{DB, DESCRIPTION, Field, Kind, REASON},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
};
use vectordoc::Result;

pub(super) struct DbList;

/// A database, or why it cannot be used.
const LISTED: Kind = Kind::AnyOf(&[
    DESCRIPTION,
    Kind::Object(&[DB, Field::required("error", REASON, "Why it cannot be used.")]),
]);

impl Operation for DbList {
    const METHOD: &'static str = "db.list";
    const SUMMARY: &'static str = "List the databases";
    const ROLE: Role = Role::Read;
    const PARAMS: &'static [Field] = &[];
    const RESULT: Kind =
        Kind::Object(&[Field::required("dbs", Kind::List(&LISTED), "In order of their names.")]);

    fn read(_: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self)
    }

    fn run(self, caller: &Caller, catalog: &Catalog) -> Result<Answer> {
        let all = catalog.list().into_iter();
        let seen = all.filter(|(name, _)| caller.sees(name.as_str()));
        let listed = seen.map(|(name, described)| Listed::of(&name, described));
        Ok(Answer::Databases { dbs: listed.collect() })
    }
}
