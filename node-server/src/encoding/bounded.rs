//! Bytes that refuse to grow beyond a bound.

use std::{fmt, io};
use vectordoc::Error;

/// What is written, and whether it became too long.
pub(super) struct Bounded {
    pub(super) bytes: Vec<u8>,
    bytes_max: usize,
    is_exceeded: bool,
}

/// There is no room.
#[derive(Debug)]
pub(super) struct TooLong;

impl Bounded {
    /// Room for `bytes_max` bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes: Vec::new(), bytes_max, is_exceeded: false }
    }

    /// The bytes, if the answer was `written`; the string says what went wrong.
    pub(super) fn finish(self, written: Result<(), String>) -> Result<Vec<u8>, Error> {
        match written {
            Ok(()) => Ok(self.bytes),
            Err(_) if self.is_exceeded => Err(Error::limit_exceeded(format!(
                "the answer is longer than {} bytes; ask for fewer documents, or with `include` \
                 for fewer fields",
                self.bytes_max
            ))),
            Err(error) => Err(Error::internal(format!("the answer cannot be written: {error}"))),
        }
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if bytes.len() > self.bytes_max.saturating_sub(self.bytes.len()) {
            self.is_exceeded = true;
            return Err(TooLong);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is too long")
    }
}

impl std::error::Error for TooLong {}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl minicbor::encode::Write for Bounded {
    type Error = TooLong;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        self.append(bytes)
    }
}
