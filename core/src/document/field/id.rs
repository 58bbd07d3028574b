//! The Rust types that ids may have.

use crate::{Error, Id, Result, Uuid, schema::IdKind};
use alloc::{format, string::String};

/// A type that can be the id of a document.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an id",
    note = "an id is a `String`, a `u64` or a `vectordoc::Uuid`"
)]
pub trait DocId: Sized + Send + Sync {
    /// Its kind in the schema.
    const KIND: IdKind;

    /// The id this value is.
    fn to_id(&self) -> Id;

    /// The value an id is.
    fn from_id(id: Id) -> Result<Self>;
}

impl DocId for String {
    const KIND: IdKind = IdKind::Text;

    fn to_id(&self) -> Id {
        Id::Text(self.clone())
    }

    fn from_id(id: Id) -> Result<Self> {
        match id {
            Id::Text(text) => Ok(text),
            other => Err(wrong_id("a string", &other)),
        }
    }
}

impl DocId for u64 {
    const KIND: IdKind = IdKind::Int;

    fn to_id(&self) -> Id {
        Id::Int(*self)
    }

    fn from_id(id: Id) -> Result<Self> {
        match id {
            Id::Int(value) => Ok(value),
            other => Err(wrong_id("an integer", &other)),
        }
    }
}

impl DocId for Uuid {
    const KIND: IdKind = IdKind::Uuid;

    fn to_id(&self) -> Id {
        Id::Uuid(*self)
    }

    fn from_id(id: Id) -> Result<Self> {
        match id {
            Id::Uuid(uuid) => Ok(uuid),
            other => Err(wrong_id("a UUID", &other)),
        }
    }
}

fn wrong_id(wanted: &str, id: &Id) -> Error {
    Error::invalid(format!("id {id:?} is not {wanted}"))
}
