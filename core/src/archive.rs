//! A whole database as one file: the entries of its shards as they are in their stores, so that a
//! file made by one host is read by any other.
//!
//! ```text
//! file   = header entry… end
//! header = "VDA1"  format u32  shards u32  entries u64 of each shard           sum
//! entry  = "E"  bytes of the key u8  bytes of the value u32  the key  the value  sum
//! end    = "Z"                                                                  sum
//! ```
//!
//! Numbers are little-endian. A sum is the XXH3-64 of what stands before it in the same part, seeded
//! with the sum before, so that a part that is missing, moved or there twice is noticed as damage is.
//! The entries of the first shard come first, those of each shard in order of the bytes of their
//! [`Key`]s. They are the meta of a checkpoint, its pages and the records after it, as of one moment; of a
//! checkpoint under way at that moment there may be pages too, which opening removes.
//!
//! Writer and reader do no I/O: bytes go out and come in, in pieces of any size. Neither holds more
//! than one entry and the piece at hand.

use crate::{
    Error, Result,
    bytes::Reader,
    key::{KEY_BYTES, Key},
    limits,
};
use alloc::{format, vec::Vec};

const MAGIC: &[u8; 4] = b"VDA1";
/// The format this build writes and reads.
const FORMAT: u32 = 1;
const ENTRY: u8 = b'E';
const END: u8 = b'Z';
const SUM_BYTES: usize = size_of::<u64>();
/// Magic, format and number of shards.
const HEADER_BYTES: usize = 12;
/// Mark and lengths.
const ENTRY_HEADER_BYTES: usize = 6;

/// Writes an archive, part by part, onto the end of the bytes it is given.
#[derive(Debug)]
pub struct ArchiveWriter {
    order: Order,
    sum: u64,
}

impl ArchiveWriter {
    /// Begins an archive of so many entries in each shard.
    pub fn new(entries: &[u64], out: &mut Vec<u8>) -> Result<Self> {
        limits::at_most(entries.len(), limits::SHARDS_MAX, "number of shards")?;
        let mut writer = Self { order: Order::new(entries.to_vec()), sum: 0 };
        let start = out.len();
        out.extend_from_slice(MAGIC);
        out.extend(FORMAT.to_le_bytes());
        #[expect(clippy::cast_possible_truncation, reason = "at most SHARDS_MAX")]
        out.extend((entries.len() as u32).to_le_bytes());
        entries.iter().for_each(|count| out.extend(count.to_le_bytes()));
        writer.seal(start, out);
        Ok(writer)
    }

    /// Adds the next entry of the first shard that lacks one, in order of the keys.
    pub fn entry(&mut self, key: Key, value: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let what = "size of an entry of an archive in bytes";
        limits::at_most(value.len(), limits::ARCHIVE_VALUE_BYTES_MAX, what)?;
        if self.order.take(key).is_none() {
            return Err(Error::internal(format!("{key:?} is out of order in an archive")));
        }
        let (start, key) = (out.len(), key.to_bytes());
        out.push(ENTRY);
        #[expect(clippy::cast_possible_truncation, reason = "at most KEY_BYTES")]
        out.push(key.len() as u8);
        #[expect(clippy::cast_possible_truncation, reason = "at most ARCHIVE_VALUE_BYTES_MAX")]
        out.extend((value.len() as u32).to_le_bytes());
        out.extend(key);
        out.extend_from_slice(value);
        self.seal(start, out);
        Ok(())
    }

    /// Ends the archive, which has every entry it was begun with.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.order.shard().is_some() {
            return Err(Error::internal("an archive is ended before its last entry"));
        }
        let start = out.len();
        out.push(END);
        self.seal(start, out);
        Ok(())
    }

    fn seal(&mut self, start: usize, out: &mut Vec<u8>) {
        self.sum = chained(&out[start..], self.sum);
        out.extend(self.sum.to_le_bytes());
    }
}

/// One part of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchivePart {
    /// What the archive has: entries by shard.
    Header(Vec<u64>),
    /// What a store holds.
    Entry {
        /// The shard whose store it is.
        shard: usize,
        /// Its key.
        key: Key,
        /// Its value.
        value: Vec<u8>,
    },
    /// There is nothing more, and nothing was lost.
    End,
}

/// Reads an archive out of bytes that are pushed, and refuses one that is not whole.
///
/// ```
/// # use vectordoc::archive::{ArchivePart, ArchiveReader, ArchiveWriter};
/// # let mut bytes = Vec::new();
/// # ArchiveWriter::new(&[0], &mut bytes)?.finish(&mut bytes)?;
/// let mut reader = ArchiveReader::default();
/// for piece in bytes.chunks(7) {
///     reader.push(piece);
///     while let Some(part) = reader.part()? {
///         // Keep it: it counts once the end was seen.
/// #       assert!(matches!(part, ArchivePart::Header(_) | ArchivePart::End));
///     }
/// }
/// reader.finish()?;
/// # Ok::<(), vectordoc::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct ArchiveReader {
    /// Bytes pushed, those before `start` read already.
    bytes: Vec<u8>,
    start: usize,
    sum: u64,
    /// Since the header was read.
    order: Option<Order>,
    is_ended: bool,
}

impl ArchiveReader {
    /// Takes the next bytes of the file, however many.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next part; `None` when more bytes have to be pushed first. After an error there is
    /// nothing more to be had.
    pub fn part(&mut self) -> Result<Option<ArchivePart>> {
        let rest = &self.bytes[self.start..];
        if self.is_ended {
            return match rest {
                [] => Ok(None),
                _ => Err(Error::corrupt("the archive goes on after its end; it is damaged")),
            };
        }
        let length = match &self.order {
            None => header_bytes(rest)?,
            Some(order) => part_bytes(rest, order)?,
        };
        let Some(part) = length.and_then(|length| rest.get(..length + SUM_BYTES)) else {
            return Ok(None);
        };
        let (content, sum) = part.split_at(part.len() - SUM_BYTES);
        self.sum = chained(content, self.sum);
        if Reader::new(sum).u64()? != self.sum {
            return Err(self.damaged());
        }
        self.start += part.len();
        match &mut self.order {
            None => {
                let entries = read_header(content)?;
                self.order = Some(Order::new(entries.clone()));
                Ok(Some(ArchivePart::Header(entries)))
            }
            Some(order) => match read_entry(content)? {
                None => {
                    self.is_ended = true;
                    Ok(Some(ArchivePart::End))
                }
                Some((key, value)) => match order.take(key) {
                    Some(shard) => Ok(Some(ArchivePart::Entry { shard, key, value })),
                    None => Err(Error::corrupt(format!("{key:?} is out of order in the archive"))),
                },
            },
        }
    }

    /// Refuses an archive that ended before its end, as one does that was not copied as a whole.
    pub fn finish(&self) -> Result<()> {
        match &self.order {
            _ if self.is_ended => Ok(()),
            None if self.bytes.is_empty() => Err(Error::invalid("the file is empty, no archive")),
            None => Err(Error::corrupt("the archive ends within its header; copy it again")),
            Some(order) => Err(Error::corrupt(format!(
                "the archive ends early, after {} of {} entries; copy it again",
                order.taken, order.total
            ))),
        }
    }

    fn damaged(&self) -> Error {
        let place = match &self.order {
            None => "its header".into(),
            Some(order) => format!("what follows {} of {} entries", order.taken, order.total),
        };
        Error::corrupt(format!("the archive is damaged: {place} does not match its checksum"))
    }
}

/// Which entry may come next.
#[derive(Debug)]
struct Order {
    /// Entries by shard.
    entries: Vec<u64>,
    total: u64,
    taken: u64,
    /// Of those, in the shard of the last one.
    taken_of_shard: u64,
    shard: usize,
    last: Option<Key>,
}

impl Order {
    fn new(entries: Vec<u64>) -> Self {
        let total = entries.iter().fold(0, |sum: u64, count| sum.saturating_add(*count));
        Self { entries, total, taken: 0, taken_of_shard: 0, shard: 0, last: None }
    }

    /// The shard that the next entry belongs to; `None` when no entry is left.
    fn shard(&self) -> Option<usize> {
        if self.taken_of_shard < *self.entries.get(self.shard)? {
            return Some(self.shard);
        }
        let later = self.entries.iter().enumerate().skip(self.shard + 1);
        later.map(|(shard, count)| (shard, *count)).find(|(_, count)| *count > 0).map(|(s, _)| s)
    }

    /// Takes an entry and says whose it is; `None` where it must not stand.
    fn take(&mut self, key: Key) -> Option<usize> {
        let shard = self.shard()?;
        if shard != self.shard {
            (self.shard, self.taken_of_shard, self.last) = (shard, 0, None);
        }
        if self.last.is_some_and(|last| last.to_bytes() >= key.to_bytes()) {
            return None;
        }
        self.last = Some(key);
        self.taken += 1;
        self.taken_of_shard += 1;
        Some(shard)
    }
}

/// The XXH3-64 of a part after one with the sum `before`.
fn chained(part: &[u8], before: u64) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(part, before)
}

/// How long the header is without its sum; `None` as long as that cannot be told.
fn header_bytes(bytes: &[u8]) -> Result<Option<usize>> {
    let known = bytes.len().min(MAGIC.len());
    if bytes[..known] != MAGIC[..known] {
        return Err(Error::invalid("this is no archive of a vectordoc database"));
    }
    let Some(header) = bytes.get(MAGIC.len()..HEADER_BYTES) else { return Ok(None) };
    let mut reader = Reader::new(header);
    let format = reader.u32()?;
    if format != FORMAT {
        return Err(Error::unsupported(format!(
            "the archive has format {format}, this build reads {FORMAT}; use a newer build"
        )));
    }
    let shards = reader.u32()? as usize;
    if shards == 0 || shards > limits::SHARDS_MAX {
        return Err(Error::corrupt(format!(
            "the archive says it has {shards} shards, a database has 1 to {}; it is damaged",
            limits::SHARDS_MAX
        )));
    }
    Ok(Some(HEADER_BYTES + shards * size_of::<u64>()))
}

fn read_header(header: &[u8]) -> Result<Vec<u64>> {
    let mut reader = Reader::new(&header[HEADER_BYTES..]);
    (0..reader.remaining() / size_of::<u64>()).map(|_| reader.u64()).collect()
}

/// How long the next entry, or the end, is without its sum; `None` as long as that cannot be told.
fn part_bytes(bytes: &[u8], order: &Order) -> Result<Option<usize>> {
    let damaged = || {
        let (taken, total) = (order.taken, order.total);
        Error::corrupt(format!("the archive is damaged after {taken} of {total} entries"))
    };
    match (bytes.first(), order.shard()) {
        (None, _) => Ok(None),
        (Some(&END), None) => Ok(Some(1)),
        (Some(&ENTRY), Some(_)) => {
            let Some(header) = bytes.get(1..ENTRY_HEADER_BYTES) else { return Ok(None) };
            let mut reader = Reader::new(header);
            let (key, value) = (usize::from(reader.u8()?), reader.u32()? as usize);
            if key > KEY_BYTES || value > limits::ARCHIVE_VALUE_BYTES_MAX {
                return Err(damaged());
            }
            Ok(Some(ENTRY_HEADER_BYTES + key + value))
        }
        _ => Err(damaged()),
    }
}

/// The key and the value of an entry; `None` of the end.
fn read_entry(part: &[u8]) -> Result<Option<(Key, Vec<u8>)>> {
    let Some((header, content)) = part.split_at_checked(ENTRY_HEADER_BYTES) else {
        return Ok(None);
    };
    let (key, value) = content.split_at(usize::from(header[1]));
    let key = Key::from_bytes(key).ok_or_else(|| {
        Error::unsupported("the archive has a key that this build does not know; use a newer one")
    })?;
    Ok(Some((key, value.to_vec())))
}
