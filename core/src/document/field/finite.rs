//! Whether every number in a value is finite: serde_json writes null for one that is not.

use alloc::format;
use core::fmt::Display;
use serde::{
    Serialize, Serializer,
    ser::{
        Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
        SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
    },
};

/// Writes nothing, and fails at a number that is not finite.
#[derive(Clone, Copy)]
pub(super) struct NumbersAreFinite;

type Error = serde_json::Error;
type Result<T = ()> = core::result::Result<T, Error>;

/// Of what has no float in it.
macro_rules! passes {
    ($($function:ident($($type:ty),*);)*) => {$(
        fn $function(self $(, _: $type)*) -> Result { Ok(()) }
    )*};
}

/// Of what begins a value made of others.
macro_rules! begins {
    ($($function:ident($($type:ty),*);)*) => {$(
        fn $function(self $(, _: $type)*) -> Result<Self> { Ok(self) }
    )*};
}

impl Serializer for NumbersAreFinite {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn serialize_f32(self, number: f32) -> Result {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result {
        if number.is_finite() {
            return Ok(());
        }
        Err(Error::custom(format!("{number} is in it; every number must be finite")))
    }

    passes! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    begins! {
        serialize_seq(Option<usize>);
        serialize_tuple(usize);
        serialize_tuple_struct(&'static str, usize);
        serialize_tuple_variant(&'static str, u32, &'static str, usize);
        serialize_map(Option<usize>);
        serialize_struct(&'static str, usize);
        serialize_struct_variant(&'static str, u32, &'static str, usize);
    }

    fn collect_str<T: Display + ?Sized>(self, _: &T) -> Result {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result {
        value.serialize(self)
    }
}

/// The parts of what `begins`, without and with names.
macro_rules! parts {
    ($($trait:ident: $function:ident($($name:ty)?);)*) => {$(
        impl $trait for NumbersAreFinite {
            type Ok = ();
            type Error = Error;
            fn $function<T: Serialize + ?Sized>(&mut self $(, _: $name)?, value: &T) -> Result {
                value.serialize(*self)
            }
            fn end(self) -> Result { Ok(()) }
        }
    )*};
}
parts! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeStruct: serialize_field(&'static str);
    SerializeStructVariant: serialize_field(&'static str);
}

impl SerializeMap for NumbersAreFinite {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        key.serialize(*self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        value.serialize(*self)
    }

    fn end(self) -> Result {
        Ok(())
    }
}
