//! The rules: what a schema would refuse at run time, and what cannot be meant.

use crate::{
    mistakes::Mistakes,
    model::{Field, Model, Vector},
    parse::{Dim, Number},
    vector_type::FixedLen,
};
use std::{collections::BTreeMap, ops::RangeInclusive};

// The bounds of `vectordoc::limits`; a test derives a document that has each of them.
const FIELD_NAME_BYTES_MAX: usize = 128;
const DIM: RangeInclusive<usize> = 1..=65_536;
const M: RangeInclusive<usize> = 2..=128;
const EF: RangeInclusive<usize> = 1..=10_000;

/// Adds what is wrong with `model` as a whole and with each of its fields.
pub(crate) fn check(model: &Model, mistakes: &Mistakes) {
    check_ids(model, mistakes);
    check_names(model, mistakes);
    for field in &model.fields {
        check_name(field, mistakes);
        check_marks(field, mistakes);
        if let Some(vector) = &field.vector {
            check_dim(field, vector, mistakes);
            check_range("m", vector.m.as_ref(), M, mistakes);
            check_range("ef_construction", vector.ef_construction.as_ref(), EF, mistakes);
            check_range("ef", vector.ef.as_ref(), EF, mistakes);
        }
    }
}

/// One id, unless the struct is a part of a document and has no vector either.
fn check_ids(model: &Model, mistakes: &Mistakes) {
    let mut ids = model.fields.iter().filter(|field| field.id.is_some());
    if let Some(id) = ids.next() {
        for another in ids {
            let message = format!("a document has one id, and `{}` is marked already", id.ident);
            mistakes.add(&another.id, message);
        }
        return;
    }
    let has_vector = model.fields.iter().any(|field| field.vector.is_some());
    if has_vector && model.fields.iter().all(|field| field.understood) {
        let message = format!(
            "`{}` has a vector but no id; mark the field that names the document \
             `#[vectordoc(id)]`",
            model.ident
        );
        mistakes.add(&model.ident, message);
    }
}

/// No name twice; and in a document only the id is called `id`, as it is in a schema's JSON.
fn check_names(model: &Model, mistakes: &Mistakes) {
    let mut owners = BTreeMap::new();
    for field in &model.fields {
        if let Some(owner) = owners.insert(&field.name, &field.ident) {
            let message = format!(
                "`{owner}` and `{}` are both stored as {:?}; rename one of them",
                field.ident, field.name
            );
            mistakes.add(&field.name_place, message);
        }
    }
    if let Some(field) = model.fields.iter().find(|field| field.name == "id")
        && let Some(id) = model.id()
        && field.id.is_none()
    {
        let message = format!(
            "the name \"id\" belongs to the id, which is `{}`; store this one by another name: \
             `#[vectordoc(rename = \"…\")]`",
            id.ident
        );
        mistakes.add(&field.name_place, message);
    }
}

fn check_name(field: &Field, mistakes: &Mistakes) {
    let name = &field.name;
    if name.is_empty() || name.starts_with('$') || name.contains('.') || name.contains("__") {
        let message = format!(
            "{name:?} cannot name a field: names are not empty, do not begin with `$` and hold \
             neither `.` nor `__`, which filters use for nested fields; use \
             `#[vectordoc(rename = \"…\")]`"
        );
        mistakes.add(&field.name_place, message);
    }
    if name.len() > FIELD_NAME_BYTES_MAX {
        let message = format!(
            "the name is {} bytes long, the limit is {FIELD_NAME_BYTES_MAX}; shorten it by \
             `#[vectordoc(rename = \"…\")]`",
            name.len()
        );
        mistakes.add(&field.name_place, message);
    }
}

/// The marks a field has go together.
fn check_marks(field: &Field, mistakes: &Mistakes) {
    match (&field.id, &field.vector, &field.filter) {
        (Some(_), Some(vector), _) => {
            mistakes.add(&vector.place, "the id cannot be a vector; remove one of the marks");
        }
        (Some(_), None, Some(filter)) => {
            mistakes.add(filter, "documents are found by id with `get`; remove `filter`");
        }
        (None, Some(_), Some(filter)) => {
            mistakes.add(filter, "a vector is searched, not filtered; remove `filter`");
        }
        _ => {}
    }
}

/// The length is known, in bounds and the same wherever it is said.
fn check_dim(field: &Field, vector: &Vector, mistakes: &Mistakes) {
    match (&vector.dim, FixedLen::of(&field.ty)) {
        (Some(Dim::Number(dim)), _) if !DIM.contains(&dim.value) => {
            check_range("dim", Some(dim), DIM, mistakes);
        }
        (Some(Dim::Number(dim)), FixedLen::Number(len)) if dim.value != len => {
            let message =
                format!("`dim` is {}, the array has {len} components; leave `dim` out", dim.value);
            mistakes.add(&dim.place, message);
        }
        (None, FixedLen::Number(len)) if !DIM.contains(&len) => {
            let (min, max) = (DIM.start(), DIM.end());
            let message = format!("the vector has {len} components, it can have {min} to {max}");
            mistakes.add(&field.ty, message);
        }
        (None, FixedLen::None) => {
            let message = format!(
                "the dimension of `{}` is missing: `vector(dim = 384)`; or make it a \
                 `[f32; 384]`, which has one",
                field.ident
            );
            mistakes.add(&vector.place, message);
        }
        _ => {}
    }
}

fn check_range(
    name: &str,
    number: Option<&Number>,
    range: RangeInclusive<usize>,
    mistakes: &Mistakes,
) {
    if let Some(number) = number.filter(|number| !range.contains(&number.value)) {
        let (given, min, max) = (number.place.base10_digits(), range.start(), range.end());
        mistakes.add(&number.place, format!("`{name}` is {given}, it can be {min} to {max}"));
    }
}
