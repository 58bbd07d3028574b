//! Searching by text, and by text and vector together, in one engine or in several that have one
//! database between them.

use super::Engine;
use crate::{
    Document, Error, Filter, Hit, Id, Query, Result,
    query::{Explanation, TextQuery},
    text::{Scorer, Statistics, best, words_asked},
};
use alloc::vec::Vec;

/// Documents that each list has at least before two are fused, if there are as many: one that is
/// good in both is found although it is first in neither.
const FUSED_MIN: usize = 100;

/// A document of one of several engines, and how good it is.
struct Ranked {
    place: Place,
    id: Id,
    score: f32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    engine: usize,
    slot: u32,
}

/// The hits of a query with a text, out of all `engines`, which have the same schema. Words are
/// counted in all of them first, so that scores do not depend on how documents are spread.
pub(crate) fn search_text(
    engines: &[&Engine],
    query: &Query,
) -> Result<(Vec<Hit<Document>>, Explanation)> {
    query.check()?;
    let (Some(engine), Some(text)) = (engines.first(), &query.text) else {
        return Err(Error::internal("a search by text has no text or no engine"));
    };
    engine.check_include(&query.include)?;
    let reach = query.reach();
    let depth = if query.vector.is_some() { reach.max(FUSED_MIN) } else { reach };
    let (mut ranked, mut explanation) = by_text(engines, query, text, depth)?;
    if query.vector.is_some() {
        let (by_vector, of_vector) = by_vector(engines, query, depth)?;
        ranked = fused(query, by_vector, ranked);
        explanation = Explanation {
            plan: "hybrid",
            visited: explanation.visited + of_vector.visited,
            exact: of_vector.exact,
            ef: of_vector.ef,
            allowed: explanation.allowed,
        };
    }
    let hits = ranked.into_iter().skip(query.offset).take(query.limit);
    let hits = hits.filter(|ranked| query.min_score.is_none_or(|least| ranked.score >= least));
    let hits = hits.map(|Ranked { place, id, score }| {
        let doc = engines[place.engine].document(place.slot, id.clone(), &query.include)?;
        Ok(Hit { id, score, distance: -score, doc })
    });
    Ok((hits.collect::<Result<_>>()?, explanation))
}

/// The documents that answer the text best.
fn by_text(
    engines: &[&Engine],
    query: &Query,
    text: &TextQuery,
    depth: usize,
) -> Result<(Vec<Ranked>, Explanation)> {
    let number = engines[0].schema.text_number(text.field.as_deref())?;
    let words = words_asked(&text.words)?;
    let mut statistics = Statistics::default();
    for engine in engines {
        statistics.add(&engine.columns.text(number).statistics(&words));
    }
    let scorer = Scorer::new(&statistics);
    let mut explanation = Explanation { plan: "text", exact: true, ..Explanation::default() };
    let mut ranked = Vec::new();
    for (number_of_engine, engine) in engines.iter().enumerate() {
        let filtered = !matches!(query.filter, Filter::All);
        let allowed = filtered.then(|| engine.allowed_in(None, &query.filter)).transpose()?;
        let index = engine.columns.text(number);
        let (found, scored) = best(index, &words, &scorer, allowed.as_deref(), depth);
        explanation.visited += scored;
        explanation.allowed += allowed.map_or(engine.len(), |allowed| allowed.len());
        for neighbour in found {
            let place = Place { engine: number_of_engine, slot: neighbour.slot };
            ranked.push(Ranked {
                place,
                id: engine.id(neighbour.slot)?,
                score: -neighbour.distance,
            });
        }
    }
    Ok((first(ranked, query, depth), explanation))
}

/// The documents nearest to the vector.
fn by_vector(
    engines: &[&Engine],
    query: &Query,
    depth: usize,
) -> Result<(Vec<Ranked>, Explanation)> {
    let mut ranked = Vec::new();
    let mut total: Option<Explanation> = None;
    for (number, engine) in engines.iter().enumerate() {
        let searching = engine.searching(query, depth)?;
        let (neighbours, explanation) = searching.run()?;
        for neighbour in neighbours {
            let place = Place { engine: number, slot: neighbour.slot };
            let score = searching.score(&neighbour);
            ranked.push(Ranked { place, id: engine.id(neighbour.slot)?, score });
        }
        total = Some(match total {
            Some(total) => total.and(&explanation),
            None => explanation,
        });
    }
    Ok((first(ranked, query, depth), total.unwrap_or_default()))
}

/// The best `depth` of what all engines found.
fn first(mut ranked: Vec<Ranked>, query: &Query, depth: usize) -> Vec<Ranked> {
    sort(&mut ranked);
    ranked.truncate(depth);
    if !query.except.is_empty() {
        ranked.retain(|ranked| !query.except.contains(&ranked.id));
    }
    ranked
}

/// Two lists as one.
fn fused(query: &Query, by_vector: Vec<Ranked>, by_text: Vec<Ranked>) -> Vec<Ranked> {
    let scores = |list: &[Ranked]| -> Vec<(Place, f32)> {
        list.iter().map(|ranked| (ranked.place, ranked.score)).collect()
    };
    let mut fused = query.fusion.fuse(&scores(&by_vector), &scores(&by_text));
    let all = by_vector.into_iter().chain(by_text);
    // Who is in both lists is taken once.
    let all = all
        .filter_map(|ranked| fused.remove(&ranked.place).map(|score| Ranked { score, ..ranked }));
    let mut all: Vec<Ranked> = all.collect();
    sort(&mut all);
    all
}

/// Best first, equally good ones in order of their ids.
fn sort(ranked: &mut [Ranked]) {
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
}
