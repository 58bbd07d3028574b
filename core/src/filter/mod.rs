//! Filters: questions about the filterable fields of a document, built in Rust with types or read
//! from JSON.
//!
//! | condition on a field | holds when |
//! |---|---|
//! | `$eq v`, plain `v` | the value equals `v`; `null` asks for a missing field |
//! | `$ne v`, `$neq v` | `$eq v` does not hold |
//! | `$lt v`, `$lte v`, `$gt v`, `$gte v` | the value stands so to `v`: numbers and timestamps by size, text and UUIDs by their bytes |
//! | `$in [v, …]`, `$any [v, …]` | `$eq` holds for one of them |
//! | `$nin [v, …]` | `$in` does not hold |
//! | `$all [v, …]` | `$eq` holds for each of them |
//! | `$contains v`, `$icontains s` | an array has the element `v`; a text has the part `v` |
//! | `$startsWith s`, `$istartsWith s` | a text begins with `s` |
//! | `$endsWith s`, `$iendsWith s` | a text ends with `s` |
//! | `$regex s` | a regular expression matches somewhere in a text |
//! | `$text s` | a text, or the texts of an array together, have all words of `s` |
//! | `$size n` | an array has `n` elements |
//! | `$exists true`, `$exists false` | the field is there and not null; it is not |
//! | `$geoRadius {center, radius}` | a point is within `radius` metres of `center` |
//! | `$geoBox {south_west, north_east}` | a point is between two corners; a box may cross the 180th meridian |
//! | `$not {…}` | the conditions in it do not all hold |
//!
//! - **A missing field** (absent or null) fulfils `$eq null`, `$exists false`, and the negative
//!   conditions `$ne`, `$nin` and `$not`; no other.
//! - **An array** fulfils a condition when one of its elements does; `$size` and `$exists` ask about
//!   the array itself, and the negative conditions hold when no element fulfils the positive one. A
//!   path through an array of structs, such as `reviews.stars`, leads to an array of what is in each.
//! - **Types** are those of the schema: a number is compared with numbers (2.5 equals no integer,
//!   and orders among them), a timestamp with a timestamp (RFC 3339, or milliseconds since 1970), an
//!   enum with its words; comparing with anything else is an error, as is a field that is unknown
//!   or not marked `filter`.
//! - **Names with `i`** ignore case, by Unicode's simple lower case; they and `$contains`,
//!   `$endsWith` and `$regex` look at every distinct value of the field. Regular expressions are
//!   those of the crate `regex-lite`, and take time linear in the text.
//! - **Words** are those of Unicode (UAX #29) in lower case, nothing stemmed: `$text "wild cats"`
//!   holds for *Cats, wild*, not for *wildcat*. It asks about fields marked `text`, whether or not
//!   they are marked `filter`; a text without a word, such as `"!"`, holds nowhere.
//! - **Paths** are dotted, `maker.country`, or as DocArray writes them, `maker__country`; a number
//!   asks for one element of an array: `tags.0`.
//! - **Another field** can stand for the value of a comparison: `{"price": {"$lt": {"$field":
//!   "old_price"}}}`, or as DocArray writes it, `{"price": {"$lt": "{old_price}"}}`; where that text
//!   itself is meant, `{"$literal": "{old_price}"}`.
//! - Several conditions in one object, and several fields, mean *and*. `$and` and `$or` take a list
//!   or an object; `$nor` is the negation of `$or`. A filter may be given as JSON text.

mod bind;
mod json;
mod look;
pub mod typed;

use crate::{GeoPoint, Value};
use alloc::{boxed::Box, string::String, vec::Vec};
use core::ops::{BitAnd, BitOr, Not};

pub(crate) use bind::Bound;
pub(crate) use look::Look;

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
    EndsWith(String),
    ContainsIgnoreCase(String),
    StartsWithIgnoreCase(String),
    EndsWithIgnoreCase(String),
    Regex(String),
    Text(String),
    Size(u64),
    Exists(bool),
    GeoRadius {
        center: GeoPoint,
        metres: f64,
    },
    GeoBox {
        south_west: GeoPoint,
        north_east: GeoPoint,
    },
    /// How the value compares with that of another field, at its dotted path.
    Field(Comparison, String),
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the tests of the same names")]
pub enum Comparison {
    Eq,
    Ne,
    Lt,
    Lte,
    Gt,
    Gte,
}

impl Filter {
    /// Documents whose field at `path` passes `test`.
    pub fn field(path: impl Into<String>, test: Test) -> Self {
        Self::Field { path: path.into(), test }
    }

    /// Whether there may be a condition that no index serves. It is told without a schema, so that
    /// a filter that has none costs nothing further.
    pub(crate) fn may_be_unserved(&self) -> bool {
        match self {
            Self::All => false,
            Self::And(filters) | Self::Or(filters) => filters.iter().any(Self::may_be_unserved),
            Self::Not(filter) => filter.may_be_unserved(),
            Self::Field { path, test } => {
                let is_element = || {
                    let last = path.rsplit_once('.').map(|(_, last)| last);
                    last.is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
                };
                test.may_be_unserved() || is_element()
            }
        }
    }
}

impl Test {
    fn may_be_unserved(&self) -> bool {
        matches!(
            self,
            Self::Contains(_)
                | Self::EndsWith(_)
                | Self::ContainsIgnoreCase(_)
                | Self::StartsWithIgnoreCase(_)
                | Self::EndsWithIgnoreCase(_)
                | Self::Regex(_)
                | Self::Field(..)
        )
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
