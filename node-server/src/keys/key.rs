//! What a server knows of a key.

use super::{
    Role, Scope, Token,
    token::{Digest, is_id},
};
use crate::limits::KEY_NAME_CHARS_MAX;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, time::SystemTime};
use subtle::ConstantTimeEq;
use vectordoc::{Error, Result, Timestamp};

/// A key without its secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    #[serde(deserialize_with = "read_id")]
    id: String,
    name: String,
    role: Role,
    dbs: Scope,
    created: String,
    #[serde(serialize_with = "write_hex", deserialize_with = "read_hex")]
    sha256: Digest,
}

impl Key {
    /// The key that `token` opens, created now; `invalid` when `name` cannot be shown in one line,
    /// `limit_exceeded` when it is too long.
    pub fn new(token: &Token, name: &str, role: Role, scope: Scope) -> Result<Self> {
        check_name(name)?;
        Ok(Self {
            id: token.id().into(),
            name: name.into(),
            role,
            dbs: scope,
            created: Timestamp::try_from(SystemTime::now())?.to_string(),
            sha256: token.digest(),
        })
    }

    /// The part of it that is no secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What its owner calls it; may be empty.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it may do.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Where it may do it.
    pub fn scope(&self) -> &Scope {
        &self.dbs
    }

    /// When it was created, in RFC 3339.
    pub fn created(&self) -> &str {
        &self.created
    }

    /// Whether `token` is this key, in a time that does not depend on how much of it is right.
    pub fn is_opened_by(&self, token: &Token) -> bool {
        self.sha256.ct_eq(&token.digest()).into()
    }
}

/// A hash of a secret is of no use in a log either.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {} ({} on {})", self.id, self.role, self.dbs)
    }
}

fn check_name(name: &str) -> Result<()> {
    let chars = name.chars().count();
    if chars > KEY_NAME_CHARS_MAX {
        return Err(Error::limit_exceeded(format!(
            "the key's name has {chars} characters, the limit is {KEY_NAME_CHARS_MAX}"
        )));
    }
    match name.chars().find(|char| char.is_control()) {
        Some(char) => {
            Err(Error::invalid(format!("the key's name has the control character {char:?}")))
        }
        None => Ok(()),
    }
}

fn read_id<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let id = String::deserialize(input)?;
    if is_id(&id) { Ok(id) } else { Err(de::Error::custom(format!("{id:?} is no id of a key"))) }
}

fn write_hex<S: Serializer>(digest: &Digest, output: S) -> Result<S::Ok, S::Error> {
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    output.serialize_str(&hex)
}

fn read_hex<'de, D: Deserializer<'de>>(input: D) -> Result<Digest, D::Error> {
    let text = String::deserialize(input)?;
    let mut digest = Digest::default();
    if text.len() != 2 * digest.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(de::Error::custom("sha256 is not 64 hexadecimal digits"));
    }
    for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(de::Error::custom)?;
        *byte = u8::from_str_radix(pair, 16).map_err(de::Error::custom)?;
    }
    Ok(digest)
}
