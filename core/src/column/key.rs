//! Values as columns order them: numbers, times and points as integers of the same order, text and
//! UUIDs as bytes.

use super::cells;
use crate::{
    Error, GeoPoint, Result, Timestamp, Uuid, Value,
    bytes::{Reader, Writer},
    schema::{FieldType, Integer},
};
use alloc::{boxed::Box, string::String};

/// A value of one filterable field. All keys of a column are of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// Booleans, numbers and times.
    Number(u64),
    /// Points on the Earth, by their cells.
    Cell(u128),
    /// Text, UUIDs and bytes.
    Bytes(Box<[u8]>),
}

/// A kind of key as a tree stores it.
pub(crate) trait TreeKey: Clone + Ord {
    /// Bytes that [`write`](Self::write) appends, or a few more.
    fn stored_bytes(&self) -> usize;
    /// Bytes of memory beside the key itself.
    fn heap_bytes(&self) -> usize;
    fn write(&self, writer: &mut Writer);
    fn read(reader: &mut Reader<'_>) -> Result<Self>;
}

impl Key {
    /// The key of a scalar in a field of type `ty`; `None` for what no such field holds.
    pub(crate) fn of(ty: &FieldType, value: &Value) -> Option<Self> {
        Some(match (ty, value) {
            (FieldType::Bool, Value::Bool(value)) => Self::Number((*value).into()),
            (FieldType::Integer(integer), Value::Int(value)) => {
                Self::Number(number_of_integer(*integer, *value)?)
            }
            (FieldType::Float32 | FieldType::Float64, Value::Float(value)) => {
                Self::Number(ordered(*value))
            }
            (FieldType::Timestamp, Value::Time(time)) => Self::time(*time),
            (FieldType::Geo, Value::Geo(point)) => Self::Cell(cells::cell_of(point)),
            (FieldType::Text | FieldType::Enum(_), Value::Text(text)) => Self::text(text),
            (FieldType::Bytes, Value::Bytes(bytes)) => Self::Bytes(bytes.as_slice().into()),
            (FieldType::Uuid, Value::Uuid(uuid)) => Self::Bytes(uuid.as_bytes().as_slice().into()),
            _ => return None,
        })
    }

    pub(crate) fn text(text: &str) -> Self {
        Self::Bytes(text.as_bytes().into())
    }

    fn time(time: Timestamp) -> Self {
        Self::Number(signed(time.as_micros()))
    }

    /// The value this is the key of.
    pub(crate) fn value(&self, ty: &FieldType) -> Value {
        match (ty, self) {
            (FieldType::Bool, Self::Number(number)) => Value::Bool(*number != 0),
            (FieldType::Integer(integer), Self::Number(number)) => {
                Value::Int(integer_of_number(*integer, *number))
            }
            (FieldType::Timestamp, Self::Number(number)) => {
                Timestamp::from_micros(unsigned(*number)).map_or(Value::Null, Value::Time)
            }
            (_, Self::Number(number)) => Value::Float(unordered(*number)),
            (_, Self::Cell(cell)) => Value::Geo(cells::point_of(*cell)),
            (FieldType::Uuid, Self::Bytes(bytes)) => {
                Uuid::from_slice(bytes).map_or(Value::Null, Value::Uuid)
            }
            (FieldType::Bytes, Self::Bytes(bytes)) => Value::Bytes(bytes.to_vec()),
            (_, Self::Bytes(bytes)) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        }
    }

    /// The text this is the key of; empty if it is none.
    pub(crate) fn as_text(&self) -> &str {
        match self {
            Self::Bytes(bytes) => core::str::from_utf8(bytes).unwrap_or_default(),
            _ => "",
        }
    }

    /// The point this is the key of.
    pub(crate) fn as_point(&self) -> Option<GeoPoint> {
        match self {
            Self::Cell(cell) => Some(cells::point_of(*cell)),
            _ => None,
        }
    }
}

/// The integer as a number of the same order; `None` when the type does not hold it.
fn number_of_integer(integer: Integer, value: i128) -> Option<u64> {
    match integer {
        Integer::U64 => u64::try_from(value).ok(),
        _ => i64::try_from(value).ok().map(signed),
    }
}

fn integer_of_number(integer: Integer, number: u64) -> i128 {
    match integer {
        Integer::U64 => number.into(),
        _ => unsigned(number).into(),
    }
}

/// A signed number as an unsigned one of the same order.
fn signed(value: i64) -> u64 {
    value.cast_unsigned() ^ (1 << 63)
}

fn unsigned(number: u64) -> i64 {
    (number ^ (1 << 63)).cast_signed()
}

/// A finite float as an integer of the same order; both zeros are one.
pub(super) fn ordered(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

pub(super) fn unordered(number: u64) -> f64 {
    f64::from_bits(if number >> 63 == 1 { number & !(1 << 63) } else { !number })
}

impl TreeKey for u64 {
    fn stored_bytes(&self) -> usize {
        size_of::<Self>()
    }

    fn heap_bytes(&self) -> usize {
        0
    }

    fn write(&self, writer: &mut Writer) {
        writer.u64(*self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.u64()
    }
}

impl TreeKey for u128 {
    fn stored_bytes(&self) -> usize {
        size_of::<Self>()
    }

    fn heap_bytes(&self) -> usize {
        0
    }

    fn write(&self, writer: &mut Writer) {
        writer.raw(&self.to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let bytes = reader.raw(size_of::<Self>())?.try_into();
        bytes.map(Self::from_le_bytes).map_err(|_| Error::corrupt("a key is short"))
    }
}

impl TreeKey for Box<[u8]> {
    fn stored_bytes(&self) -> usize {
        self.len() + 5
    }

    fn heap_bytes(&self) -> usize {
        self.len()
    }

    fn write(&self, writer: &mut Writer) {
        writer.bytes(self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.bytes().map(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::Key;
    use crate::{
        GeoPoint, Timestamp, Value,
        schema::{FieldType, Integer},
    };

    #[test]
    fn keys_have_the_order_of_their_values_and_lead_back_to_them() {
        let floats = [f64::MIN, -2.5, -f64::MIN_POSITIVE, 0.0, 1e-300, 1.0, f64::MAX];
        let integers = [i128::from(i64::MIN), -1, 0, 1, i128::from(i64::MAX)];
        let unsigned = [0, 1, i128::from(u64::MAX)];
        let times = [Timestamp::MIN, Timestamp::MAX];
        for (ty, values) in [
            (FieldType::Float64, floats.map(Value::Float).to_vec()),
            (FieldType::Integer(Integer::I64), integers.map(Value::Int).to_vec()),
            (FieldType::Integer(Integer::U64), unsigned.map(Value::Int).to_vec()),
            (FieldType::Timestamp, times.map(Value::Time).to_vec()),
            (FieldType::Text, ["", "a", "ab", "ä"].map(Value::from).to_vec()),
            (FieldType::Bool, [false, true].map(Value::Bool).to_vec()),
        ] {
            let keys: alloc::vec::Vec<Key> =
                values.iter().map(|value| Key::of(&ty, value).expect("it fits")).collect();
            assert!(keys.is_sorted_by(|a, b| a < b), "{ty:?}");
            for (key, value) in keys.iter().zip(&values) {
                assert_eq!(key.value(&ty), *value);
            }
        }
        let point = Value::Geo(GeoPoint { lat: -33.8688, lon: 151.2093 });
        assert_eq!(
            Key::of(&FieldType::Geo, &point).map(|key| key.value(&FieldType::Geo)),
            Some(point)
        );
        let (zero, minus) = (Value::Float(0.0), Value::Float(-0.0));
        assert_eq!(Key::of(&FieldType::Float64, &zero), Key::of(&FieldType::Float64, &minus));
        assert_eq!(Key::of(&FieldType::Integer(Integer::I8), &Value::Int(i128::MAX)), None);
        assert_eq!(Key::of(&FieldType::Bool, &zero), None);
    }
}
