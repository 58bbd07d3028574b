//! Items written from whatever serde says.

use super::{Error, typed_array};
use crate::encoding::bounded::Bounded;
use minicbor::{
    Encoder,
    data::{Int, Tag},
};
use serde::ser::{
    Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer,
};

/// The byte before the four of a float.
const F32: u8 = 0xfa;

/// Writes `value` as one item.
pub(in crate::encoding) fn write(
    output: &mut Bounded,
    value: &impl Serialize,
) -> Result<(), Error> {
    value.serialize(&mut Output(Encoder::new(output)))
}

/// What stands before `elements` elements of an array.
pub(in crate::encoding) fn array_header(elements: usize) -> Vec<u8> {
    let mut header = Encoder::new(Vec::new());
    // Writing to memory does not fail.
    let _ = header.array(length(elements));
    header.into_writer()
}

/// How many, as CBOR says it.
fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

struct Output<'a>(Encoder<&'a mut Bounded>);

impl Output<'_> {
    fn position(&self) -> usize {
        self.0.writer().bytes.len()
    }
}

impl<'a, 'b> Serializer for &'a mut Output<'b> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Elements<'a, 'b>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Entries<'a, 'b>;
    type SerializeStruct = Entries<'a, 'b>;
    type SerializeStructVariant = Impossible<(), Error>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        Ok(self.0.bool(value)?.ok()?)
    }

    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        Ok(self.0.i64(value)?.ok()?)
    }

    fn serialize_i128(self, value: i128) -> Result<(), Error> {
        let value = Int::try_from(value).map_err(Error::custom)?;
        Ok(self.0.int(value)?.ok()?)
    }

    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        Ok(self.0.u64(value)?.ok()?)
    }

    fn serialize_u128(self, value: u128) -> Result<(), Error> {
        self.serialize_i128(i128::try_from(value).map_err(Error::custom)?)
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        Ok(self.0.f32(value)?.ok()?)
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        Ok(self.0.f64(value)?.ok()?)
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        Ok(self.0.str(value)?.ok()?)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        Ok(self.0.bytes(value)?.ok()?)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(self.0.null()?.ok()?)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Err(unexpected(name))
    }

    fn serialize_seq(self, count: Option<usize>) -> Result<Elements<'a, 'b>, Error> {
        let start = self.position();
        match count {
            Some(count) => self.0.array(length(count))?,
            None => self.0.begin_array()?,
        };
        let first = self.position();
        Ok(Elements { start, first, are_floats: true, is_open: count.is_none(), output: self })
    }

    fn serialize_tuple(self, _: usize) -> Result<Impossible<(), Error>, Error> {
        Err(unexpected("a tuple"))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        Err(unexpected(name))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        Err(unexpected(name))
    }

    fn serialize_map(self, count: Option<usize>) -> Result<Entries<'a, 'b>, Error> {
        match count {
            Some(count) => self.0.map(length(count))?,
            None => self.0.begin_map()?,
        };
        Ok(Entries { is_open: count.is_none(), output: self })
    }

    fn serialize_struct(self, _: &'static str, count: usize) -> Result<Entries<'a, 'b>, Error> {
        self.serialize_map(Some(count))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        Err(unexpected(name))
    }
}

/// Answers are objects, lists and single values: what else serde knows has no form in the contract.
fn unexpected(what: &str) -> Error {
    Error::custom(format_args!("{what} has no place in an answer"))
}

/// An array on its way out.
struct Elements<'a, 'b> {
    output: &'a mut Output<'b>,
    /// Where it begins.
    start: usize,
    /// Where its first element begins.
    first: usize,
    /// Whether there are floats only.
    are_floats: bool,
    /// Whether it needs an end.
    is_open: bool,
}

impl SerializeSeq for Elements<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, element: &T) -> Result<(), Error> {
        let start = self.output.position();
        element.serialize(&mut *self.output)?;
        self.are_floats &= self.output.0.writer().bytes.get(start) == Some(&F32);
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        if self.are_floats && self.output.position() > self.first {
            return self.pack();
        }
        if self.is_open {
            self.output.0.end()?;
        }
        Ok(())
    }
}

impl Elements<'_, '_> {
    /// Writes it again as a typed array. Only vectors are made of floats: other numbers are doubles.
    fn pack(self) -> Result<(), Error> {
        let written = &mut self.output.0.writer_mut().bytes;
        let (floats, _) = written[self.first..].as_chunks::<5>();
        let packed: Vec<u8> = floats.iter().flat_map(|[_, a, b, c, d]| [*d, *c, *b, *a]).collect();
        written.truncate(self.start);
        Ok(self.output.0.tag(Tag::new(typed_array::F32_LITTLE))?.bytes(&packed)?.ok()?)
    }
}

/// A map on its way out.
struct Entries<'a, 'b> {
    output: &'a mut Output<'b>,
    /// Whether it needs an end.
    is_open: bool,
}

impl SerializeMap for Entries<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        key.serialize(&mut *self.output)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(&mut *self.output)
    }

    fn end(self) -> Result<(), Error> {
        if self.is_open {
            self.output.0.end()?;
        }
        Ok(())
    }
}

impl SerializeStruct for Entries<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.serialize_entry(name, value)
    }

    fn end(self) -> Result<(), Error> {
        SerializeMap::end(self)
    }
}
