//! A time as it is typed: `500ms`, `30s`, `5m`, `2h`, `1d`.

use super::config::{Kind, Value};
use crate::limits::{IDLE_MAX, IDLE_MIN};
use std::{fmt, str::FromStr, time::Duration};

/// Milliseconds that a database may be idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) u64);

const BOUNDS: Kind = Kind::Duration(millis(IDLE_MIN), millis(IDLE_MAX));

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match BOUNDS.read(text)? {
            Value::Duration(time) => Ok(Self(millis(time))),
            _ => Err(BOUNDS.expected(&text)),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = BOUNDS.to_toml(&Value::Duration(Duration::from_millis(self.0)));
        f.write_str(text.trim_matches('"'))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "bounds are far below")]
const fn millis(time: Duration) -> u64 {
    time.as_millis() as u64
}
