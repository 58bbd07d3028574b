//! What becomes of a stored schema when a database is opened with another: what loses nothing is
//! done and said, what could is refused.
//!
//! - A field may be added if documents may lack it. A field that is not given any more stays with
//!   its values, and documents may lack it from then on.
//! - A field may become optional, filterable or searchable as text, or stop being the latter two; an
//!   enum may get further words.
//! - The index of a vector field may change.
//! - Anything else is a conflict: another type, dimension, metric or precision, a field that stops
//!   being optional.

use super::{FieldType, Schema, ValueField, VectorField, json};
use crate::{Error, Result};
use alloc::{boxed::Box, format, string::String, vec::Vec};

impl Schema {
    /// The schema that the stored documents and those of `given` fit, and what changes on the way
    /// to it, in words; nothing does when both are the same.
    pub fn evolved(&self, given: &Schema) -> Result<(Schema, Vec<String>)> {
        if self.id != given.id {
            return Err(conflict(&self.id.name, "the id stays as it is"));
        }
        let mut changes = Changes { prefix: String::new(), said: Vec::new() };
        let vectors = changes.vectors(&self.vectors, &given.vectors)?;
        let values = changes.values(&self.values, &given.values)?;
        let schema = Schema::new(self.id.clone(), vectors, values)?;
        Ok((schema, changes.said))
    }
}

/// The changes found so far.
struct Changes {
    /// Of the names of fields: `maker.`.
    prefix: String,
    said: Vec<String>,
}

impl Changes {
    fn vectors(
        &mut self,
        stored: &[VectorField],
        given: &[VectorField],
    ) -> Result<Vec<VectorField>> {
        let mut fields = Vec::new();
        for new in given {
            match stored.iter().find(|field| field.name == new.name) {
                None if new.optional => self.say(&new.name, "was added"),
                None => return Err(self.required(&new.name)),
                Some(old) if old.dim != new.dim => {
                    let why = format!("it has {} dimensions, not {}", old.dim, new.dim);
                    return Err(self.conflict(&new.name, &why));
                }
                Some(old) if old.metric != new.metric => {
                    let (old, new_name) = (old.metric.name(), new.metric.name());
                    return Err(
                        self.conflict(&new.name, &format!("its metric is {old}, not {new_name}"))
                    );
                }
                Some(old) if old.precision != new.precision => {
                    let (old, given) = (old.precision.name(), new.precision.name());
                    let why = format!("its precision is {old}, not {given}");
                    return Err(self.conflict(&new.name, &why));
                }
                Some(old) => {
                    self.optional(&new.name, old.optional, new.optional)?;
                    if old.index != new.index {
                        self.say(&new.name, "has another index, which is built anew");
                    }
                }
            }
            fields.push(new.clone());
        }
        for old in stored.iter().filter(|old| given.iter().all(|new| new.name != old.name)) {
            self.removed(&old.name, old.optional);
            fields.push(VectorField { optional: true, ..old.clone() });
        }
        Ok(fields)
    }

    fn values(&mut self, stored: &[ValueField], given: &[ValueField]) -> Result<Vec<ValueField>> {
        let mut fields = Vec::new();
        for new in given {
            match stored.iter().find(|field| field.name == new.name) {
                None if new.optional => {
                    self.say(&new.name, "was added");
                    fields.push(new.clone());
                }
                None => return Err(self.required(&new.name)),
                Some(old) => fields.push(self.value(old, new)?),
            }
        }
        for old in stored.iter().filter(|old| given.iter().all(|new| new.name != old.name)) {
            self.removed(&old.name, old.optional);
            fields.push(ValueField { optional: true, ..old.clone() });
        }
        Ok(fields)
    }

    fn value(&mut self, old: &ValueField, new: &ValueField) -> Result<ValueField> {
        self.optional(&new.name, old.optional, new.optional)?;
        let ty = self.ty(&new.name, &old.ty, &new.ty)?;
        for (was, is, index) in
            [(old.filter, new.filter, "filter index"), (old.text, new.text, "text index")]
        {
            match (was, is) {
                (false, true) => self.say(&new.name, &format!("has a {index} now")),
                (true, false) => self.say(&new.name, &format!("has no {index} any more")),
                _ => {}
            }
        }
        Ok(ValueField { ty, ..new.clone() })
    }

    fn ty(&mut self, name: &str, old: &FieldType, new: &FieldType) -> Result<FieldType> {
        match (old, new) {
            (FieldType::Object(old), FieldType::Object(new)) => {
                let outer = self.prefix.len();
                self.prefix.push_str(&format!("{name}."));
                let fields = self.values(old, new)?;
                self.prefix.truncate(outer);
                Ok(FieldType::Object(fields))
            }
            (FieldType::Array(old), FieldType::Array(new)) => {
                Ok(FieldType::Array(Box::new(self.ty(name, old, new)?)))
            }
            (FieldType::Enum(old), FieldType::Enum(new)) => {
                if let Some(gone) = old.iter().find(|word| !new.contains(word)) {
                    return Err(
                        self.conflict(name, &format!("documents may hold the word {gone:?}"))
                    );
                }
                if new.len() > old.len() {
                    self.say(name, "may hold further words");
                }
                Ok(FieldType::Enum(new.clone()))
            }
            (old, new) if old == new => Ok(new.clone()),
            (old, new) => {
                let (old, new) = (json::type_name(old), json::type_name(new));
                Err(self.conflict(name, &format!("its type is {old:?}, not {new:?}")))
            }
        }
    }

    fn optional(&mut self, name: &str, was: bool, is: bool) -> Result<()> {
        match (was, is) {
            (true, false) => {
                Err(self.conflict(name, "documents may lack it, so it has to stay optional"))
            }
            (false, true) => {
                self.say(name, "became optional");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn removed(&mut self, name: &str, was_optional: bool) {
        // What was said once need not be said at every opening.
        if !was_optional {
            self.say(name, "is not given any more; its values stay, documents may lack it now");
        }
    }

    fn required(&self, name: &str) -> Error {
        self.conflict(name, "it is new, and the documents there are lack it; make it optional")
    }

    fn conflict(&self, name: &str, why: &str) -> Error {
        conflict(&format!("{}{name}", self.prefix), why)
    }

    fn say(&mut self, name: &str, what: &str) {
        self.said.push(format!("field {:?} {what}", format!("{}{name}", self.prefix)));
    }
}

fn conflict(name: &str, why: &str) -> Error {
    Error::conflict(format!("field {name:?} is stored otherwise: {why}"))
}
