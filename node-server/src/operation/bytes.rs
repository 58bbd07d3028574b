//! Bytes as parameters and in answers: a byte string in CBOR, base64 (RFC 4648) in JSON.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{
    de::{self, Deserialize, Deserializer, Visitor},
    ser::{Serialize, Serializer},
};
use std::fmt;

/// Bytes on the wire.
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        if output.is_human_readable() {
            output.serialize_str(&BASE64_STANDARD.encode(&self.0))
        } else {
            output.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        if input.is_human_readable() {
            input.deserialize_str(BytesVisitor)
        } else {
            input.deserialize_bytes(BytesVisitor)
        }
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes: in JSON, a string of base64")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
        BASE64_STANDARD.decode(text).map(Bytes).map_err(|error| E::custom(format!("{error}")))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(bytes.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::Bytes;
    use crate::encoding::{Encoding, Raw};

    #[test]
    fn bytes_are_read_as_they_are_written_in_either_encoding() {
        for length in [0, 1, 2, 3, 255, 256] {
            let bytes = Bytes((0..=255).cycle().take(length).collect());
            let json = Encoding::Json.write(&bytes, 1_000).expect("short");
            let text = std::str::from_utf8(&json).expect("text");
            assert_eq!(Raw::Json(text).read::<Bytes>().expect("bytes").0, bytes.0);
            let cbor = Encoding::Cbor.write(&bytes, 1_000).expect("short");
            assert_eq!(Raw::Cbor(&cbor).read::<Bytes>().expect("bytes").0, bytes.0);
            assert!(cbor.len() <= length + 3, "no text");
        }
        assert!(Raw::Json("\"a\"").read::<Bytes>().is_err());
    }
}
