//! The durable embedded host: a directory of shards, each an engine, a store and one thread that
//! owns all writes to them.

mod database;
mod directory;
mod memory;
mod scroll;
mod shard;
mod store;
mod typed;

pub use database::{Database, DatabaseOptions, Deleted, Residence, Stats};
pub use typed::{Builder, Db};
