//! Items read by whatever serde wants to know, in place: nothing is allocated that was not sent.

use super::{Error, typed_array};
use minicbor::{Decoder, data::Type};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use std::fmt;

/// Levels of nesting, as many as `serde_json` allows.
const DEPTH_MAX: usize = 128;
/// Elements and entries in one message. One takes a byte of it, and 32 once it is read.
const ITEMS_MAX: usize = 2 * 1024 * 1024;
/// How a value is asked for as the bytes it is written in.
const RAW: &str = "vectordoc::encoding::Raw";

/// Reads the one item that `bytes` are.
pub(in crate::encoding) fn read<'de, S: DeserializeSeed<'de>>(
    bytes: &'de [u8],
    seed: S,
) -> Result<S::Value, Error> {
    let mut input =
        Input { decoder: Decoder::new(bytes), depth_left: DEPTH_MAX, items_left: ITEMS_MAX };
    let value = seed.deserialize(&mut input)?;
    match bytes.len() - input.decoder.position() {
        0 => Ok(value),
        more => Err(Error::malformed(format!("{more} bytes follow after the end"))),
    }
}

/// The bytes of the item that comes next in `input`, which reads CBOR.
pub(in crate::encoding) fn read_raw<'de, D: Deserializer<'de>>(
    input: D,
) -> Result<&'de [u8], D::Error> {
    input.deserialize_newtype_struct(RAW, RawVisitor)
}

/// Whether this item is null.
pub(in crate::encoding) fn is_null(bytes: &[u8]) -> bool {
    matches!(Decoder::new(bytes).datatype(), Ok(Type::Null | Type::Undefined))
}

/// Whether this item is an array.
pub(in crate::encoding) fn is_array(bytes: &[u8]) -> bool {
    matches!(Decoder::new(bytes).datatype(), Ok(Type::Array | Type::ArrayIndef))
}

/// Whether there are other values in this item.
pub(in crate::encoding) fn is_compound(bytes: &[u8]) -> bool {
    let kind = Decoder::new(bytes).datatype();
    is_array(bytes) || matches!(kind, Ok(Type::Map | Type::MapIndef | Type::Tag))
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = &'de [u8];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item of CBOR")
    }

    fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<&'de [u8], E> {
        Ok(bytes)
    }
}

/// What is left to read, and how deep it may go, and how much there may be.
struct Input<'de> {
    decoder: Decoder<'de>,
    depth_left: usize,
    items_left: usize,
}

impl<'de> Input<'de> {
    /// Reads what is one level deeper.
    fn enter<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.depth_left = self.depth_left.checked_sub(1).ok_or_else(|| {
            Error::malformed(format!("it is nested deeper than {DEPTH_MAX} levels"))
        })?;
        let result = inner(self);
        self.depth_left += 1;
        result
    }

    fn items(&mut self, left: Option<u64>) -> Items<'_, 'de> {
        Items { input: self, left }
    }

    /// The bytes of the next item.
    fn skip(&mut self) -> Result<&'de [u8], Error> {
        let start = self.decoder.position();
        self.deserialize_ignored_any(IgnoredAny)?;
        Ok(&self.decoder.input()[start..self.decoder.position()])
    }

    fn visit_tagged<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        let tag = self.decoder.tag()?.as_u64();
        if self.decoder.datatype()? != Type::Bytes {
            return Err(Error::malformed(format!("tag {tag} stands before no bytes")));
        }
        let bytes = self.decoder.bytes()?;
        match tag {
            typed_array::U8 => visitor.visit_borrowed_bytes(bytes),
            tag => typed_array::visit(tag, bytes, visitor),
        }
    }
}

impl<'de> Deserializer<'de> for &mut Input<'de> {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.datatype()? {
            Type::Null => {
                self.decoder.null()?;
                visitor.visit_unit()
            }
            Type::Undefined => {
                self.decoder.undefined()?;
                visitor.visit_unit()
            }
            Type::Bool => visitor.visit_bool(self.decoder.bool()?),
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => visitor.visit_u64(self.decoder.u64()?),
            Type::I8 | Type::I16 | Type::I32 | Type::I64 => visitor.visit_i64(self.decoder.i64()?),
            Type::Int => visitor.visit_i128(self.decoder.int()?.into()),
            Type::F16 | Type::F32 | Type::F64 => {
                visitor.visit_f64(typed_array::finite(self.decoder.f64()?)?)
            }
            Type::String => visitor.visit_borrowed_str(self.decoder.str()?),
            Type::Bytes => visitor.visit_borrowed_bytes(self.decoder.bytes()?),
            Type::Array | Type::ArrayIndef => self.enter(|input| {
                let mut items = {
                    let left = input.decoder.array()?;
                    input.items(left)
                };
                let value = visitor.visit_seq(&mut items)?;
                items.end().map(|()| value)
            }),
            Type::Map | Type::MapIndef => self.enter(|input| {
                let mut items = {
                    let left = input.decoder.map()?;
                    input.items(left)
                };
                let value = visitor.visit_map(&mut items)?;
                items.end().map(|()| value)
            }),
            Type::Tag => self.visit_tagged(visitor),
            Type::StringIndef | Type::BytesIndef => {
                Err(Error::malformed("text and bytes come in one piece"))
            }
            other => Err(Error::malformed(format!("{other} is no value"))),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.datatype()? {
            Type::Null | Type::Undefined => self.deserialize_any(visitor),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == RAW {
            return visitor.visit_borrowed_bytes(self.skip()?);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.datatype()? {
            Type::String => self.deserialize_any(visitor),
            other => Err(Error::custom(format_args!("a field is named by text, not by {other}"))),
        }
    }

    /// What is skipped is read later, or by nobody: only that it is CBOR matters.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.datatype()? {
            Type::F16 | Type::F32 | Type::F64 => {
                self.decoder.f64()?;
                visitor.visit_unit()
            }
            Type::Tag => self.enter(|input| {
                input.decoder.tag()?;
                input.deserialize_ignored_any(visitor)
            }),
            _ => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum
    }
}

/// The elements of an array, or the entries of a map.
struct Items<'a, 'de> {
    input: &'a mut Input<'de>,
    /// How many there are still; an unknown number until a break.
    left: Option<u64>,
}

impl Items<'_, '_> {
    /// Whether there is one more, which is then to be read.
    fn advance(&mut self) -> Result<bool, Error> {
        match &mut self.left {
            Some(0) => return Ok(false),
            Some(left) => *left -= 1,
            None if self.input.decoder.datatype()? == Type::Break => {
                let after = self.input.decoder.position() + 1;
                self.input.decoder.set_position(after);
                self.left = Some(0);
                return Ok(false);
            }
            None => {}
        }
        self.input.items_left = self.input.items_left.checked_sub(1).ok_or_else(|| {
            Error::malformed(format!("there are more than {ITEMS_MAX} values; send less at a time"))
        })?;
        Ok(true)
    }

    /// Refuses items that nobody read.
    fn end(mut self) -> Result<(), Error> {
        if self.advance()? {
            return Err(Error::custom("there are more elements than wanted"));
        }
        Ok(())
    }

    /// At least how many there are: no more than bytes are left, whatever was promised.
    fn at_most(&self) -> Option<usize> {
        let bytes_left = self.input.decoder.input().len() - self.input.decoder.position();
        self.left.map(|left| usize::try_from(left).map_or(bytes_left, |left| left.min(bytes_left)))
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'_, 'de> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        if self.advance()? { seed.deserialize(&mut *self.input).map(Some) } else { Ok(None) }
    }

    fn size_hint(&self) -> Option<usize> {
        self.at_most()
    }
}

impl<'de> MapAccess<'de> for &mut Items<'_, 'de> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        SeqAccess::next_element_seed(self, seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(&mut *self.input)
    }
}
