//! vectordoc: a vector database you describe as a Rust struct and run anywhere.
//!
//! The engine is a value that changes only by applying records; hosts differ only in where bytes
//! rest. See `ARCHITECTURE.md` in the repository for the way data takes.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod limits;

mod error;

mod geo;
mod metric;
pub mod schema;
mod timestamp;
mod value;

mod distance;
pub mod document;
pub mod filter;

mod patch;

mod arena;
mod batch;
mod bytes;
mod changed;
mod heap;
pub mod key;
mod record;
mod reduction;
pub mod rest;

pub mod archive;

mod bitset;
mod column;
pub mod index;
mod text;

mod examples;
mod fusion;
mod group;
mod warning;

pub mod query;

mod change;
#[cfg(any(feature = "native", feature = "client"))]
mod refine;

pub mod engine;
pub mod shards;

#[cfg(feature = "native")]
pub mod native;

#[cfg(feature = "client")]
pub mod client;

pub use batch::{Batch, Deleted, Operation};
pub use change::{Change, ChangePage, ChangeQuery};
pub use document::{Document, Include, VectorDoc};
pub use engine::Engine;
pub use error::{Error, ErrorKind, Result};
pub use examples::Examples;
pub use filter::Filter;
pub use fusion::Fusion;
pub use geo::GeoPoint;
pub use group::{GroupBy, HitGroup, grouped};
pub use metric::Metric;
pub use patch::Patch;
pub use query::{Hit, Order, Page, Query, Scroll, TextQuery};
pub use record::Record;
#[cfg(any(feature = "native", feature = "client"))]
pub use refine::{SearchBatch, SearchBuilder, SearchLike};
pub use schema::Schema;
pub use timestamp::Timestamp;
pub use uuid::Uuid;
pub use value::{Id, IntoIds, Value};

#[cfg(feature = "derive")]
pub use vectordoc_derive::VectorDoc;

#[cfg(feature = "client")]
pub use client::Client;
#[cfg(feature = "native")]
pub use native::{Database, Db};

#[doc(hidden)]
pub mod planted;

#[doc(hidden)]
pub mod __private;
