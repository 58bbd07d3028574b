//! CBOR (RFC 8949) as far as JSON goes, and bytes, and vectors as typed arrays (RFC 8746). Items are
//! read and written by `minicbor`; what is here says what they mean to serde.

mod error;
mod read;
mod typed_array;
mod write;

pub(super) use error::Error;
pub(super) use read::{is_array, is_compound, is_null, read, read_raw};
pub(super) use write::{array_header, write};
