//! Reads: every shard is asked, and the answers are put together.

use super::{Database, scroll, shard::Shard};
use crate::{
    Document, Engine, Examples, Filter, GroupBy, Hit, HitGroup, Id, Include, Page, Query, Result,
    Scroll, Value,
    engine::{Engines, held, most_frequent, search, search_batch},
    grouped, limits,
    query::{Explanation, Warning},
};

impl Database {
    /// The documents with these ids, in their order; `None` where there is none. Vectors are what
    /// the [precision](crate::schema::Precision) of their field kept of them.
    pub fn get(&self, ids: &[Id], include: &Include) -> Result<Vec<Option<Document>>> {
        self.check_open()?;
        if let Some(spread) = self.spread() {
            let found = spread.get(ids, include)?;
            return Ok(found
                .into_iter()
                .map(|found| found.map(|(document, _)| document))
                .collect());
        }
        let shards = self.shards_now();
        ids.iter().map(|id| shards.of(id).engine().get(id, include)).collect()
    }

    /// The same, each with its version, to be changed on the condition that it still has it.
    pub fn get_versioned(
        &self,
        ids: &[Id],
        include: &Include,
    ) -> Result<Vec<Option<(Document, u64)>>> {
        self.check_open()?;
        if let Some(spread) = self.spread() {
            return spread.get(ids, include);
        }
        let shards = self.shards_now();
        let versioned = |id: &Id| {
            let engine = shards.of(id).engine();
            Ok(engine.get(id, include)?.zip(engine.version(id)?))
        };
        ids.iter().map(versioned).collect()
    }

    /// How many documents pass.
    pub fn count(&self, filter: &Filter) -> Result<u64> {
        self.check_open()?;
        if let Some(spread) = self.spread() {
            return spread.count(filter);
        }
        self.shards_now().iter().map(|shard| shard.engine().count(filter)).sum()
    }

    /// A part of the documents that pass, in order of their ids or of a field.
    pub fn scroll(&self, scroll: &Scroll) -> Result<Page> {
        self.check_open()?;
        if let Some(spread) = self.spread() {
            return spread.scroll(scroll);
        }
        scroll::scroll(&self.shards_now(), &self.inner.schema, scroll)
    }

    /// How many of the documents that pass have each value of the field at `path`: the `limit`
    /// most frequent values. Of an array, each of its elements counts.
    pub fn facet(&self, path: &str, filter: &Filter, limit: usize) -> Result<Vec<(Value, u64)>> {
        self.check_open()?;
        if let Some(spread) = self.spread() {
            return spread.facet(path, filter, limit);
        }
        let mut counts = Vec::new();
        for shard in self.shards_now().iter() {
            counts.extend(shard.engine().facet(path, filter)?);
        }
        most_frequent(&self.inner.schema, path, counts, limit)
    }

    /// `query` for what is like some documents and unlike others: see [`Examples::query`].
    pub fn like(&self, examples: &Examples, query: Query) -> Result<Query> {
        self.check_open()?;
        if let Some(spread) = self.spread() {
            return spread.like(examples, query);
        }
        let shards = self.shards_now();
        let example = |id: &Id, field| shards.of(id).engine().example(id, field);
        examples.query(&self.inner.schema, query, example)
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
        if let Some(spread) = self.spread() {
            return spread.search(query);
        }
        self.found(|shards| search(shards, query), |engines| search(engines, query))
    }

    /// Whether a search by vector takes less than a thread's waking up or two, as far as that can be
    /// told at once: it compares few vectors, all of them are in memory, and nobody is writing. For
    /// servers, which then need not hand it to another thread.
    pub fn is_brief(&self, query: &Query) -> bool {
        /// How long a thread of a server may be held up, in comparisons.
        const COMPARISONS_MAX: u64 = 16_384;
        if query.text.is_some() || self.inner.elsewhere.is_some() {
            return false;
        }
        let mut left = COMPARISONS_MAX;
        self.shards_now().iter().all(|shard| {
            let engine = shard.engine_now();
            let compared = engine.and_then(|engine| engine.comparisons(query, query.reach()));
            compared
                .and_then(|compared| left.checked_sub(compared))
                .map(|rest| left = rest)
                .is_some()
        })
    }

    /// What to know about a filter without asking it: conditions that no index serves, and what
    /// they cost. What a search has to be said of is in its [`Explanation`].
    pub fn warnings(&self, filter: &Filter) -> Result<Vec<Warning>> {
        if let Some(spread) = self.spread() {
            return spread.warnings(filter);
        }
        self.warned(|engine| engine.warnings(filter))
    }

    /// What to know about a search without making it.
    pub fn search_warnings(&self, query: &Query) -> Result<Vec<Warning>> {
        if let Some(spread) = self.spread() {
            return spread.search_warnings(query);
        }
        self.warned(|engine| engine.search_warnings(query))
    }

    fn warned(&self, warn: impl Fn(&Engine) -> Result<Vec<Warning>>) -> Result<Vec<Warning>> {
        self.check_open()?;
        let mut warnings = Vec::new();
        for shard in self.shards_now().iter() {
            Warning::merge(&mut warnings, &warn(&shard.engine())?);
        }
        Ok(warnings)
    }

    /// Answers several queries, in their order. A few exact ones with the same filter at a time
    /// read each vector once for all of them; in between, writes have their turn.
    pub fn search_batch(&self, queries: &[Query]) -> Result<Vec<Vec<Hit>>> {
        const QUERIES_AT_ONCE: usize = 16;
        limits::at_most(queries.len(), limits::QUERIES_MAX, "number of queries")?;
        self.check_open()?;
        let mut answers = Vec::with_capacity(queries.len());
        for queries in queries.chunks(QUERIES_AT_ONCE) {
            if let Some(spread) = self.spread() {
                answers.extend(spread.search_batch(queries)?);
                continue;
            }
            answers.extend(self.found(
                |shards| search_batch(shards, queries),
                |engines| search_batch(engines, queries),
            )?);
        }
        Ok(answers)
    }

    /// What a search finds. Of several shards it looks at one at a time, so that a write waits for
    /// one part of a search at most. Where a document changed after it was found, the search is made
    /// once more, in all shards as they are at one moment.
    fn found<T>(
        &self,
        pass: impl FnOnce(&[Shard]) -> Result<Option<T>>,
        hold: impl FnOnce(&[&Engine]) -> Result<Option<T>>,
    ) -> Result<T> {
        let shards = self.shards_now();
        shards.iter().for_each(Shard::searched);
        if shards.len() > 1
            && let Some(found) = pass(&shards)?
        {
            return Ok(found);
        }
        // All take them in this order, so that no two wait for each other.
        let engines: Vec<_> = shards.iter().map(Shard::engine).collect();
        let engines: Vec<&Engine> = engines.iter().map(|engine| &**engine).collect();
        held(hold(&engines)?)
    }
}

impl Engines for [Shard] {
    fn count(&self) -> usize {
        self.len()
    }

    fn look<T>(&self, engine: usize, look: impl FnOnce(&Engine) -> T) -> T {
        look(&self[engine].engine())
    }
}
