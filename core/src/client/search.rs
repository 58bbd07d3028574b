//! Searching a served database: by vectors, by example, in groups.

use super::{Remote, message::decode, remote::include_json};
use crate::{
    Examples, Filter, Fusion, GroupBy, Hit, HitGroup, Id, Query, Result,
    document::{check_vector, coerce},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, value::RawValue};

impl Remote {
    /// The documents nearest to the query's vector, best first; or those that answer its text best,
    /// or both lists as one.
    pub async fn search(&self, query: &Query) -> Result<Vec<Hit>> {
        self.check_query(query)?;
        let params = SearchParams::new(query);
        let answer = self.ask("search", &params).await?;
        self.read_hits(&decode(answer.get())?)
    }

    /// The hits of each of `vectors`, otherwise as `query` asks; its own vector does not matter.
    pub async fn search_batch(&self, vectors: &[Vec<f32>], query: &Query) -> Result<Vec<Vec<Hit>>> {
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            results: Vec<Hits<'a>>,
        }
        query.check()?;
        vectors.iter().try_for_each(|vector| self.check_vector(query, Some(vector)))?;
        let params = SearchParams { vectors: Some(vectors), ..SearchParams::near(query) };
        let answer = self.ask("search", &params).await?;
        let Answer { results } = decode(answer.get())?;
        results.iter().map(|hits| self.read_hits(hits)).collect()
    }

    /// What is like some documents and unlike others, which are no hits; the query's own vector does
    /// not matter.
    pub async fn search_like(&self, examples: &Examples, query: &Query) -> Result<Vec<Hit>> {
        #[derive(Serialize)]
        struct Params<'a> {
            like: &'a [Id],
            unlike: &'a [Id],
            #[serde(flatten)]
            search: SearchParams<'a>,
        }
        query.check()?;
        let Examples { like, unlike } = examples;
        let params = Params { like, unlike, search: SearchParams::near(query) };
        let answer = self.ask("search", &params).await?;
        self.read_hits(&decode(answer.get())?)
    }

    /// The best hits grouped by a field: see [`grouped`](crate::grouped).
    pub async fn search_groups(&self, query: &Query, by: &GroupBy) -> Result<Vec<HitGroup>> {
        #[derive(Serialize)]
        struct Params<'a> {
            group_by: &'a str,
            group_size: usize,
            #[serde(flatten)]
            search: SearchParams<'a>,
        }
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            groups: Vec<Group<'a>>,
        }
        #[derive(Deserialize)]
        struct Group<'a> {
            #[serde(borrow)]
            value: &'a RawValue,
            #[serde(borrow)]
            hits: Vec<HitText<'a>>,
        }
        query.check()?;
        self.check_vector(query, query.vector.as_deref())?;
        let (_, found) = self.schema().scalar_path(&by.field, "group")?;
        let search = SearchParams::new(query);
        let params = Params { group_by: &by.field, group_size: by.size, search };
        let answer = self.ask("search", &params).await?;
        let Answer { groups } = decode(answer.get())?;
        let group = |Group { value, hits }| {
            let value = coerce(&found.ty, decode(RawValue::get(value))?);
            Ok(HitGroup { value, hits: self.read_hits(&Hits { hits })? })
        };
        groups.into_iter().map(group).collect()
    }

    /// Refuses a query that no server answers.
    pub(super) fn check_query(&self, query: &Query) -> Result<()> {
        query.check()?;
        self.check_vector(query, query.vector.as_deref())
    }

    /// Refuses a vector that cannot be searched with; JSON could not even say NaN.
    fn check_vector(&self, query: &Query, vector: Option<&[f32]>) -> Result<()> {
        let Some(vector) = vector else { return Ok(()) };
        let number = self.schema().vector_number(query.field.as_deref())?;
        let field = &self.schema().vectors()[number];
        check_vector(field, vector)
    }

    pub(super) fn read_hits(&self, hits: &Hits<'_>) -> Result<Vec<Hit>> {
        let read = |hit: &HitText<'_>| {
            let doc = self.read_document(hit.doc)?;
            Ok(Hit { id: doc.id.clone(), score: hit.score, distance: hit.distance, doc })
        };
        hits.hits.iter().map(read).collect()
    }
}

#[derive(Deserialize)]
pub(super) struct Hits<'a> {
    #[serde(borrow)]
    hits: Vec<HitText<'a>>,
}

#[derive(Deserialize)]
struct HitText<'a> {
    score: f32,
    distance: f32,
    #[serde(borrow)]
    doc: &'a RawValue,
}

/// The parameters of a search.
#[derive(Serialize)]
pub(super) struct SearchParams<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<&'a [f32]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vectors: Option<&'a [Vec<f32>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fusion: Option<Fusion>,
    limit: usize,
    offset: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    ef: Option<usize>,
    exact: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_score: Option<f32>,
    filter: &'a Filter,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    except: &'a [Id],
    #[serde(skip_serializing_if = "Option::is_none")]
    include: Option<Json>,
}

impl<'a> SearchParams<'a> {
    /// What `query` asks.
    pub(super) fn new(query: &'a Query) -> Self {
        let vector = query.vector.as_deref();
        let near = Self::near(query);
        Self { vector, fusion: near.fusion.filter(|_| vector.is_some()), ..near }
    }

    /// What `query` asks, something else standing for its vector.
    fn near(query: &'a Query) -> Self {
        let text = query.text.as_ref();
        Self {
            vector: None,
            vectors: None,
            field: query.field.as_deref(),
            text: text.map(|text| text.words.as_str()),
            text_field: text.and_then(|text| text.field.as_deref()),
            fusion: text.map(|_| query.fusion),
            limit: query.limit,
            offset: query.offset,
            ef: query.ef,
            exact: query.exact,
            min_score: query.min_score,
            filter: &query.filter,
            except: &query.except,
            include: include_json(&query.include),
        }
    }
}
