//! Filters that the compiler checks: what `Product::price()` returns and what it can be asked.
//!
//! A field in a list of structs, `Product::reviews().stars()`, passes a test when that of one of
//! the structs does; of two conditions, one may hold for one struct and one for another.

mod list;
mod point;
mod scalar;
#[cfg(any(feature = "std", feature = "time", feature = "chrono", feature = "jiff"))]
mod time;

use crate::{GeoPoint, Timestamp, Uuid, Value};
use alloc::{
    borrow::Cow,
    boxed::Box,
    collections::BTreeSet,
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};

pub use list::List;
pub use point::Point;
pub use scalar::Scalar;

/// A type whose fields filters can ask about; derived structs implement it too, so that filters
/// reach into nested ones.
#[diagnostic::on_unimplemented(
    message = "filters cannot ask about a `{Self}`",
    label = "not filterable",
    note = "filterable are bool, integers, floats, text, timestamps, `Uuid`, `GeoPoint`, enums that \
            derive `VectorDoc`, structs that do and mark a field `filter`, and an `Option` or a `Vec` of \
            these, but no `Vec<u8>`"
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

/// A scalar that filters compare with.
pub trait FilterScalar {
    /// The value of a document's field that equals this.
    fn operand(&self) -> Value;
}

/// What a field that holds a `T` can be compared with: each type that converts to `T`, and for a
/// [`Timestamp`] the points in time of `std` and other libraries.
#[diagnostic::on_unimplemented(
    message = "a field of `{T}` cannot be compared with `{Self}`",
    label = "not a `{T}`, nor converted to one"
)]
pub trait Operand<T> {
    /// The value to compare with.
    fn into_value(self) -> Value;
}

#[diagnostic::do_not_recommend]
impl<T: FilterScalar, V: Into<T>> Operand<T> for V {
    fn into_value(self) -> Value {
        self.into().operand()
    }
}

/// A type whose lists filters can ask about: not `u8`, as a list of it is bytes.
#[diagnostic::on_unimplemented(
    message = "filters cannot ask about a list of `{Self}`",
    label = "not filterable",
    note = "filterable are lists of bools, integers but `u8`, floats, text, timestamps, `Uuid`s, \
            `GeoPoint`s, enums that derive `VectorDoc`, and structs that do and mark a field `filter`"
)]
pub trait FilterItem {
    /// What can be asked about a list of it.
    type List;

    /// The list at `path`.
    fn list(path: Path) -> Self::List;
}

/// A scalar that has an order.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no order that filters know",
    label = "compare with `eq` or `is_in`",
    note = "ordered are integers, floats, text and timestamps"
)]
pub trait FilterOrdered: FilterScalar {}

macro_rules! scalars {
    ($($type:ty),*) => {$(
        impl FilterScalar for $type {
            fn operand(&self) -> Value { self.clone().into() }
        }
    )*};
}
scalars! {
    bool, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, String, Timestamp, Uuid
}

macro_rules! ordered {
    ($($type:ty),*) => {$( impl FilterOrdered for $type {} )*};
}
ordered!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, String, Timestamp);

/// Types whose fields are asked as those of a scalar are: `type as scalar`.
macro_rules! filterable {
    ($($(#[$when:meta])* $type:ty as $scalar:ty),* $(,)?) => {$(
        $(#[$when])*
        impl Filterable for $type {
            type Field = Scalar<$scalar>;
            fn field(path: Path) -> Self::Field { Scalar::at(path) }
        }
    )*};
}

/// The same, of lists of them.
macro_rules! items {
    ($($(#[$when:meta])* $type:ty as $scalar:ty),* $(,)?) => {
        filterable!($($(#[$when])* $type as $scalar),*);
        $(
            $(#[$when])*
            impl FilterItem for $type {
                type List = List<$scalar>;
                fn list(path: Path) -> Self::List { List::at(path) }
            }
        )*
    };
}
filterable!(u8 as u8);
items! {
    bool as bool,
    i8 as i8,
    i16 as i16,
    i32 as i32,
    i64 as i64,
    u16 as u16,
    u32 as u32,
    u64 as u64,
    f32 as f32,
    f64 as f64,
    String as String,
    Box<str> as String,
    Arc<str> as String,
    Cow<'static, str> as String,
    char as String,
    Uuid as Uuid,
    Timestamp as Timestamp,
    #[cfg(feature = "std")] std::time::SystemTime as Timestamp,
    #[cfg(feature = "time")] ::time::OffsetDateTime as Timestamp,
    #[cfg(feature = "chrono")] chrono::DateTime<chrono::Utc> as Timestamp,
    #[cfg(feature = "jiff")] jiff::Timestamp as Timestamp,
}

impl Filterable for GeoPoint {
    type Field = Point;

    fn field(path: Path) -> Point {
        Point::at(path)
    }
}

impl FilterItem for GeoPoint {
    type List = Point;

    fn list(path: Path) -> Point {
        Point::at(path)
    }
}

/// Types whose fields are asked as those of what they hold are.
macro_rules! holders {
    ($($type:ty),*) => {$(
        impl<T: Filterable> Filterable for $type {
            type Field = T::Field;
            fn field(path: Path) -> T::Field { T::field(path) }
        }
    )*};
}
holders!(Option<T>, Box<T>);

impl<T: FilterItem> FilterItem for Box<T> {
    type List = T::List;

    fn list(path: Path) -> T::List {
        T::list(path)
    }
}

macro_rules! lists {
    ($($(#[$when:meta])* [$($generics:tt)*] $type:ty;)*) => {$(
        $(#[$when])*
        impl<T: FilterItem, $($generics)*> Filterable for $type {
            type Field = T::List;
            fn field(path: Path) -> T::List { T::list(path) }
        }
    )*};
}
lists! {
    [] Vec<T>;
    [const N: usize] [T; N];
    [] BTreeSet<T>;
    #[cfg(feature = "std")] [S] std::collections::HashSet<T, S>;
}

/// The values to compare with.
fn collect<T, V: Operand<T>>(values: impl IntoIterator<Item = V>) -> Vec<Value> {
    values.into_iter().map(V::into_value).collect()
}
