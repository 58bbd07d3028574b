//! The rules: what a schema would refuse at run time, and what cannot be meant.

use crate::{
    field_type::{FixedLen, in_option, mentions},
    mistakes::Mistakes,
    model::{Field, Model, QUANTIZATIONS, Variant, Vector},
    parse::{Dim, Number},
};
use proc_macro2::Ident;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

// The bounds of `vectordoc::limits`; a test derives a document that has each of them.
const FIELD_NAME_BYTES_MAX: usize = 128;
const ENUM_WORDS_MAX: usize = 1_024;
const DIM: RangeInclusive<usize> = 1..=65_536;
const M: RangeInclusive<usize> = 2..=128;
const EF: RangeInclusive<usize> = 1..=10_000;

/// The marks that a field cannot have both of, and why not. It is said at the second one.
const CONTRADICTIONS: [(&str, &str, &str); 17] = [
    ("id", "vector", "the id cannot be a vector; remove one of the marks"),
    ("id", "filter", "documents are found by id with `get`; remove `filter`"),
    ("id", "text", "an id has no words to index; remove `text`"),
    ("id", "json", "an id is a string, an integer or a UUID; remove `json`"),
    ("id", "default", "every document has an id; remove `default`"),
    ("id", "skip", "every document is stored with its id; remove `skip`"),
    ("vector", "filter", "a vector is searched, not filtered; remove `filter`"),
    ("vector", "text", "a vector has no words to index; remove `text`"),
    ("vector", "json", "a vector is stored as numbers; remove `json`"),
    ("vector", "default", "a vector that may be missing is an `Option`; remove `default`"),
    ("vector", "skip", "a vector that is not stored cannot be searched; remove one of the marks"),
    ("json", "filter", "filters cannot look into JSON; remove one of the marks"),
    ("json", "text", "JSON has no words to index; remove one of the marks"),
    ("skip", "filter", "what is not stored cannot be filtered; remove one of the marks"),
    ("skip", "text", "what is not stored has no words to index; remove one of the marks"),
    ("skip", "json", "what is not stored is not JSON either; remove one of the marks"),
    ("skip", "rename", "what is not stored has no stored name; remove one of the two"),
];

/// Adds what is wrong with `model` as a whole and with each of its fields.
pub(crate) fn check(model: &Model, mistakes: &Mistakes) {
    if let Some(variants) = &model.variants {
        check_variants(model, variants, mistakes);
        return;
    }
    check_ids(model, mistakes);
    check_names(model, mistakes);
    for field in &model.fields {
        check_name(field, mistakes);
        check_marks(field, mistakes);
        check_default(field, mistakes);
        check_option(field, mistakes);
        check_recursion(model, field, mistakes);
        if let Some(vector) = &field.vector {
            check_dim(field, vector, mistakes);
            check_range("m", vector.m.as_ref(), M, mistakes);
            check_range("ef_construction", vector.ef_construction.as_ref(), EF, mistakes);
            check_range("ef", vector.ef.as_ref(), EF, mistakes);
            check_quantization(vector, mistakes);
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
    for field in model.fields.iter().filter(|field| field.skip.is_none()) {
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
        && field.skip.is_none()
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

/// The marks a field has go together. Of what is wrong with one of them, the first is said.
fn check_marks(field: &Field, mistakes: &Mistakes) {
    let mut said = BTreeSet::new();
    for (one, other, why) in CONTRADICTIONS {
        if let (Some(_), Some(place)) = (field.mark(one), field.mark(other))
            && said.insert(other)
        {
            mistakes.add(place, why);
        }
    }
}

/// What can be missing without a default has none.
fn check_default(field: &Field, mistakes: &Mistakes) {
    if let Some(default) = &field.default
        && field.vector.is_none()
        && field.skip.is_none()
        && in_option(&field.ty).is_some()
    {
        let message = "an `Option` is `None` where a document lacks it; remove `default` or the \
                       `Option`";
        mistakes.add(&default.place, message);
    }
}

/// Codes are no finer than what they stand for. Variants are called alike, finest first.
fn check_quantization(vector: &Vector, mistakes: &Mistakes) {
    let rank = |variant: &Option<Ident>| {
        let variant = variant.as_ref()?;
        QUANTIZATIONS.iter().position(|(_, known)| variant == known)
    };
    if let (Some(kept), Some(compared)) = (rank(&vector.precision), rank(&vector.quantization))
        && compared < kept
    {
        let message = format!(
            "the quantization \"{}\" is finer than the precision \"{}\"; choose a coarser one, or \
             leave it out",
            QUANTIZATIONS[compared].0, QUANTIZATIONS[kept].0
        );
        mistakes.add(&vector.place, message);
    }
}

/// What is missing is so in one way.
fn check_option(field: &Field, mistakes: &Mistakes) {
    if field.skip.is_none() && in_option(&field.ty).and_then(in_option).is_some() {
        mistakes.add(&field.ty, "`Some(None)` would come back as `None`; use one `Option`");
    }
}

/// The schema of a struct ends.
fn check_recursion(model: &Model, field: &Field, mistakes: &Mistakes) {
    if field.json.is_none() && field.skip.is_none() && mentions(&field.ty, &model.ident) {
        let message = format!(
            "`{0}` holds itself, and a schema has an end; store this field as JSON: \
             `#[vectordoc(json)]`",
            model.ident
        );
        mistakes.add(&field.ty, message);
    }
}

/// Each variant is a word, and each a different one.
fn check_variants(model: &Model, variants: &[Variant], mistakes: &Mistakes) {
    if !(1..=ENUM_WORDS_MAX).contains(&variants.len()) {
        let message = format!(
            "`{}` has {} variants, it can have 1 to {ENUM_WORDS_MAX}",
            model.ident,
            variants.len()
        );
        mistakes.add(&model.ident, message);
    }
    let mut owners = BTreeMap::new();
    for variant in variants {
        let Variant { ident, word, place, data } = variant;
        if let Some(data) = data {
            let message = format!(
                "`{ident}` holds data, and a variant is stored as a word; store fields of type \
                 `{}` as JSON: `#[vectordoc(json)]`",
                model.ident
            );
            mistakes.add(data, message);
        }
        if let Some(owner) = owners.insert(word, ident) {
            let message =
                format!("`{owner}` and `{ident}` are both stored as {word:?}; rename one of them");
            mistakes.add(place, message);
        }
        if word.len() > FIELD_NAME_BYTES_MAX {
            let message = format!(
                "the word is {} bytes long, the limit is {FIELD_NAME_BYTES_MAX}; shorten it by \
                 `#[vectordoc(rename = \"…\")]`",
                word.len()
            );
            mistakes.add(place, message);
        }
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
