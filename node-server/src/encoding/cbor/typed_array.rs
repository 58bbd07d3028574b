//! Typed arrays (RFC 8746): numbers as the bytes of a machine, behind a tag that says which.

use super::Error;
use serde::de::{Visitor, value::SeqDeserializer};

/// Bytes.
pub(super) const U8: u64 = 64;
/// Half floats, the highest byte first.
const F16_BIG: u64 = 80;
const F32_BIG: u64 = 81;
const F64_BIG: u64 = 82;
const F16_LITTLE: u64 = 84;
/// Floats, the lowest byte first: what vectors are written as.
pub(super) const F32_LITTLE: u64 = 85;
const F64_LITTLE: u64 = 86;

/// Shows `visitor` the numbers of the typed array `bytes` behind `tag`.
pub(super) fn visit<'de, V: Visitor<'de>>(
    tag: u64,
    bytes: &[u8],
    visitor: V,
) -> Result<V::Value, Error> {
    use half::f16;
    match tag {
        F16_BIG => visit_numbers(bytes, |number| f16::from_be_bytes(number).into(), visitor),
        F32_BIG => visit_numbers(bytes, |number| f32::from_be_bytes(number).into(), visitor),
        F64_BIG => visit_numbers(bytes, f64::from_be_bytes, visitor),
        F16_LITTLE => visit_numbers(bytes, |number| f16::from_le_bytes(number).into(), visitor),
        F32_LITTLE => visit_numbers(bytes, |number| f32::from_le_bytes(number).into(), visitor),
        F64_LITTLE => visit_numbers(bytes, f64::from_le_bytes, visitor),
        other => Err(Error::malformed(format!(
            "tag {other} means nothing here; vectors are typed arrays of floats: tag {F32_LITTLE}, \
             or {F16_BIG} to {F64_BIG}, {F16_LITTLE} and {F64_LITTLE}"
        ))),
    }
}

fn visit_numbers<'de, const N: usize, V: Visitor<'de>>(
    bytes: &[u8],
    number: impl Fn([u8; N]) -> f64,
    visitor: V,
) -> Result<V::Value, Error> {
    let (numbers, rest) = bytes.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(Error::malformed(format!(
            "a typed array has {} bytes, which is no multiple of {N}",
            bytes.len()
        )));
    }
    let numbers = numbers.iter().map(|bytes| number(*bytes));
    numbers.clone().try_for_each(|number| finite(number).map(drop))?;
    let mut numbers = SeqDeserializer::<_, Error>::new(numbers);
    let value = visitor.visit_seq(&mut numbers)?;
    numbers.end()?;
    Ok(value)
}

/// `number`, if JSON has it too.
pub(super) fn finite(number: f64) -> Result<f64, Error> {
    if number.is_finite() {
        return Ok(number);
    }
    Err(serde::de::Error::custom(format_args!("{number} is no finite number")))
}
