//! One database in several engines that do not share memory: each in a worker, or on a machine of
//! its own.
//!
//! A document is in the engine that [`Id::shard`](crate::Id::shard) says. A [`Gathering`] is one
//! request: it says what to ask each engine next, in bytes, is told the answers, and so on until it
//! has the answer of all; [`Engine::answer`](crate::Engine::answer) is the other side. Neither
//! waits for the other: the host carries the bytes, to all engines at once.

mod answer;
mod explained;
pub(crate) mod format;
mod gathering;
mod question;
#[cfg(feature = "native")]
pub(crate) mod told;
mod write;

#[cfg(feature = "native")]
pub(crate) use question::Question;

pub use gathering::{Gathered, Gathering};
