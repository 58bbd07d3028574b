//! What a key may do.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use vectordoc::{Error, Result, schema::unknown_name};

/// What a key may do; each role may do what the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Search and read documents.
    Read,
    /// Write and delete documents.
    Write,
    /// Create and drop databases.
    Admin,
}

impl Role {
    /// Every role, the weakest first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|role| role.name() == text);
        known.ok_or_else(|| unknown_name("role", text, Self::ALL.into_iter().map(Self::name)))
    }
}
