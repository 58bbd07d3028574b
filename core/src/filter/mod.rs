//! Filters: questions about the filterable fields of a document, built in Rust with types or read
//! from JSON.
//!
//! | condition on a field | holds when |
//! |---|---|
//! | `$eq v`, plain `v` | the value equals `v`; `null` asks for a missing field |
//! | `$ne`, `$neq` | `$eq` does not hold (so also when the field is missing) |
//! | `$lt $lte $gt $gte` | the value is of the field's type and so ordered |
//! | `$in [..]`, `$any [..]` | `$eq` holds for one of them |
//! | `$nin [..]` | `$in` does not hold |
//! | `$all [..]` | `$eq` holds for each of them |
//! | `$contains v` | an array has the element `v`; a text has the part `v` |
//! | `$startsWith s` | a text begins with `s` |
//! | `$size n` | an array has `n` elements |
//! | `$exists true` | the field is there and not null |
//!
//! On an array every condition but `$size`, `$exists` and the negative ones holds when it holds
//! for one element.

mod bind;
mod json;
pub mod typed;

use crate::Value;
use alloc::{boxed::Box, string::String, vec::Vec};
use core::ops::{BitAnd, BitOr, Not};

pub(crate) use bind::{Bound, Match};

/// A question about a document. Combine filters with `&`, `|` and `!`.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Filter {
    /// Every document.
    #[default]
    All,
    /// Documents that pass each of these; every document if there is none.
    And(Vec<Filter>),
    /// Documents that pass one of these; no document if there is none.
    Or(Vec<Filter>),
    /// Documents that do not pass.
    Not(Box<Filter>),
    /// Documents whose field passes a test.
    Field {
        /// Dotted path: `maker.country`.
        path: String,
        /// The test.
        test: Test,
    },
}

/// A question about one field; the table in the [module](self) says when each holds.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the module's table defines them")]
pub enum Test {
    Eq(Value),
    Ne(Value),
    Lt(Value),
    Lte(Value),
    Gt(Value),
    Gte(Value),
    In(Vec<Value>),
    Nin(Vec<Value>),
    All(Vec<Value>),
    Contains(Value),
    StartsWith(String),
    Size(u64),
    Exists(bool),
}

impl Filter {
    /// Documents whose field at `path` passes `test`.
    pub fn field(path: impl Into<String>, test: Test) -> Self {
        Self::Field { path: path.into(), test }
    }
}

impl BitAnd for Filter {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, filter) | (filter, Self::All) => filter,
            (Self::And(mut filters), other) => {
                filters.push(other);
                Self::And(filters)
            }
            (filter, other) => Self::And(alloc::vec![filter, other]),
        }
    }
}

impl BitOr for Filter {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        match (self, other) {
            (Self::Or(mut filters), other) => {
                filters.push(other);
                Self::Or(filters)
            }
            (filter, other) => Self::Or(alloc::vec![filter, other]),
        }
    }
}

impl Not for Filter {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Not(filter) => *filter,
            filter => Self::Not(Box::new(filter)),
        }
    }
}
