//! A key as a client has it: `vd_<id>_<secret>`.

use crate::random::random_bytes;
use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use std::fmt;
use vectordoc::{Error, Result};

/// By this, scanners for secrets find keys in files where they should not be.
const PREFIX: &str = "vd_";
/// Crockford's base 32 in lower case: no letter looks like a digit, and one character is 5 bits.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ID_CHARS: usize = 10;
/// 260 random bits.
const SECRET_CHARS: usize = 52;
/// 20 bits of the SHA-256 of everything before, so that a key that was cut off or mistyped is told
/// apart from one that is unknown.
const CHECK_CHARS: usize = 4;

/// A whole key, secret included. Not shown by `Debug`, and by nothing but
/// [`reveal`](Self::reveal).
#[derive(Clone)]
pub struct Token {
    text: String,
}

/// The SHA-256 of a whole key.
pub(super) type Digest = [u8; SHA256_OUTPUT_LEN];

impl Token {
    /// A new key, out of the system's randomness.
    pub fn generate() -> Result<Self> {
        let (id, secret) = (random::<ID_CHARS>()?, random::<SECRET_CHARS>()?);
        let mut text = format!("{PREFIX}{id}_{secret}");
        text.push_str(&check(&text));
        Ok(Self { text })
    }

    /// Reads a key; `unauthenticated` when it cannot be one, which says nothing of what it is.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if Self::is_whole(text) {
            return Ok(Self { text: text.into() });
        }
        Err(Error::new(
            vectordoc::ErrorKind::Unauthenticated,
            "what was sent as a key is none, or is mistyped or cut off: a key is \
             vd_<id>_<secret>, as `vectordoc key create` printed it",
        ))
    }

    /// The public part, by which keys are listed and revoked.
    pub fn id(&self) -> &str {
        &self.text[PREFIX.len()..PREFIX.len() + ID_CHARS]
    }

    /// The whole key, for its owner.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// What is stored of it.
    pub(super) fn digest(&self) -> Digest {
        sha256(&self.text)
    }

    fn is_whole(text: &str) -> bool {
        const LENGTH: usize = PREFIX.len() + ID_CHARS + 1 + SECRET_CHARS + CHECK_CHARS;
        if text.len() != LENGTH || !text.is_ascii() {
            return false;
        }
        let (checked, sum) = text.split_at(LENGTH - CHECK_CHARS);
        let parts = checked.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_'));
        let shaped = parts.is_some_and(|(id, secret)| is_id(id) && in_alphabet(secret));
        shaped && check(checked) == sum
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_…", self.id())
    }
}

/// Whether `text` can be the id of a key.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == ID_CHARS && in_alphabet(text)
}

fn in_alphabet(text: &str) -> bool {
    text.bytes().all(|byte| ALPHABET.contains(&byte))
}

/// `N` random characters.
fn random<const N: usize>() -> Result<String> {
    random_bytes::<N>().map(|bytes| in_base_32(&bytes))
}

/// The low 5 bits of each byte as a character; 32 divides 256, so random bytes stay fair.
fn in_base_32(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

fn check(text: &str) -> String {
    in_base_32(&sha256(text)[..CHECK_CHARS])
}

fn sha256(text: &str) -> Digest {
    let mut hash = [0; SHA256_OUTPUT_LEN];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_no_other_text_does() -> Result<()> {
        let token = Token::generate()?;
        let text = token.reveal();
        assert_eq!(Token::parse(&format!(" {text}\n"))?.digest(), token.digest());
        let (last, rest) = (text.len() - 1, &text[..text.len() - 1]);
        let other = if text.ends_with('0') { "1" } else { "0" };
        for wrong in ["", "vd_", rest, &text[1..], &format!("{rest}{other}"), &"é".repeat(35)] {
            let error = Token::parse(wrong).expect_err("it is no key");
            assert_eq!(error.kind(), vectordoc::ErrorKind::Unauthenticated);
            assert!(wrong.len() < 4 || !error.message().contains(wrong), "{error}");
        }
        assert_eq!(last, 69);
        Ok(())
    }

    #[test]
    fn debug_hides_the_secret() -> Result<()> {
        let token = Token::generate()?;
        let shown = format!("{token:?}");
        assert_eq!(shown, format!("vd_{}_…", token.id()));
        Ok(())
    }

    #[test]
    fn two_keys_differ_in_every_part() -> Result<()> {
        let (a, b) = (Token::generate()?, Token::generate()?);
        assert_ne!(a.id(), b.id());
        assert_ne!(a.reveal()[14..66], b.reveal()[14..66]);
        Ok(())
    }
}
