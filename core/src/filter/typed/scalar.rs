//! What a field can be asked that holds one value.

use super::{FilterOrdered, FilterScalar, Operand, Path, collect};
use crate::{
    Value,
    filter::{Comparison, Filter, Test},
};
use alloc::string::String;
use core::marker::PhantomData;

/// A field that holds one `T`, or none.
#[derive(Clone, Debug)]
pub struct Scalar<T> {
    path: Path,
    holds: PhantomData<fn() -> T>,
}

impl<T> Scalar<T> {
    /// The field at `path`.
    pub fn at(path: Path) -> Self {
        Self { path, holds: PhantomData }
    }

    /// The field has a value.
    pub fn exists(self) -> Filter {
        self.test(Test::Exists(true))
    }

    /// The field has no value.
    pub fn is_missing(self) -> Filter {
        self.test(Test::Exists(false))
    }

    fn test(self, test: Test) -> Filter {
        Filter::field(self.path.0, test)
    }
}

impl<T: FilterScalar> Scalar<T> {
    /// The field equals `value`.
    pub fn eq(self, value: impl Operand<T>) -> Filter {
        self.test(Test::Eq(value.into_value()))
    }

    /// The field differs from `value`, or is missing.
    pub fn ne(self, value: impl Operand<T>) -> Filter {
        self.test(Test::Ne(value.into_value()))
    }

    /// The field equals one of `values`.
    pub fn is_in<V: Operand<T>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        self.test(Test::In(collect(values)))
    }

    /// The field equals none of `values`, or is missing.
    pub fn not_in<V: Operand<T>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        self.test(Test::Nin(collect(values)))
    }

    /// How the field compares with another one of the same type:
    /// `Product::price().compares(Comparison::Lt, Product::old_price())`.
    pub fn compares(self, comparison: Comparison, other: Self) -> Filter {
        self.test(Test::Field(comparison, other.path.0))
    }

    /// The field is less than `value`.
    pub fn lt(self, value: impl Operand<T>) -> Filter
    where
        T: FilterOrdered,
    {
        self.test(Test::Lt(value.into_value()))
    }

    /// The field is at most `value`.
    pub fn lte(self, value: impl Operand<T>) -> Filter
    where
        T: FilterOrdered,
    {
        self.test(Test::Lte(value.into_value()))
    }

    /// The field is greater than `value`.
    pub fn gt(self, value: impl Operand<T>) -> Filter
    where
        T: FilterOrdered,
    {
        self.test(Test::Gt(value.into_value()))
    }

    /// The field is at least `value`.
    pub fn gte(self, value: impl Operand<T>) -> Filter
    where
        T: FilterOrdered,
    {
        self.test(Test::Gte(value.into_value()))
    }

    /// The field is from `low` to `high`, both included. In a list of structs, one of them may
    /// reach `low` and another one not exceed `high`.
    pub fn between(self, low: impl Operand<T>, high: impl Operand<T>) -> Filter
    where
        T: FilterOrdered,
    {
        Self::at(self.path.clone()).gte(low) & self.lte(high)
    }
}

impl Scalar<String> {
    /// The text begins with `prefix`.
    pub fn starts_with(self, prefix: impl Into<String>) -> Filter {
        self.test(Test::StartsWith(prefix.into()))
    }

    /// The text has the part `part`.
    pub fn contains(self, part: impl Into<String>) -> Filter {
        self.test(Test::Contains(Value::Text(part.into())))
    }

    /// The text ends with `end`.
    pub fn ends_with(self, end: impl Into<String>) -> Filter {
        self.test(Test::EndsWith(end.into()))
    }

    /// The text begins with `prefix`, in upper or lower case.
    pub fn starts_with_ignore_case(self, prefix: impl Into<String>) -> Filter {
        self.test(Test::StartsWithIgnoreCase(prefix.into()))
    }

    /// The text has the part `part`, in upper or lower case.
    pub fn contains_ignore_case(self, part: impl Into<String>) -> Filter {
        self.test(Test::ContainsIgnoreCase(part.into()))
    }

    /// The text ends with `end`, in upper or lower case.
    pub fn ends_with_ignore_case(self, end: impl Into<String>) -> Filter {
        self.test(Test::EndsWithIgnoreCase(end.into()))
    }

    /// A regular expression matches somewhere in the text.
    pub fn matches(self, regex: impl Into<String>) -> Filter {
        self.test(Test::Regex(regex.into()))
    }

    /// The text has all of these words, in any order; the field has to be marked `text` too.
    pub fn has_words(self, words: impl Into<String>) -> Filter {
        self.test(Test::Text(words.into()))
    }
}
