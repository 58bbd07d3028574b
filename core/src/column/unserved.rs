//! Which conditions of a filter no index serves, and what answering them costs: values of a column
//! compared one by one, or documents read.

use super::{Column, Columns, Keys, find::DOCUMENT_COST};
use crate::filter::{Bound, Look};
use alloc::vec::Vec;

/// A condition that is answered by looking at everything there is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unserved {
    /// The column that is asked about.
    pub(crate) number: usize,
    /// Why nothing serves it.
    pub(crate) reason: Reason,
    /// Values compared, or documents read.
    pub(crate) cost: u64,
}

/// Why no index serves a condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reason {
    /// This operator compares with each value of the column.
    Operator(&'static str),
    /// An index knows what is in an array, not where.
    Element(usize),
    /// An index knows one field at a time.
    Comparison,
}

impl Columns {
    /// Adds the conditions of `filter` that no index serves; not those that are put only to the few
    /// documents another condition leaves.
    pub(crate) fn add_unserved(&self, filter: &Bound, found: &mut Vec<Unserved>) {
        match filter {
            Bound::All | Bound::Words { .. } => {}
            Bound::Not(filter) => self.add_unserved(filter, found),
            Bound::Or(filters) => {
                filters.iter().for_each(|filter| self.add_unserved(filter, found));
            }
            Bound::And(filters) => {
                let fewest = filters.iter().map(|filter| self.estimate(filter)).min();
                let few = fewest.unwrap_or(0).saturating_mul(DOCUMENT_COST);
                let looked_up = filters.iter().filter(|filter| few >= self.estimate(filter));
                looked_up.for_each(|filter| self.add_unserved(filter, found));
            }
            Bound::Column { number, look } => {
                if let Some(operator) = operator(look) {
                    let cost = self.columns[*number].entries();
                    found.push(Unserved {
                        number: *number,
                        reason: Reason::Operator(operator),
                        cost,
                    });
                }
            }
            Bound::Element { number, index, .. } => found.push(Unserved {
                number: *number,
                reason: Reason::Element(*index),
                cost: self.estimate(filter),
            }),
            Bound::Compare { number, other, .. } => found.push(Unserved {
                number: *number,
                reason: Reason::Comparison,
                cost: self.columns[*number].entries() + self.columns[*other].entries(),
            }),
        }
    }
}

impl Column {
    /// Different values, about: one that very many documents have counts several times.
    fn entries(&self) -> u64 {
        let entries = match &self.keys {
            Keys::Numbers(tree) => tree.len(),
            Keys::Cells(tree) => tree.len(),
            Keys::Bytes(tree) => tree.len(),
        };
        entries as u64
    }
}

/// The operator that compares with each value, if `look` is of one.
fn operator(look: &Look) -> Option<&'static str> {
    match look {
        Look::Part(part) => Some(part.operator()),
        #[cfg(feature = "std")]
        Look::Regex(_) => Some("$regex"),
        Look::Keys(_)
        | Look::Range(..)
        | Look::Prefix(_)
        | Look::Near(..)
        | Look::Size(_)
        | Look::Present => None,
    }
}
