//! Only here because cargo makes a module of no dependency: what is exported is the peer's own.

pub use ferrovec::FerrovecCore;
