//! What a field can be asked that holds any number of values.

use super::{FilterScalar, Operand, Path, collect};
use crate::filter::{Filter, Test};
use core::marker::PhantomData;

/// A field that holds any number of `T`.
#[derive(Clone, Debug)]
pub struct List<T> {
    path: Path,
    holds: PhantomData<fn() -> T>,
}

impl<T> List<T> {
    /// The field at `path`.
    pub fn at(path: Path) -> Self {
        Self { path, holds: PhantomData }
    }

    /// The list has `length` elements.
    pub fn has_len(self, length: usize) -> Filter {
        self.test(Test::Size(length as u64))
    }

    /// The list is there, empty or not.
    pub fn exists(self) -> Filter {
        self.test(Test::Exists(true))
    }

    /// The list is missing.
    pub fn is_missing(self) -> Filter {
        self.test(Test::Exists(false))
    }

    fn test(self, test: Test) -> Filter {
        Filter::field(self.path.0, test)
    }
}

impl<T: FilterScalar> List<T> {
    /// The list has the element `value`.
    pub fn contains(self, value: impl Operand<T>) -> Filter {
        self.test(Test::Contains(value.into_value()))
    }

    /// The list has each of `values`.
    pub fn contains_all<V: Operand<T>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        self.test(Test::All(collect(values)))
    }

    /// The list has one of `values`.
    pub fn contains_any<V: Operand<T>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        self.test(Test::In(collect(values)))
    }
}
