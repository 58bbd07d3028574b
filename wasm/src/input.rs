//! JavaScript values coming in, as something serde reads.
//!
//! `serde-wasm-bindgen` is not used: it knows no typed arrays but bytes, so that every number of a
//! vector would be a call of its own. Here a `Float32Array` is one copy.

use js_sys::{
    Array, ArrayBuffer, Date, Float32Array, JsString, Number, Object, Reflect, Symbol, Uint8Array,
};
use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error as _, MapAccess, SeqAccess, Unexpected, Visitor,
        value::{Error, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use vectordoc::{Error as Refusal, Value};
use wasm_bindgen::{JsCast, JsValue};

/// Levels of nesting that are followed; more than any document or filter may have, so that a
/// cycle ends.
const DEPTH_MAX: usize = 64;

/// A JavaScript value to be read.
pub(crate) struct Input {
    value: JsValue,
    depth: usize,
}

impl Input {
    pub(crate) fn new(value: JsValue) -> Self {
        Self { value, depth: DEPTH_MAX }
    }

    fn inner(&self, value: JsValue) -> Result<Self, Error> {
        let depth = self.depth.checked_sub(1);
        let depth = depth.ok_or_else(|| {
            Error::custom(format!("the value is nested more than {DEPTH_MAX} levels deep"))
        })?;
        Ok(Self { value, depth })
    }

    /// Reads what `seed` reads.
    pub(crate) fn read<'de, S: DeserializeSeed<'de>>(self, seed: S) -> vectordoc::Result<S::Value> {
        seed.deserialize(self).map_err(|error| Refusal::invalid(error.to_string()))
    }

    /// Reads any value.
    pub(crate) fn value(self) -> vectordoc::Result<Value> {
        Value::deserialize(self).map_err(|error| Refusal::invalid(error.to_string()))
    }

    /// Reads a vector: a `Float32Array`, or an array of numbers.
    pub(crate) fn vector(self) -> vectordoc::Result<Vec<f32>> {
        // Those of this realm are known at once.
        if let Some(numbers) = self.value.dyn_ref::<Float32Array>() {
            return Ok(numbers.to_vec());
        }
        Vec::deserialize(self)
            .map_err(|error| Refusal::invalid(error.to_string()).within("the query vector"))
    }
}

impl<'de> Deserializer<'de> for Input {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = &self.value;
        if value.is_null() || value.is_undefined() {
            visitor.visit_unit()
        } else if let Some(number) = value.as_f64() {
            visit_number(number, visitor)
        } else if let Some(text) = value.dyn_ref::<JsString>() {
            visitor.visit_string(text_of(text)?)
        } else if let Some(boolean) = value.as_bool() {
            visitor.visit_bool(boolean)
        } else if value.is_bigint() {
            visit_bigint(self.value, visitor)
        } else if let Some(array) = value.dyn_ref::<Array>() {
            visitor.visit_seq(Elements { input: &self, array, next: 0 })
        } else if ArrayBuffer::is_view(value) {
            visit_view(value, visitor)
        } else if let Some(date) = value.dyn_ref::<Date>() {
            visitor.visit_string(text_of_date(date)?)
        } else if is_plain_object(value) {
            let entries = Object::entries(value.unchecked_ref());
            visitor.visit_map(Entries { input: &self, entries, next: 0, value: None })
        } else {
            Err(Error::invalid_type(Unexpected::Other(&name_of(value)), &visitor))
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() || self.value.is_undefined() {
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

fn visit_number<'de, V: Visitor<'de>>(number: f64, visitor: V) -> Result<V::Value, Error> {
    #[expect(clippy::float_cmp, reason = "whole numbers equal themselves cut off")]
    if number.trunc() == number && number.abs() <= Number::MAX_SAFE_INTEGER {
        #[expect(clippy::cast_possible_truncation, reason = "it is a whole number up to 2^53")]
        return visitor.visit_i64(number as i64);
    }
    visitor.visit_f64(number)
}

fn visit_bigint<'de, V: Visitor<'de>>(value: JsValue, visitor: V) -> Result<V::Value, Error> {
    match i128::try_from(value) {
        Ok(number) => visitor.visit_i128(number),
        Err(_) => Err(Error::custom("a bigint exceeds 128 bits")),
    }
}

/// Typed arrays, told apart by their tag so that those of another realm are known too.
fn visit_view<'de, V: Visitor<'de>>(value: &JsValue, visitor: V) -> Result<V::Value, Error> {
    let name = name_of(value);
    match name.as_str() {
        "Float32Array" => {
            let numbers = value.unchecked_ref::<Float32Array>().to_vec();
            visitor.visit_seq(SeqDeserializer::new(numbers.into_iter()))
        }
        "Uint8Array" => visitor.visit_byte_buf(value.unchecked_ref::<Uint8Array>().to_vec()),
        _ => Err(Error::invalid_type(Unexpected::Other(&name), &visitor)),
    }
}

/// The text of a string, unless half a surrogate pair in it has none.
fn text_of(value: &JsString) -> Result<String, Error> {
    let text = String::from(value);
    if text.contains(char::REPLACEMENT_CHARACTER) && !value.is_valid_utf16() {
        return Err(Error::custom(format!("text {text:?} has half a surrogate pair")));
    }
    Ok(text)
}

/// A point in time as RFC 3339 writes it.
fn text_of_date(date: &Date) -> Result<String, Error> {
    if date.get_time().is_nan() {
        return Err(Error::custom("the Date is invalid: it is no point in time"));
    }
    Ok(date.to_iso_string().into())
}

/// Whether this is an object of fields, not a `Map`, function or the like.
fn is_plain_object(value: &JsValue) -> bool {
    value.is_object() && tag_of(value).is_none() && !Symbol::iterator().js_in(value)
}

/// What a value calls itself: `Float32Array`, `Map`.
fn name_of(value: &JsValue) -> String {
    tag_of(value).or_else(|| value.js_typeof().as_string()).unwrap_or_default()
}

fn tag_of(value: &JsValue) -> Option<String> {
    Reflect::get(value, &Symbol::to_string_tag()).ok()?.as_string()
}

/// The elements of an array.
struct Elements<'a> {
    input: &'a Input,
    array: &'a Array,
    next: u32,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        if self.next == self.array.length() {
            return Ok(None);
        }
        let element = self.input.inner(self.array.get(self.next))?;
        self.next += 1;
        seed.deserialize(element).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        usize::try_from(self.array.length() - self.next).ok()
    }
}

/// The fields of an object.
struct Entries<'a> {
    input: &'a Input,
    entries: Array,
    next: u32,
    value: Option<JsValue>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        if self.next == self.entries.length() {
            return Ok(None);
        }
        let entry: Array = self.entries.get(self.next).unchecked_into();
        self.next += 1;
        self.value = Some(entry.get(1));
        seed.deserialize(self.input.inner(entry.get(0))?).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let value = self.value.take().ok_or_else(|| Error::custom("a value without its name"))?;
        seed.deserialize(self.input.inner(value)?)
    }
}
