//! `doc.facet`: how many documents have each value of a field.

use super::{
    Answer, Operation,
    answer::Counted,
    params::Params,
    read,
    shape::{DB, FILTER, Field, Kind, READ, WARNINGS},
};
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

/// A value and how often it is there.
const COUNTED: Kind = Kind::Object(&[
    Field::required("value", Kind::Value, "The value."),
    Field::required("count", Kind::Count, "Documents that have it."),
]);

impl Operation for DocFacet {
    const METHOD: &'static str = "doc.facet";
    const SUMMARY: &'static str = "Count the documents with each value of a field";
    const ROLE: Role = Role::Read;
    const PARAMS: &'static [Field] = &[
        DB,
        Field::required("field", Kind::Text, "The path of the field."),
        FILTER,
        Field::optional("limit", Kind::Count, "How many values; 100 without it."),
        READ,
    ];
    const RESULT: Kind = Kind::Object(&[
        Field::required("values", Kind::List(&COUNTED), "The most frequent first."),
        WARNINGS,
    ]);

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        Ok(Self {
            database: read::fresh(params, catalog)?,
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
