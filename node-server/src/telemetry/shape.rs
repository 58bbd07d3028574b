//! What a request asked for, without what it carried: limits and the filter, counts of vectors,
//! documents and ids.

use crate::encoding::Raw;
use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{
    borrow::Cow,
    fmt::{self, Write},
};
use vectordoc::Value;

/// Characters of one value that a log shows.
const TEXT_CHARS_MAX: usize = 500;

/// Parameters whose value says what a request costs.
const SHOWN: [&str; 12] = [
    "filter",
    "limit",
    "offset",
    "ef",
    "exact",
    "min_score",
    "field",
    "text_field",
    "group_by",
    "group_size",
    "explain",
    "durability",
];
/// Parameters of which it is enough to know how many elements they have.
const COUNTED: [&str; 6] = ["docs", "ids", "vectors", "like", "unlike", "except"];

/// The shape of a request, as one line.
#[derive(Debug, Default)]
pub(super) struct Shape(String);

impl Shape {
    /// Of a request with these parameters; empty when they cannot be read.
    pub(super) fn of(params: Option<Raw<'_>>) -> Self {
        params.and_then(|params| params.read().ok()).unwrap_or_default()
    }

    fn push(&mut self, name: &str, value: impl fmt::Display) {
        let space = if self.0.is_empty() { "" } else { " " };
        // Writing to a string does not fail.
        let _ = write!(self.0, "{space}{name}={value}");
    }

    fn add(&mut self, name: &str, raw: Raw<'_>) {
        if SHOWN.contains(&name) {
            self.push(name, Text::of(raw));
        } else if COUNTED.contains(&name)
            && let Ok(Count(count)) = raw.read()
        {
            self.push(name, count);
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Params;

        impl<'de> Visitor<'de> for Params {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
                let mut shape = Shape::default();
                while let Some(name) = map.next_key::<Cow<'de, str>>()? {
                    shape.add(&name, map.next_value()?);
                }
                Ok(shape)
            }
        }

        input.deserialize_map(Params)
    }
}

/// A value as the beginning of its JSON, in which nothing breaks a line.
struct Text(String);

impl Text {
    fn of(raw: Raw<'_>) -> Self {
        let value = raw.read::<Value>().ok();
        let json = value.and_then(|value| serde_json::to_string(&value).ok()).unwrap_or_default();
        match json.char_indices().nth(TEXT_CHARS_MAX) {
            Some((end, _)) => Self(format!("{}…", &json[..end])),
            None => Self(json),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many elements an array has.
struct Count(usize);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Elements;

        impl<'de> Visitor<'de> for Elements {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Count, A::Error> {
                let mut count = 0;
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Count(count))
            }
        }

        input.deserialize_seq(Elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(params: &str) -> String {
        Shape::of(Some(Raw::Json(params))).to_string()
    }

    #[test]
    fn it_says_what_a_request_costs_and_not_what_it_carries() {
        let search = r#"{"db": "a", "vector": [0.125, 9], "limit": 10, "ef": 64, "text": "secret",
            "filter": {"name": {"$eq": "x\ny"}}, "ids": ["p1", "p2"]}"#;
        assert_eq!(shape(search), r#"limit=10 ef=64 filter={"name":{"$eq":"x\ny"}} ids=2"#);
        assert_eq!(shape(r#"{"docs": [{"id": "p1", "title": "secret"}], "db": "a"}"#), "docs=1");
        assert_eq!(shape("[1]"), "");
        assert_eq!(Shape::of(None).to_string(), "");
    }

    #[test]
    fn what_is_long_is_cut() {
        let filter = format!(r#"{{"filter": {{"name": "{}"}}}}"#, "é".repeat(TEXT_CHARS_MAX));
        let shown = shape(&filter);
        assert!(shown.ends_with("é…"), "{shown}");
        assert_eq!(shown.chars().count(), "filter=".len() + TEXT_CHARS_MAX + 1);
    }
}
