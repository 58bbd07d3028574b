//! The durable embedded host: a directory of shards, each an engine, a store and one thread that
//! owns all writes to them.

mod disk;

mod directory;
mod memory;
mod options;
mod priority;
mod store;

mod budget;
mod checkpoint;
mod durability;
mod feed;
mod guard;
mod history;
mod mailbox;
mod replicated;
mod shard;
mod worker;

mod answering;
mod changes;
mod cursor;
mod database;
mod elsewhere;
mod import;
mod lineage;
mod opening;
mod reading;
mod recall;
mod replication;
mod resharding;
mod resting;
mod scroll;
mod snapshot;
mod spread;
mod writing;

mod typed;

pub use database::{Database, Stats};
pub use disk::{Disk, DiskFile, SystemDisk};
pub use durability::{Durability, WhenBusy};
pub use elsewhere::{Elsewhere, Pieces, ReadLevel};
pub use feed::Subscription;
pub use guard::WriteGuard;
pub use import::Import;
pub use memory::give_back as give_back_memory;
pub use options::{DatabaseOptions, Residence};
pub use recall::{Recall, RecallQuery};
pub use replication::{Committed, Decided, Replication, Written};
pub use resharding::Resharding;
pub use resting::Resting;
pub use snapshot::Snapshot;
pub use typed::{Builder, Db};

pub use crate::{Change, ChangePage, ChangeQuery, Deleted};
