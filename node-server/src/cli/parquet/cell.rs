//! One value of a row, as documents are read from it.

use serde::{
    Deserializer,
    de::{
        IntoDeserializer, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Number, Value as Json};

/// A value; what JSON cannot say is text, as documents have it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f32),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    /// Numbers only: perhaps a vector.
    Floats(Vec<f32>),
    Doubles(Vec<f64>),
    List(Vec<Cell>),
    Object(Vec<(String, Cell)>),
}

impl Cell {
    /// How many numbers it is an array of, if of nothing else.
    pub(crate) fn numbers(&self) -> Option<usize> {
        match self {
            Self::Floats(numbers) => Some(numbers.len()),
            Self::Doubles(numbers) => Some(numbers.len()),
            _ => None,
        }
    }

    /// The same in JSON, to look at: numbers that JSON has not become 0.
    pub(crate) fn to_json(&self) -> Json {
        let number = |value: f64| Json::Number(Number::from_f64(value).unwrap_or(0.into()));
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::UInt(value) => (*value).into(),
            Self::Float(value) => number((*value).into()),
            Self::Double(value) => number(*value),
            Self::Text(text) => text.as_str().into(),
            Self::Bytes(_) => "".into(),
            Self::Floats(values) => values.iter().map(|value| number((*value).into())).collect(),
            Self::Doubles(values) => values.iter().copied().map(number).collect(),
            Self::List(cells) => cells.iter().map(Self::to_json).collect(),
            Self::Object(fields) => {
                let fields = fields.iter().map(|(name, cell)| (name.clone(), cell.to_json()));
                Json::Object(fields.collect())
            }
        }
    }
}

impl<'de> IntoDeserializer<'de, serde_json::Error> for Cell {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Cell {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Int(value) => visitor.visit_i64(value),
            Self::UInt(value) => visitor.visit_u64(value),
            Self::Float(value) => visitor.visit_f32(value),
            Self::Double(value) => visitor.visit_f64(value),
            Self::Text(text) => visitor.visit_string(text),
            Self::Bytes(bytes) => visitor.visit_byte_buf(bytes),
            Self::Floats(values) => visitor.visit_seq(SeqDeserializer::new(values.into_iter())),
            Self::Doubles(values) => visitor.visit_seq(SeqDeserializer::new(values.into_iter())),
            Self::List(cells) => visitor.visit_seq(SeqDeserializer::new(cells.into_iter())),
            Self::Object(fields) => visitor.visit_map(MapDeserializer::new(fields.into_iter())),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
