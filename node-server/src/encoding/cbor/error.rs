//! What is wrong with an item.

use crate::encoding::bounded::TooLong;
use minicbor::{decode, encode};
use serde::{de, ser};
use std::fmt;

/// Why an item cannot be read or written.
#[derive(Debug)]
pub(in crate::encoding) struct Error {
    /// Whether it is no CBOR that is understood here, and not merely another value than wanted.
    pub(in crate::encoding) is_malformed: bool,
    text: String,
}

impl Error {
    /// An item that breaks the rules.
    pub(super) fn malformed(text: impl Into<String>) -> Self {
        Self { is_malformed: true, text: text.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

impl From<decode::Error> for Error {
    fn from(error: decode::Error) -> Self {
        Self::malformed(error.to_string())
    }
}

impl From<encode::Error<TooLong>> for Error {
    fn from(error: encode::Error<TooLong>) -> Self {
        Self::malformed(error.to_string())
    }
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self { is_malformed: false, text: text.to_string() }
    }
}

impl ser::Error for Error {
    fn custom<T: fmt::Display>(text: T) -> Self {
        de::Error::custom(text)
    }
}
