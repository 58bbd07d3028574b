//! What the rows show of one field, and the type that holds all of it.

use crate::cli::parquet::Cell;
use serde_json::{Number, Value as Json};
use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};
use vectordoc::{
    Error, Result,
    schema::{FieldType, IdKind, Integer, ValueField},
};

/// Bytes of the longest text of a field that is made filterable.
const FILTERABLE_TEXT_BYTES_MAX: usize = 64;
/// Elements of the longest array of a field that is made filterable.
const FILTERABLE_ELEMENTS_MAX: usize = 64;
/// This few different texts are filterable however few rows there are.
const DISTINCT_ALWAYS_FEW: usize = 64;
/// Different texts that are told apart; a field with more is not filterable.
const DISTINCT_MAX: usize = 1_000_000;
/// An array of numbers this long, the same length in every row, can be taken for the vector.
const VECTOR_DIM_MIN: usize = 8;

/// The fields of an object by name.
pub(super) type Fields = BTreeMap<String, Field>;

/// What the rows so far show of one field.
#[derive(Default)]
pub(super) struct Field {
    /// Rows that have it, null not counted.
    present: u64,
    kind: Option<Kind>,
}

enum Kind {
    Bool,
    Number(Numbers),
    Text(Texts),
    Array(Elements),
    Object(Fields),
}

struct Numbers {
    whole: bool,
    min: i128,
    max: i128,
}

#[derive(Default)]
struct Texts {
    bytes_max: usize,
    distinct: HashSet<u64>,
}

struct Elements {
    kind: Option<Box<Kind>>,
    len_min: usize,
    len_max: usize,
}

impl Field {
    /// Takes one more row's value into account; refuses a value of another type than before.
    pub(super) fn observe(&mut self, value: &Json) -> Result<()> {
        if value.is_null() {
            return Ok(());
        }
        self.present += 1;
        widen(&mut self.kind, value)
    }

    /// Takes an array of `count` numbers into account.
    fn observe_numbers(&mut self, count: usize) -> Result<()> {
        self.present += 1;
        let numbers = Numbers { whole: false, min: i128::MAX, max: i128::MIN };
        match self.kind.get_or_insert_with(|| Kind::empty(&Json::Array(Vec::new()))) {
            Kind::Array(elements) => {
                elements.kind.get_or_insert_with(|| Box::new(Kind::Number(numbers)));
                elements.count(count);
                Ok(())
            }
            other => Err(Error::invalid(format!(
                "is an array here and {} in rows before; a field has one type",
                other.name()
            ))),
        }
    }

    /// The dimension, if every row has an array of numbers of this one length here.
    pub(super) fn dim(&self) -> Option<usize> {
        let Some(Kind::Array(elements)) = &self.kind else { return None };
        let numbers = matches!(elements.kind.as_deref(), Some(Kind::Number(_)));
        (numbers && elements.len_min == elements.len_max).then_some(elements.len_max)
    }

    /// The fewest and the most elements, if it is an array.
    pub(super) fn lengths(&self) -> Option<(usize, usize)> {
        match &self.kind {
            Some(Kind::Array(elements)) => Some((elements.len_min, elements.len_max)),
            _ => None,
        }
    }

    /// Whether it looks like the vector of a document rather than a few numbers.
    pub(super) fn looks_like_vector(&self) -> bool {
        self.dim().is_some_and(|dim| dim >= VECTOR_DIM_MIN)
    }

    /// Whether one of `rows` rows lacks it.
    pub(super) fn optional(&self, rows: u64) -> bool {
        self.present < rows
    }

    /// The kind of id it can be.
    pub(super) fn id_kind(&self) -> Result<IdKind> {
        match &self.kind {
            Some(Kind::Text(_)) => Ok(IdKind::Text),
            Some(Kind::Number(numbers)) if numbers.fit(Integer::U64) => Ok(IdKind::Int),
            _ => Err(Error::invalid("ids are strings or integers from 0 to 2^64 - 1")),
        }
    }

    /// The schema's field for `rows` rows of this. `wanted` tells of a dotted path whether the
    /// caller wants it filterable whatever it holds.
    pub(super) fn describe(
        &self,
        path: &str,
        rows: u64,
        types: &BTreeMap<String, FieldType>,
        wanted: &dyn Fn(&str) -> bool,
    ) -> ValueField {
        let optional = self.optional(rows);
        let name = path.rsplit('.').next().unwrap_or(path).to_owned();
        let known = types.get(path);
        if let Some(Kind::Object(fields)) = &self.kind
            && known.is_none()
        {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, field)| {
                    field.describe(&format!("{path}.{name}"), self.present, types, wanted)
                })
                .collect();
            let filter = fields.iter().any(|field| field.filter);
            return ValueField {
                name,
                ty: FieldType::Object(fields),
                optional,
                filter,
                text: false,
            };
        }
        let filterable = || self.kind.as_ref().is_none_or(|kind| kind.filterable(rows));
        let filter =
            wanted(path) || known.map_or_else(&filterable, |ty| may_filter(ty, &filterable));
        let guessed = || self.kind.as_ref().map_or(FieldType::Text, Kind::field_type);
        let ty = known.cloned().unwrap_or_else(guessed);
        ValueField { name, ty, optional, filter, text: false }
    }
}

/// Whether a field that is known to have this type is made filterable; of text and arrays, what they
/// were seen to hold decides.
fn may_filter(ty: &FieldType, filterable: &dyn Fn() -> bool) -> bool {
    match ty {
        FieldType::Text | FieldType::Array(_) => filterable(),
        FieldType::Bytes | FieldType::Json | FieldType::Object(_) => false,
        _ => true,
    }
}

/// Takes one more value of a typed file into account.
pub(super) fn observe_cell(fields: &mut Fields, name: &str, cell: &Cell) -> Result<()> {
    let field = match fields.get_mut(name) {
        Some(field) => field,
        None => fields.entry(name.to_owned()).or_default(),
    };
    match cell.numbers() {
        Some(count) => field.observe_numbers(count),
        None => field.observe(&cell.to_json()),
    }
    .map_err(|error| error.within(format!("field {name:?}")))
}

/// Lets `kind` hold `value` too.
fn widen(kind: &mut Option<Kind>, value: &Json) -> Result<()> {
    match (kind.get_or_insert_with(|| Kind::empty(value)), value) {
        (Kind::Bool, Json::Bool(_)) => Ok(()),
        (Kind::Number(numbers), Json::Number(number)) => {
            numbers.observe(number);
            Ok(())
        }
        (Kind::Text(texts), Json::String(text)) => {
            texts.observe(text);
            Ok(())
        }
        (Kind::Array(elements), Json::Array(values)) => elements.observe(values),
        (Kind::Object(fields), Json::Object(values)) => observe_object(fields, values),
        (kind, value) => Err(Error::invalid(format!(
            "is {} here and {} in rows before; a field has one type",
            Kind::empty(value).name(),
            kind.name()
        ))),
    }
}

/// Takes one more object's fields into account.
pub(super) fn observe_object(
    fields: &mut Fields,
    object: &serde_json::Map<String, Json>,
) -> Result<()> {
    for (name, value) in object {
        let field = match fields.get_mut(name) {
            Some(field) => field,
            None => fields.entry(name.clone()).or_default(),
        };
        field.observe(value).map_err(|error| error.within(format!("field {name:?}")))?;
    }
    Ok(())
}

impl Kind {
    /// The kind of `value`, nothing seen yet.
    fn empty(value: &Json) -> Self {
        match value {
            Json::Bool(_) => Self::Bool,
            Json::Number(_) => {
                Self::Number(Numbers { whole: true, min: i128::MAX, max: i128::MIN })
            }
            Json::Null | Json::String(_) => Self::Text(Texts::default()),
            Json::Array(_) => Self::Array(Elements { kind: None, len_min: usize::MAX, len_max: 0 }),
            Json::Object(_) => Self::Object(Fields::new()),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Bool => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    fn field_type(&self) -> FieldType {
        match self {
            Self::Bool => FieldType::Bool,
            Self::Number(numbers) => numbers.field_type(),
            Self::Text(_) => FieldType::Text,
            Self::Array(elements) => FieldType::Array(Box::new(elements.field_type())),
            Self::Object(_) => FieldType::Object(Vec::new()),
        }
    }

    fn filterable(&self, rows: u64) -> bool {
        match self {
            Self::Bool | Self::Number(_) => true,
            Self::Text(texts) => texts.repeat(rows),
            Self::Array(elements) => elements.filterable(rows),
            Self::Object(_) => false,
        }
    }
}

impl Numbers {
    fn observe(&mut self, number: &Number) {
        let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
        match whole {
            Some(value) => {
                self.min = self.min.min(value);
                self.max = self.max.max(value);
            }
            None => self.whole = false,
        }
    }

    fn fit(&self, integer: Integer) -> bool {
        let (min, max) = integer.range();
        self.whole && min <= self.min && self.max <= max
    }

    fn field_type(&self) -> FieldType {
        let integer = [Integer::I64, Integer::U64].into_iter().find(|integer| self.fit(*integer));
        integer.map_or(FieldType::Float64, FieldType::Integer)
    }
}

impl Texts {
    fn observe(&mut self, text: &str) {
        self.bytes_max = self.bytes_max.max(text.len());
        if self.distinct.len() <= DISTINCT_MAX {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            self.distinct.insert(hasher.finish());
        }
    }

    /// Whether the texts are short and come again, as names of categories do.
    fn repeat(&self, rows: u64) -> bool {
        let distinct = self.distinct.len();
        let few = distinct <= DISTINCT_ALWAYS_FEW
            || u64::try_from(distinct).is_ok_and(|distinct| distinct <= rows / 2);
        self.bytes_max <= FILTERABLE_TEXT_BYTES_MAX && few && distinct <= DISTINCT_MAX
    }
}

impl Elements {
    fn count(&mut self, len: usize) {
        self.len_min = self.len_min.min(len);
        self.len_max = self.len_max.max(len);
    }

    fn observe(&mut self, values: &[Json]) -> Result<()> {
        self.count(values.len());
        let mut kind = self.kind.take().map(|kind| *kind);
        let widened = values.iter().try_for_each(|value| widen(&mut kind, value));
        self.kind = kind.map(Box::new);
        widened.map_err(|error| error.within("an element"))
    }

    fn field_type(&self) -> FieldType {
        self.kind.as_deref().map_or(FieldType::Text, Kind::field_type)
    }

    fn filterable(&self, rows: u64) -> bool {
        self.len_max <= FILTERABLE_ELEMENTS_MAX
            && self.kind.as_deref().is_none_or(|kind| kind.filterable(rows))
    }
}
