//! What a schema may be: names, dimensions, types and their numbers.

use super::{FieldType, Schema, ValueField, VectorField};
use crate::{Error, Result, limits};
use alloc::{format, string::String, vec::Vec};

impl Schema {
    pub(super) fn check(&self) -> Result<()> {
        check_name(&self.id.name)?;
        for field in &self.vectors {
            check_name(&field.name)?;
            field.check().map_err(|error| error.within(format!("field {:?}", field.name)))?;
        }
        let nested = count_and_check_values(&self.values, 1)?;
        limits::at_most(1 + self.vectors.len() + nested, limits::FIELDS_MAX, "number of fields")?;
        let mut names: Vec<&str> = self.names().collect();
        names.sort_unstable();
        if self.id.name != "id" && names.contains(&"id") {
            return Err(Error::invalid(format!(
                "the name \"id\" belongs to the id, which is {:?}; rename the other field",
                self.id.name
            )));
        }
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::invalid(format!("field {:?} is there twice", pair[0]))),
            None => Ok(()),
        }
    }
}

impl VectorField {
    fn check(&self) -> Result<()> {
        if self.dim == 0 {
            return Err(Error::invalid("a vector needs at least 1 dimension"));
        }
        limits::at_most(self.dim, limits::DIM_MAX, "dimension")?;
        if self.index.m < 2 {
            return Err(Error::invalid(format!("m is {}, a graph needs at least 2", self.index.m)));
        }
        limits::at_most(self.index.m, limits::M_MAX, "m")?;
        if self.index.ef_construction == 0 || self.index.ef == Some(0) {
            return Err(Error::invalid("ef and ef_construction are at least 1"));
        }
        limits::at_most(self.index.ef_construction, limits::EF_MAX, "ef_construction")?;
        limits::at_most(self.index.ef.unwrap_or(1), limits::EF_MAX, "ef")?;
        self.check_quantization()
    }

    /// Refuses codes that would be finer than what is kept.
    fn check_quantization(&self) -> Result<()> {
        let kept = self.precision.quantization();
        match self.index.quantization {
            Some(finer) if (finer as usize) < kept as usize => Err(Error::invalid(format!(
                "quantization {:?} is finer than the precision {:?}; choose {:?} or a coarser one, \
                 or leave it out",
                finer.name(),
                self.precision.name(),
                kept.name(),
            ))),
            _ => Ok(()),
        }
    }
}

impl ValueField {
    fn check(&self) -> Result<()> {
        let element = self.ty.element();
        if matches!(element, FieldType::Array(_)) {
            return Err(Error::unsupported("an array holds no arrays; use type \"json\""));
        }
        if let FieldType::Enum(words) = element {
            check_words(words)?;
        }
        if self.filter && *element == FieldType::Json {
            return Err(Error::invalid("filters cannot ask about type \"json\""));
        }
        if self.text && *element != FieldType::Text {
            return Err(Error::invalid("only a \"string\" or \"string[]\" can be indexed as text"));
        }
        Ok(())
    }
}

fn check_words(words: &[String]) -> Result<()> {
    if words.is_empty() {
        return Err(Error::invalid("an enum needs at least 1 word"));
    }
    limits::at_most(words.len(), limits::ENUM_WORDS_MAX, "number of words of an enum")?;
    for (number, word) in words.iter().enumerate() {
        limits::at_most(word.len(), limits::FIELD_NAME_BYTES_MAX, "length of a word of an enum")?;
        if words[..number].contains(word) {
            return Err(Error::invalid(format!("the word {word:?} is there twice")));
        }
    }
    Ok(())
}

/// Checks `fields` and what is nested in them, and counts them.
fn count_and_check_values(fields: &[ValueField], depth: usize) -> Result<usize> {
    limits::at_most(depth, limits::DOCUMENT_DEPTH_MAX, "nesting of the schema")?;
    let mut count = fields.len();
    for field in fields {
        check_name(&field.name)?;
        field.check().map_err(|error| error.within(format!("field {:?}", field.name)))?;
        count += count_and_check_values(field.ty.fields(), depth + 1)?;
    }
    let mut names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    names.dedup();
    if names.len() < fields.len() {
        return Err(Error::invalid("two fields have the same name"));
    }
    Ok(count)
}

fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.starts_with('$') || name.contains('.') || name.contains("__") {
        return Err(Error::invalid(format!(
            "{name:?} cannot name a field: names are not empty, do not begin with `$` and hold \
             neither `.` nor `__`, which filters use for nested fields"
        )));
    }
    limits::at_most(name.len(), limits::FIELD_NAME_BYTES_MAX, "length of a field name")
}
