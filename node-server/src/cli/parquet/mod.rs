//! Parquet files: rows in, typed by the file's own schema.

mod cell;
mod guard;
mod kind;
mod numbers;
mod records;

pub(crate) use cell::Cell;
pub(crate) use records::{Record, Records, count_rows, types};
