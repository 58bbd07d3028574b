//! How much is kept of the numbers of a vector.

use super::{Quantization, find_named};
use crate::Result;

/// What is kept of each number of a vector, in the log, at rest and in memory. Documents give and
/// get `f32`; less than that is rounded before anything is written, the same everywhere, and what
/// was rounded once is not changed by being written again. Distances are exact for what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    /// All of it: 32 bits.
    #[default]
    F32,
    /// Half precision: 11 significant bits, whatever the length of the vector.
    F16,
    /// One of the 255 whole multiples, −127 to 127, of a step that each vector has to itself: the
    /// largest of its numbers divided by 127.
    I8,
}

impl Precision {
    /// Every precision with the name it has in schemas.
    pub const NAMES: [(&'static str, Precision); 3] =
        [("f32", Self::F32), ("f16", Self::F16), ("i8", Self::I8)];

    /// The name in schemas.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// The precision of this name.
    pub fn parse(name: &str) -> Result<Self> {
        find_named(&Self::NAMES, name, "precision")
    }

    /// The quantization that compares just what is kept: there is no other code then.
    pub fn quantization(self) -> Quantization {
        match self {
            Self::F32 => Quantization::F32,
            Self::F16 => Quantization::F16,
            Self::I8 => Quantization::I8,
        }
    }
}
