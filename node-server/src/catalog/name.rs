//! The names databases are served under.

use std::fmt;
use vectordoc::{Error, Result};

/// The name of a served database: 1 to 64 of `a-z`, `0-9`, `_` and `-`. It is also the name of the
/// database's directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Bytes of the longest name.
    pub const BYTES_MAX: usize = 64;

    /// `text` as a name; `invalid` when it is none.
    pub fn parse(text: &str) -> Result<Self> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        if !text.is_empty() && text.len() <= Self::BYTES_MAX && text.bytes().all(allowed) {
            return Ok(Self(text.into()));
        }
        let shown: String = text.chars().take(Self::BYTES_MAX).collect();
        Err(Error::invalid(format!(
            "{shown:?} cannot name a database: a name is 1 to {} of a-z, 0-9, _ and -",
            Self::BYTES_MAX
        )))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
