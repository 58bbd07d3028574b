//! Every bound of the engine, named. A value at its bound is accepted; one beyond is refused with
//! [`LimitExceeded`](crate::ErrorKind::LimitExceeded) before anything is written.

use crate::{Error, Result};
use alloc::format;
use core::time::Duration;

/// Components of one vector.
pub const DIM_MAX: usize = 65_536;
/// Documents one shard can hold: slots have 31 bits, and the last one is a mark.
pub const DOCUMENTS_PER_SHARD_MAX: usize = (u32::MAX >> 1) as usize - 1;
/// Fields of one schema, nested ones counted.
pub const FIELDS_MAX: usize = 1_024;
/// Bytes of one field name.
pub const FIELD_NAME_BYTES_MAX: usize = 128;
/// Words of an enum.
pub const ENUM_WORDS_MAX: usize = 1_024;
/// Bytes of a document id.
pub const ID_BYTES_MAX: usize = 512;
/// Bytes of one document as stored, its vectors not counted.
pub const DOCUMENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of a text or bytes value that a filter can index.
pub const FILTER_VALUE_BYTES_MAX: usize = 8 * 1024;
/// Levels of nesting in a document.
pub const DOCUMENT_DEPTH_MAX: usize = 16;
/// Operations in one batch.
pub const BATCH_OPERATIONS_MAX: usize = 100_000;
/// Hits of one search, offset included.
pub const LIMIT_MAX: usize = 10_000;
/// Documents of one page of a scroll.
pub const SCROLL_LIMIT_MAX: usize = 10_000;
/// Values in one facet.
pub const FACET_LIMIT_MAX: usize = 10_000;
/// Candidate list of one graph search.
pub const EF_MAX: usize = 10_000;
/// Links per graph node and level.
pub const M_MAX: usize = 128;
/// Sections of one index: what a field's sixteen leave besides vectors and which there are.
pub const INDEX_SECTIONS_MAX: usize = 13;
/// Vectors in one multi-query search.
pub const QUERIES_MAX: usize = 1_024;
/// Documents a search takes as examples.
pub const EXAMPLES_MAX: usize = 1_024;
/// Levels of nesting in a filter.
pub const FILTER_DEPTH_MAX: usize = 16;
/// Conditions in a filter.
pub const FILTER_NODES_MAX: usize = 1_024;
/// Bytes of a regular expression.
pub const REGEX_BYTES_MAX: usize = 1_024;
/// Bytes of memory a compiled regular expression may take.
pub const REGEX_PROGRAM_BYTES_MAX: usize = 1024 * 1024;
/// Values in one `$in`, `$nin`, `$all` or `$any`.
pub const FILTER_VALUES_MAX: usize = 65_536;
/// Different words of one search by text or one `$text`.
pub const TEXT_WORDS_MAX: usize = 1_024;
/// Bytes of one value in an archive: a record is the largest, and a checkpoint takes it away.
pub const ARCHIVE_VALUE_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// Shards of one database.
pub const SHARDS_MAX: usize = 256;

/// Documents searched for to measure recall.
pub const RECALL_SAMPLE_MAX: usize = 1_000;
/// The same when a question does not say.
pub const RECALL_SAMPLE_DEFAULT: usize = 100;
/// Hits of each search to measure recall.
pub const RECALL_K_MAX: usize = 1_000;
/// Distances that exact searches may compute to measure recall; one search is made in any case.
pub const RECALL_DISTANCES_MAX: u64 = 20_000_000;

/// Changes of one answer.
pub const CHANGES_LIMIT_MAX: usize = 10_000;
/// Changes of an answer to a question that does not say.
pub const CHANGES_LIMIT_DEFAULT: usize = 1_000;
/// Bytes of changes after which an answer takes no further ones.
pub const CHANGES_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of changes that a database on disk keeps for who follows it, unless it says.
pub const HISTORY_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;
/// The same of a database in memory.
pub const HISTORY_MEMORY_BYTES_DEFAULT: u64 = 8 * 1024 * 1024;
/// Writes that may wait for one shard of a database that is opened without saying how many.
pub const WAITING_WRITES_DEFAULT: usize = 1_024;
/// How long a write with durability `memory` may take to stable storage after it was acknowledged,
/// the work its shard is at included only where that is more.
pub const UNSYNCED_MAX: Duration = Duration::from_millis(100);

/// Refuses `value` beyond `max`, naming what was counted.
pub(crate) fn at_most(value: usize, max: usize, what: &str) -> Result<()> {
    if value <= max {
        return Ok(());
    }
    Err(Error::limit_exceeded(format!("{what} is {value}, the limit is {max}")))
}
