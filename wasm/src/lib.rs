//! The raw binding under the npm package `vectordoc`: it moves documents, vectors and records
//! between JavaScript and the engine, and decides nothing. The API users see is the TypeScript in
//! `ts/`.

mod archive;
mod batch;
mod engine;
mod failure;
mod indexed_db;
mod input;
mod opening;
mod options;
mod output;
mod rest;
mod shards;

pub use archive::{ArchiveReader, ArchiveWriter};
pub use batch::{Batch, Group, Prepared};
pub use engine::Engine;
pub use failure::{Failure, error_codes};
pub use indexed_db::IndexedDb;
pub use opening::Opening;
pub use rest::Checkpoint;
pub use shards::{Gathering, Shards};
