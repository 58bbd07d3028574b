//! `db.list`: every database, those that cannot be used with their reason.

use super::{Answer, Operation, answer::Listed, params::Params};
use crate::{
    Catalog,
    keys::{Caller, Role},
};
use vectordoc::Result;

pub(super) struct DbList;

impl Operation for DbList {
    const METHOD: &'static str = "db.list";
    const ROLE: Role = Role::Read;
    const PARAMS: &'static [&'static str] = &[];

    fn read(_: &Params<'_>, _: &Catalog) -> Result<Self> {
        Ok(Self)
    }

    fn run(self, caller: &Caller, catalog: &Catalog) -> Result<Answer> {
        let all = catalog.list().into_iter();
        let seen = all.filter(|(name, _)| caller.sees(name.as_str()));
        let listed = seen.map(|(name, database)| Listed::of(&name, database));
        Ok(Answer::Databases { dbs: listed.collect() })
    }
}
