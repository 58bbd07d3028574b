//! `db.recall`: how much of the true nearest searches find, measured now on the database's own
//! documents.

use super::{
    Answer, Operation,
    params::Params,
    read,
    shape::{DB, Field, Kind},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
};
use vectordoc::{Database, Result, native::RecallQuery};

pub(super) struct DbRecall {
    pub(super) database: Database,
    pub(super) query: RecallQuery,
}

impl Operation for DbRecall {
    const METHOD: &'static str = "db.recall";
    const SUMMARY: &'static str = "Measure how much of the true nearest searches find";
    /// It tells nothing that searches do not, and costs as much as a bounded number of them.
    const ROLE: Role = Role::Read;
    const PARAMS: &'static [Field] = &[
        DB,
        Field::optional("field", Kind::Text, "The vector field; needed when there are several."),
        Field::optional(
            "sample",
            Kind::Count,
            "How many documents to search for; 100 without it. Fewer of a very large database.",
        ),
        Field::optional("k", Kind::Count, "Hits of each search; 10 without it."),
        Field::optional(
            "ef",
            Kind::Count,
            "Candidates a graph considers; what searches take without it.",
        ),
        Field::optional("filter", Kind::Filter, "Which documents may be hits; all without it."),
        Field::optional("seed", Kind::Count, "Chooses the documents; 0 without it."),
    ];
    const RESULT: Kind = Kind::Object(&[
        Field::required(
            "recall",
            Kind::Nullable(&Kind::Number),
            "Which part of the true nearest was found, from 0 to 1; null when there are none.",
        ),
        Field::required("sampled", Kind::Count, "Documents searched for that have a neighbour."),
        Field::required("k", Kind::Count, "Hits of each search."),
        Field::required("ef", Kind::Count, "Candidates the graph considered; 0 without a graph."),
        Field::required("exact_ms", Kind::Number, "How long an exact search took, on average."),
        Field::required("search_ms", Kind::Number, "How long any other search took, on average."),
    ]);

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::database(params, catalog)?;
        let defaults = RecallQuery::default();
        let query = RecallQuery {
            field: params.optional("field")?,
            sample: params.optional("sample")?.unwrap_or(defaults.sample),
            k: params.optional("k")?.unwrap_or(defaults.k),
            ef: params.optional("ef")?,
            filter: read::filter(params)?,
            seed: params.optional("seed")?.unwrap_or(defaults.seed),
        };
        Ok(Self { database, query })
    }

    fn run(self, _: &Caller, _: &Catalog) -> Result<Answer> {
        Ok(Answer::Recall(self.database.recall(&self.query)?.into()))
    }
}
