//! `search`: the documents nearest to one vector, to each of several, or to other documents; those
//! that answer a text best; or both as one list, or grouped by a field.

use super::{
    Answer, Operation,
    answer::{Groups, Hits},
    examples::examples,
    group::group,
    include::include,
    params::Params,
    read,
    shape::{DB, EXPLANATION, FILTER, Field, HITS, IDS, INCLUDE, Kind, READ, WARNINGS},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
};
use std::borrow::Cow;
use vectordoc::{
    Database, Error, Fusion, GroupBy, Query, Result, Schema, TextQuery, limits::QUERIES_MAX,
};

pub(super) struct Search {
    pub(super) database: Database,
    pub(super) queries: Queries,
    /// Whether the answer says how the hits were found.
    pub(super) explain: bool,
}

pub(super) enum Queries {
    /// `vector` or `like`, or `text`, or both: answered with `hits`.
    One(Box<Query>),
    /// The same with `group_by`: answered with `groups`.
    Grouped(Box<Query>, GroupBy),
    /// `vectors`: answered with `results`.
    Several(Vec<Query>),
}

/// The answer to one search.
const FOUND: Kind = Kind::Object(&[
    HITS,
    Field::optional("explain", EXPLANATION, "How the hits were found, when asked."),
    WARNINGS,
]);
/// Hits with the same value.
const GROUP: Kind =
    Kind::Object(&[Field::required("value", Kind::Value, "What they have in common."), HITS]);

impl Operation for Search {
    const METHOD: &'static str = "search";
    const SUMMARY: &'static str = "Find the nearest documents";
    const ROLE: Role = Role::Read;
    const PARAMS: &'static [Field] = &[
        DB,
        READ,
        Field::optional("vector", Kind::Vector, "What to be near to."),
        Field::optional(
            "vectors",
            Kind::List(&Kind::Vector),
            "Several vectors, each searched for.",
        ),
        Field::optional("like", IDS, "Documents to be near to."),
        Field::optional("unlike", IDS, "Documents to be far from."),
        Field::optional("except", IDS, "Documents that are no hits."),
        Field::optional("field", Kind::Text, "The vector field; needed when there are several."),
        Field::optional("text", Kind::Text, "Words to look for."),
        Field::optional(
            "text_field",
            Kind::Text,
            "The field they are in; needed when there are several.",
        ),
        Field::optional(
            "fusion",
            Kind::Value,
            "How the hits by vector and by text become one list.",
        ),
        Field::optional("limit", Kind::Count, "How many hits."),
        Field::optional("offset", Kind::Count, "How many of the best to leave out."),
        Field::optional(
            "ef",
            Kind::Count,
            "Candidates the graph considers: more find more, and take longer.",
        ),
        Field::optional("exact", Kind::Bool, "Whether to compare with every vector."),
        Field::optional("min_score", Kind::Number, "The score that hits have at least."),
        FILTER,
        INCLUDE,
        Field::optional(
            "group_by",
            Kind::Text,
            "The path of a field: the hits come in groups of the same value.",
        ),
        Field::optional("group_size", Kind::Count, "The hits of a group; 1 without it."),
        Field::optional("explain", Kind::Bool, "Whether the answer says how the hits were found."),
    ];
    const RESULT: Kind = Kind::AnyOf(&[
        FOUND,
        Kind::Object(&[
            Field::required("results", Kind::List(&FOUND), "One per vector, in the same order."),
            WARNINGS,
        ]),
        Kind::Object(&[
            Field::required("groups", Kind::List(&GROUP), "In order of the best hit of each."),
            WARNINGS,
        ]),
    ]);

    /// One vector's nearest, where few are compared with it.
    fn is_brief(params: &Params<'_>, catalog: &Catalog) -> bool {
        const LONGER: [&str; 4] = ["vectors", "like", "text", "group_by"];
        if LONGER.iter().any(|name| params.has(name)) {
            return false;
        }
        let name = params.optional::<Cow<'_, str>>("db").ok().flatten();
        let Some(database) = name.and_then(|name| catalog.get_now(&name)) else {
            return false;
        };
        read::is_at_hand(params, &database)
            && pattern(params, database.schema()).is_ok_and(|query| database.is_brief(&query))
    }

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::fresh(params, catalog)?;
        let queries = match (queries(params, &database)?, group(params)?) {
            (Queries::One(query), Some(by)) => Queries::Grouped(query, by),
            (queries, _) => queries,
        };
        let explain = params.optional("explain")?.unwrap_or(false);
        Ok(Self { database, queries, explain })
    }

    fn run(self, _: &Caller, _: &Catalog) -> Result<Answer> {
        self.answer()
    }
}

impl Search {
    /// What is found now.
    pub(super) fn answer(&self) -> Result<Answer> {
        match &self.queries {
            Queries::One(query) => self.hits(query).map(Answer::Hits),
            Queries::Grouped(query, by) => self.groups(query, by).map(Answer::Groups),
            Queries::Several(queries) => {
                // They are alike but for the vector.
                let warn = |query| self.database.search_warnings(query);
                let warnings = queries.first().map(warn).transpose()?.unwrap_or_default();
                Ok(Answer::Results { results: self.results(queries)?, warnings })
            }
        }
    }

    fn hits(&self, query: &Query) -> Result<Hits> {
        let database = self.database.clone();
        let (hits, mut explanation) = database.explain(query)?;
        let warnings = std::mem::take(&mut explanation.warnings);
        Ok(Hits { database, hits, explanation: self.explain.then_some(explanation), warnings })
    }

    fn groups(&self, query: &Query, by: &GroupBy) -> Result<Groups> {
        let groups = self.database.search_groups(query, by)?;
        let warnings = self.database.search_warnings(query)?;
        Ok(Groups { database: self.database.clone(), groups, warnings })
    }

    fn results(&self, queries: &[Query]) -> Result<Vec<Hits>> {
        if self.explain {
            let hits = |query| Ok(Hits { warnings: Vec::new(), ..self.hits(query)? });
            return queries.iter().map(hits).collect();
        }
        let results = self.database.search_batch(queries)?;
        let database = || self.database.clone();
        let warnings = Vec::new;
        let hits =
            |hits| Hits { database: database(), hits, explanation: None, warnings: warnings() };
        Ok(results.into_iter().map(hits).collect())
    }
}

fn queries(params: &Params<'_>, database: &Database) -> Result<Queries> {
    let pattern = pattern(params, database.schema())?;
    if let Some(examples) = examples(params, database.schema().id().kind)? {
        return Ok(Queries::One(Box::new(database.like(&examples, pattern)?)));
    }
    let query = |vector| Query { vector: Some(vector), ..pattern.clone() };
    match (params.has("vector"), params.has("vectors")) {
        (true, false) => Ok(Queries::One(Box::new(query(params.required("vector")?)))),
        (false, false) if pattern.text.is_some() => Ok(Queries::One(Box::new(pattern))),
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
        _ => Err(Error::invalid(
            "give one of \"vector\", \"vectors\" and \"like\", or \"text\" alone",
        )),
    }
}

/// The words to look for, if there are any.
fn text(params: &Params<'_>) -> Result<Option<TextQuery>> {
    let field = params.optional("text_field")?;
    match params.optional("text")? {
        Some(words) => Ok(Some(TextQuery { words, field })),
        None if field.is_some() => {
            Err(Error::invalid("\"text_field\" says where \"text\" is, which is missing"))
        }
        None => Ok(None),
    }
}

/// How two lists become one, where there are two.
fn fusion(params: &Params<'_>) -> Result<Fusion> {
    let is_near = ["vector", "vectors", "like"].into_iter().any(|name| params.has(name));
    match params.optional("fusion")? {
        Some(_) if !is_near || !params.has("text") => {
            Err(Error::invalid("\"fusion\" is for a search by vector and text, give both"))
        }
        fusion => Ok(fusion.unwrap_or_default()),
    }
}

/// What the queries of one request have in common.
fn pattern(params: &Params<'_>, schema: &Schema) -> Result<Query> {
    let defaults = Query::new(Vec::new());
    Ok(Query {
        field: params.optional("field")?,
        text: text(params)?,
        fusion: fusion(params)?,
        limit: params.optional("limit")?.unwrap_or(defaults.limit),
        offset: params.optional("offset")?.unwrap_or(defaults.offset),
        ef: params.optional("ef")?,
        exact: params.optional("exact")?.unwrap_or(defaults.exact),
        min_score: params.optional("min_score")?,
        filter: read::filter(params)?,
        except: read::ids_if_any(params, "except", schema.id().kind)?,
        include: include(params, schema)?,
        vector: None,
    })
}
