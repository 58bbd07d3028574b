//! Searching by text.

use super::{
    Engine,
    part::{Candidate, depth},
};
use crate::{
    Error, Filter, Query, Result,
    index::Neighbour,
    query::{Explanation, TextQuery},
    text::{Scorer, Statistics, best, words_asked},
};
use alloc::vec::Vec;

impl Engine {
    /// The documents that answer the text best. Words were counted in all engines first, so that
    /// scores do not depend on how documents are spread.
    pub(super) fn by_text(
        &self,
        query: &Query,
        text: &TextQuery,
        statistics: &Statistics,
    ) -> Result<(Vec<Candidate>, Explanation)> {
        let index = self.columns.text(self.schema.text_number(text.field.as_deref())?);
        let words = words_asked(&text.words)?;
        if statistics.having.len() != words.len() {
            return Err(Error::invalid("the statistics are of another text"));
        }
        let filtered = !matches!(query.filter, Filter::All);
        let allowed = filtered.then(|| self.allowed_in(None, &query.filter)).transpose()?;
        let scorer = Scorer::new(statistics);
        let (found, visited) = best(index, &words, &scorer, allowed.as_deref(), depth(query));
        let candidate = |neighbour: &Neighbour| {
            let distance = neighbour.distance;
            self.candidate(neighbour, -distance, distance)
        };
        self.documents.expect(found.iter().map(|neighbour| neighbour.slot));
        let candidates = found.iter().map(candidate).collect::<Result<_>>()?;
        let allowed = allowed.map_or(self.len(), |allowed| allowed.len());
        let explanation =
            Explanation { plan: "text", visited, exact: true, allowed, ..Explanation::default() };
        Ok((candidates, explanation))
    }
}
