//! Enums without data: each variant is stored as a word.

use super::FieldValue;
use crate::{
    Result, Value,
    schema::{FieldType, unknown_name},
};
use alloc::string::String;

/// The type of a field that holds one of these words.
pub(crate) fn enum_type(words: &[&str]) -> FieldType {
    FieldType::Enum(words.iter().copied().map(String::from).collect())
}

/// The variant whose word `value` is.
pub(crate) fn variant<T, const N: usize>(value: Value, variants: [(&str, T); N]) -> Result<T> {
    let word = String::from_value(value)?;
    let unknown = unknown_name("word", &word, variants.iter().map(|(known, _)| *known));
    let found = variants.into_iter().find(|(known, _)| *known == word);
    found.map(|(_, variant)| variant).ok_or(unknown)
}
