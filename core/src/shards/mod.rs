//! One database in several engines that do not share memory: each in a worker, or on a machine of
//! its own.
//!
//! A document is in the engine that [`Id::shard`](crate::Id::shard) says. A [`Gathering`] is one
//! request: it says what to ask each engine next, in bytes, is told the answers, and so on until it
//! has the answer of all; [`Engine::answer`](crate::Engine::answer) is the other side. Neither
//! waits for the other: the host carries the bytes, to all engines at once.

mod answer;
mod format;
mod gathering;
mod question;
mod write;

pub use gathering::{Gathered, Gathering};
