//! The ways to search that are measured: each asks every query of the data set.

use super::truth::Truth;
use crate::cli::{
    dataset::{Dataset, NamedFilter},
    number,
};
use std::rc::Rc;
use vectordoc::{Database, Error, Hit, Include, Query, Result};

/// What distinguishes a way to search.
pub(super) enum Kind {
    /// Everything is left to the database.
    Default,
    /// The same, in two streams at once.
    TwoStreams,
    /// This many candidates are considered.
    Ef(usize),
    /// Every vector is compared.
    Exact,
    /// Only documents that match, of which there are so many.
    Filter(NamedFilter, u64),
}

/// A way to search, and what it should find.
pub(super) struct Way {
    pub(super) kind: Kind,
    pub(super) limit: usize,
    truth: Rc<Truth>,
}

impl Way {
    /// What people call it.
    pub(super) fn name(&self) -> String {
        match &self.kind {
            Kind::Default => "default settings".into(),
            Kind::TwoStreams => "two streams".into(),
            Kind::Ef(ef) => format!("ef {ef}"),
            Kind::Exact => "exact".into(),
            Kind::Filter(named, _) => format!("filter {}", named.name),
        }
    }

    /// The query near `vector`.
    pub(super) fn query(&self, vector: &[f32]) -> Query {
        let query = default_query(vector, self.limit);
        match &self.kind {
            Kind::Default | Kind::TwoStreams => query,
            Kind::Ef(ef) => Query { ef: Some(*ef), ..query },
            Kind::Exact => Query { exact: true, ..query },
            Kind::Filter(named, _) => Query { filter: named.filter.clone(), ..query },
        }
    }

    /// The mean recall of `answers`, one for each query.
    pub(super) fn recall(&self, answers: &[Vec<Hit>]) -> f64 {
        let recall = |(query, hits): (usize, &Vec<_>)| self.truth.recall(query, hits, self.limit);
        let sum: f64 = answers.iter().enumerate().map(recall).sum();
        sum / number::real(answers.len().max(1))
    }

    /// How many of `answers` have fewer hits than there are to be had.
    pub(super) fn short(&self, answers: &[Vec<Hit>]) -> usize {
        let Kind::Filter(_, matching) = self.kind else { return 0 };
        let wanted = usize::try_from(matching).unwrap_or(usize::MAX).min(self.limit);
        answers.iter().filter(|hits| hits.len() < wanted).count()
    }
}

/// A query for ids near `vector`, as benchmarks of other systems ask.
pub(super) fn default_query(vector: &[f32], limit: usize) -> Query {
    Query { limit, include: Include::Nothing, ..Query::new(vector.to_vec()) }
}

/// The ways without a filter.
pub(super) fn unfiltered(
    kinds: impl IntoIterator<Item = Kind>,
    limit: usize,
    truth: Truth,
) -> Vec<Way> {
    let truth = Rc::new(truth);
    kinds.into_iter().map(|kind| Way { kind, limit, truth: Rc::clone(&truth) }).collect()
}

/// The way with the filter `named`; refuses one that matches other documents than its data set says.
pub(super) fn filtered(
    named: NamedFilter,
    dataset: &Dataset,
    database: &Database,
    queries: usize,
    limit: usize,
) -> Result<Way> {
    let matching = matching(&named, database)?;
    let truth = Rc::new(truth(dataset, Some(&named.name), queries)?);
    Ok(Way { kind: Kind::Filter(named, matching), limit, truth })
}

/// The exact answers: of all documents, or of those that match the filter of this name.
pub(super) fn truth(dataset: &Dataset, filter: Option<&str>, queries: usize) -> Result<Truth> {
    let (ids, distances) = (dataset.truth_path(filter), dataset.truth_distances(filter));
    let truth = Truth::read(&ids, distances.as_deref())?;
    if truth.queries() == queries {
        return Ok(truth);
    }
    Err(Error::invalid(format!(
        "{} has answers for {} queries, queries.npy has {queries}",
        ids.display(),
        truth.queries()
    )))
}

fn matching(named: &NamedFilter, database: &Database) -> Result<u64> {
    let counted = database.count(&named.filter)?;
    match named.matching {
        Some(told) if told != counted => {
            Err(Error::invalid(format!("{counted} documents match, filters.json says {told}")))
        }
        _ => Ok(counted),
    }
}
