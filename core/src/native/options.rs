//! How to open a database.

use super::disk::{Disk, SystemDisk};
use crate::{Result, index::Indexes, limits};
use std::sync::Arc;

/// How to open a database.
#[derive(Clone, Debug, Default)]
pub struct DatabaseOptions {
    /// Shards of a new database, 1 unless set; one that exists must have as many.
    pub shards: Option<usize>,
    /// Threads that build indexes, over all shards; as many as there are cores unless set.
    pub threads: Option<usize>,
    /// Where documents and full vectors are while the database is open.
    pub residence: Residence,
    /// Whether a database is open before all of it is in memory, where its residence is memory: its
    /// searches read by page what they need until the rest was taken in, and the first write waits
    /// for that. Damage to what was not read yet is then found by who reads it, and not by opening;
    /// once it was found, the database takes no more writes.
    pub waking: bool,
    /// Indexes of your own, for the vector fields whose schema says `custom`.
    pub indexes: Indexes,
    /// Whether a stored schema follows the one given where that loses nothing, instead of being a
    /// conflict: see [`Schema::evolved`](crate::Schema::evolved). What changed is in [`Database::schema_changes`](super::Database::schema_changes).
    pub evolve: bool,
    /// Writes that may wait for a shard, 1,024 unless set; what a further one does is the handle's
    /// [`when_busy`](super::Database::when_busy).
    pub waiting_writes_max: Option<usize>,
    /// Bytes of changes to keep for who follows them, over all shards; at least so many are there
    /// once so many were made. 64 MiB unless set, 8 MiB of a database in memory; 0 keeps none, and
    /// [`changes`](super::Database::changes) says so.
    pub history_bytes: Option<u64>,
    /// Bytes of memory, about, that documents, vectors and indexes may take, each shard having an
    /// equal share; it grows by up to 2 MiB at a time, and an index takes some more once it is built.
    /// A write that adds documents where there is no room is refused with `full`;
    /// reading and deleting go on, and what is deleted makes room.
    pub memory_bytes_max: Option<u64>,
    /// Bytes that stay free on the disk: while fewer are, writes that add documents are refused
    /// with `full`; reading and deleting go on. On Linux; `unsupported` elsewhere.
    pub disk_bytes_free_min: Option<u64>,
    /// Whether all bytes of the files are read and checked when they are opened. Records and pages are
    /// checked whenever they are read, either way; this also finds what a disk has changed in the
    /// structure around them, which otherwise is found where it is stumbled upon, and then may end the
    /// process.
    pub verify: bool,
    /// The disk that the directory of the database is on; that of the operating system unless set.
    /// Not with `disk_bytes_free_min`.
    pub disk: Option<Arc<dyn Disk>>,
    /// Whether shards have no threads of their own: who asks something of one does its work, so that
    /// all happens in an order that can be had again, as simulations want it. What a shard does by
    /// itself after a while, it does when it is asked to [`flush`](super::Database::flush) or is said
    /// to be [idle](super::Database::idle). For replicated databases, where no request but one waits
    /// for another.
    pub is_driven: bool,
}

/// Where documents and full vectors are while a database is open. The files are the same either
/// way, so that a database may be opened one way today and the other tomorrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Residence {
    /// In memory: fastest.
    #[default]
    Memory,
    /// On the disk, and read when they are needed, checked against their checksums each time. In
    /// memory are the codes of vectors, which vectors kept in `i8` are themselves unless another
    /// quantization is chosen, the graph, the filter columns, and what was written since the last
    /// checkpoint. Reading errors come back from the search that needed the page. Not for
    /// fields of quantization `f32`, which have no codes.
    Disk,
}

impl Residence {
    /// Every residence with its name on the command line.
    pub const NAMES: [(&'static str, Residence); 2] =
        [("memory", Self::Memory), ("disk", Self::Disk)];

    /// The residence of this name.
    pub fn parse(name: &str) -> Result<Self> {
        crate::schema::find_named(&Self::NAMES, name, "residence")
    }
}

impl DatabaseOptions {
    /// The disk to use.
    pub(super) fn disk(&self) -> Arc<dyn Disk> {
        self.disk.clone().unwrap_or_else(|| Arc::new(SystemDisk))
    }

    pub(super) fn waiting_writes_max(&self) -> usize {
        self.waiting_writes_max.unwrap_or(limits::WAITING_WRITES_DEFAULT).max(1)
    }

    pub(super) fn threads_per_shard(&self, shards: usize) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, Into::into);
        (self.threads.unwrap_or_else(cores) / shards).max(1)
    }
}
