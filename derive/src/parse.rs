//! Reads the attributes: which options were given, and that each value is of the right type.

use crate::{
    mistakes::Mistakes,
    options::{Options, Place},
};
use quote::ToTokens;
use syn::{Attribute, Error, Expr, Lit, LitInt, LitStr, Meta, Path, Result};

/// The options of a struct or an enum.
pub(crate) struct TypeOptions {
    /// How names are made.
    pub(crate) rename_all: Option<LitStr>,
    /// Where the `vectordoc` crate is.
    pub(crate) crate_path: Option<Path>,
}

/// The options of a field. What is a mere mark is kept as the place it stands at.
pub(crate) struct FieldOptions {
    /// The mark of the id.
    pub(crate) id: Option<Path>,
    /// The mark of a vector, with its options.
    pub(crate) vector: Option<VectorOptions>,
    /// The mark of a field that filters can ask about.
    pub(crate) filter: Option<Path>,
    /// The mark of a field whose words are indexed.
    pub(crate) text: Option<Path>,
    /// The mark of a field that holds what serde writes.
    pub(crate) json: Option<Path>,
    /// The mark of a field that is not stored.
    pub(crate) skip: Option<Path>,
    /// What a field is that a stored document lacks.
    pub(crate) default: Option<Fallback>,
    /// The stored name.
    pub(crate) rename: Option<LitStr>,
    /// Whether all that was written is known.
    pub(crate) understood: bool,
}

/// The value of a field that a stored document lacks.
pub(crate) struct Fallback {
    /// The word `default`.
    pub(crate) place: Path,
    /// What makes the value; `Default::default` unless given.
    pub(crate) function: Option<Path>,
}

/// The options of a vector.
pub(crate) struct VectorOptions {
    /// The word `vector`.
    pub(crate) place: Path,
    /// Its length.
    pub(crate) dim: Option<Dim>,
    /// The name of the metric.
    pub(crate) metric: Option<LitStr>,
    /// The name of what is kept of each number.
    pub(crate) precision: Option<LitStr>,
    /// The name of the index.
    pub(crate) index: Option<LitStr>,
    /// Links per node.
    pub(crate) m: Option<Number>,
    /// Candidates considered by an insertion.
    pub(crate) ef_construction: Option<Number>,
    /// Candidates considered by a search.
    pub(crate) ef: Option<Number>,
    /// The name of the form vectors are compared in.
    pub(crate) quantization: Option<LitStr>,
}

/// The length of a vector, as it was written.
pub(crate) enum Dim {
    /// `384`
    Number(Number),
    /// `DIM`, which only the compiler can look up.
    Constant(Path),
    /// Something else, reported already.
    Wrong,
}

/// A whole number and where it stands.
pub(crate) struct Number {
    /// The number. One that no `usize` holds is `usize::MAX`, which is out of every range too.
    pub(crate) value: usize,
    /// Its literal.
    pub(crate) place: LitInt,
}

impl TypeOptions {
    /// Reads those among `attributes`, which are of a struct or of an enum.
    pub(crate) fn of(attributes: &[Attribute], place: Place, mistakes: &Mistakes) -> Self {
        let options = Options::of(attributes, place, mistakes);
        Self {
            rename_all: options.read("rename_all", text),
            crate_path: options.read("crate", crate_path),
        }
    }
}

impl FieldOptions {
    /// Reads those among `attributes`.
    pub(crate) fn of(attributes: &[Attribute], mistakes: &Mistakes) -> Self {
        let options = Options::of(attributes, Place::Field, mistakes);
        Self {
            id: mark("id", &options, mistakes),
            vector: options.find("vector").map(|option| VectorOptions::of(option, mistakes)),
            filter: mark("filter", &options, mistakes),
            text: mark("text", &options, mistakes),
            json: mark("json", &options, mistakes),
            skip: mark("skip", &options, mistakes),
            default: options.read("default", fallback),
            rename: options.read("rename", text),
            understood: options.understood(),
        }
    }
}

/// The stored name of a variant, if its attributes give it one.
pub(crate) fn rename_of_variant(attributes: &[Attribute], mistakes: &Mistakes) -> Option<LitStr> {
    Options::of(attributes, Place::Variant, mistakes).read("rename", text)
}

impl VectorOptions {
    fn of(option: &Meta, mistakes: &Mistakes) -> Self {
        let options = Options::within(option, Place::Vector, mistakes);
        let written = options.find("dim").is_some() || !options.understood();
        Self {
            place: option.path().clone(),
            dim: options.read("dim", dim).or(written.then_some(Dim::Wrong)),
            metric: options.read("metric", text),
            precision: options.read("precision", text),
            index: options.read("index", text),
            m: options.read("m", number),
            ef_construction: options.read("ef_construction", number),
            ef: options.read("ef", number),
            quantization: options.read("quantization", text),
        }
    }
}

/// The place of a mark; that it has a value is a mistake, but it is there.
fn mark(name: &str, options: &Options<'_>, mistakes: &Mistakes) -> Option<Path> {
    let option = options.find(name)?;
    if !matches!(option, Meta::Path(_)) {
        mistakes.add(option, format!("`{name}` takes no value; write `{name}` alone"));
    }
    Some(option.path().clone())
}

fn text(option: &Meta) -> Result<LitStr> {
    match literal(option) {
        Some(Lit::Str(text)) => Ok(text.clone()),
        _ => Err(wrong_type(option, "a string", "\"…\"")),
    }
}

fn crate_path(option: &Meta) -> Result<Path> {
    path(option, "\"a::vectordoc\"")
}

fn fallback(option: &Meta) -> Result<Fallback> {
    let function = match option {
        Meta::Path(_) => None,
        _ => Some(path(option, "\"a::function\"")?),
    };
    Ok(Fallback { place: option.path().clone(), function })
}

fn path(option: &Meta, example: &str) -> Result<Path> {
    let wrong = || wrong_type(option, "a path", example);
    text(option).map_err(|_| wrong())?.parse().map_err(|_| wrong())
}

fn number(option: &Meta) -> Result<Number> {
    match literal(option) {
        Some(Lit::Int(number)) => Ok(Number::of(number)),
        _ => Err(wrong_type(option, "a whole number", "16")),
    }
}

fn dim(option: &Meta) -> Result<Dim> {
    match (value(option), literal(option)) {
        (_, Some(Lit::Int(number))) => Ok(Dim::Number(Number::of(number))),
        (Some(Expr::Path(constant)), _) => Ok(Dim::Constant(constant.path.clone())),
        _ => Err(wrong_type(option, "a whole number or a constant", "384")),
    }
}

impl Number {
    fn of(literal: &LitInt) -> Self {
        Self { value: literal.base10_parse().unwrap_or(usize::MAX), place: literal.clone() }
    }
}

fn literal(option: &Meta) -> Option<&Lit> {
    match value(option)? {
        Expr::Lit(literal) => Some(&literal.lit),
        _ => None,
    }
}

/// The right-hand side of `name = value`, without the invisible group a `macro_rules!` may have
/// put around it.
fn value(option: &Meta) -> Option<&Expr> {
    let Meta::NameValue(option) = option else { return None };
    match &option.value {
        Expr::Group(group) => Some(&group.expr),
        value => Some(value),
    }
}

fn wrong_type(option: &Meta, wanted: &str, example: &str) -> Error {
    let name = option.path().to_token_stream();
    let message = format!("`{name}` is {wanted}: `{name} = {example}`");
    match value(option) {
        Some(value) => Error::new_spanned(value, message),
        None => Error::new_spanned(option, message),
    }
}
