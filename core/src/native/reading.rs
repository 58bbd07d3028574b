//! Reads: every shard is asked, and the answers are put together.

use super::{Database, scroll, shard::Shard};
use crate::{
    Document, Engine, Examples, Filter, GroupBy, Hit, HitGroup, Id, Include, Page, Query, Result,
    Scroll, Value,
    engine::{most_frequent, search_text},
    grouped, limits,
    query::Explanation,
};

impl Database {
    /// The documents with these ids, in their order; `None` where there is none. Vectors are what
    /// the [precision](crate::schema::Precision) of their field kept of them.
    pub fn get(&self, ids: &[Id], include: &Include) -> Result<Vec<Option<Document>>> {
        self.check_open()?;
        ids.iter().map(|id| self.shard_of(id).engine().get(id, include)).collect()
    }

    /// The same, each with its version, to be changed on the condition that it still has it.
    pub fn get_versioned(
        &self,
        ids: &[Id],
        include: &Include,
    ) -> Result<Vec<Option<(Document, u64)>>> {
        self.check_open()?;
        let versioned = |id: &Id| {
            let engine = self.shard_of(id).engine();
            Ok(engine.get(id, include)?.zip(engine.version(id)?))
        };
        ids.iter().map(versioned).collect()
    }

    /// How many documents pass.
    pub fn count(&self, filter: &Filter) -> Result<u64> {
        self.check_open()?;
        self.inner.shards.iter().map(|shard| shard.engine().count(filter)).sum()
    }

    /// A part of the documents that pass, in order of their ids or of a field.
    pub fn scroll(&self, scroll: &Scroll) -> Result<Page> {
        self.check_open()?;
        scroll::scroll(&self.inner.shards, &self.inner.schema, scroll)
    }

    /// How many of the documents that pass have each value of the field at `path`: the `limit`
    /// most frequent values. Of an array, each of its elements counts.
    pub fn facet(&self, path: &str, filter: &Filter, limit: usize) -> Result<Vec<(Value, u64)>> {
        self.check_open()?;
        let mut counts = Vec::new();
        for shard in &self.inner.shards {
            counts.extend(shard.engine().facet(path, filter)?);
        }
        most_frequent(&self.inner.schema, path, counts, limit)
    }

    /// `query` for what is like some documents and unlike others: see [`Examples::query`].
    pub fn like(&self, examples: &Examples, query: Query) -> Result<Query> {
        self.check_open()?;
        examples.query(&self.inner.schema, query, |id, field| {
            self.shard_of(id).engine().example(id, field)
        })
    }

    /// The best hits grouped by a field: see [`grouped`].
    pub fn search_groups(&self, query: &Query, by: &GroupBy) -> Result<Vec<HitGroup>> {
        grouped(&self.inner.schema, query, by, &mut |query| self.search(query))
    }

    /// The documents nearest to the query's vector, best first; or those that answer its text best,
    /// or both lists as one.
    pub fn search(&self, query: &Query) -> Result<Vec<Hit>> {
        self.explain(query).map(|(hits, _)| hits)
    }

    /// The same, and how it came about.
    pub fn explain(&self, query: &Query) -> Result<(Vec<Hit>, Explanation)> {
        self.check_open()?;
        if let [shard] = &self.inner.shards[..] {
            return shard.engine().explain(query);
        }
        if query.text.is_some() {
            // All take them in this order, so that no two wait for each other.
            let engines: Vec<_> = self.inner.shards.iter().map(Shard::engine).collect();
            let engines: Vec<&Engine> = engines.iter().map(|engine| &**engine).collect();
            return search_text(&engines, query);
        }
        let query_of_shard = of_shard(query);
        let mut hits = Vec::new();
        let mut total: Option<Explanation> = None;
        for shard in &self.inner.shards {
            let (found, explanation) = shard.engine().explain(&query_of_shard)?;
            hits.extend(found);
            total = Some(match total {
                Some(total) => total.and(&explanation),
                None => explanation,
            });
        }
        Ok((nearest(hits, query), total.unwrap_or_default()))
    }

    /// Answers several queries, in their order. A few exact ones with the same filter at a time
    /// read each vector once for all of them; in between, writes have their turn.
    pub fn search_batch(&self, queries: &[Query]) -> Result<Vec<Vec<Hit>>> {
        const QUERIES_AT_ONCE: usize = 16;
        limits::at_most(queries.len(), limits::QUERIES_MAX, "number of queries")?;
        self.check_open()?;
        let mut answers = Vec::with_capacity(queries.len());
        for queries in queries.chunks(QUERIES_AT_ONCE) {
            answers.extend(self.search_together(queries)?);
        }
        Ok(answers)
    }

    fn search_together(&self, queries: &[Query]) -> Result<Vec<Vec<Hit>>> {
        if let [shard] = &self.inner.shards[..] {
            return shard.engine().search_batch(queries);
        }
        if queries.iter().any(|query| query.text.is_some()) {
            return queries.iter().map(|query| self.search(query)).collect();
        }
        let queries_of_shard: Vec<Query> = queries.iter().map(of_shard).collect();
        let mut found: Vec<Vec<Hit>> = queries.iter().map(|_| Vec::new()).collect();
        for shard in &self.inner.shards {
            let of_shard = shard.engine().search_batch(&queries_of_shard)?;
            found.iter_mut().zip(of_shard).for_each(|(all, hits)| all.extend(hits));
        }
        Ok(queries.iter().zip(found).map(|(query, hits)| nearest(hits, query)).collect())
    }
}

/// What one of several shards is asked, so that together their answers have every hit.
fn of_shard(query: &Query) -> Query {
    Query { limit: query.limit.saturating_add(query.offset), offset: 0, ..query.clone() }
}

/// Of the hits of all shards, those the query asks for.
fn nearest(mut hits: Vec<Hit>, query: &Query) -> Vec<Hit> {
    hits.sort_by(|a, b| a.distance.total_cmp(&b.distance).then_with(|| a.id.cmp(&b.id)));
    hits.into_iter().skip(query.offset).take(query.limit).collect()
}
