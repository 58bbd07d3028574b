//! Values inside a message that are read later, once their type is known.

use super::{Encoding, cbor};
use serde::de::{Deserialize, DeserializeSeed, Deserializer};
use serde_json::{error::Category, value::RawValue};
use std::fmt;

/// A value as the client sent it.
#[derive(Clone, Copy)]
pub(crate) enum Raw<'a> {
    /// JSON text.
    Json(&'a str),
    /// One CBOR item.
    Cbor(&'a [u8]),
}

impl<'a> Raw<'a> {
    /// Its bytes.
    pub(crate) fn as_bytes(self) -> &'a [u8] {
        match self {
            Self::Json(text) => text.as_bytes(),
            Self::Cbor(bytes) => bytes,
        }
    }

    /// How it is written.
    pub(crate) fn encoding(self) -> Encoding {
        match self {
            Self::Json(_) => Encoding::Json,
            Self::Cbor(_) => Encoding::Cbor,
        }
    }

    /// Reads all of it by `seed`.
    pub(crate) fn seeded<S: DeserializeSeed<'a>>(self, seed: S) -> Result<S::Value, Unreadable> {
        match self {
            Self::Json(text) => {
                let mut input = serde_json::Deserializer::from_str(text);
                let value = seed.deserialize(&mut input)?;
                input.end()?;
                Ok(value)
            }
            Self::Cbor(bytes) => Ok(cbor::read(bytes, seed)?),
        }
    }

    /// Reads all of it.
    pub(crate) fn read<T: Deserialize<'a>>(self) -> Result<T, Unreadable> {
        self.seeded(std::marker::PhantomData)
    }

    /// Whether it is null.
    pub(crate) fn is_null(self) -> bool {
        match self {
            Self::Json(text) => text == "null",
            Self::Cbor(bytes) => cbor::is_null(bytes),
        }
    }

    /// Whether it is an array.
    pub(crate) fn is_array(self) -> bool {
        match self {
            Self::Json(text) => text.trim_ascii_start().starts_with('['),
            Self::Cbor(bytes) => cbor::is_array(bytes),
        }
    }

    /// Whether there may be other values in it.
    pub(crate) fn is_compound(self) -> bool {
        match self {
            Self::Json(text) => text.starts_with(['[', '{']),
            Self::Cbor(bytes) => cbor::is_compound(bytes),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        if input.is_human_readable() {
            <&RawValue>::deserialize(input).map(|value| Self::Json(value.get()))
        } else {
            cbor::read_raw(input).map(Self::Cbor)
        }
    }
}

/// Why a value cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// Whether it breaks the rules of the encoding, and is not merely another value than wanted.
    pub(crate) is_malformed: bool,
    text: String,
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self { is_malformed: error.classify() != Category::Data, text: error.to_string() }
    }
}

impl From<cbor::Error> for Unreadable {
    fn from(error: cbor::Error) -> Self {
        Self { is_malformed: error.is_malformed, text: error.to_string() }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
