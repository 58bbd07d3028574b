//! Searching: which slots are allowed, which way to find the nearest of them, and what is left
//! over for an exact scan.

use super::{
    Engine,
    field::Field,
    gather,
    part::{Candidate, Part},
};
use crate::{
    Error, Filter, Hit, Query, Result,
    bitset::{BitSet, Gathered},
    document::{Document, check_vector},
    index::{
        self, Allowed, Exact, Nearest, Neighbour, Probe, Search, VectorIndex, rescored, scan,
        scan_codes,
    },
    planted::{self, Plant},
    query::Explanation,
    schema::IndexKind,
};
use alloc::{sync::Arc, vec::Vec};

impl Engine {
    /// The documents nearest to the query's vector, best first: exactly as many as the limit, or as
    /// there are; or those that have a word of its text, or both lists as one. Equally good hits
    /// stand in order of their ids.
    pub fn search(&self, query: &Query) -> Result<Vec<Hit<Document>>> {
        self.explain(query).map(|(hits, _)| hits)
    }

    /// The same, and how it came about.
    pub fn explain(&self, query: &Query) -> Result<(Vec<Hit<Document>>, Explanation)> {
        gather::held(gather::search(&[self][..], query)?)
    }

    /// The answers to several queries, in their order. Those that compare with every vector, in the
    /// same field and with the same filter, read each vector once for all of them.
    pub fn search_batch(&self, queries: &[Query]) -> Result<Vec<Vec<Hit<Document>>>> {
        gather::held(gather::search_batch(&[self][..], queries)?)
    }

    /// About how many vectors a search compares, `limit` hits of it; `None` where that takes reading
    /// from a disk. Of a filter that was never asked before, its evaluation counts too.
    #[cfg(feature = "native")]
    pub(crate) fn comparisons(&self, query: &Query, limit: usize) -> Option<u64> {
        /// Documents that a filter looks at in the time of one comparison.
        const FILTERED_AT_ONCE: u64 = 16;
        let number = self.schema.vector_number(query.field.as_deref()).ok()?;
        let field = &self.fields[number];
        if !field.vectors.are_in_memory() {
            return None;
        }
        let filtering = match query.filter {
            Filter::All => 0,
            _ => self.len() / FILTERED_AT_ONCE,
        };
        let compared = if query.exact || field.index.is_exact() {
            field.present.len()
        } else {
            let ef = field.tuning.ef(query.ef.or(field.spec.index.ef), limit);
            field.tuning.visits(ef) + field.unindexed()
        };
        Some(compared + filtering)
    }

    /// The part of this engine in each of several searches by vector.
    pub(super) fn vector_parts(&self, queries: &[Query]) -> Result<Vec<Part>> {
        let searches = queries.iter().map(|query| self.searching(query, query.reach()));
        let searches = searches.collect::<Result<Vec<_>>>()?;
        let mut found: Vec<Option<Vec<Neighbour>>> = queries.iter().map(|_| None).collect();
        for first in 0..queries.len() {
            if found[first].is_none() && searches[first].way() == Way::Exact {
                let is_alike = |other: &usize| {
                    searches[*other].way() == Way::Exact
                        && queries[*other].field == queries[first].field
                        && queries[*other].filter == queries[first].filter
                };
                let alike: Vec<usize> = (first..queries.len()).filter(is_alike).collect();
                let members: Vec<_> = alike.iter().map(|number| &searches[*number]).collect();
                for (number, neighbours) in alike.iter().zip(scan_together(&members)?) {
                    found[*number] = Some(neighbours);
                }
            }
        }
        let part = |(searching, found): (&Searching<'_>, Option<Vec<Neighbour>>)| match found {
            Some(found) => {
                let candidates = searching.candidates_of(self, &found)?;
                Ok(Part::of_vector((candidates, Explanation::default())))
            }
            None => searching.candidates(self).map(Part::of_vector),
        };
        searches.iter().zip(found).map(part).collect()
    }

    /// What a query asks for by its vector, `limit` hits of it, checked and prepared.
    pub(super) fn searching(&self, query: &Query, limit: usize) -> Result<Searching<'_>> {
        query.check()?;
        let vector = query.vector.as_deref();
        let vector = vector.ok_or_else(|| Error::internal("a search by text has no vector"))?;
        self.check_include(&query.include)?;
        let number = self.schema.vector_number(query.field.as_deref())?;
        let field = &self.fields[number];
        check_vector(&field.spec, vector)?;
        let filtered = !matches!(query.filter, Filter::All);
        let matching =
            filtered.then(|| self.allowed_in(Some(number), &query.filter)).transpose()?;
        Ok(Searching {
            field,
            probe: field.vectors.probe(vector),
            matching,
            limit,
            ef: field.tuning.ef(query.ef.or(field.spec.index.ef), limit),
            exact: query.exact,
        })
    }
}

/// Slots with their exact distances, nearest first, and how they were found.
type Answer = (Vec<Neighbour>, Explanation);

/// One search in one field.
pub(super) struct Searching<'a> {
    field: &'a Field,
    probe: Probe,
    /// The slots that pass the filter, if there is one.
    matching: Option<Arc<BitSet>>,
    limit: usize,
    ef: usize,
    exact: bool,
}

/// A way to the nearest.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// There is nothing to find.
    None,
    /// Comparing with every allowed vector.
    Exact,
    /// Comparing with the code of every allowed vector.
    Codes,
    Graph,
}

impl Searching<'_> {
    /// What was found, with the documents' ids.
    pub(super) fn candidates(&self, engine: &Engine) -> Result<(Vec<Candidate>, Explanation)> {
        let (neighbours, explanation) = self.run()?;
        Ok((self.candidates_of(engine, &neighbours)?, explanation))
    }

    fn candidates_of(&self, engine: &Engine, neighbours: &[Neighbour]) -> Result<Vec<Candidate>> {
        let candidate = |neighbour: &Neighbour| {
            let distance = self.field.vectors.reported(neighbour.distance);
            engine.candidate(neighbour, self.field.spec.metric.score(distance), distance)
        };
        engine.documents.expect(neighbours.iter().map(|neighbour| neighbour.slot));
        neighbours.iter().map(candidate).collect()
    }

    fn run(&self) -> Result<Answer> {
        match self.way() {
            Way::None => {
                let plan = "nothing to search";
                let explanation = Explanation { plan, exact: true, ..Explanation::default() };
                Ok((Vec::new(), explanation))
            }
            Way::Exact => self.scan(),
            Way::Codes => self.scan_codes("codes", 0),
            Way::Graph => self.walk(),
        }
    }

    fn way(&self) -> Way {
        if self.limit == 0 || self.allowed().is_empty() {
            return Way::None;
        }
        if self.exact || !self.field.vectors.can_score() && self.field.index.is_exact() {
            return Way::Exact;
        }
        if self.field.index.is_exact() {
            return if self.field.scans_codes() { Way::Codes } else { Way::Exact };
        }
        match (self.scan_is_cheaper(), self.field.vectors.can_score()) {
            (true, true) => Way::Codes,
            _ => Way::Graph,
        }
    }

    fn allowed(&self) -> &BitSet {
        self.matching.as_deref().unwrap_or(&self.field.present)
    }

    /// Whether comparing with every allowed vector costs less than a walk, which compares with
    /// about as many whatever is allowed.
    fn scan_is_cheaper(&self) -> bool {
        /// What a distance of a walk costs, in distances of a scan: codes read where links lead, and
        /// with a filter the steps over what is not allowed.
        const WALK_COST: u64 = 2;
        const FILTERED_WALK_COST: u64 = 3;
        let cost = if self.matching.is_some() { FILTERED_WALK_COST } else { WALK_COST };
        let visits = self.field.tuning.visits(self.ef);
        self.allowed().len() <= visits.saturating_mul(cost)
    }

    /// How the index is searched.
    fn search_of_index(&self) -> Search<'_> {
        let filtered = self.matching.is_some();
        let visits_max = match filtered {
            true => usize::try_from(self.allowed().len()).unwrap_or(usize::MAX),
            false => usize::MAX,
        };
        let allowed = match !filtered && self.field.dead().is_empty() {
            true => Allowed::all(self.allowed()),
            false => Allowed::new(self.allowed()),
        };
        Search { limit: self.limit, ef: self.ef, visits_max, allowed }
    }

    /// The steps of a walk through the index, whether or not this search takes one.
    pub(super) fn trace(&self) -> Vec<index::Hop> {
        if self.limit == 0 || self.allowed().is_empty() {
            return Vec::new();
        }
        self.field.index.trace(&self.probe, &self.field.vectors, &self.search_of_index())
    }

    /// What the index says of a distance, as hits tell it.
    pub(super) fn reported(&self, distance: f32) -> f32 {
        self.field.vectors.reported(distance)
    }

    /// Walks the graph and scans what it does not have yet.
    fn walk(&self) -> Result<Answer> {
        let filtered = self.matching.is_some();
        let search = self.search_of_index();
        let found = self.field.index.search(&self.probe, &self.field.vectors, &search)?;
        let waiting = self.waiting();
        let reached = found.neighbours.len() as u64 + waiting.len();
        if found.gave_up || reached < self.allowed().len().min(self.limit as u64) {
            let plan =
                if self.is_own() { "own index, then codes" } else { "filtered graph, then codes" };
            return match self.field.vectors.can_score() {
                true => self.scan_codes(plan, found.visited),
                false => self.scan(),
            };
        }
        let mut visited = found.visited;
        let mut neighbours =
            rescored(&found.neighbours, &self.probe, &self.field.vectors, self.limit)?;
        if !waiting.is_empty() {
            let (more, compared) = self.nearest_waiting(&waiting)?;
            visited += compared;
            neighbours.extend(more);
            neighbours.sort_unstable();
            neighbours.truncate(self.limit);
        }
        let plan = match (self.is_own(), filtered) {
            (true, true) => "filtered own index",
            (true, false) => "own index",
            (false, true) => "filtered graph",
            (false, false) => "graph",
        };
        Ok((neighbours, self.explain(plan, visited, self.ef)))
    }

    /// Whether the index is one the user brought.
    fn is_own(&self) -> bool {
        self.field.spec.index.kind == IndexKind::Custom
    }

    /// The allowed slots that the index does not have yet.
    fn waiting(&self) -> BitSet {
        let mut waiting = Gathered::default();
        let unindexed = self.field.unindexed.iter();
        unindexed.filter(|slot| self.allowed().contains(*slot)).for_each(|slot| waiting.add(slot));
        waiting.into_set()
    }

    /// The nearest of the slots that wait for the index, and how many were compared: by their
    /// vectors, or where many wait, by their codes first.
    fn nearest_waiting(&self, waiting: &BitSet) -> Result<(Vec<Neighbour>, usize)> {
        /// As many as make preparing a scan of codes worth it.
        const MANY: u64 = 256;
        let vectors = &self.field.vectors;
        if waiting.len() < MANY || !vectors.can_score() {
            let search = Search::all(self.limit, Allowed::new(waiting));
            let found = Exact.search(&self.probe, vectors, &search)?;
            return Ok((found.neighbours, found.visited));
        }
        let mut nearest = Nearest::new(self.ef);
        let visited = scan_codes(&self.probe, vectors, Allowed::new(waiting), &mut nearest);
        Ok((rescored(&nearest.into_sorted(), &self.probe, vectors, self.limit)?, visited))
    }

    /// Compares with the code of every allowed vector, and exactly with the nearest `ef`.
    fn scan_codes(&self, plan: &'static str, visited: usize) -> Result<Answer> {
        let mut nearest = Nearest::new(self.ef);
        let vectors = &self.field.vectors;
        let allowed = Allowed::new(self.allowed());
        let visited = visited + scan_codes(&self.probe, vectors, allowed, &mut nearest);
        let found = rescored(&nearest.into_sorted(), &self.probe, vectors, self.limit)?;
        Ok((found, self.explain(plan, visited, self.ef)))
    }

    fn scan(&self) -> Result<Answer> {
        if planted::is(Plant::FilterAfterCut) {
            let search = Search::all(self.limit, Allowed::new(&self.field.present));
            let found = Exact.search(&self.probe, &self.field.vectors, &search)?;
            let mut neighbours = found.neighbours;
            neighbours.retain(|neighbour| self.allowed().contains(neighbour.slot));
            return Ok((neighbours, self.explain("exact", found.visited, 0)));
        }
        let search = Search::all(self.limit, Allowed::new(self.allowed()));
        let found = Exact.search(&self.probe, &self.field.vectors, &search)?;
        let explanation = Explanation { exact: true, ..self.explain("exact", found.visited, 0) };
        Ok((found.neighbours, explanation))
    }

    fn explain(&self, plan: &'static str, visited: usize, ef: usize) -> Explanation {
        let allowed = self.allowed().len();
        let visited = visited as u64;
        Explanation { plan, visited, exact: false, ef, allowed, warnings: Vec::new() }
    }
}

/// The neighbours of searches that compare with every vector of one field and one filter.
fn scan_together(searches: &[&Searching<'_>]) -> Result<Vec<Vec<Neighbour>>> {
    let Some(first) = searches.first() else { return Ok(Vec::new()) };
    let probes: Vec<&Probe> = searches.iter().map(|searching| &searching.probe).collect();
    let limits: Vec<usize> = searches.iter().map(|searching| searching.limit).collect();
    let allowed = Allowed::new(first.allowed());
    Ok(scan(&probes, &first.field.vectors, allowed, &limits)?.0)
}
