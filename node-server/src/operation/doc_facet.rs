//! `doc.facet`: how many documents have each value of a field.

use super::{Answer, Operation, answer::Counted, params::Params, read};
use crate::{
    Catalog,
    keys::{Caller, Role},
    limits::FACET_LIMIT_DEFAULT,
};
use vectordoc::{Database, Filter, Result};

pub(super) struct DocFacet {
    pub(super) database: Database,
    pub(super) field: String,
    pub(super) filter: Filter,
    pub(super) limit: usize,
}

impl Operation for DocFacet {
    const METHOD: &'static str = "doc.facet";
    const ROLE: Role = Role::Read;
    const PARAMS: &'static [&'static str] = &["db", "field", "filter", "limit"];

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        Ok(Self {
            database: read::database(params, catalog)?,
            field: params.required("field")?,
            filter: read::filter(params)?,
            limit: params.optional("limit")?.unwrap_or(FACET_LIMIT_DEFAULT),
        })
    }

    fn run(self, _: &Caller, _: &Catalog) -> Result<Answer> {
        let counts = self.database.facet(&self.field, &self.filter, self.limit)?;
        let values = counts.into_iter().map(|(value, count)| Counted { value, count });
        let warnings = self.database.warnings(&self.filter)?;
        Ok(Answer::Facet { values: values.collect(), warnings })
    }
}
