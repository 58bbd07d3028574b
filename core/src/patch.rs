//! Changes to some fields of a document.

use crate::{
    Document, Error, Result, Schema, Value,
    document::{coerce, type_in_words},
    limits,
    schema::{FieldType, ValueField, unknown_name},
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Which fields of a document change, and how. Fields are named as in documents, nested ones by
/// dotted path; an array is set as a whole.
///
/// ```
/// use vectordoc::Patch;
///
/// let patch = Patch::new().set("maker.country", "NL").increment("views", 1_i64).unset("note");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    /// New values; a vector is an array of numbers.
    pub set: BTreeMap<String, Value>,
    /// Optional fields that are to have no value.
    pub unset: BTreeSet<String>,
    /// Numbers to add, negative ones to subtract; a missing number counts as 0.
    pub increment: BTreeMap<String, Value>,
}

impl Patch {
    /// A patch that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the field at `path` a value.
    #[must_use]
    pub fn set(mut self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.set.insert(path.into(), value.into());
        self
    }

    /// Gives the vector field `name` a vector.
    #[must_use]
    pub fn set_vector(mut self, name: impl Into<String>, vector: &[f32]) -> Self {
        let numbers = vector.iter().map(|number| Value::Float((*number).into()));
        self.set.insert(name.into(), Value::Array(numbers.collect()));
        self
    }

    /// Leaves the optional field at `path` without a value.
    #[must_use]
    pub fn unset(mut self, path: impl Into<String>) -> Self {
        self.unset.insert(path.into());
        self
    }

    /// Adds a number to the one at `path`.
    #[must_use]
    pub fn increment(mut self, path: impl Into<String>, by: impl Into<Value>) -> Self {
        self.increment.insert(path.into(), by.into());
        self
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty() && self.increment.is_empty()
    }

    /// Refuses a patch that changes a field twice, the id, or a field the schema has not.
    pub fn check(&self, schema: &Schema) -> Result<()> {
        let mut paths: Vec<&str> = self.paths().collect();
        limits::at_most(paths.len(), limits::FIELDS_MAX, "number of fields in a patch")?;
        paths.sort_unstable();
        for pair in paths.windows(2) {
            let is_part = pair[1].strip_prefix(pair[0]).is_some_and(|rest| rest.starts_with('.'));
            if pair[0] == pair[1] || is_part {
                return Err(Error::invalid(format!(
                    "the patch changes {:?} and {:?}; change a field once",
                    pair[0], pair[1]
                )));
            }
        }
        paths.into_iter().try_for_each(|path| Target::find(schema, path).map(|_| ()))
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        let paths = self.set.keys().chain(&self.unset).chain(self.increment.keys());
        paths.map(String::as_str)
    }

    /// Makes the changes to a document of `schema`, which is not checked: see [`Document::check`].
    pub fn apply(&self, schema: &Schema, document: &mut Document) -> Result<()> {
        for (path, value) in &self.set {
            match Target::find(schema, path)? {
                Target::Vector(number) => {
                    document.vectors[number] = vector_of(path, value)?;
                }
                Target::Value(number, fields) => {
                    let ty = fields.last().map_or(&FieldType::Json, |field| &field.ty);
                    let place = place_of(&mut document.values[number], &fields, true);
                    *place.ok_or_else(|| not_there(path))? = coerce(ty, value.clone());
                }
            }
        }
        for path in &self.unset {
            match Target::find(schema, path)? {
                Target::Vector(number) => document.vectors[number] = None,
                Target::Value(number, fields) => {
                    if let Some(place) = place_of(&mut document.values[number], &fields, false) {
                        *place = Value::Null;
                    }
                }
            }
        }
        for (path, by) in &self.increment {
            let Target::Value(number, fields) = Target::find(schema, path)? else {
                return Err(Error::invalid(format!("field {path:?} is a vector, no number")));
            };
            let ty = fields.last().map_or(&FieldType::Json, |field| &field.ty);
            let place = place_of(&mut document.values[number], &fields, true);
            let place = place.ok_or_else(|| not_there(path))?;
            *place = sum(ty, place, by).map_err(|error| error.within(format!("field {path:?}")))?;
        }
        document.values.iter_mut().for_each(drop_nulls);
        Ok(())
    }
}

/// In JSON: `{"set": {"price": 9}, "unset": ["note"], "increment": {"views": 1}}`.
impl<'de> Deserialize<'de> for Patch {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(input)?).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Patch {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(output)
    }
}

impl Patch {
    /// The patch as an object that [`from_value`](Self::from_value) reads back.
    pub fn to_value(&self) -> Value {
        let paths = self.unset.iter().map(|path| Value::from(path.as_str()));
        let parts = [
            ("set", Value::Object(self.set.clone())),
            ("unset", Value::Array(paths.collect())),
            ("increment", Value::Object(self.increment.clone())),
        ];
        Value::Object(parts.map(|(name, part)| (name.into(), part)).into())
    }

    /// Reads a patch from an object as in JSON.
    pub fn from_value(value: Value) -> Result<Self> {
        let wrong =
            |what: &str, value: &Value| Error::invalid(format!("{what}, not {}", value.describe()));
        let Value::Object(parts) = value else {
            return Err(wrong("a patch is an object such as {\"set\": {\"price\": 9}}", &value));
        };
        let mut patch = Self::default();
        for (name, part) in parts {
            match (name.as_str(), part) {
                ("set", Value::Object(fields)) => patch.set = fields,
                ("increment", Value::Object(fields)) => patch.increment = fields,
                ("unset", Value::Array(paths)) => {
                    for path in paths {
                        let Value::Text(path) = path else {
                            return Err(wrong("\"unset\" lists names of fields", &path));
                        };
                        patch.unset.insert(path);
                    }
                }
                ("set" | "increment", part) => {
                    return Err(wrong(&format!("{name:?} is an object of fields"), &part));
                }
                ("unset", part) => return Err(wrong("\"unset\" lists names of fields", &part)),
                _ => {
                    let known = ["set", "unset", "increment"].into_iter();
                    return Err(unknown_name("part of a patch", &name, known));
                }
            }
        }
        Ok(patch)
    }
}

/// What a path names.
enum Target<'a> {
    /// The vector field of this number.
    Vector(usize),
    /// What these fields lead to, the first of them of this number.
    Value(usize, Vec<&'a ValueField>),
}

impl<'a> Target<'a> {
    fn find(schema: &'a Schema, path: &str) -> Result<Self> {
        if path == schema.id().name {
            return Err(Error::invalid(format!(
                "{path:?} is the id, which stays; delete the document and index another"
            )));
        }
        if let Some(number) = schema.vectors().iter().position(|field| field.name == path) {
            return Ok(Self::Vector(number));
        }
        let unknown = || unknown_name("field", path, schema.names());
        let mut names = path.split('.');
        let first = names.next().unwrap_or_default();
        let number = schema.values().iter().position(|field| field.name == first);
        let number = number.ok_or_else(unknown)?;
        let mut fields = alloc::vec![&schema.values()[number]];
        for name in names {
            let parent = fields[fields.len() - 1];
            let FieldType::Object(nested) = &parent.ty else {
                return Err(Error::invalid(format!(
                    "field {:?} holds {}, in which {path:?} cannot be set; set it as a whole",
                    parent.name,
                    type_in_words(&parent.ty)
                )));
            };
            let names = nested.iter().map(|field| field.name.as_str());
            let field = nested.iter().find(|field| field.name == name);
            fields.push(field.ok_or_else(|| unknown_name("field", name, names))?);
        }
        Ok(Self::Value(number, fields))
    }
}

/// The value that `fields` lead to from the value of the first. Structs missing on the way are
/// made if `make`.
fn place_of<'a>(value: &'a mut Value, fields: &[&ValueField], make: bool) -> Option<&'a mut Value> {
    let mut place = value;
    for field in &fields[1..] {
        if place.is_null() && make {
            *place = Value::Object(BTreeMap::new());
        }
        let Value::Object(values) = place else { return None };
        place = match make {
            true => values.entry(field.name.clone()).or_default(),
            false => values.get_mut(&field.name)?,
        };
    }
    Some(place)
}

/// Structs hold no nulls.
fn drop_nulls(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.values_mut().for_each(drop_nulls);
        fields.retain(|_, value| !value.is_null());
    }
}

fn not_there(path: &str) -> Error {
    Error::invalid(format!("there is no place for {path:?} in the document"))
}

fn vector_of(name: &str, value: &Value) -> Result<Option<Vec<f32>>> {
    let wrong = || {
        let given = value.describe();
        Error::invalid(format!("field {name:?} holds a vector of numbers, not {given}"))
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    let number = |value: &Value| match value {
        Value::Float(number) => Ok(*number as f32),
        Value::Int(number) => Ok(*number as f32),
        _ => Err(wrong()),
    };
    match value {
        Value::Null => Ok(None),
        Value::Array(values) => values.iter().map(number).collect::<Result<_>>().map(Some),
        _ => Err(wrong()),
    }
}

/// The number in a field of type `ty`, increased. The result is in range where it is a float; the
/// range of integers is for [`Document::check`].
fn sum(ty: &FieldType, value: &Value, by: &Value) -> Result<Value> {
    let not_a_number = |value: &Value| {
        Error::invalid(format!("a number is incremented by a number, not by {}", value.describe()))
    };
    match (ty, coerce(ty, by.clone())) {
        (FieldType::Integer(_), Value::Int(by)) => match value {
            Value::Null => Ok(Value::Int(by)),
            Value::Int(value) => {
                let overflows = || Error::invalid(format!("{value} + {by} is out of range"));
                value.checked_add(by).map(Value::Int).ok_or_else(overflows)
            }
            other => Err(not_a_number(other)),
        },
        (FieldType::Float32 | FieldType::Float64, Value::Float(by)) => match value {
            Value::Null => Ok(Value::Float(by)),
            Value::Float(value) => Ok(coerce(ty, Value::Float(value + by))),
            other => Err(not_a_number(other)),
        },
        (FieldType::Integer(_) | FieldType::Float32 | FieldType::Float64, by) => {
            Err(not_a_number(&by))
        }
        (ty, _) => Err(Error::invalid(format!(
            "it holds {}; only numbers are incremented",
            type_in_words(ty)
        ))),
    }
}
