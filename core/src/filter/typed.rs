//! Filters that the compiler checks: what `Product::price()` returns and what it can be asked.

use super::{Filter, Test};
use crate::Value;
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::marker::PhantomData;

/// A type whose fields filters can ask about; derived structs implement it too, so that filters
/// reach into nested ones.
#[diagnostic::on_unimplemented(
    message = "filters cannot ask about a `{Self}`",
    label = "not filterable",
    note = "filterable are bool, integers, floats, `String`, a `Vec` of one but not of `u8`, \
            structs that derive `VectorDoc` and mark a field `filter`, and an `Option` of these"
)]
pub trait Filterable {
    /// What can be asked.
    type Field;

    /// The field at `path`.
    fn field(path: Path) -> Self::Field;
}

/// Where a field is: its dotted path from the document's top.
#[derive(Clone, Debug)]
pub struct Path(String);

impl Path {
    /// A field at the top.
    pub fn top(name: &str) -> Self {
        Self(name.to_string())
    }

    /// A field of the struct at this path.
    #[must_use]
    pub fn then(&self, name: &str) -> Self {
        Self(format!("{}.{name}", self.0))
    }
}

/// A field that holds one `T`, or none.
#[derive(Clone, Debug)]
pub struct Scalar<T> {
    path: Path,
    holds: PhantomData<fn() -> T>,
}

/// A field that holds any number of `T`.
#[derive(Clone, Debug)]
pub struct List<T> {
    path: Path,
    holds: PhantomData<fn() -> T>,
}

/// A scalar that filters compare with.
pub trait FilterScalar: Into<Value> {}

/// A scalar whose lists filters can ask about: not `u8`, as `Vec<u8>` is bytes.
#[diagnostic::on_unimplemented(
    message = "filters cannot ask about a `Vec<{Self}>`",
    label = "not filterable",
    note = "filterable lists are `Vec`s of bools, integers but `u8`, floats and `String`s"
)]
pub trait FilterItem: FilterScalar {}

/// A scalar that has an order.
pub trait FilterOrdered: FilterScalar {}

macro_rules! filterable {
    ($($type:ty),*) => {$(
        impl FilterScalar for $type {}
        impl Filterable for $type {
            type Field = Scalar<$type>;
            fn field(path: Path) -> Scalar<$type> { Scalar { path, holds: PhantomData } }
        }
    )*};
}
filterable!(bool, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, String);

macro_rules! items {
    ($($type:ty),*) => {$( impl FilterItem for $type {} )*};
}
items!(bool, i8, i16, i32, i64, u16, u32, u64, f32, f64, String);

macro_rules! ordered {
    ($($type:ty),*) => {$( impl FilterOrdered for $type {} )*};
}
ordered!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, String);

impl<T: Filterable> Filterable for Option<T> {
    type Field = T::Field;

    fn field(path: Path) -> T::Field {
        T::field(path)
    }
}

impl<T: FilterItem> Filterable for Vec<T> {
    type Field = List<T>;

    fn field(path: Path) -> List<T> {
        List { path, holds: PhantomData }
    }
}

impl<T: FilterScalar> Scalar<T> {
    /// The field equals `value`.
    pub fn eq(self, value: impl Into<T>) -> Filter {
        self.test(Test::Eq(value.into().into()))
    }

    /// The field differs from `value`, or is missing.
    pub fn ne(self, value: impl Into<T>) -> Filter {
        self.test(Test::Ne(value.into().into()))
    }

    /// The field equals one of `values`.
    pub fn is_in<V: Into<T>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        self.test(Test::In(collect::<T, V>(values)))
    }

    /// The field equals none of `values`, or is missing.
    pub fn not_in<V: Into<T>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        self.test(Test::Nin(collect::<T, V>(values)))
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

impl<T: FilterOrdered> Scalar<T> {
    /// The field is less than `value`.
    pub fn lt(self, value: impl Into<T>) -> Filter {
        self.test(Test::Lt(value.into().into()))
    }

    /// The field is at most `value`.
    pub fn lte(self, value: impl Into<T>) -> Filter {
        self.test(Test::Lte(value.into().into()))
    }

    /// The field is greater than `value`.
    pub fn gt(self, value: impl Into<T>) -> Filter {
        self.test(Test::Gt(value.into().into()))
    }

    /// The field is at least `value`.
    pub fn gte(self, value: impl Into<T>) -> Filter {
        self.test(Test::Gte(value.into().into()))
    }

    /// The field is from `low` to `high`, both included.
    pub fn between(self, low: impl Into<T>, high: impl Into<T>) -> Filter {
        self.clone_field().gte(low) & self.lte(high)
    }

    fn clone_field(&self) -> Self {
        Self { path: self.path.clone(), holds: PhantomData }
    }
}

impl Scalar<String> {
    /// The text begins with `prefix`.
    pub fn starts_with(self, prefix: impl Into<String>) -> Filter {
        self.test(Test::StartsWith(prefix.into()))
    }

    /// The text has all of `words`. The field has to be marked `text` too.
    pub fn matches_text(self, words: impl Into<String>) -> Filter {
        self.test(Test::Text(words.into()))
    }

    /// The text has the part `part`.
    pub fn contains(self, part: impl Into<String>) -> Filter {
        self.test(Test::Contains(Value::Text(part.into())))
    }
}

impl<T: FilterScalar> List<T> {
    /// The list has the element `value`.
    pub fn contains(self, value: impl Into<T>) -> Filter {
        self.test(Test::Contains(value.into().into()))
    }

    /// The list has each of `values`.
    pub fn contains_all<V: Into<T>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        self.test(Test::All(collect::<T, V>(values)))
    }

    /// The list has one of `values`.
    pub fn contains_any<V: Into<T>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        self.test(Test::In(collect::<T, V>(values)))
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

fn collect<T: FilterScalar, V: Into<T>>(values: impl IntoIterator<Item = V>) -> Vec<Value> {
    values.into_iter().map(|value| value.into().into()).collect()
}
