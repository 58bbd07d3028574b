//! A filter bound to a schema: names resolved to column numbers, operands checked and turned into
//! the column's own keys, every operator reduced to a few ways of looking into a column.

use super::{Filter, Test};
use crate::{
    Error, Result, Schema, Value,
    column::{Key, Number},
    document::{coerce, type_in_words},
    limits,
    schema::{FieldType, FilterPath, unknown_name},
};
use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::{cmp::Ordering, ops::Bound as Edge};

/// A filter ready to be evaluated on the columns of an engine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Bound {
    All,
    And(Vec<Bound>),
    Or(Vec<Bound>),
    Not(Box<Bound>),
    Column { number: usize, look: Match },
}

/// What to look for in one column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Match {
    /// One of these keys.
    Keys(Vec<Key>),
    /// A key in this range.
    Range(Edge<Key>, Edge<Key>),
    /// A text that begins so.
    Prefix(String),
    /// A text that has this part.
    Part(String),
    /// An array of this length.
    Size(u64),
    /// Any value at all.
    Present,
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
            Filter::Field { path, test } => self.bind_field(path, test),
        }
    }

    /// All of `bounds`, ranges of one column drawn together: `≥ 150` and `≤ 155` each hold for very
    /// many values, both for few. Of an array, two elements may fulfil them, so there they stay.
    fn and(&self, bounds: Vec<Bound>) -> Bound {
        let mut drawn: Vec<Bound> = Vec::with_capacity(bounds.len());
        'bounds: for bound in bounds {
            if let Bound::Column { number, look: Match::Range(low, high) } = &bound
                && !self.paths[*number].many
            {
                for other in &mut drawn {
                    if let Bound::Column { number: same, look: Match::Range(from, to) } = other
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
        let number = self.paths.iter().position(|known| known.path == path);
        let number = number.ok_or_else(|| self.schema.not_filterable(path))?;
        let column = Column { number, path: &self.paths[number] };
        column.bind(test).map_err(|error| error.within(format!("filter on {path:?}")))
    }
}

/// One column while a test on it is bound.
struct Column<'a> {
    number: usize,
    path: &'a FilterPath,
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
            Test::Contains(value) if self.path.many => self.any_of(core::slice::from_ref(value))?,
            Test::Contains(Value::Text(part)) if self.path.ty == FieldType::Text => {
                self.look(Match::Part(part.clone()))
            }
            Test::Contains(value) => return Err(self.wrong("$contains", value)),
            Test::StartsWith(prefix) if self.path.ty == FieldType::Text => {
                self.look(Match::Prefix(prefix.clone()))
            }
            Test::StartsWith(prefix) => {
                return Err(self.wrong("$startsWith", &Value::Text(prefix.clone())));
            }
            Test::Size(size) if self.path.many => self.look(Match::Size(*size)),
            Test::Size(_) => {
                return Err(Error::invalid("$size asks about arrays, and the field is none"));
            }
            Test::Exists(true) => self.look(Match::Present),
            Test::Exists(false) => self.look(Match::Present).not(),
        })
    }

    fn look(&self, look: Match) -> Bound {
        Bound::Column { number: self.number, look }
    }

    /// Equal to one of `values`; `null` is equal to a missing field.
    fn any_of(&self, values: &[Value]) -> Result<Bound> {
        let mut keys = Vec::with_capacity(values.len());
        for value in values.iter().filter(|value| !value.is_null()) {
            keys.extend(self.key(value)?);
        }
        keys.sort_unstable();
        keys.dedup();
        let found = self.look(Match::Keys(keys));
        if values.iter().any(Value::is_null) {
            return Ok(Bound::Or(alloc::vec![self.look(Match::Present).not(), found]));
        }
        Ok(found)
    }

    /// The key equal to `value`, or `None` when no value of the field's type is: 2.5 in a field of
    /// integers.
    fn key(&self, value: &Value) -> Result<Option<Key>> {
        Ok(match (&self.path.ty, value) {
            (FieldType::Bool, Value::Bool(value)) => Some(Key::Bool(*value)),
            (FieldType::Text, Value::Text(text)) => Some(Key::Text(text.as_str().into())),
            (FieldType::Enum(words), Value::Text(word)) if words.contains(word) => {
                Some(Key::Text(word.as_str().into()))
            }
            (FieldType::Enum(words), Value::Text(word)) => {
                return Err(unknown_name("word", word, words.iter().map(String::as_str)));
            }
            (FieldType::Timestamp | FieldType::Uuid, value) => {
                match coerce(&self.path.ty, value.clone()) {
                    Value::Time(time) => Some(Key::Int(time.as_micros().into())),
                    Value::Uuid(uuid) => Some(Key::Bytes(uuid.as_bytes().as_slice().into())),
                    _ => return Err(self.wrong("a comparison", value)),
                }
            }
            (FieldType::Bytes, Value::Bytes(bytes)) => Some(Key::Bytes(bytes.as_slice().into())),
            (FieldType::Integer(_), Value::Int(value)) => Some(Key::Int(*value)),
            (FieldType::Integer(_), Value::Float(value)) => exact_integer(*value).map(Key::Int),
            (FieldType::Float32 | FieldType::Float64, Value::Int(_) | Value::Float(_)) => {
                self.number(value).map(Key::Float)
            }
            _ => return Err(self.wrong("a comparison", value)),
        })
    }

    /// The number as a float field holds it.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    fn number(&self, value: &Value) -> Option<Number> {
        let number = match value {
            Value::Int(value) => *value as f64,
            Value::Float(value) => *value,
            _ => return None,
        };
        let held = if self.path.ty == FieldType::Float32 { (number as f32).into() } else { number };
        (!held.is_nan()).then(|| Number::new(held))
    }

    fn range(&self, value: &Value, side: Side, inclusive: bool) -> Result<Bound> {
        let (key, inclusive) = match (&self.path.ty, value) {
            (FieldType::Bool | FieldType::Bytes | FieldType::Enum(_), value) => {
                return Err(self.wrong("an ordered comparison", value));
            }
            (FieldType::Integer(_), Value::Float(number)) => match exact_integer(*number) {
                Some(number) => (Key::Int(number), inclusive),
                None => (Key::Int(side.integer_inside(*number)), true),
            },
            _ => match self.key(value)? {
                Some(key) => (key, inclusive),
                None => return Ok(Bound::none()),
            },
        };
        let edge = if inclusive { Edge::Included(key) } else { Edge::Excluded(key) };
        Ok(self.look(match side {
            Side::Below => Match::Range(Edge::Unbounded, edge),
            Side::Above => Match::Range(edge, Edge::Unbounded),
        }))
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
