//! What a column holds, as the file's schema says, and how its values become cells.

use super::Cell;
use parquet::{
    basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical},
    record::{Field, Row},
    schema::types::Type,
};
use vectordoc::{
    Error, Result, Timestamp, Uuid,
    schema::{FieldType, Integer, ValueField},
};

const MILLIS_PER_DAY: i64 = 24 * 60 * 60 * 1000;
const NANOS_PER_MICRO: i64 = 1000;

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Bool,
    Integer(Integer),
    Float,
    Double,
    /// Kept as the nearest `f64`.
    Decimal,
    Text,
    /// Text that is JSON.
    Json,
    Bytes,
    Uuid,
    Time,
    /// Nanoseconds since 1970, of which microseconds are kept.
    TimeNanos,
    List(Box<Kind>),
    Struct(Vec<(String, Kind)>),
    /// Keys to values.
    Map,
}

impl Kind {
    /// What a column of this type holds; `unsupported` when documents cannot.
    pub(super) fn of(ty: &Type) -> Result<Self> {
        Self::of_type(ty).map_err(|error| error.within(format_args!("column {:?}", ty.name())))
    }

    fn of_type(ty: &Type) -> Result<Self> {
        let once = if ty.is_primitive() { Self::of_primitive(ty) } else { Self::of_group(ty) }?;
        // Without the annotation of a list, what is repeated is one.
        let is_repeated = has_repetition(ty, Repetition::REPEATED);
        Ok(if is_repeated { Self::List(Box::new(once)) } else { once })
    }

    fn of_group(ty: &Type) -> Result<Self> {
        match ty.get_basic_info().converted_type() {
            ConvertedType::LIST => match ty.get_fields() {
                [repeated] if has_repetition(repeated, Repetition::REPEATED) => {
                    element(ty, repeated).map(|element| Self::List(Box::new(element)))
                }
                _ => Err(Error::unsupported("a list without the one repeated field it is made of")),
            },
            ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE => Ok(Self::Map),
            _ => {
                let fields = ty.get_fields().iter();
                let fields = fields.map(|field| Ok((field.name().to_owned(), Self::of(field)?)));
                fields.collect::<Result<_>>().map(Self::Struct)
            }
        }
    }

    fn of_primitive(ty: &Type) -> Result<Self> {
        let info = ty.get_basic_info();
        let converted = info.converted_type();
        Ok(match (ty.get_physical_type(), info.logical_type_ref(), converted) {
            (_, Some(LogicalType::Decimal(_)), _) | (_, _, ConvertedType::DECIMAL) => Self::Decimal,
            (Physical::BOOLEAN, ..) => Self::Bool,
            (Physical::FLOAT, ..) => Self::Float,
            (Physical::DOUBLE, ..) => Self::Double,
            (Physical::INT96, ..) => Self::Time,
            (Physical::INT64, Some(LogicalType::Timestamp(time)), _)
                if time.unit == TimeUnit::NANOS =>
            {
                Self::TimeNanos
            }
            (_, _, ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS)
            | (_, _, ConvertedType::DATE) => Self::Time,
            (Physical::INT32 | Physical::INT64, _, converted) => {
                Self::Integer(integer(ty.get_physical_type(), converted)?)
            }
            (_, Some(LogicalType::Uuid), _) => Self::Uuid,
            (_, Some(LogicalType::Float16), _) => Self::Float,
            (_, _, ConvertedType::UTF8 | ConvertedType::ENUM) => Self::Text,
            (_, _, ConvertedType::JSON) => Self::Json,
            (_, _, ConvertedType::NONE | ConvertedType::BSON) => Self::Bytes,
            (_, _, other) => {
                return Err(Error::unsupported(format!(
                    "it holds {other}, which no field of a document can"
                )));
            }
        })
    }

    /// The type of a field for it. Objects say of their fields what is known of the type only.
    pub(super) fn field_type(&self) -> FieldType {
        match self {
            Self::Bool => FieldType::Bool,
            Self::Integer(integer) => FieldType::Integer(*integer),
            Self::Float => FieldType::Float32,
            Self::Double | Self::Decimal => FieldType::Float64,
            Self::Text => FieldType::Text,
            Self::Json | Self::Map => FieldType::Json,
            Self::Bytes => FieldType::Bytes,
            Self::Uuid => FieldType::Uuid,
            Self::Time | Self::TimeNanos => FieldType::Timestamp,
            Self::List(element) => match element.field_type() {
                FieldType::Array(_) | FieldType::Object(_) | FieldType::Json => FieldType::Json,
                element => FieldType::Array(Box::new(element)),
            },
            Self::Struct(fields) => FieldType::Object(
                fields
                    .iter()
                    .map(|(name, kind)| ValueField {
                        name: name.clone(),
                        ty: kind.field_type(),
                        optional: true,
                        filter: false,
                        text: false,
                    })
                    .collect(),
            ),
        }
    }

    /// Whether it is arrays of numbers, as vectors are.
    pub(super) fn is_numbers(&self) -> bool {
        matches!(self, Self::List(element) if matches!(**element, Self::Float | Self::Double))
    }

    /// A value of the column.
    pub(super) fn cell(&self, field: Field) -> Result<Cell> {
        Ok(match (self, field) {
            (_, Field::Null) => Cell::Null,
            (_, Field::Bool(value)) => Cell::Bool(value),
            (Self::TimeNanos, Field::Long(nanos)) => {
                time(Timestamp::from_micros(nanos.div_euclid(NANOS_PER_MICRO)))?
            }
            (_, Field::Byte(value)) => Cell::Int(value.into()),
            (_, Field::Short(value)) => Cell::Int(value.into()),
            (_, Field::Int(value) | Field::TimeMillis(value)) => Cell::Int(value.into()),
            (_, Field::Long(value) | Field::TimeMicros(value)) => Cell::Int(value),
            (_, Field::UByte(value)) => Cell::UInt(value.into()),
            (_, Field::UShort(value)) => Cell::UInt(value.into()),
            (_, Field::UInt(value)) => Cell::UInt(value.into()),
            (_, Field::ULong(value)) => Cell::UInt(value),
            (_, Field::Float16(value)) => Cell::Float(value.into()),
            (_, Field::Float(value)) => Cell::Float(value),
            (_, Field::Double(value)) => Cell::Double(value),
            (_, decimal @ Field::Decimal(_)) => Cell::Double(number(&decimal)?),
            (Self::Json, Field::Str(text)) => json(&text)?,
            (_, Field::Str(text)) => Cell::Text(text),
            (Self::Uuid, Field::Bytes(bytes)) => uuid(bytes.data())?,
            (_, Field::Bytes(bytes)) => Cell::Bytes(bytes.data().to_vec()),
            (_, Field::Date(days)) => {
                time(Timestamp::from_millis(i64::from(days) * MILLIS_PER_DAY))?
            }
            (_, Field::TimestampMillis(millis)) => time(Timestamp::from_millis(millis))?,
            (_, Field::TimestampMicros(micros)) => time(Timestamp::from_micros(micros))?,
            (Self::Struct(kinds), Field::Group(row)) => object(kinds, row)?,
            (Self::List(element), Field::ListInternal(list)) => element.list(list.elements())?,
            (_, Field::MapInternal(map)) => map_cell(map.entries())?,
            (_, other) => {
                return Err(Error::internal(format!("{other} stands in a column of {self:?}")));
            }
        })
    }

    /// A list of such values.
    fn list(&self, fields: &[Field]) -> Result<Cell> {
        let no_null = || Error::invalid("an array has an element that is null");
        match self {
            Self::Float => {
                let float = |field: &Field| match field {
                    Field::Float(value) => Ok(*value),
                    Field::Float16(value) => Ok(f32::from(*value)),
                    _ => Err(no_null()),
                };
                fields.iter().map(float).collect::<Result<_>>().map(Cell::Floats)
            }
            Self::Double => {
                let double = |field: &Field| match field {
                    Field::Double(value) => Ok(*value),
                    _ => Err(no_null()),
                };
                fields.iter().map(double).collect::<Result<_>>().map(Cell::Doubles)
            }
            _ => {
                let cells = fields.iter().map(|field| self.cell(field.clone()));
                cells.collect::<Result<_>>().map(Cell::List)
            }
        }
    }
}

/// The cells of a row whose columns hold these.
pub(super) fn cells(kinds: &[(String, Kind)], row: Row) -> Result<Vec<(String, Cell)>> {
    let fields = row.into_columns().into_iter().zip(kinds);
    fields
        .map(|((name, field), (_, kind))| match kind.cell(field) {
            Ok(cell) => Ok((name, cell)),
            Err(error) => Err(error.within(format_args!("column {name:?}"))),
        })
        .collect()
}

fn object(kinds: &[(String, Kind)], row: Row) -> Result<Cell> {
    cells(kinds, row).map(Cell::Object)
}

fn map_cell(entries: &[(Field, Field)]) -> Result<Cell> {
    let entry = |(key, value): &(Field, Field)| {
        let Field::Str(key) = key else {
            return Err(Error::unsupported(format!("a map has the key {key}; keys are text")));
        };
        Ok((key.clone(), loose(value.clone())?))
    };
    entries.iter().map(entry).collect::<Result<_>>().map(Cell::Object)
}

/// A value inside a map, which nobody needs to know the column of.
fn loose(field: Field) -> Result<Cell> {
    match field {
        Field::Group(row) => {
            let fields = row.into_columns().into_iter();
            let cells = fields.map(|(name, field)| Ok((name, loose(field)?)));
            cells.collect::<Result<_>>().map(Cell::Object)
        }
        Field::ListInternal(list) => {
            list.elements().iter().cloned().map(loose).collect::<Result<_>>().map(Cell::List)
        }
        scalar => Kind::Bytes.cell(scalar),
    }
}

/// What the elements of a list are (Parquet, Logical Types, Lists: three levels, or two of old).
fn element(list: &Type, repeated: &Type) -> Result<Kind> {
    if repeated.is_primitive() {
        return Kind::of_primitive(repeated);
    }
    let is_element = repeated.get_fields().len() != 1
        || repeated.name() == "array"
        || repeated.name() == format!("{}_tuple", list.name());
    match repeated.get_fields() {
        [only] if !is_element => Kind::of_type(only),
        _ => Kind::of_group(repeated),
    }
}

fn has_repetition(ty: &Type, repetition: Repetition) -> bool {
    let info = ty.get_basic_info();
    info.has_repetition() && info.repetition() == repetition
}

fn integer(physical: Physical, converted: ConvertedType) -> Result<Integer> {
    Ok(match (physical, converted) {
        (_, ConvertedType::INT_8) => Integer::I8,
        (_, ConvertedType::INT_16) => Integer::I16,
        (_, ConvertedType::UINT_8) => Integer::U8,
        (_, ConvertedType::UINT_16) => Integer::U16,
        (_, ConvertedType::UINT_32) => Integer::U32,
        (_, ConvertedType::UINT_64) => Integer::U64,
        (Physical::INT32, ConvertedType::NONE | ConvertedType::INT_32)
        | (_, ConvertedType::TIME_MILLIS) => Integer::I32,
        (_, ConvertedType::NONE | ConvertedType::INT_64 | ConvertedType::TIME_MICROS) => {
            Integer::I64
        }
        (_, other) => {
            return Err(Error::unsupported(format!(
                "it holds {other}, which no field of a document can"
            )));
        }
    })
}

fn time(time: Result<Timestamp>) -> Result<Cell> {
    time.map(|time| Cell::Text(time.to_string()))
}

fn number(decimal: &Field) -> Result<f64> {
    let text = decimal.to_string();
    text.parse().map_err(|_| Error::internal(format!("the decimal {text} is no number")))
}

fn uuid(bytes: &[u8]) -> Result<Cell> {
    let uuid = Uuid::from_slice(bytes)
        .map_err(|_| Error::invalid(format!("a UUID has 16 bytes, not {}", bytes.len())))?;
    Ok(Cell::Text(uuid.to_string()))
}

fn json(text: &str) -> Result<Cell> {
    serde_json::from_str(text)
        .map(cell_of)
        .map_err(|error| Error::invalid(format!("it is no JSON: {error}")))
}

fn cell_of(json: serde_json::Value) -> Cell {
    use serde_json::Value as Json;
    match json {
        Json::Null => Cell::Null,
        Json::Bool(value) => Cell::Bool(value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Cell::Int(value),
            (_, Some(value)) => Cell::UInt(value),
            _ => Cell::Double(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Cell::Text(text),
        Json::Array(values) => Cell::List(values.into_iter().map(cell_of).collect()),
        Json::Object(fields) => {
            Cell::Object(fields.into_iter().map(|(name, value)| (name, cell_of(value))).collect())
        }
    }
}
