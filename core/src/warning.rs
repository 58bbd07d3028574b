//! What makes an answer dearer or worse than it need be, said with the answer.

use alloc::{string::String, vec::Vec};
use core::fmt;
use serde::{Serialize, Serializer};

/// Something about a question that whoever asks would want to know. As text it names what was asked,
/// what that costs and what to do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// No index serves an operator of a filter: it is compared with each value of the field.
    Scan {
        /// The dotted path of the field.
        path: String,
        /// The operator, as it is written in JSON.
        operator: &'static str,
        /// Values it is compared with, over all shards.
        values: u64,
    },
    /// A filter asks about one place in an array: documents are read for it.
    Element {
        /// The dotted path, the place at its end.
        path: String,
        /// Documents that have to be read, over all shards.
        documents: u64,
    },
    /// A filter compares two fields: all values of both are gone through.
    FieldComparison {
        /// The dotted path of the first.
        path: String,
        /// Values gone through, over all shards.
        values: u64,
    },
    /// `ef` is less than the hits to find, so that more candidates were considered than asked for.
    SmallEf {
        /// What was asked for.
        asked: usize,
        /// Hits to find, and candidates considered at least.
        used: usize,
    },
}

impl Warning {
    /// Adds what another shard warns of to what this one does; costs of the same are added up.
    pub(crate) fn merge(warnings: &mut Vec<Self>, others: &[Self]) {
        for other in others {
            if !warnings.iter_mut().any(|warning| warning.absorb(other)) {
                warnings.push(other.clone());
            }
        }
    }

    /// Takes in the cost of the same in another shard; false when `other` is about something else.
    fn absorb(&mut self, other: &Self) -> bool {
        let (cost, more) = match (self, other) {
            (
                Self::Scan { path, operator, values },
                Self::Scan { path: other, operator: by, values: more },
            ) if path == other && operator == by => (values, more),
            (Self::Element { path, documents }, Self::Element { path: other, documents: more })
                if path == other =>
            {
                (documents, more)
            }
            (
                Self::FieldComparison { path, values },
                Self::FieldComparison { path: other, values: more },
            ) if path == other => (values, more),
            (Self::SmallEf { asked, used }, Self::SmallEf { asked: same, used: as_many }) => {
                return asked == same && used == as_many;
            }
            _ => return false,
        };
        *cost += more;
        true
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scan { path, operator, values } => write!(
                f,
                "filter on {path:?}: no index serves {operator}, it is compared with each of about \
                 {values} values; $eq, $in and $startsWith are served, and for whole words $text \
                 of a field marked `text`"
            ),
            Self::Element { path, documents } => write!(
                f,
                "filter on {path:?}: no index knows places in an array, up to {documents} documents \
                 are read for it; where the place does not matter, ask about the array"
            ),
            Self::FieldComparison { path, values } => write!(
                f,
                "filter on {path:?}: no index serves a comparison with another field, about \
                 {values} values of both are gone through; a field that holds the outcome, marked \
                 `filter`, would be served"
            ),
            Self::SmallEf { asked, used } => write!(
                f,
                "ef is {asked}, less than the {used} hits to find: {used} candidates were \
                 considered at least; leave ef out for what was measured"
            ),
        }
    }
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.collect_str(self)
    }
}
