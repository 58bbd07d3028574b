//! What the judges share: seeded random documents, the naive twin that knows every answer, and a disk
//! that loses its power and fails.

pub mod cut;
pub mod decoders;
pub mod disk;
pub mod image;
pub mod random;
pub mod trial;
pub mod twin;
pub mod wordnet;

/// The README's programs compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
