//! A nested struct while it is taken apart or put together.

use super::wrong_value;
use crate::{Result, Value};
use alloc::{collections::BTreeMap, format, string::String};

/// The fields of a nested struct while it is taken apart or put together; generated code uses it.
#[derive(Default)]
pub struct Object(BTreeMap<String, Value>);

impl Object {
    /// Adds field `name`, which is what `write` makes of `field`; a missing one is left out.
    pub fn with<F>(
        mut self,
        name: &str,
        field: &F,
        write: fn(&F) -> Result<Value>,
    ) -> Result<Self> {
        let value = write(field).map_err(|error| error.within(format!("field {name:?}")))?;
        if !value.is_null() {
            self.0.insert(name.into(), value);
        }
        Ok(self)
    }

    /// The nested value.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// Takes a nested value apart.
    pub fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            other => Err(wrong_value("an object", &other)),
        }
    }

    /// Takes field `name` out and makes of it what `read` does.
    pub fn take<F>(&mut self, name: &str, read: fn(Value) -> Result<F>) -> Result<F> {
        let value = self.0.remove(name).unwrap_or_default();
        read(value).map_err(|error| error.within(format!("field {name:?}")))
    }

    /// Takes field `name` out and makes of it what `read` does; the default if it is missing.
    pub fn take_or<F>(
        &mut self,
        name: &str,
        read: fn(Value) -> Result<F>,
        default: fn() -> F,
    ) -> Result<F> {
        if self.0.get(name).is_none_or(Value::is_null) {
            Ok(default())
        } else {
            self.take(name, read)
        }
    }
}
