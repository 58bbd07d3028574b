//! `doc.count`: how many documents pass a filter.

use super::{
    Answer, Operation,
    params::Params,
    read,
    shape::{DB, FILTER, Field, Kind, READ, WARNINGS},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
};
use vectordoc::{Database, Filter, Result};

pub(super) struct DocCount {
    pub(super) database: Database,
    pub(super) filter: Filter,
}

impl Operation for DocCount {
    const METHOD: &'static str = "doc.count";
    const SUMMARY: &'static str = "Count the documents that pass a filter";
    const ROLE: Role = Role::Read;
    const PARAMS: &'static [Field] = &[DB, FILTER, READ];
    const RESULT: Kind =
        Kind::Object(&[Field::required("count", Kind::Count, "How many pass."), WARNINGS]);

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::fresh(params, catalog)?;
        Ok(Self { database, filter: read::filter(params)? })
    }

    fn run(self, _: &Caller, _: &Catalog) -> Result<Answer> {
        let warnings = self.database.warnings(&self.filter)?;
        Ok(Answer::Count { count: self.database.count(&self.filter)?, warnings })
    }
}
