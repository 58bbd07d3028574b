//! What the documents of a database look like: the id, the vector fields, the value fields.
//!
//! A schema is what `#[derive(VectorDoc)]` produces, what TypeScript passes and what the database
//! stores. Fields are kept in order of their names, so two schemas are equal however they were
//! written down.

mod index;
mod nearest;
mod path;
mod precision;

mod check;
mod evolve;
mod json;
mod json_schema;
mod layout;
mod typescript;

use crate::{Error, Metric, Result};
use alloc::{boxed::Box, format, string::String, vec::Vec};

pub use index::{IndexKind, IndexSpec, Quantization};
pub(crate) use layout::Layout;
pub(crate) use nearest::nearest;
pub use path::FilterPath;
pub use precision::Precision;

/// The shape of the documents of one database.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    id: IdField,
    vectors: Vec<VectorField>,
    values: Vec<ValueField>,
}

/// The field that names a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdField {
    /// Its name in documents; `id` unless the struct says otherwise.
    pub name: String,
    /// What ids are.
    pub kind: IdKind,
}

/// What the ids of a database are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKind {
    /// `u64`.
    Int,
    /// Text.
    Text,
    /// UUID.
    Uuid,
}

/// A field that holds a vector of `dim` numbers and can be searched.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorField {
    /// Its name.
    pub name: String,
    /// Numbers in each vector.
    pub dim: usize,
    /// How distance is measured.
    pub metric: Metric,
    /// What is kept of each number.
    pub precision: Precision,
    /// Whether a document may lack it.
    pub optional: bool,
    /// How it is indexed.
    pub index: IndexSpec,
}

/// The entry of `table` called `name`, or an error that lists the names there are.
pub(crate) fn find_named<T: Copy>(table: &[(&str, T)], name: &str, what: &str) -> Result<T> {
    if let Some((_, entry)) = table.iter().find(|(known, _)| *known == name) {
        return Ok(*entry);
    }
    let known: Vec<&str> = table.iter().map(|(known, _)| *known).collect();
    Err(Error::invalid(format!("unknown {what} {name:?}; it is one of {}", known.join(", "))))
}

/// A field that holds a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueField {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub ty: FieldType,
    /// Whether a document may lack it.
    pub optional: bool,
    /// Whether filters can ask about it.
    pub filter: bool,
    /// Whether its words are indexed for full-text search.
    pub text: bool,
}

/// What a value field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A truth value.
    Bool,
    /// An integer of the given range.
    Integer(Integer),
    /// A number kept as `f32`.
    Float32,
    /// A number kept as `f64`.
    Float64,
    /// UTF-8 text.
    Text,
    /// One of these words: an enum without data.
    Enum(Vec<String>),
    /// Bytes.
    Bytes,
    /// A point in time.
    Timestamp,
    /// A UUID.
    Uuid,
    /// A point on the Earth.
    Geo,
    /// Anything JSON can say: stored and returned, and opaque to filters.
    Json,
    /// Scalars, or nested structs, in order.
    Array(Box<FieldType>),
    /// A nested struct, its fields in order of their names.
    Object(Vec<ValueField>),
}

/// The integer types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are Rust's own names")]
pub enum Integer {
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
}

impl Integer {
    /// The smallest and largest value.
    pub fn range(self) -> (i128, i128) {
        match self {
            Self::I8 => (i8::MIN.into(), i8::MAX.into()),
            Self::I16 => (i16::MIN.into(), i16::MAX.into()),
            Self::I32 => (i32::MIN.into(), i32::MAX.into()),
            Self::I64 => (i64::MIN.into(), i64::MAX.into()),
            Self::U8 => (0, u8::MAX.into()),
            Self::U16 => (0, u16::MAX.into()),
            Self::U32 => (0, u32::MAX.into()),
            Self::U64 => (0, u64::MAX.into()),
        }
    }
}

impl Schema {
    /// A schema of these fields; refuses duplicate names, bad dimensions and what exceeds
    /// [`limits`](crate::limits).
    pub fn new(
        id: IdField,
        mut vectors: Vec<VectorField>,
        mut values: Vec<ValueField>,
    ) -> Result<Self> {
        vectors.sort_by(|a, b| a.name.cmp(&b.name));
        sort_fields(&mut values);
        let schema = Self { id, vectors, values };
        schema.check()?;
        Ok(schema)
    }

    /// The id field.
    pub fn id(&self) -> &IdField {
        &self.id
    }

    /// The vector fields in order of their names. A field's position here is its number.
    pub fn vectors(&self) -> &[VectorField] {
        &self.vectors
    }

    /// The value fields in order of their names. A field's position here is its number.
    pub fn values(&self) -> &[ValueField] {
        &self.values
    }

    /// The number of the vector field called `name`, or of the only one when `name` is `None`.
    pub fn vector_number(&self, name: Option<&str>) -> Result<usize> {
        let Some(name) = name else {
            return match self.vectors.len() {
                1 => Ok(0),
                0 => Err(Error::invalid("the schema has no vector field to search")),
                _ => Err(Error::invalid(format!(
                    "the schema has several vector fields; say which of {}",
                    join(self.vectors.iter().map(|field| field.name.as_str()))
                ))),
            };
        };
        self.vectors.iter().position(|field| field.name == name).ok_or_else(|| {
            let names = self.vectors.iter().map(|field| field.name.as_str());
            unknown_name("vector field", name, names)
        })
    }

    /// The names of all top-level fields.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        core::iter::once(self.id.name.as_str())
            .chain(self.vectors.iter().map(|field| field.name.as_str()))
            .chain(self.values.iter().map(|field| field.name.as_str()))
    }

    /// Refuses to open data of schema `self` with schema `given`, naming the first difference.
    pub fn expect_same(&self, given: &Schema) -> Result<()> {
        if self == given {
            return Ok(());
        }
        let stored = self.to_json();
        let given = given.to_json();
        let names = stored.keys().chain(given.keys());
        let text =
            |field: Option<&serde_json::Value>| field.map_or("nothing".into(), |f| format!("{f}"));
        for name in names {
            let (old, new) = (stored.get(name), given.get(name));
            if old != new {
                return Err(Error::conflict(format!(
                    "field {name:?} is stored as {}, the schema given says {}",
                    text(old),
                    text(new)
                )));
            }
        }
        Err(Error::conflict("the schema given differs from the one stored"))
    }
}

impl FieldType {
    /// The fields of a nested struct, or of each in an array of them; none of a scalar.
    pub fn fields(&self) -> &[ValueField] {
        match self {
            Self::Object(fields) => fields,
            Self::Array(element) => element.fields(),
            _ => &[],
        }
    }

    /// What each value is: the element of an array, else the type itself.
    pub fn element(&self) -> &FieldType {
        match self {
            Self::Array(element) => element,
            ty => ty,
        }
    }
}

fn sort_fields(fields: &mut [ValueField]) {
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    for field in fields {
        let mut ty = &mut field.ty;
        while let FieldType::Array(element) = ty {
            ty = element;
        }
        if let FieldType::Object(nested) = ty {
            sort_fields(nested);
        }
    }
}

/// The error for a name that is none of the `known` ones, with the nearest of them:
/// `unknown field "prise"; did you mean "price"?`
pub fn unknown_name<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Error {
    let hint = match nearest(name, known.clone()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => {
            let known = join(known);
            if known.is_empty() { "there is none".into() } else { format!("there are {known}") }
        }
    };
    Error::invalid(format!("unknown {what} {:?}; {hint}", crate::value::shorten(name)))
}

fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
