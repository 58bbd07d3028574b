//! Searching by example: near to some documents, far from others.

use crate::{Error, Id, Metric, Query, Result, Schema, distance, limits};
use alloc::{format, vec::Vec};

/// Documents of the database to be near to, and to be far from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Examples {
    /// At least one document to be near to.
    pub like: Vec<Id>,
    /// Documents to be far from.
    pub unlike: Vec<Id>,
}

impl Examples {
    /// `query` for the vector that stands for the examples, which are no hits themselves. One
    /// example stands for itself; of several it is the mean, moved away from the mean of those to
    /// be far from by the way between both (Rocchio, "Relevance Feedback in Information Retrieval",
    /// 1971). Under cosine each counts by its direction alone. `vector_of` reads a document's vector
    /// in the field of this number.
    pub fn query(
        &self,
        schema: &Schema,
        query: Query,
        mut vector_of: impl FnMut(&Id, usize) -> Result<Vec<f32>>,
    ) -> Result<Query> {
        let number = self.check(schema, query.field.as_deref())?;
        let metric = schema.vectors()[number].metric;
        let mut mean = |ids: &[Id]| {
            let vectors = ids.iter().map(|id| vector_of(id, number));
            vectors.collect::<Result<Vec<_>>>().map(|vectors| mean(metric, &vectors))
        };
        let like = mean(&self.like)?;
        let vector = match &self.unlike[..] {
            [] => like,
            unlike => {
                let unlike = mean(unlike)?;
                like.iter().zip(&unlike).map(|(like, unlike)| 2.0 * like - unlike).collect()
            }
        };
        let except = query.except.iter().chain(&self.like).chain(&self.unlike).cloned().collect();
        Ok(Query { vector: Some(vector), except, ..query })
    }

    /// Refuses too many examples and none; returns the number of the vector field.
    pub(crate) fn check(&self, schema: &Schema, field: Option<&str>) -> Result<usize> {
        let count = self.like.len() + self.unlike.len();
        limits::at_most(count, limits::EXAMPLES_MAX, "number of examples")?;
        if self.like.is_empty() {
            return Err(Error::invalid("a search by example needs a document to be like"));
        }
        schema.vector_number(field)
    }
}

/// The mean of vectors of equal length; of their directions under cosine.
fn mean(metric: Metric, vectors: &[Vec<f32>]) -> Vec<f32> {
    let mut sum = alloc::vec![0.0; vectors.first().map_or(0, Vec::len)];
    for vector in vectors {
        let length = match metric {
            Metric::Cosine => libm::sqrtf(distance::dot(vector, vector)),
            Metric::L2 | Metric::Dot => 1.0,
        };
        let weight = 1.0 / (length * vectors.len() as f32);
        sum.iter_mut().zip(vector).for_each(|(sum, number)| *sum += number * weight);
    }
    sum
}

/// The error for an example that cannot be one.
pub(crate) fn no_example(id: &Id, what: &str) -> Error {
    Error::not_found(format!("document {id:?} cannot be an example: {what}"))
}
