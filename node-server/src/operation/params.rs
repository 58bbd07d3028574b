//! The parameters of one request: found by name, each read once its type is known. What an
//! operation does not know is refused with the nearest name it does.

use super::shape::Field;
use crate::encoding::Raw;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};
use std::{borrow::Cow, fmt};
use vectordoc::{Error, Result, schema::unknown_name};

/// What an operation is asked with, as its client sent it.
pub(crate) struct Input<'a> {
    /// An object of parameters, if there is one.
    pub(crate) object: Option<Raw<'a>>,
    /// Parameters from elsewhere, such as a path.
    pub(crate) named: Vec<(&'static str, Raw<'a>)>,
}

impl Input<'_> {
    /// How long it is.
    pub(super) fn bytes(&self) -> usize {
        let named = self.named.iter().map(|(_, value)| value);
        self.object.iter().chain(named).map(|value| value.as_bytes().len()).sum()
    }
}

impl<'a> From<Option<Raw<'a>>> for Input<'a> {
    fn from(object: Option<Raw<'a>>) -> Self {
        Self { object, named: Vec::new() }
    }
}

/// Parameters by name, each still as the client sent it.
pub(super) struct Params<'a>(Vec<(&'static str, Raw<'a>)>);

impl<'a> Params<'a> {
    /// Splits `input` into the parameters `known`.
    pub(super) fn parse(input: Input<'a>, known: &'static [Field]) -> Result<Self> {
        let Input { object, named } = input;
        let mut params = match object {
            Some(object) => read("params", object, ParamsSeed(known))?,
            None => Vec::new(),
        };
        if let Some((name, _)) = named.iter().find(|(name, _)| is_given(&params, name)) {
            return Err(twice(name).within("params"));
        }
        params.extend(named);
        Ok(Self(params))
    }

    /// The parameter `name`; `invalid` when it is missing.
    pub(super) fn required<T: Deserialize<'a>>(&self, name: &str) -> Result<T> {
        self.optional(name)?.ok_or_else(|| missing(name))
    }

    /// The parameter `name`, if it is given and not null.
    pub(super) fn optional<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>> {
        self.raw(name).map(|raw| read(name, raw, std::marker::PhantomData)).transpose()
    }

    /// The parameter `name`, read by `seed`; `invalid` when it is missing.
    pub(super) fn seeded<S: DeserializeSeed<'a>>(&self, name: &str, seed: S) -> Result<S::Value> {
        read(name, self.raw(name).ok_or_else(|| missing(name))?, seed)
    }

    /// Whether the parameter `name` is given and not null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    fn raw(&self, name: &str) -> Option<Raw<'a>> {
        let (_, raw) = self.0.iter().find(|(known, _)| *known == name)?;
        (!raw.is_null()).then_some(*raw)
    }
}

fn read<'a, S: DeserializeSeed<'a>>(name: &str, raw: Raw<'a>, seed: S) -> Result<S::Value> {
    let invalid = |error| Error::invalid(format!("{name}: {}", without_position(&error)));
    raw.seeded(seed).map_err(invalid)
}

fn missing(name: &str) -> Error {
    Error::invalid(format!("parameter {name:?} is missing"))
}

/// What a JSON error says, without its position: that is a place in a part of the message, which
/// the client never sees as a whole.
pub(super) fn without_position(error: &impl fmt::Display) -> String {
    let mut text = error.to_string();
    if let Some(at) = text.rfind(" at line ") {
        text.truncate(at);
    }
    text
}

fn is_given(params: &[(&'static str, Raw<'_>)], name: &str) -> bool {
    params.iter().any(|(given, _)| *given == name)
}

fn twice(name: &str) -> Error {
    Error::invalid(format!("parameter {name:?} is there twice"))
}

/// Reads an object whose keys are among these.
struct ParamsSeed(&'static [Field]);

impl<'de> DeserializeSeed<'de> for ParamsSeed {
    type Value = Vec<(&'static str, Raw<'de>)>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ParamsSeed {
    type Value = Vec<(&'static str, Raw<'de>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the parameters by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut params: Self::Value = Vec::new();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let known = self.0.iter().map(|field| field.name);
            let Some(name) = known.clone().find(|known| *known == name) else {
                return Err(de::Error::custom(unknown_name("parameter", &name, known)));
            };
            if is_given(&params, name) {
                return Err(de::Error::custom(twice(name)));
            }
            params.push((name, map.next_value()?));
        }
        Ok(params)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::shape::{DB, Kind},
        *,
    };

    const KNOWN: &[Field] =
        &[DB, Field::optional("limit", Kind::Count, "How many there are at most.")];

    fn parse(json: &str) -> Result<Params<'_>> {
        Params::parse(Some(Raw::Json(json)).into(), KNOWN)
    }

    fn message<T>(result: Result<T>) -> String {
        result.err().map(|error| error.message().to_string()).unwrap_or_default()
    }

    #[test]
    fn an_unknown_parameter_is_refused_with_the_nearest_name() {
        let refused = message(parse(r#"{"db": "a", "lmit": 3}"#));
        assert_eq!(refused, r#"params: unknown parameter "lmit"; did you mean "limit"?"#);
    }

    #[test]
    fn a_parameter_given_twice_is_refused() {
        let refused = message(parse(r#"{"db": "a", "db": "b"}"#));
        assert_eq!(refused, r#"params: parameter "db" is there twice"#);
    }

    #[test]
    fn a_parameter_of_the_wrong_type_is_named() -> Result<()> {
        let params = parse(r#"{"limit": -1}"#)?;
        let refused = message(params.optional::<usize>("limit"));
        assert_eq!(refused, "limit: invalid value: integer `-1`, expected usize");
        assert_eq!(message(params.required::<&str>("db")), r#"parameter "db" is missing"#);
        Ok(())
    }

    #[test]
    fn null_is_not_given() -> Result<()> {
        let params = parse(r#"{"limit": null}"#)?;
        assert_eq!(params.optional::<usize>("limit")?, None);
        assert!(!params.has("limit"));
        Ok(())
    }
}
