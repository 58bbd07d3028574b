//! The parameters of an operation as one CBOR object: what operations read, whatever transport they
//! come by.

use super::{
    messages::{self as proto, Durability, Include},
    value,
};
use crate::encoding::{Encoding, Raw};
use minicbor::{Encoder, data::Tag};
use std::collections::BTreeMap;
use vectordoc::{Error, Result, Value};

/// Little-endian floats (RFC 8746).
const F32_LITTLE: u64 = 85;

/// Items written one after the other. Writing to memory does not fail.
pub(super) struct Items(Encoder<Vec<u8>>);

impl Items {
    /// Null.
    pub(super) fn null(&mut self) {
        let _ = self.0.null();
    }

    /// A truth value.
    pub(super) fn bool(&mut self, value: bool) {
        let _ = self.0.bool(value);
    }

    /// An integer.
    pub(super) fn int(&mut self, value: i64) {
        let _ = self.0.i64(value);
    }

    /// An integer.
    pub(super) fn uint(&mut self, value: u64) {
        let _ = self.0.u64(value);
    }

    /// A number.
    pub(super) fn double(&mut self, value: f64) {
        let _ = self.0.f64(value);
    }

    /// A number.
    pub(super) fn float(&mut self, value: f32) {
        let _ = self.0.f32(value);
    }

    /// Text.
    pub(super) fn text(&mut self, text: &str) {
        let _ = self.0.str(text);
    }

    /// Bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let _ = self.0.bytes(bytes);
    }

    /// A vector, as a typed array.
    pub(super) fn vector(&mut self, vector: &[f32]) {
        let length = size_of_val(vector);
        let tagged = self.0.tag(Tag::new(F32_LITTLE));
        let _ = tagged.and_then(|items| items.bytes_len(u64::try_from(length).unwrap_or(u64::MAX)));
        let written = self.0.writer_mut();
        written.reserve(length);
        vector.iter().for_each(|number| written.extend_from_slice(&number.to_le_bytes()));
    }

    /// An array of `elements`, each written by `write`.
    pub(super) fn array<T>(
        &mut self,
        elements: &[T],
        mut write: impl FnMut(&mut Self, &T) -> Result<()>,
    ) -> Result<()> {
        let _ = self.0.array(u64::try_from(elements.len()).unwrap_or(u64::MAX));
        elements.iter().try_for_each(|element| write(self, element))
    }

    /// An object of `fields`.
    pub(super) fn object(&mut self, fields: &BTreeMap<String, proto::Value>) -> Result<()> {
        let _ = self.0.map(u64::try_from(fields.len()).unwrap_or(u64::MAX));
        fields.iter().try_for_each(|(name, field)| {
            self.text(name);
            value::write(self, field).map_err(|error| error.within(format!("field {name:?}")))
        })
    }

    /// An object with one entry, whose value is still to be written.
    pub(super) fn entry(&mut self, name: &str) -> &mut Self {
        let _ = self.0.map(1);
        self.text(name);
        self
    }
}

/// Parameters by name. In a message of protobuf what is empty or zero is not there, and so is not
/// given: it is left out, except where a method says otherwise.
pub(super) struct Params(Items);

impl Params {
    /// None yet.
    pub(super) fn new() -> Self {
        let mut items = Items(Encoder::new(Vec::new()));
        let _ = items.0.begin_map();
        Self(items)
    }

    /// The bytes of the object.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let _ = self.0.0.end();
        self.0.0.into_writer()
    }

    /// The parameter `name`, whose value is still to be written.
    pub(super) fn give(&mut self, name: &str) -> &mut Items {
        self.0.text(name);
        &mut self.0
    }

    /// Text.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.give(name).text(text);
        }
    }

    /// A count.
    pub(super) fn count(&mut self, name: &str, count: u32) {
        if count != 0 {
            self.give(name).uint(count.into());
        }
    }

    /// A truth value.
    pub(super) fn flag(&mut self, name: &str, flag: bool) {
        if flag {
            self.give(name).bool(true);
        }
    }

    /// A version, 0 too.
    pub(super) fn version(&mut self, version: Option<u64>) {
        if let Some(version) = version {
            self.give("if_version").uint(version);
        }
    }

    /// A vector.
    pub(super) fn vector(&mut self, name: &str, vector: &[f32]) {
        if !vector.is_empty() {
            self.give(name).vector(vector);
        }
    }

    /// The id of the one document.
    pub(super) fn id(&mut self, id: &proto::Id) -> Result<()> {
        value::write_id(self.give("id"), id).map_err(|error| error.within("id"))
    }

    /// Ids.
    pub(super) fn ids(&mut self, name: &str, ids: &[proto::Id]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let written = self.give(name).array(ids, value::write_id);
        written.map_err(|error| error.within(name))
    }

    /// Documents, also none.
    pub(super) fn documents(&mut self, docs: &[proto::Document]) -> Result<()> {
        let mut number = 0usize;
        self.give("docs").array(docs, |items, document| {
            let written = items.object(&document.fields);
            let written = written.map_err(|error| error.within(format!("docs: element {number}")));
            number += 1;
            written
        })
    }

    /// Values by name.
    pub(super) fn object(
        &mut self,
        name: &str,
        fields: &BTreeMap<String, proto::Value>,
    ) -> Result<()> {
        if fields.is_empty() {
            return Ok(());
        }
        self.give(name).object(fields).map_err(|error| error.within(name))
    }

    /// Any value, written as JSON.
    pub(super) fn json(&mut self, name: &str, text: &str) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let invalid = |error| Error::invalid(format!("{name}: it is JSON, and {error}"));
        let value: Value = Raw::Json(text).read().map_err(invalid)?;
        // About as long as the text, which a message bounds.
        let written = Encoding::Cbor.write(&value, usize::MAX);
        let written = written.map_err(|error| error.within(name))?;
        self.give(name).0.writer_mut().extend_from_slice(&written);
        Ok(())
    }

    /// What documents are to carry.
    pub(super) fn include(&mut self, include: Option<&Include>) -> Result<()> {
        const EVERYTHING: &str = "*";
        match include.map(|include| &include.fields[..]) {
            None => {}
            Some([all]) if all == EVERYTHING => self.give("include").text(EVERYTHING),
            Some(fields) => {
                return self.give("include").array(fields, |items, field| {
                    items.text(field);
                    Ok(())
                });
            }
        }
        Ok(())
    }

    /// What a write waits for.
    pub(super) fn durability(&mut self, durability: i32) -> Result<()> {
        let name = match Durability::try_from(durability) {
            Ok(Durability::Unspecified) => return Ok(()),
            Ok(Durability::Fsync) => "fsync",
            Ok(Durability::Memory) => "memory",
            Ok(Durability::Quorum) => "quorum",
            Err(_) => {
                return Err(Error::invalid(format!(
                    "durability: {durability} is none; 1 is fsync and 2 is memory"
                )));
            }
        };
        self.give("durability").text(name);
        Ok(())
    }
}
