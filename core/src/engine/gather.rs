//! One answer out of what engines found that have one database between them.

use super::{
    Engine,
    part::{Candidate, Part, depth},
};
use crate::{
    Document, Error, Hit, Query, Result,
    planted::{self, Plant},
    query::Explanation,
    text::Statistics,
};
use alloc::{vec, vec::Vec};

/// A candidate of one of several engines, by the engine's number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) engine: usize,
    pub(crate) candidate: Candidate,
}

impl Found {
    /// Unique among the candidates of a query.
    fn place(&self) -> (usize, u32) {
        (self.engine, self.candidate.slot)
    }

    pub(crate) fn into_hit(self, doc: Document) -> Hit {
        let Candidate { id, score, distance, .. } = self.candidate;
        Hit { id, score, distance, doc }
    }
}

/// Engines that have a database between them, to be looked at one at a time. What is not held may
/// change between two looks.
pub(crate) trait Engines {
    /// How many there are.
    fn count(&self) -> usize;

    /// What `look` makes of one of them.
    fn look<T>(&self, engine: usize, look: impl FnOnce(&Engine) -> T) -> T;
}

impl Engines for [&Engine] {
    fn count(&self) -> usize {
        self.len()
    }

    fn look<T>(&self, engine: usize, look: impl FnOnce(&Engine) -> T) -> T {
        look(self[engine])
    }
}

/// The hits of a query in `engines`, which have the same schema, and how they came about; `None`
/// when a document changed after it was found. Words are counted in all engines first.
pub(crate) fn search<E: Engines + ?Sized>(
    engines: &E,
    query: &Query,
) -> Result<Option<(Vec<Hit>, Explanation)>> {
    let mut statistics = Statistics::default();
    if let Some(text) = &query.text {
        query.check()?;
        for engine in 0..engines.count() {
            statistics.add(&engines.look(engine, |engine| engine.statistics(text))?);
        }
    }
    let part = |engine| engines.look(engine, |engine: &Engine| engine.part(query, &statistics));
    let parts = (0..engines.count()).map(part).collect::<Result<Vec<_>>>()?;
    let explanation = parts.iter().map(|part| part.explanation.clone());
    let explanation = explanation.reduce(|total, part| total.and(&part)).unwrap_or_default();
    Ok(hits(engines, query, parts)?.map(|hits| (hits, explanation)))
}

/// The hits of several queries, in their order: see [`Engine::search_batch`]; `None` as with
/// [`search`].
pub(crate) fn search_batch<E: Engines + ?Sized>(
    engines: &E,
    queries: &[Query],
) -> Result<Option<Vec<Vec<Hit>>>> {
    if queries.iter().any(|query| query.text.is_some()) {
        let hits = |query| Ok(search(engines, query)?.map(|(hits, _)| hits));
        return queries.iter().map(hits).collect();
    }
    let mut parts = vec![Vec::with_capacity(engines.count()); queries.len()];
    for engine in 0..engines.count() {
        let found = engines.look(engine, |engine| engine.vector_parts(queries))?;
        parts.iter_mut().zip(found).for_each(|(parts, part)| parts.push(part));
    }
    queries.iter().zip(parts).map(|(query, parts)| hits(engines, query, parts)).collect()
}

/// The hits out of one part of each engine, with their documents; `None` when one is another by now.
fn hits<E: Engines + ?Sized>(
    engines: &E,
    query: &Query,
    parts: Vec<Part>,
) -> Result<Option<Vec<Hit>>> {
    let found = gather(query, parts);
    let mut documents: Vec<Option<Document>> = vec![None; found.len()];
    for engine in 0..engines.count() {
        let of_engine = || found.iter().zip(0..).filter(|(found, _)| found.engine == engine);
        if of_engine().next().is_none() {
            continue;
        }
        engines.look(engine, |engine| -> Result<()> {
            for (found, place) in of_engine() {
                documents[place] = engine.document_in(&found.candidate, &query.include)?;
            }
            Ok(())
        })?;
    }
    let pairs = found.into_iter().zip(documents);
    Ok(pairs.map(|(found, document)| document.map(|document| found.into_hit(document))).collect())
}

/// What was found while all engines were held.
pub(crate) fn held<T>(found: Option<T>) -> Result<T> {
    found.ok_or_else(|| Error::internal("a document changed while its engine was held"))
}

/// What a query asks for, in order, out of one part of each engine.
pub(crate) fn gather(query: &Query, parts: Vec<Part>) -> Vec<Found> {
    let (mut by_vector, mut by_text) = (Vec::new(), Vec::new());
    for (engine, part) in parts.into_iter().enumerate() {
        let found = |candidate| Found { engine, candidate };
        by_vector.extend(part.by_vector.into_iter().map(found));
        by_text.extend(part.by_text.into_iter().map(found));
    }
    let (by_vector, by_text) = (best(query, by_vector), best(query, by_text));
    let found = match (&query.vector, &query.text) {
        (Some(_), Some(_)) => fused(query, by_vector, by_text),
        (Some(_), None) => by_vector,
        (None, _) => by_text,
    };
    let is_good = |score: f32| query.min_score.is_none_or(|least| score >= least);
    let found = found.into_iter().skip(query.offset).take(query.limit);
    found.filter(|found| is_good(found.candidate.score)).collect()
}

/// The best of what all engines found.
fn best(query: &Query, mut found: Vec<Found>) -> Vec<Found> {
    if !planted::is(Plant::ShardsNotMerged) {
        sort(&mut found);
    }
    found.truncate(depth(query));
    if !query.except.is_empty() {
        found.retain(|found| !query.except.contains(&found.candidate.id));
    }
    found
}

/// Two lists as one.
fn fused(query: &Query, by_vector: Vec<Found>, by_text: Vec<Found>) -> Vec<Found> {
    let scores = |list: &[Found]| -> Vec<((usize, u32), f32)> {
        list.iter().map(|found| (found.place(), found.candidate.score)).collect()
    };
    let mut fused = query.fusion.fuse(&scores(&by_vector), &scores(&by_text));
    let rescored = |found: Found| {
        // Who is in both lists is taken once.
        let score = fused.remove(&found.place())?;
        let distance = -score;
        let candidate = Candidate { score, distance, order: distance, ..found.candidate };
        Some(Found { candidate, ..found })
    };
    let mut all: Vec<Found> = by_vector.into_iter().chain(by_text).filter_map(rescored).collect();
    sort(&mut all);
    all
}

/// Best first, equally good ones in order of their ids.
fn sort(found: &mut [Found]) {
    found.sort_unstable_by(|Found { candidate: a, .. }, Found { candidate: b, .. }| {
        a.order.total_cmp(&b.order).then_with(|| a.id.cmp(&b.id))
    });
}
