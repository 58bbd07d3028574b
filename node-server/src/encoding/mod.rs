//! How requests and answers are written. Operations read parameters and return answers by serde; an
//! encoding is what stands between that and bytes, so that there is one of each operation.

mod bounded;
mod cbor;
mod raw;

use bounded::Bounded;
use serde::Serialize;
use vectordoc::Error;

pub(crate) use raw::{Raw, Unreadable};

/// The encodings there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// JSON (RFC 8259).
    Json,
    /// CBOR (RFC 8949), vectors as typed arrays (RFC 8746).
    Cbor,
}

impl Encoding {
    /// What people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Cbor => "CBOR",
        }
    }

    /// Writes `message`; `limit_exceeded` when that is longer than `bytes_max`.
    pub(crate) fn write(
        self,
        message: &impl Serialize,
        bytes_max: usize,
    ) -> Result<Vec<u8>, Error> {
        let mut output = Bounded::new(bytes_max);
        let written = match self {
            Self::Json => {
                serde_json::to_writer(&mut output, message).map_err(|error| error.to_string())
            }
            Self::Cbor => cbor::write(&mut output, message).map_err(|error| error.to_string()),
        };
        output.finish(written)
    }

    /// The array whose elements are written already.
    pub(crate) fn array(self, elements: &[Vec<u8>]) -> Vec<u8> {
        match self {
            Self::Json => [&b"["[..], &elements.join(&b','), b"]"].concat(),
            Self::Cbor => [cbor::array_header(elements.len()), elements.concat()].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vectordoc::ErrorKind;

    #[test]
    fn an_answer_at_its_bound_is_written_and_one_byte_more_is_refused() {
        for (encoding, bytes) in [(Encoding::Json, &b"\"123\""[..]), (Encoding::Cbor, b"\x63123")] {
            assert_eq!(encoding.write(&"123", bytes.len()), Ok(bytes.to_vec()));
            let refused = encoding.write(&"1234", bytes.len()).map_err(|error| error.kind());
            assert_eq!(refused, Err(ErrorKind::LimitExceeded));
        }
    }

    #[test]
    fn an_array_holds_what_was_written_before() {
        let written = |encoding: Encoding| {
            let elements = [1, 200].map(|element| encoding.write(&element, 10).expect("short"));
            encoding.array(&elements)
        };
        assert_eq!(written(Encoding::Json), b"[1,200]");
        assert_eq!(written(Encoding::Cbor), [0x82, 1, 0x18, 200]);
    }
}
