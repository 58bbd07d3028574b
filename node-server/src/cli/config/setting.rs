//! One setting, and how a value becomes a field of [`Settings`].

use super::{
    kind::{Kind, Value},
    settings::{LogFormat, Settings},
};
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use vectordoc::native::Residence;

/// One row of the table of settings.
pub(crate) struct Setting {
    /// Its name in a file, with the table it is in: `limits.connections_max`.
    pub(crate) key: &'static str,
    /// What it may be.
    pub(crate) kind: Kind,
    /// What it is, in a line.
    pub(crate) about: &'static str,
    /// Takes a value of its kind over; not, when it is of another.
    pub(crate) set: fn(&mut Settings, Value) -> bool,
    /// Its value.
    pub(crate) get: fn(&Settings) -> Value,
}

impl Setting {
    /// The name of its variable: `VECTORDOC_LIMITS_CONNECTIONS_MAX`.
    pub(crate) fn variable(&self) -> String {
        format!("VECTORDOC_{}", self.key.replace('.', "_").to_ascii_uppercase())
    }

    /// Its flag without the dashes: `connections-max`; what is no limit has the name of its table.
    pub(crate) fn flag(&self) -> String {
        self.key.strip_prefix("limits.").unwrap_or(self.key).replace(['.', '_'], "-")
    }

    /// Whether it is one of the bounds, which few people set.
    pub(crate) fn is_limit(&self) -> bool {
        self.key.starts_with("limits.")
    }
}

/// A type that settings have.
pub(super) trait Field: Sized {
    fn from_value(value: Value) -> Option<Self>;
    fn to_value(&self) -> Value;
}

impl Field for usize {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.try_into().ok(),
            _ => None,
        }
    }

    fn to_value(&self) -> Value {
        Value::Number(u64::try_from(*self).unwrap_or(u64::MAX))
    }
}

impl Field for u64 {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    fn to_value(&self) -> Value {
        Value::Number(*self)
    }
}

impl Field for Duration {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Duration(time) => Some(time),
            _ => None,
        }
    }

    fn to_value(&self) -> Value {
        Value::Duration(*self)
    }
}

impl Field for bool {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Switch(on) => Some(on),
            _ => None,
        }
    }

    fn to_value(&self) -> Value {
        Value::Switch(*self)
    }
}

impl Field for Vec<String> {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    fn to_value(&self) -> Value {
        Value::List(self.clone())
    }
}

/// Types that are written as a text.
macro_rules! text_fields {
    ($($type:ty: |$text:ident| $read:expr, |$field:ident| $write:expr;)*) => {$(
        impl Field for $type {
            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::Text($text) => $read,
                    _ => None,
                }
            }

            fn to_value(&self) -> Value {
                let $field = self;
                Value::Text($write)
            }
        }
    )*};
}

text_fields! {
    String: |text| Some(text), |text| text.clone();
    PathBuf: |text| Some(text.into()), |path| path.to_string_lossy().into_owned();
    SocketAddr: |text| text.parse().ok(), |address| address.to_string();
    Residence: |text| Self::parse(&text).ok(), |residence| {
        let named = Self::NAMES.iter().find(|(_, named)| named == residence);
        named.map(|(name, _)| (*name).to_owned()).unwrap_or_default()
    };
    LogFormat: |text| match text.as_str() {
        "text" => Some(Self::Text),
        "json" => Some(Self::Json),
        _ => None,
    }, |format| match format {
        Self::Text => "text",
        Self::Json => "json",
    }.into();
}
