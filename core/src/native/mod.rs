//! The durable embedded host: a directory of shards, each an engine, a store and one thread that
//! owns all writes to them.

mod directory;
mod memory;
mod options;
mod store;

mod checkpoint;
mod durability;
mod mailbox;
mod shard;
mod worker;

mod archive;
mod database;
mod opening;
mod reading;
mod scroll;
mod writing;

mod typed;

pub use database::{Database, Stats};
pub use durability::{Durability, WhenBusy};
pub use options::{DatabaseOptions, Residence};
pub use typed::{Builder, Db};
pub use writing::Deleted;
