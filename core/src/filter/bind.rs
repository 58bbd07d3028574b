//! A filter bound to a schema: names resolved to column numbers, operands checked and turned into
//! the column's own keys, every operator reduced to a few ways of looking into a column.

use super::{
    Comparison, Filter, Test,
    look::{GeoBox, Look, Part, Place},
};
use crate::{
    Error, GeoPoint, Result, Schema, Value,
    column::Key,
    document::{coerce, type_in_words},
    limits,
    schema::{FieldType, FilterPath, Integer, unknown_name},
    text::{Word, words_asked},
    value::shorten,
};
use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::{cmp::Ordering, ops::Bound as Edge};

/// A filter ready to be evaluated on the columns of an engine.
#[derive(Clone, Debug)]
pub(crate) enum Bound {
    All,
    And(Vec<Bound>),
    Or(Vec<Bound>),
    Not(Box<Bound>),
    Column {
        number: usize,
        look: Look,
    },
    /// The element at `index` of the array in a column.
    Element {
        number: usize,
        index: usize,
        look: Look,
    },
    /// All of these words are in the texts of one index; none holds nowhere.
    Words {
        number: usize,
        words: Vec<Word>,
    },
    /// How the values of two columns compare.
    Compare {
        number: usize,
        comparison: Comparison,
        other: usize,
    },
}

impl Bound {
    /// Binds `filter`; an unknown or unfilterable field, or an operand of the wrong type, is an
    /// error.
    pub(crate) fn new(filter: &Filter, schema: &Schema) -> Result<Self> {
        if matches!(filter, Filter::All) {
            return Ok(Self::All);
        }
        let binder = Binder { schema, paths: schema.filter_paths() };
        binder.bind(filter, limits::FILTER_DEPTH_MAX)
    }

    fn none() -> Self {
        Self::Or(Vec::new())
    }

    fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}

/// The edge of two that lets less pass; `inner` is how its key compares with the other's.
fn narrower(a: Edge<Key>, b: Edge<Key>, inner: Ordering) -> Edge<Key> {
    match (&a, &b) {
        (Edge::Unbounded, _) => b,
        (_, Edge::Unbounded) => a,
        (
            Edge::Included(key) | Edge::Excluded(key),
            Edge::Included(other) | Edge::Excluded(other),
        ) => match key.cmp(other) {
            Ordering::Equal if matches!(a, Edge::Excluded(_)) => a,
            Ordering::Equal => b,
            order if order == inner => a,
            _ => b,
        },
    }
}

struct Binder<'a> {
    schema: &'a Schema,
    paths: Vec<FilterPath>,
}

impl Binder<'_> {
    fn bind(&self, filter: &Filter, depth: usize) -> Result<Bound> {
        let depth = depth.checked_sub(1).ok_or_else(|| {
            let max = limits::FILTER_DEPTH_MAX;
            Error::limit_exceeded(format!("the filter has more than {max} levels of nesting"))
        })?;
        let all = |filters: &[Filter]| {
            limits::at_most(filters.len(), limits::FILTER_NODES_MAX, "number of conditions")?;
            filters.iter().map(|filter| self.bind(filter, depth)).collect::<Result<Vec<_>>>()
        };
        match filter {
            Filter::All => Ok(Bound::All),
            Filter::And(filters) => all(filters).map(|bound| self.and(bound)),
            Filter::Or(filters) => all(filters).map(Bound::Or),
            Filter::Not(filter) => self.bind(filter, depth).map(Bound::not),
            Filter::Field { path, test } => self
                .bind_field(path, test)
                .map_err(|error| error.within(format!("filter on {path:?}"))),
        }
    }

    /// All of `bounds`, ranges of one column drawn together: `≥ 150` and `≤ 155` each hold for very
    /// many values, both for few. Of an array, two elements may fulfil them, so there they stay.
    fn and(&self, bounds: Vec<Bound>) -> Bound {
        let mut drawn: Vec<Bound> = Vec::with_capacity(bounds.len());
        'bounds: for bound in bounds {
            if let Bound::Column { number, look: Look::Range(low, high) } = &bound
                && !self.paths[*number].many
            {
                for other in &mut drawn {
                    if let Bound::Column { number: same, look: Look::Range(from, to) } = other
                        && same == number
                    {
                        *from = narrower(from.clone(), low.clone(), Ordering::Greater);
                        *to = narrower(to.clone(), high.clone(), Ordering::Less);
                        continue 'bounds;
                    }
                }
            }
            drawn.push(bound);
        }
        Bound::And(drawn)
    }

    fn bind_field(&self, path: &str, test: &Test) -> Result<Bound> {
        if let Test::Text(text) = test {
            let number = self.schema.text_number(Some(path))?;
            return Ok(Bound::Words { number, words: words_asked(text)? });
        }
        if let Some(number) = self.number(path) {
            let column = Column { number, path: &self.paths[number], element: None };
            return match test {
                Test::Field(comparison, other) => self.compare(number, *comparison, other),
                test => column.bind(test),
            };
        }
        if let Some((array, element)) = path.rsplit_once('.')
            && let Ok(index) = element.parse()
            && let Some(number) = self.number(array)
            && self.paths[number].many
        {
            return Column { number, path: &self.paths[number], element: Some(index) }.bind(test);
        }
        Err(self.schema.not_filterable(path))
    }

    fn number(&self, path: &str) -> Option<usize> {
        self.paths.iter().position(|known| known.path == path)
    }

    fn compare(&self, number: usize, comparison: Comparison, other: &str) -> Result<Bound> {
        let Some(other_number) = self.number(other) else {
            let error = self.schema.not_filterable(other);
            let hint = "to compare with the text itself write {\"$literal\": …}";
            return Err(Error::invalid(format!("{}; {hint}", error.message())));
        };
        let (ty, other_ty) = (&self.paths[number].ty, &self.paths[other_number].ty);
        if !have_one_order(ty, other_ty) {
            return Err(Error::invalid(format!(
                "the field holds {}, {other:?} holds {}: they do not compare",
                type_in_words(ty),
                type_in_words(other_ty)
            )));
        }
        Ok(Bound::Compare { number, comparison, other: other_number })
    }
}

/// Whether keys of both types have one order.
fn have_one_order(a: &FieldType, b: &FieldType) -> bool {
    use FieldType::{Enum, Float32, Float64, Geo, Integer as Int, Text};
    match (a, b) {
        (Int(a), Int(b)) => (*a == Integer::U64) == (*b == Integer::U64),
        (Float32 | Float64, Float32 | Float64) | (Text | Enum(_), Text | Enum(_)) => true,
        (Geo, _) => false,
        (a, b) => a == b,
    }
}

/// One column, or one element of the arrays in it, while a test on it is bound.
struct Column<'a> {
    number: usize,
    path: &'a FilterPath,
    element: Option<usize>,
}

impl Column<'_> {
    fn bind(&self, test: &Test) -> Result<Bound> {
        Ok(match test {
            Test::Eq(value) => self.any_of(core::slice::from_ref(value))?,
            Test::Ne(value) => self.any_of(core::slice::from_ref(value))?.not(),
            Test::In(values) => self.any_of(values)?,
            Test::Nin(values) => self.any_of(values)?.not(),
            Test::All(values) => {
                let each = values.iter().map(|value| self.any_of(core::slice::from_ref(value)));
                Bound::And(each.collect::<Result<_>>()?)
            }
            Test::Lt(value) => self.range(value, Side::Below, false)?,
            Test::Lte(value) => self.range(value, Side::Below, true)?,
            Test::Gt(value) => self.range(value, Side::Above, false)?,
            Test::Gte(value) => self.range(value, Side::Above, true)?,
            Test::Contains(value) if self.is_array() => {
                self.any_of(core::slice::from_ref(value))?
            }
            Test::Contains(Value::Text(part)) => {
                self.part("$contains", Place::Anywhere, part, false)?
            }
            Test::Contains(value) => return Err(self.wrong("$contains", value)),
            Test::StartsWith(prefix) => {
                self.expect_text("$startsWith", prefix)?;
                self.look(Look::Prefix(prefix.clone()))
            }
            Test::EndsWith(end) => self.part("$endsWith", Place::End, end, false)?,
            Test::ContainsIgnoreCase(part) => {
                self.part("$icontains", Place::Anywhere, part, true)?
            }
            Test::StartsWithIgnoreCase(start) => {
                self.part("$istartsWith", Place::Start, start, true)?
            }
            Test::EndsWithIgnoreCase(end) => self.part("$iendsWith", Place::End, end, true)?,
            Test::Regex(pattern) => self.regex(pattern)?,
            Test::Size(size) if self.is_array() => self.look(Look::Size(*size)),
            Test::Size(_) => {
                return Err(Error::invalid("$size asks about arrays, and the field is none"));
            }
            Test::Exists(true) => self.look(Look::Present),
            Test::Exists(false) => self.look(Look::Present).not(),
            Test::GeoRadius { center, metres } => self.radius(*center, *metres)?,
            Test::GeoBox { south_west, north_east } => {
                self.expect_points("$geoBox")?;
                self.look(Look::Near(boxes_between(*south_west, *north_east)?, None))
            }
            Test::Field(..) | Test::Text(_) => {
                return Err(Error::invalid(
                    "an element of an array is asked neither for its words nor about another field",
                ));
            }
        })
    }

    fn is_array(&self) -> bool {
        self.path.many && self.element.is_none()
    }

    fn look(&self, look: Look) -> Bound {
        let number = self.number;
        match self.element {
            Some(index) => Bound::Element { number, index, look },
            None => Bound::Column { number, look },
        }
    }

    /// Equal to one of `values`; `null` is equal to a missing field.
    fn any_of(&self, values: &[Value]) -> Result<Bound> {
        let mut keys = Vec::with_capacity(values.len());
        for value in values.iter().filter(|value| !value.is_null()) {
            keys.extend(self.key(value)?);
        }
        keys.sort_unstable();
        keys.dedup();
        let found = self.look(Look::Keys(keys));
        if values.iter().any(Value::is_null) {
            return Ok(Bound::Or(alloc::vec![self.look(Look::Present).not(), found]));
        }
        Ok(found)
    }

    /// The key equal to `value`, or `None` when no value of the field's type is: 2.5 in a field of
    /// integers.
    fn key(&self, value: &Value) -> Result<Option<Key>> {
        let ty = &self.path.ty;
        let value = match (ty, value) {
            (FieldType::Enum(words), Value::Text(word)) if !words.contains(word) => {
                return Err(unknown_name("word", word, words.iter().map(String::as_str)));
            }
            (FieldType::Integer(_), Value::Float(number)) => match exact_integer(*number) {
                Some(number) => Value::Int(number),
                None => return Ok(None),
            },
            (FieldType::Float32 | FieldType::Float64, Value::Float(number)) if number.is_nan() => {
                return Ok(None);
            }
            (_, value) => coerce(ty, value.clone()),
        };
        match Key::of(ty, &value) {
            Some(key) => Ok(Some(key)),
            None if matches!((ty, &value), (FieldType::Integer(_), Value::Int(_))) => Ok(None),
            None => Err(self.wrong("a comparison", &value)),
        }
    }

    fn range(&self, value: &Value, side: Side, inclusive: bool) -> Result<Bound> {
        let (key, inclusive) = match (&self.path.ty, value) {
            (FieldType::Bool | FieldType::Bytes | FieldType::Enum(_) | FieldType::Geo, value) => {
                return Err(self.wrong("an ordered comparison", value));
            }
            (FieldType::Integer(integer), Value::Int(number)) => {
                return Ok(self.integers(*integer, *number, side, inclusive));
            }
            (FieldType::Integer(integer), Value::Float(number)) => {
                let whole = exact_integer(*number);
                let inside = whole.unwrap_or_else(|| side.integer_inside(*number));
                let inclusive = inclusive || whole.is_none();
                return Ok(match number.is_nan() {
                    true => Bound::none(),
                    false => self.integers(*integer, inside, side, inclusive),
                });
            }
            _ => match self.key(value)? {
                Some(key) => (key, inclusive),
                None => return Ok(Bound::none()),
            },
        };
        Ok(self.beyond(side, key, inclusive))
    }

    /// The integers on one side of `number`, which the field's type may not hold.
    fn integers(&self, integer: Integer, number: i128, side: Side, inclusive: bool) -> Bound {
        let (min, max) = integer.range();
        let (none, all) = match side {
            Side::Below => (number < min, number > max),
            Side::Above => (number > max, number < min),
        };
        match Key::of(&self.path.ty, &Value::Int(number)) {
            _ if none => Bound::none(),
            _ if all => self.look(Look::Range(Edge::Unbounded, Edge::Unbounded)),
            Some(key) => self.beyond(side, key, inclusive),
            None => Bound::none(),
        }
    }

    /// The keys on one side of `key`.
    fn beyond(&self, side: Side, key: Key, inclusive: bool) -> Bound {
        let edge = if inclusive { Edge::Included(key) } else { Edge::Excluded(key) };
        self.look(match side {
            Side::Below => Look::Range(Edge::Unbounded, edge),
            Side::Above => Look::Range(edge, Edge::Unbounded),
        })
    }

    fn part(&self, operator: &str, place: Place, part: &str, ignore_case: bool) -> Result<Bound> {
        self.expect_text(operator, part)?;
        let text = if ignore_case { part.to_lowercase() } else { part.into() };
        Ok(self.look(Look::Part(Part { place, text, ignore_case })))
    }

    fn regex(&self, pattern: &str) -> Result<Bound> {
        self.expect_text("$regex", pattern)?;
        limits::at_most(pattern.len(), limits::REGEX_BYTES_MAX, "length of a regular expression")?;
        regex(pattern).map(|look| self.look(look))
    }

    fn radius(&self, center: GeoPoint, metres: f64) -> Result<Bound> {
        self.expect_points("$geoRadius")?;
        center.check()?;
        if !metres.is_finite() || metres < 0.0 {
            return Err(Error::invalid(format!("the radius is {metres}, it is metres from 0 on")));
        }
        let (south_west, north_east) = center.bounds(metres);
        let boxes = boxes_between(south_west, north_east)?;
        Ok(self.look(Look::Near(boxes, Some((center, metres)))))
    }

    fn expect_text(&self, operator: &str, given: &str) -> Result<()> {
        match &self.path.ty {
            FieldType::Text | FieldType::Enum(_) => Ok(()),
            _ => Err(self.wrong(operator, &Value::Text(given.into()))),
        }
    }

    fn expect_points(&self, operator: &str) -> Result<()> {
        match &self.path.ty {
            FieldType::Geo => Ok(()),
            ty => Err(Error::invalid(format!(
                "{operator} asks about points, and the field holds {}",
                type_in_words(ty)
            ))),
        }
    }

    fn wrong(&self, what: &str, value: &Value) -> Error {
        let many = if self.path.many { "an array of " } else { "" };
        Error::invalid(format!(
            "the field holds {many}{}, {what} got {}",
            type_in_words(&self.path.ty),
            value.describe()
        ))
    }
}

/// What matches a pattern.
#[cfg(feature = "std")]
fn regex(pattern: &str) -> Result<Look> {
    let size = limits::REGEX_PROGRAM_BYTES_MAX;
    let regex = regex_lite::RegexBuilder::new(pattern).size_limit(size).build();
    regex.map(Look::Regex).map_err(|error| {
        Error::invalid(format!("{:?} is no regular expression: {error}", shorten(pattern)))
    })
}

/// The crate of regular expressions needs `std`.
#[cfg(not(feature = "std"))]
fn regex(pattern: &str) -> Result<Look> {
    Err(Error::unsupported(format!(
        "this build has no regular expressions for {:?}; enable the feature `std`",
        shorten(pattern)
    )))
}

/// The box between two corners, in two parts if it lies across the 180th meridian.
fn boxes_between(south_west: GeoPoint, north_east: GeoPoint) -> Result<Vec<GeoBox>> {
    south_west.check()?;
    north_east.check()?;
    if south_west.lon <= north_east.lon {
        return Ok(alloc::vec![GeoBox { south_west, north_east }]);
    }
    let east = GeoBox { south_west, north_east: GeoPoint { lon: 180.0, ..north_east } };
    let west = GeoBox { south_west: GeoPoint { lon: -180.0, ..south_west }, north_east };
    Ok(alloc::vec![west, east])
}

#[derive(Clone, Copy)]
enum Side {
    Below,
    Above,
}

impl Side {
    /// The integer nearest to `number` on this side of it.
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and so keeps the order")]
    fn integer_inside(self, number: f64) -> i128 {
        match self {
            Self::Below => libm::floor(number) as i128,
            Self::Above => libm::ceil(number) as i128,
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::float_cmp)]
fn exact_integer(number: f64) -> Option<i128> {
    const LARGEST: f64 = 1e30;
    (libm::trunc(number) == number && number.abs() < LARGEST).then_some(number as i128)
}
