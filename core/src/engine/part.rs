//! What one engine contributes to an answer that several have between them.

use super::{Engine, read_version};
use crate::{
    Id, Query, Result,
    bytes::Reader,
    document::read_id,
    index::Neighbour,
    query::{Explanation, TextQuery},
    text::{Statistics, words_asked},
};
use alloc::vec::Vec;

/// A document that may be a hit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) id: Id,
    /// Where the engine that found it has it.
    pub(crate) slot: u32,
    pub(crate) version: u64,
    /// Smaller is better. Of vectors it tells more apart than the distance reported, a root.
    pub(crate) order: f32,
    pub(crate) score: f32,
    pub(crate) distance: f32,
}

/// The best documents of one engine, by vector and by text, as far as the query asks for either.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Part {
    pub(crate) by_vector: Vec<Candidate>,
    pub(crate) by_text: Vec<Candidate>,
    pub(crate) explanation: Explanation,
}

impl Part {
    pub(super) fn of_vector((by_vector, explanation): (Vec<Candidate>, Explanation)) -> Self {
        Self { by_vector, explanation, ..Self::default() }
    }
}

/// Documents that each list has, if there are as many.
pub(super) fn depth(query: &Query) -> usize {
    /// Before two lists are fused: who is good in both is found although it is first in neither.
    const FUSED_MIN: usize = 100;
    let is_fused = query.vector.is_some() && query.text.is_some();
    if is_fused { query.reach().max(FUSED_MIN) } else { query.reach() }
}

impl Engine {
    /// What this engine adds to the counts that scores by text depend on.
    pub(crate) fn statistics(&self, text: &TextQuery) -> Result<Statistics> {
        let number = self.schema.text_number(text.field.as_deref())?;
        Ok(self.columns.text(number).statistics(&words_asked(&text.words)?))
    }

    /// The best documents of this engine; `statistics` are those of all engines together.
    pub(crate) fn part(&self, query: &Query, statistics: &Statistics) -> Result<Part> {
        query.check()?;
        self.check_include(&query.include)?;
        let by_text = |text| self.by_text(query, text, statistics);
        let by_text = query.text.as_ref().map(by_text).transpose()?;
        let by_vector = || self.searching(query, depth(query))?.candidates(self);
        let by_vector = query.vector.is_some().then(by_vector).transpose()?;
        let part = match (by_vector, by_text) {
            (Some((by_vector, of_vector)), Some((by_text, of_text))) => {
                let visited = of_vector.visited + of_text.visited;
                let explanation =
                    Explanation { plan: "hybrid", visited, allowed: of_text.allowed, ..of_vector };
                Part { by_vector, by_text, explanation }
            }
            (Some(by_vector), None) => Part::of_vector(by_vector),
            (None, Some((by_text, explanation))) => {
                Part { by_text, explanation, ..Part::default() }
            }
            (None, None) => Part::default(),
        };
        let warnings = self.search_warnings(query)?;
        Ok(Part { explanation: Explanation { warnings, ..part.explanation }, ..part })
    }

    /// The document of a neighbour as a candidate, ordered by the neighbour's distance.
    pub(super) fn candidate(
        &self,
        neighbour: &Neighbour,
        score: f32,
        distance: f32,
    ) -> Result<Candidate> {
        let (slot, order) = (neighbour.slot, neighbour.distance);
        let document = self.documents.get(slot)?;
        let mut reader = Reader::new(&document);
        let version = read_version(&mut reader)?;
        Ok(Candidate { id: read_id(&mut reader)?, slot, version, order, score, distance })
    }
}
