//! Columns of arrays of numbers, as vectors are: read by runs of rows, which is twenty times as fast
//! as field by field.

use super::Cell;
use parquet::{
    basic::Repetition,
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{
        ByteArray, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType,
    },
    errors::ParquetError,
    file::reader::RowGroupReader,
    schema::types::{ColumnDescriptor, Type},
};
use std::vec;
use vectordoc::{Error, Result};

/// Rows of one run.
const RUN_ROWS: usize = 64;

/// Where such a column is, and what its levels mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Among the leaves of the schema.
    leaf: usize,
    /// The definition level of an element, present or null.
    element: i16,
    /// The definition level of a number.
    number: i16,
}

/// Such a column of one row group.
pub(super) struct Numbers {
    reader: Reader,
    place: Place,
    run: vec::IntoIter<Row>,
}

enum Reader {
    Floats(ColumnReaderImpl<FloatType>),
    Doubles(ColumnReaderImpl<DoubleType>),
    Halves(ColumnReaderImpl<FixedLenByteArrayType>),
}

/// What a row has in such a column.
enum Row {
    Array(Cell),
    Null,
    /// An array with an element that is null.
    Holed,
}

impl Place {
    /// Of the column `ty`, which is the only leaf of its own and number `leaf`: an array, not nested.
    pub(super) fn of(ty: &Type, leaf: usize, descriptor: &ColumnDescriptor) -> Option<Self> {
        if descriptor.max_rep_level() != 1 {
            return None;
        }
        let element = level_of_element(ty, 0)?;
        Some(Self { leaf, element, number: descriptor.max_def_level() })
    }
}

/// The definition level at which the array of `ty` has an element.
fn level_of_element(ty: &Type, above: i16) -> Option<i16> {
    let info = ty.get_basic_info();
    let level = match info.has_repetition().then(|| info.repetition()) {
        Some(Repetition::REPEATED) => return Some(above + 1),
        Some(Repetition::OPTIONAL) => above + 1,
        _ => above,
    };
    match ty.is_group().then(|| ty.get_fields()) {
        Some([only]) => level_of_element(only, level),
        _ => None,
    }
}

impl Numbers {
    pub(super) fn open(group: &dyn RowGroupReader, place: Place) -> Result<Self, ParquetError> {
        let reader = match group.get_column_reader(place.leaf)? {
            ColumnReader::FloatColumnReader(reader) => Reader::Floats(reader),
            ColumnReader::DoubleColumnReader(reader) => Reader::Doubles(reader),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => Reader::Halves(reader),
            _ => return Err(ParquetError::General("a column of numbers holds others".into())),
        };
        Ok(Self { reader, place, run: Vec::new().into_iter() })
    }

    /// What the next row has.
    pub(super) fn next_cell(&mut self) -> Result<Cell> {
        if self.run.as_slice().is_empty() {
            let run = self.read().map_err(|error| Error::invalid(error.to_string()))?;
            self.run = run.into_iter();
        }
        match self.run.next() {
            Some(Row::Array(cell)) => Ok(cell),
            Some(Row::Null) => Ok(Cell::Null),
            Some(Row::Holed) => Err(Error::invalid("an array has an element that is null")),
            None => Err(Error::invalid("the column ends before the others")),
        }
    }

    fn read(&mut self) -> Result<Vec<Row>, ParquetError> {
        let place = self.place;
        match &mut self.reader {
            Reader::Floats(reader) => rows(reader, place, |numbers| Cell::Floats(numbers.to_vec())),
            Reader::Doubles(reader) => {
                rows(reader, place, |numbers| Cell::Doubles(numbers.to_vec()))
            }
            Reader::Halves(reader) => {
                rows(reader, place, |numbers| Cell::Floats(numbers.iter().map(half).collect()))
            }
        }
    }
}

/// A number of 16 bits; of another length, what is refused as a vector.
fn half(bytes: &FixedLenByteArray) -> f32 {
    let bytes: &ByteArray = bytes;
    match bytes.data() {
        [low, high] => half::f16::from_le_bytes([*low, *high]).into(),
        _ => f32::NAN,
    }
}

/// The next rows: what their levels say of the numbers (Parquet, Nested Encoding).
fn rows<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    place: Place,
    array: impl Fn(&[T::T]) -> Cell,
) -> Result<Vec<Row>, ParquetError> {
    let (mut definitions, mut repetitions, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    reader.read_records(RUN_ROWS, Some(&mut definitions), Some(&mut repetitions), &mut numbers)?;
    if definitions.len() != repetitions.len() {
        return Err(ParquetError::General("a column has levels of two lengths".into()));
    }
    let mut rows = Vec::with_capacity(RUN_ROWS);
    let mut numbers = numbers.as_slice();
    let levels: Vec<(i16, i16)> = repetitions.into_iter().zip(definitions).collect();
    // A row begins where nothing is repeated.
    for row in levels.chunk_by(|_, (repetition, _)| *repetition > 0) {
        let count = row.iter().filter(|(_, definition)| *definition == place.number).count();
        let (own, rest) = numbers.split_at_checked(count).ok_or_else(|| {
            ParquetError::General("a column has fewer numbers than it says".into())
        })?;
        numbers = rest;
        let first = row.first().map_or(0, |(_, definition)| *definition);
        rows.push(match first {
            level if level >= place.element && count == row.len() => Row::Array(array(own)),
            level if level >= place.element => Row::Holed,
            level if level + 1 == place.element => Row::Array(array(&[])),
            _ => Row::Null,
        });
    }
    Ok(rows)
}
