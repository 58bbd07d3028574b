//! Searching: which slots are allowed, which way to find the nearest of them, and what is left
//! over for an exact scan.

use super::{Engine, field::Field};
use crate::{
    Error, Filter, Hit, Query, Result,
    bitset::BitSet,
    document::{Document, check_vector},
    index::{Allowed, Exact, Nearest, Neighbour, Probe, Search, VectorIndex, rescored, scan_codes},
    query::Explanation,
    schema::IndexKind,
};
use alloc::vec::Vec;

impl Engine {
    /// The documents nearest to the query's vector, best first: exactly as many as the limit, or as
    /// there are. Equally near hits stand in order of their ids.
    pub fn search(&self, query: &Query) -> Result<Vec<Hit<Document>>> {
        self.explain(query).map(|(hits, _)| hits)
    }

    /// The same, and how it came about.
    pub fn explain(&self, query: &Query) -> Result<(Vec<Hit<Document>>, Explanation)> {
        query.check()?;
        self.check_include(&query.include)?;
        let number = self.schema.vector_number(query.field.as_deref())?;
        let field = &self.fields[number];
        check_vector(&field.spec.name, field.spec.dim, field.spec.metric, &query.vector)?;
        let filtered = !matches!(query.filter, Filter::All);
        let matching = filtered.then(|| self.allowed_in(number, &query.filter)).transpose()?;
        let searching = Searching {
            field,
            probe: field.vectors.probe(&query.vector),
            allowed: matching.as_deref().unwrap_or(&field.present),
            filtered,
            limit: query.limit.saturating_add(query.offset),
        };
        let (neighbours, explanation) = searching.run(query.ef, query.exact);
        let hits = self.hits(query, field, neighbours)?;
        Ok((hits, explanation))
    }

    /// The hits of neighbours, with ties put in order of their ids.
    fn hits(
        &self,
        query: &Query,
        field: &Field,
        neighbours: Vec<Neighbour>,
    ) -> Result<Vec<Hit<Document>>> {
        let mut found = Vec::with_capacity(neighbours.len());
        for neighbour in neighbours {
            found.push((neighbour.distance, self.id(neighbour.slot)?, neighbour.slot));
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        let hits =
            found.into_iter().skip(query.offset).take(query.limit).map(|(distance, id, slot)| {
                let distance = field.vectors.reported(distance);
                let score = field.spec.metric.score(distance);
                Ok(Hit { id, score, distance, doc: self.document(slot, &query.include)? })
            });
        let mut hits = hits.collect::<Result<Vec<_>, Error>>()?;
        if let Some(min_score) = query.min_score {
            hits.retain(|hit| hit.score >= min_score);
        }
        Ok(hits)
    }
}

/// One search in one field.
struct Searching<'a> {
    field: &'a Field,
    probe: Probe,
    allowed: &'a BitSet,
    filtered: bool,
    limit: usize,
}

impl Searching<'_> {
    fn run(&self, ef: Option<usize>, exact: bool) -> (Vec<Neighbour>, Explanation) {
        if self.limit == 0 || self.allowed.is_empty() {
            let plan = "nothing to search";
            return (Vec::new(), Explanation { plan, exact: true, ..Explanation::default() });
        }
        let ef = self.field.tuning.ef(ef.or(self.field.spec.index.ef), self.limit);
        if exact || self.field.index.is_exact() {
            return self.scan();
        }
        if self.scan_is_cheaper(ef) {
            return self.scan_codes("codes", ef, 0);
        }
        self.walk(ef)
    }

    /// Whether comparing with every allowed vector costs less than a walk, which compares with
    /// about as many whatever is allowed.
    fn scan_is_cheaper(&self, ef: usize) -> bool {
        /// Reading codes in order costs a fraction of reading them where links lead.
        const IN_ORDER_GAIN: u64 = 3;
        let visits = self.field.tuning.visits(ef);
        self.allowed.len() <= visits.saturating_mul(IN_ORDER_GAIN)
    }

    /// Walks the graph and scans what it does not have yet.
    fn walk(&self, ef: usize) -> (Vec<Neighbour>, Explanation) {
        let visits_max = match self.filtered {
            true => usize::try_from(self.allowed.len()).unwrap_or(usize::MAX),
            false => usize::MAX,
        };
        let allowed = match !self.filtered && self.field.dead().is_empty() {
            true => Allowed::all(self.allowed),
            false => Allowed::new(self.allowed),
        };
        let search = Search { limit: self.limit, ef, visits_max, allowed };
        let found = self.field.index.search(&self.probe, &self.field.vectors, &search);
        let waiting = self.waiting();
        let reached = found.neighbours.len() as u64 + waiting.len();
        if found.gave_up || reached < self.allowed.len().min(self.limit as u64) {
            let plan =
                if self.is_own() { "own index, then codes" } else { "filtered graph, then codes" };
            return self.scan_codes(plan, ef, found.visited);
        }
        let mut visited = found.visited;
        let mut neighbours =
            rescored(&found.neighbours, &self.probe, &self.field.vectors, self.limit);
        if !waiting.is_empty() {
            let search = Search::all(self.limit, Allowed::new(&waiting));
            let more = Exact.search(&self.probe, &self.field.vectors, &search);
            visited += more.visited;
            neighbours.extend(more.neighbours);
            neighbours.sort_unstable();
            neighbours.truncate(self.limit);
        }
        let plan = match (self.is_own(), self.filtered) {
            (true, true) => "filtered own index",
            (true, false) => "own index",
            (false, true) => "filtered graph",
            (false, false) => "graph",
        };
        (neighbours, self.explain(plan, visited, ef))
    }

    /// Whether the index is one the user brought.
    fn is_own(&self) -> bool {
        self.field.spec.index.kind == IndexKind::Custom
    }

    /// The allowed slots that the index does not have yet.
    fn waiting(&self) -> BitSet {
        let mut waiting = BitSet::default();
        let unindexed = self.field.unindexed.iter();
        unindexed.filter(|slot| self.allowed.contains(*slot)).for_each(|slot| waiting.insert(slot));
        waiting
    }

    /// Compares with the code of every allowed vector, and exactly with the nearest `ef`.
    fn scan_codes(
        &self,
        plan: &'static str,
        ef: usize,
        visited: usize,
    ) -> (Vec<Neighbour>, Explanation) {
        let mut nearest = Nearest::new(ef);
        let vectors = &self.field.vectors;
        let allowed = Allowed::new(self.allowed);
        let visited = visited + scan_codes(&self.probe, vectors, allowed, &mut nearest);
        let found = rescored(&nearest.into_sorted(), &self.probe, vectors, self.limit);
        (found, self.explain(plan, visited, ef))
    }

    fn scan(&self) -> (Vec<Neighbour>, Explanation) {
        let search = Search::all(self.limit, Allowed::new(self.allowed));
        let found = Exact.search(&self.probe, &self.field.vectors, &search);
        let explanation = Explanation { exact: true, ..self.explain("exact", found.visited, 0) };
        (found.neighbours, explanation)
    }

    fn explain(&self, plan: &'static str, visited: usize, ef: usize) -> Explanation {
        let allowed = self.allowed.len();
        Explanation { plan, visited: visited as u64, exact: false, ef, allowed }
    }
}
