//! The options of a call: an object of named values, of which an unknown one is refused.

use crate::input::Input;
use std::collections::BTreeMap;
use vectordoc::{Error, Filter, Include, Query, Result, Value};
use wasm_bindgen::JsValue;

/// What `include` says for all fields with the vectors.
const EVERYTHING: &str = "*";

/// The options given, by name.
pub(crate) struct Options(BTreeMap<String, Value>);

impl Options {
    /// The options of a call that knows the names `known`.
    pub(crate) fn new(options: JsValue, known: &[&str]) -> Result<Self> {
        let mut options = match Input::new(options).value()? {
            Value::Null => BTreeMap::new(),
            Value::Object(options) => options,
            other => {
                let other = other.describe();
                return Err(Error::invalid(format!("options are an object, not {other}")));
            }
        };
        if let Some(name) = options.keys().find(|name| !known.contains(&name.as_str())) {
            let known = known.join(", ");
            return Err(Error::invalid(format!("unknown option {name:?}; there are {known}")));
        }
        options.retain(|_, value| !value.is_null());
        Ok(Self(options))
    }

    /// Reads all that a search knows; `vector` is what it searches for.
    pub(crate) fn query(options: JsValue, vector: Vec<f32>) -> Result<Query> {
        const KNOWN: [&str; 8] =
            ["limit", "offset", "filter", "include", "field", "ef", "exact", "minScore"];
        let mut options = Self::new(options, &KNOWN)?;
        let default = Query::new(vector);
        Ok(Query {
            limit: options.take("limit", whole_number)?.unwrap_or(default.limit),
            offset: options.take("offset", whole_number)?.unwrap_or(default.offset),
            filter: options.filter()?,
            include: options.include()?,
            field: options.take("field", text)?,
            ef: options.take("ef", whole_number)?,
            exact: options.take("exact", boolean)?.unwrap_or(default.exact),
            min_score: options.take("minScore", number)?,
            ..default
        })
    }

    /// Takes `filter`; without it, every document passes.
    pub(crate) fn filter(&mut self) -> Result<Filter> {
        self.take("filter", |filter| Filter::from_value(&filter)).map(Option::unwrap_or_default)
    }

    /// Takes `include`; without it, all values and no vectors.
    pub(crate) fn include(&mut self) -> Result<Include> {
        self.take("include", include).map(Option::unwrap_or_default)
    }

    fn take<T>(&mut self, name: &str, read: fn(Value) -> Result<T>) -> Result<Option<T>> {
        let read = |value| read(value).map_err(|error| error.within(name));
        self.0.remove(name).map(read).transpose()
    }
}

fn include(value: Value) -> Result<Include> {
    match value {
        Value::Text(text) if text == EVERYTHING => Ok(Include::Everything),
        Value::Array(names) if names.is_empty() => Ok(Include::Nothing),
        Value::Array(names) => {
            names.into_iter().map(text).collect::<Result<_>>().map(Include::Fields)
        }
        other => Err(wanted(r#"an array of field names, or "*" for all"#, &other)),
    }
}

fn whole_number(value: Value) -> Result<usize> {
    match value {
        Value::Int(number) if let Ok(number) = usize::try_from(number) => Ok(number),
        other => Err(wanted("a whole number", &other)),
    }
}

fn number(value: Value) -> Result<f32> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "scores are f32")]
        Value::Int(number) => Ok(number as f32),
        #[expect(clippy::cast_possible_truncation, reason = "scores are f32")]
        Value::Float(number) => Ok(number as f32),
        other => Err(wanted("a number", &other)),
    }
}

fn text(value: Value) -> Result<String> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(wanted("the name of a field", &other)),
    }
}

fn boolean(value: Value) -> Result<bool> {
    match value {
        Value::Bool(boolean) => Ok(boolean),
        other => Err(wanted("true or false", &other)),
    }
}

fn wanted(what: &str, value: &Value) -> Error {
    Error::invalid(format!("it is {what}, not {}", value.describe()))
}
