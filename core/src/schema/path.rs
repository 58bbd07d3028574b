//! The dotted paths that filters and searches by words can ask about.

use super::{FieldType, Schema, ValueField, join, unknown_name};
use crate::{Error, Result};
use alloc::{format, string::String, vec::Vec};

/// A path that filters can ask about: a scalar field, or the elements of an array of scalars.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterPath {
    /// Dotted from the document's top: `maker.country`.
    pub path: String,
    /// The scalar type; an array's element type.
    pub ty: FieldType,
    /// Whether a document can have several: the field is an array, or in the structs of one.
    pub many: bool,
}

impl Schema {
    /// Every path a filter can ask about, in order. A path's position here is its column number.
    pub fn filter_paths(&self) -> Vec<FilterPath> {
        let mut paths = Vec::new();
        collect_filter_paths(&self.values, "", false, &mut paths);
        paths
    }

    /// The dotted path of every text that is indexed by its words, in order. A path's position here
    /// is the number of its index.
    pub fn text_paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        collect_text_paths(&self.values, "", &mut paths);
        paths
    }

    /// The number of the text index at `path`, or of the only one when `path` is `None`.
    pub(crate) fn text_number(&self, path: Option<&str>) -> Result<usize> {
        let paths = self.text_paths();
        let Some(path) = path else {
            return match paths.len() {
                1 => Ok(0),
                0 => Err(Error::invalid(
                    "no field of the schema is indexed by its words; mark one `text`",
                )),
                _ => Err(Error::invalid(format!(
                    "the schema has several text fields; say which of {}",
                    join(paths.iter().map(String::as_str))
                ))),
            };
        };
        if let Some(number) = paths.iter().position(|known| known == path) {
            return Ok(number);
        }
        match self.is_stored(path) {
            true => Err(Error::invalid(format!(
                "field {path:?} is stored but not indexed by its words; mark it `text` in the \
                 schema"
            ))),
            false => Err(unknown_name("text field", path, paths.iter().map(String::as_str))),
        }
    }

    /// The number of the column of the filterable field at `path`, and what it holds.
    pub(crate) fn filter_path(&self, path: &str) -> Result<(usize, FilterPath)> {
        let mut paths = self.filter_paths().into_iter().enumerate();
        paths.find(|(_, known)| known.path == path).ok_or_else(|| self.not_filterable(path))
    }

    /// The same of a field of which each document has one value at most; `what` is what it is
    /// needed for.
    pub(crate) fn scalar_path(&self, path: &str, what: &str) -> Result<(usize, FilterPath)> {
        let (number, found) = self.filter_path(path)?;
        if found.many {
            return Err(Error::invalid(format!(
                "{path:?} is an array: a document has no one value to {what} by"
            )));
        }
        Ok((number, found))
    }

    /// Why filters cannot ask about `path`.
    pub(crate) fn not_filterable(&self, path: &str) -> Error {
        if self.is_stored(path) {
            return Error::invalid(format!(
                "field {path:?} is stored but not filterable; mark it `filter` in the schema"
            ));
        }
        let paths = self.filter_paths();
        unknown_name("field", path, paths.iter().map(|path| path.path.as_str()))
    }

    /// Whether `path` leads to a value field.
    fn is_stored(&self, path: &str) -> bool {
        let mut fields = &self.values[..];
        let stored = path.split('.').try_for_each(|part| {
            fields = fields.iter().find(|field| field.name == part)?.ty.fields();
            Some(())
        });
        stored.is_some()
    }
}

fn collect_filter_paths(
    fields: &[ValueField],
    prefix: &str,
    many: bool,
    paths: &mut Vec<FilterPath>,
) {
    for field in fields.iter().filter(|field| field.filter) {
        let path = format!("{prefix}{}", field.name);
        let (ty, many) = match &field.ty {
            FieldType::Array(element) => (&**element, true),
            ty => (ty, many),
        };
        match ty {
            FieldType::Object(nested) => {
                collect_filter_paths(nested, &format!("{path}."), many, paths);
            }
            scalar => paths.push(FilterPath { path, ty: scalar.clone(), many }),
        }
    }
}

fn collect_text_paths(fields: &[ValueField], prefix: &str, paths: &mut Vec<String>) {
    for field in fields {
        let path = format!("{prefix}{}", field.name);
        if field.text {
            paths.push(path);
        } else {
            collect_text_paths(field.ty.fields(), &format!("{path}."), paths);
        }
    }
}
