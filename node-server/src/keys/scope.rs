//! Where a key may do it.

use crate::{Name, limits::KEY_DBS_MAX};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{collections::BTreeSet, fmt};
use vectordoc::{Error, Result};

/// The databases a key is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every database, also those created later.
    All,
    /// These, whether they exist yet or not.
    Only(BTreeSet<Name>),
}

impl Scope {
    /// The databases `names`, or all when there is no name; `invalid` when one cannot be a name,
    /// `limit_exceeded` when there are too many.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let names = names.into_iter().map(Name::parse).collect::<Result<BTreeSet<_>>>()?;
        match names.len() {
            0 => Ok(Self::All),
            1..=KEY_DBS_MAX => Ok(Self::Only(names)),
            count => Err(Error::limit_exceeded(format!(
                "the key names {count} databases, the limit is {KEY_DBS_MAX}; leave the databases \
                 out for a key to all of them"
            ))),
        }
    }

    /// Whether it has the database `name`.
    pub fn holds(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|allowed| allowed.as_str() == name),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all databases"),
            Self::Only(names) => {
                let names: Vec<_> = names.iter().map(Name::as_str).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}

/// Serialized, a scope is the list of its databases, or null for all.
impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => output.serialize_none(),
            Self::Only(names) => output.collect_seq(names.iter().map(Name::as_str)),
        }
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let Some(names) = Option::<Vec<String>>::deserialize(input)? else {
            return Ok(Self::All);
        };
        // An empty list is not "all": whoever removed the last name did not mean that.
        if names.is_empty() {
            return Err(de::Error::custom("a key's list of databases is empty; null means all"));
        }
        Self::of(names.iter().map(String::as_str)).map_err(de::Error::custom)
    }
}
