//! Random bytes of the system, and names made of them.

use ring::rand::{SecureRandom, SystemRandom};
use std::fmt::Write;
use vectordoc::{Error, Result};

/// `N` random bytes.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Error::internal("the system gives no random numbers"))?;
    Ok(bytes)
}

/// `N` of them in hexadecimal digits.
pub(crate) fn random_hex<const N: usize>() -> Result<String> {
    let mut text = String::with_capacity(2 * N);
    for byte in random_bytes::<N>()? {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// A name that nothing else has.
pub(crate) fn random_name() -> Result<String> {
    random_hex::<16>()
}
