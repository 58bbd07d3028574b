//! `search`: the documents nearest to one vector, to each of several, or to other documents; as
//! one list, or grouped by a field.

use super::{
    Answer, Operation,
    answer::{Groups, Hits},
    examples::examples,
    group::group,
    include::include,
    params::Params,
    read,
};
use crate::Catalog;
use vectordoc::{Database, Error, GroupBy, Query, Result, Schema, limits::QUERIES_MAX};

pub(super) struct Search {
    pub(super) database: Database,
    pub(super) queries: Queries,
    /// Whether the answer says how the hits were found.
    pub(super) explain: bool,
}

pub(super) enum Queries {
    /// `vector` or `like`: answered with `hits`.
    One(Query),
    /// The same with `group_by`: answered with `groups`.
    Grouped(Query, GroupBy),
    /// `vectors`: answered with `results`.
    Several(Vec<Query>),
}

impl Operation for Search {
    const METHOD: &'static str = "search";
    const PARAMS: &'static [&'static str] = &[
        "db",
        "vector",
        "vectors",
        "like",
        "unlike",
        "except",
        "field",
        "limit",
        "offset",
        "ef",
        "exact",
        "min_score",
        "filter",
        "include",
        "group_by",
        "group_size",
        "explain",
    ];

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::database(params, catalog)?;
        let queries = match (queries(params, &database)?, group(params)?) {
            (Queries::One(query), Some(by)) => Queries::Grouped(query, by),
            (queries, _) => queries,
        };
        let explain = params.optional("explain")?.unwrap_or(false);
        Ok(Self { database, queries, explain })
    }

    fn run(self, _: &Catalog) -> Result<Answer> {
        match &self.queries {
            Queries::One(query) => self.hits(query).map(Answer::Hits),
            Queries::Grouped(query, by) => self.groups(query, by).map(Answer::Groups),
            Queries::Several(queries) => Ok(Answer::Results { results: self.results(queries)? }),
        }
    }
}

impl Search {
    fn hits(&self, query: &Query) -> Result<Hits> {
        let database = self.database.clone();
        if self.explain {
            let (hits, explanation) = database.explain(query)?;
            return Ok(Hits { database, hits, explanation: Some(explanation) });
        }
        let hits = database.search(query)?;
        Ok(Hits { database, hits, explanation: None })
    }

    fn groups(&self, query: &Query, by: &GroupBy) -> Result<Groups> {
        let groups = self.database.search_groups(query, by)?;
        Ok(Groups { database: self.database.clone(), groups })
    }

    fn results(&self, queries: &[Query]) -> Result<Vec<Hits>> {
        if self.explain {
            return queries.iter().map(|query| self.hits(query)).collect();
        }
        let results = self.database.search_batch(queries)?;
        let database = || self.database.clone();
        let hits = |hits| Hits { database: database(), hits, explanation: None };
        Ok(results.into_iter().map(hits).collect())
    }
}

fn queries(params: &Params<'_>, database: &Database) -> Result<Queries> {
    let pattern = pattern(params, database.schema())?;
    if let Some(examples) = examples(params, database.schema().id().kind)? {
        return Ok(Queries::One(database.like(&examples, pattern)?));
    }
    let query = |vector| Query { vector, ..pattern.clone() };
    match (params.has("vector"), params.has("vectors")) {
        (true, false) => Ok(Queries::One(query(params.required("vector")?))),
        (false, true) => {
            let vectors: Vec<Vec<f32>> = params.required("vectors")?;
            if vectors.len() > QUERIES_MAX {
                return Err(Error::limit_exceeded(format!(
                    "vectors has {} elements, the limit is {QUERIES_MAX}",
                    vectors.len()
                )));
            }
            Ok(Queries::Several(vectors.into_iter().map(query).collect()))
        }
        _ => Err(Error::invalid("give one of \"vector\", \"vectors\" and \"like\"")),
    }
}

/// What the queries of one request have in common.
fn pattern(params: &Params<'_>, schema: &Schema) -> Result<Query> {
    let defaults = Query::new(Vec::new());
    Ok(Query {
        field: params.optional("field")?,
        limit: params.optional("limit")?.unwrap_or(defaults.limit),
        offset: params.optional("offset")?.unwrap_or(defaults.offset),
        ef: params.optional("ef")?,
        exact: params.optional("exact")?.unwrap_or(defaults.exact),
        min_score: params.optional("min_score")?,
        filter: read::filter(params)?,
        except: read::ids_if_any(params, "except", schema.id().kind)?,
        include: include(params, schema)?,
        ..defaults
    })
}
