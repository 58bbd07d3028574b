//! What a setting may be, how it is written, and what is said when it is something else.

use crate::{BucketOptions, cli::traces::MISSING};
use axum::http::uri::Authority;
use std::{fmt, net::SocketAddr, time::Duration};
use tracing_subscriber::EnvFilter;
use vectordoc::schema::unknown_name;

/// What a setting may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A number from the first to the second.
    Count(u64, u64),
    /// The same in bytes, also written `8MiB`.
    Bytes(u64, u64),
    /// A time of this many milliseconds to that many, written `20s`.
    Duration(u64, u64),
    /// An address with a port.
    Address,
    /// A host with a port, or nothing.
    HostIfAny,
    /// A path of a file or directory.
    Path,
    /// A path, or nothing.
    PathIfAny,
    /// What is logged, in the syntax of tracing.
    Filter,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A URL of a collector of traces, or nothing.
    Collector,
    /// Where databases rest, `s3://BUCKET/PREFIX`, or nothing.
    Bucket,
    /// A URL of a web service, or nothing.
    Endpoint,
    /// A word such as the name of something, or nothing.
    Word,
    /// Yes or no.
    Switch,
    /// Several texts; with commas where only one text can be given.
    List,
}

/// The value of a setting, checked against its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Number(u64),
    Duration(Duration),
    Text(String),
    Switch(bool),
    List(Vec<String>),
}

const BYTE_UNITS: [(&str, u64); 4] =
    [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const TIME_UNITS_MS: [(&str, u64); 5] =
    [("ms", 1), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

impl Kind {
    /// What stands for a value in help.
    pub(crate) fn placeholder(self) -> &'static str {
        match self {
            Self::Count(..) => "N",
            Self::Bytes(..) => "BYTES",
            Self::Duration(..) => "TIME",
            Self::Address => "ADDRESS:PORT",
            Self::HostIfAny => "HOST:PORT",
            Self::Path | Self::PathIfAny => "PATH",
            Self::Filter => "FILTER",
            Self::Choice(_) => "WORD",
            Self::Collector | Self::Bucket | Self::Endpoint => "URL",
            Self::Word => "NAME",
            Self::Switch => "true|false",
            Self::List => "LIST",
        }
    }

    /// Reads a value from text, as flags and variables have it; otherwise, what is wrong with it.
    pub(crate) fn read(self, text: &str) -> Result<Value, String> {
        match self {
            Self::Count(..) => self.number(text.parse().map_err(|_| self.expected(&text))?),
            Self::Bytes(..) => self.number(bytes(text).ok_or_else(|| self.expected(&text))?),
            Self::Duration(..) => self.duration(text),
            Self::Address => match text.parse::<SocketAddr>() {
                Ok(_) => Ok(Value::Text(text.into())),
                Err(_) => Err(self.expected(&text)),
            },
            Self::HostIfAny if text.is_empty() => Ok(Value::Text(String::new())),
            Self::HostIfAny => match text.rsplit_once(':') {
                Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                    Ok(Value::Text(text.into()))
                }
                _ => Err(self.expected(&text)),
            },
            Self::PathIfAny => Ok(Value::Text(text.into())),
            Self::Path if text.is_empty() => Err("it is empty".into()),
            Self::Path => Ok(Value::Text(text.into())),
            Self::Filter => match EnvFilter::try_new(text) {
                Ok(_) if !text.is_empty() => Ok(Value::Text(text.into())),
                Ok(_) => Err(self.expected(&text)),
                Err(error) => Err(format!("{} ({error})", self.expected(&text))),
            },
            Self::Choice(words) => match words.contains(&text) {
                true => Ok(Value::Text(text.into())),
                false => Err(unknown_name("word", text, words.iter().copied()).message().into()),
            },
            Self::Collector if text.is_empty() => Ok(Value::Text(String::new())),
            Self::Collector if !cfg!(feature = "otel") => Err(MISSING.into()),
            Self::Collector => match text.strip_prefix("http://").map(str::parse::<Authority>) {
                Some(Ok(_)) => Ok(Value::Text(text.into())),
                _ => Err(self.expected(&text)),
            },
            Self::Bucket | Self::Endpoint | Self::Word if text.is_empty() => {
                Ok(Value::Text(String::new()))
            }
            Self::Bucket if !cfg!(feature = "object-storage") => {
                Err("this build has no object storage; build it with the feature `object-storage`"
                    .into())
            }
            Self::Bucket => match BucketOptions::place(text) {
                Ok(_) => Ok(Value::Text(text.into())),
                Err(_) => Err(self.expected(&text)),
            },
            Self::Endpoint => {
                let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
                match host.map(|host| host.trim_end_matches('/').parse::<Authority>()) {
                    // Who is allowed what is no business of a setting that is shown.
                    Some(Ok(host)) if !host.as_str().contains('@') => Ok(Value::Text(text.into())),
                    _ => Err(self.expected(&text)),
                }
            }
            Self::Word => {
                let is_word = |c: char| c.is_ascii_alphanumeric() || "._-:/".contains(c);
                match !text.is_empty() && text.len() <= 253 && text.chars().all(is_word) {
                    true => Ok(Value::Text(text.into())),
                    false => Err(self.expected(&text)),
                }
            }
            Self::Switch => match text {
                "true" => Ok(Value::Switch(true)),
                "false" => Ok(Value::Switch(false)),
                _ => Err(self.expected(&text)),
            },
            Self::List => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Ok(Value::List(items.map(str::to_owned).collect()))
            }
        }
    }

    /// A number, if it is within the bounds.
    pub(crate) fn number(self, number: u64) -> Result<Value, String> {
        match self {
            Self::Count(min, max) if (min..=max).contains(&number) => Ok(Value::Number(number)),
            Self::Bytes(min, max) if (min..=max).contains(&number) => Ok(Value::Number(number)),
            _ => Err(self.expected(&number)),
        }
    }

    /// That `given` is not what it should be, and what that is.
    pub(crate) fn expected(self, given: &dyn fmt::Debug) -> String {
        match self {
            Self::Count(min, max) => format!("{given:?} is not a number from {min} to {max}"),
            Self::Bytes(min, max) => format!(
                "{given:?} is not a number of bytes from {} to {}, such as 65536 or 8MiB",
                in_units(min, &BYTE_UNITS),
                in_units(max, &BYTE_UNITS)
            ),
            Self::Duration(min, max) => format!(
                "{given:?} is not a time from {} to {}, such as 500ms, 20s or 5m",
                time(min),
                time(max)
            ),
            Self::Address => {
                format!("{given:?} is not an address with a port, such as 127.0.0.1:7700")
            }
            Self::HostIfAny => {
                format!("{given:?} is not a host with a port, such as node-1.example.org:7800")
            }
            Self::Path | Self::PathIfAny => format!("{given:?} is not a text"),
            Self::Filter => {
                format!("{given:?} is not what to log, such as warn or info,vectordoc=debug")
            }
            Self::Choice(words) => format!("{given:?} is not one of {}", words.join(", ")),
            Self::Collector => format!(
                "{given:?} is not a collector such as http://127.0.0.1:4317; what is beyond this \
                 machine's network is reached through one within"
            ),
            Self::Bucket => {
                format!("{given:?} is no place to rest, such as s3://BUCKET or s3://BUCKET/PREFIX")
            }
            Self::Endpoint => format!(
                "{given:?} is no web service such as https://s3.example.org or http://127.0.0.1:9000"
            ),
            Self::Word => {
                format!("{given:?} is not a name of up to 253 letters, digits, and . _ - : /")
            }
            Self::Switch => format!("{given:?} is neither true nor false"),
            Self::List => format!("{given:?} is not a list of texts"),
        }
    }

    /// How TOML has the value.
    pub(crate) fn to_toml(self, value: &Value) -> String {
        let quoted = |text: &str| toml::Value::String(text.into()).to_string();
        match (self, value) {
            (Self::Bytes(..), Value::Number(number)) => quoted(&in_units(*number, &BYTE_UNITS)),
            (_, Value::Number(number)) => number.to_string(),
            (_, Value::Duration(value)) => quoted(&time(millis(*value))),
            (_, Value::Text(text)) => quoted(text),
            (_, Value::Switch(on)) => on.to_string(),
            (_, Value::List(items)) => {
                let items: Vec<_> = items.iter().map(|item| quoted(item)).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }

    fn duration(self, text: &str) -> Result<Value, String> {
        let Self::Duration(min, max) = self else {
            return Err(self.expected(&text));
        };
        let in_unit = |(unit, size): &(&str, u64)| {
            let number: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
            number.checked_mul(*size)
        };
        let millis = TIME_UNITS_MS.iter().find_map(in_unit);
        let millis = millis.filter(|millis| (min..=max).contains(millis));
        let millis = millis.ok_or_else(|| self.expected(&text))?;
        Ok(Value::Duration(Duration::from_millis(millis)))
    }
}

fn bytes(text: &str) -> Option<u64> {
    let in_unit = |(unit, size): &(&str, u64)| {
        let number: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
        number.checked_mul(*size)
    };
    text.parse().ok().or_else(|| BYTE_UNITS.iter().find_map(in_unit))
}

/// A number of bytes or milliseconds in the greatest of `units` that needs no fraction.
fn in_units(number: u64, units: &[(&str, u64)]) -> String {
    let whole = |(_, size): &&(&str, u64)| number > 0 && number.is_multiple_of(*size);
    match units.iter().find(whole) {
        Some((unit, size)) => format!("{}{unit}", number / size),
        None => format!("{number}{}", units.last().map_or("", |(unit, _)| unit)),
    }
}

fn time(millis: u64) -> String {
    let mut units = TIME_UNITS_MS;
    units.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    in_units(millis, &units)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
