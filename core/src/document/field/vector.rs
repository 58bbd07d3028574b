//! The Rust types that vector fields may have.

use crate::{Error, Result};
use alloc::{format, vec::Vec};

/// A type that can be a vector field: `Vec<f32>`, `[f32; N]`, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a vector field",
    note = "a vector field is a `Vec<f32>`, a `[f32; N]`, or an `Option` of one"
)]
pub trait VectorValue: Sized {
    /// Whether a document may lack it.
    const OPTIONAL: bool = false;

    /// The length the type fixes, if it does.
    const DIM: Option<usize> = None;

    /// The numbers.
    fn to_vector(&self) -> Option<Vec<f32>>;

    /// The value that has these numbers.
    fn from_vector(vector: Option<Vec<f32>>) -> Result<Self>;
}

impl VectorValue for Vec<f32> {
    fn to_vector(&self) -> Option<Vec<f32>> {
        Some(self.clone())
    }

    fn from_vector(vector: Option<Vec<f32>>) -> Result<Self> {
        vector.ok_or_else(|| Error::invalid("the document has no vector here"))
    }
}

impl<const N: usize> VectorValue for [f32; N] {
    const DIM: Option<usize> = Some(N);

    fn to_vector(&self) -> Option<Vec<f32>> {
        Some(self.to_vec())
    }

    fn from_vector(vector: Option<Vec<f32>>) -> Result<Self> {
        let vector = Vec::from_vector(vector)?;
        vector.try_into().map_err(|vector: Vec<f32>| {
            Error::invalid(format!("vector has {} dimensions, the type has {N}", vector.len()))
        })
    }
}

impl<V: VectorValue> VectorValue for Option<V> {
    const OPTIONAL: bool = {
        assert!(!V::OPTIONAL, "`Some(None)` would come back as `None`; use one `Option`");
        true
    };
    const DIM: Option<usize> = V::DIM;

    fn to_vector(&self) -> Option<Vec<f32>> {
        self.as_ref().and_then(V::to_vector)
    }

    fn from_vector(vector: Option<Vec<f32>>) -> Result<Self> {
        vector.map(|vector| V::from_vector(Some(vector))).transpose()
    }
}
