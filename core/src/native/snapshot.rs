//! A whole database out as one archive: see [`crate::archive`] for what it holds.

use super::{
    Database,
    directory::failed,
    elsewhere::Pieces,
    store::{Entries, EntryWalk},
};
use crate::{
    Error, Result,
    archive::{ArchivePart, ArchiveReader, ArchiveWriter},
    key::Key,
    planted::{self, Plant},
};
use std::{fmt, io::Write, sync::Arc, vec::IntoIter};

/// Bytes of an archive that are written at a time.
const PIECE_BYTES: usize = 1024 * 1024;

impl Database {
    /// All that was acknowledged when this is called, to be read piece by piece as an archive.
    /// Nothing waits for it: what is written or built meanwhile is not in the archive. It is of one
    /// moment in each shard, as a batch is whole in each shard. As long as it is there, files keep
    /// what the database has replaced or deleted since, so drop it soon.
    pub fn snapshot(&self) -> Result<Snapshot> {
        self.check_open()?;
        if let Some(spread) = self.spread() {
            let arriving = spread.archives()?.into_iter().map(Arriving::begin);
            let arriving = arriving.collect::<Result<Vec<_>>>()?;
            let (arriving, counts): (Vec<_>, Vec<_>) = arriving.into_iter().unzip();
            let sources = arriving.into_iter().map(Source::Elsewhere).collect();
            return self.snapshot_of(sources, &counts);
        }
        let shards = self.shards_now();
        if !planted::is(Plant::SnapshotNotFlushed) && !planted::is(Plant::SnapshotWithoutLastRecord)
        {
            shards.iter().try_for_each(|shard| shard.flush())?;
        }
        let entries = shards.iter().map(|shard| shard.entries());
        let entries = entries.collect::<Result<Vec<_>>>()?;
        let counts = entries.iter().map(Entries::len).collect::<Result<Vec<_>>>()?;
        self.snapshot_of(entries.into_iter().map(Source::Here).collect(), &counts)
    }

    fn snapshot_of(&self, sources: Vec<Source>, counts: &[u64]) -> Result<Snapshot> {
        let mut bytes = Vec::with_capacity(PIECE_BYTES);
        let writer = Some(ArchiveWriter::new(counts, &mut bytes)?);
        let (shards, total) = (sources.into_iter(), counts.iter().sum());
        let _reading = Arc::clone(&self.inner.reading);
        Ok(Snapshot { shards, walk: None, writer, bytes, taken: 0, done: 0, total, _reading })
    }

    /// Writes a [`snapshot`](Self::snapshot). `progress` hears now and then how many entries are
    /// written, and of how many.
    pub fn export(&self, mut out: impl Write, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        let mut snapshot = self.snapshot()?;
        loop {
            let piece = snapshot.piece(PIECE_BYTES)?;
            if piece.is_empty() {
                break;
            }
            out.write_all(&piece).map_err(|error| failed("the archive", &error))?;
            let (done, total) = snapshot.progress();
            progress(done, total);
        }
        out.flush().map_err(|error| failed("the archive", &error))
    }
}

/// A database as it was at one moment, on its way out as an archive. It holds one entry and the
/// piece at hand in memory, and stays whole when the database is written to, resharded or closed.
pub struct Snapshot {
    /// Those not begun yet.
    shards: IntoIter<Source>,
    /// Of the shard that is at its turn.
    walk: Option<Walk>,
    /// `None` once the end is written.
    writer: Option<ArchiveWriter>,
    /// Written and not taken yet, but for the first [`taken`](field@Self::taken).
    bytes: Vec<u8>,
    taken: usize,
    done: u64,
    total: u64,
    /// Held as long as the files are read.
    _reading: Arc<()>,
}

impl Snapshot {
    /// The next bytes of the archive, `bytes_max` of them unless it ends; none after its end.
    pub fn piece(&mut self, bytes_max: usize) -> Result<Vec<u8>> {
        while self.bytes.len() - self.taken < bytes_max && self.writer.is_some() {
            self.bytes.drain(..self.taken);
            self.taken = 0;
            self.write_next()?;
        }
        let end = self.bytes.len().min(self.taken + bytes_max);
        let piece = self.bytes[self.taken..end].to_vec();
        self.taken = end;
        Ok(piece)
    }

    /// How many entries are written, and of how many.
    pub fn progress(&self) -> (u64, u64) {
        (self.done, self.total)
    }

    /// Whether all pieces were taken.
    pub fn is_done(&self) -> bool {
        self.writer.is_none() && self.taken == self.bytes.len()
    }

    /// Writes the next entry, or the end.
    fn write_next(&mut self) -> Result<()> {
        let Self { walk, writer, bytes, .. } = self;
        let Some(writing) = writer else { return Ok(()) };
        if let Some(walking) = walk {
            let mut write = |key, value: &[u8]| writing.entry(key, value, bytes);
            let entry = match walking {
                Walk::Here(walk) => walk.next(write)?,
                Walk::Elsewhere(arriving) => {
                    arriving.next()?.map(|(key, value)| write(key, &value)).transpose()?
                }
            };
            match entry {
                Some(()) => self.done += 1,
                None => *walk = None,
            }
            return Ok(());
        }
        match self.shards.next() {
            Some(Source::Here(entries)) => *walk = Some(Walk::Here(entries.walk()?)),
            Some(Source::Elsewhere(arriving)) => *walk = Some(Walk::Elsewhere(arriving)),
            None => writer.take().map_or(Ok(()), |writer| writer.finish(bytes))?,
        }
        Ok(())
    }
}

/// Where the entries of a shard come from.
enum Source {
    Here(Entries),
    Elsewhere(Arriving),
}

/// The same while they come.
enum Walk {
    Here(EntryWalk),
    Elsewhere(Arriving),
}

/// The entries of a shard that comes as an archive of its own.
struct Arriving {
    pieces: Pieces,
    reader: ArchiveReader,
}

impl Arriving {
    /// Reads how many there are.
    fn begin(pieces: Pieces) -> Result<(Self, u64)> {
        let mut arriving = Self { pieces, reader: ArchiveReader::default() };
        match arriving.part()? {
            ArchivePart::Header(counts) if counts.len() == 1 => Ok((arriving, counts[0])),
            _ => Err(Error::corrupt("the archive of a shard is one of several")),
        }
    }

    fn next(&mut self) -> Result<Option<(Key, Vec<u8>)>> {
        match self.part()? {
            ArchivePart::Entry { key, value, .. } => Ok(Some((key, value))),
            ArchivePart::End => Ok(None),
            ArchivePart::Header(_) => Err(Error::corrupt("the archive of a shard begins twice")),
        }
    }

    fn part(&mut self) -> Result<ArchivePart> {
        loop {
            if let Some(part) = self.reader.part()? {
                return Ok(part);
            }
            let piece = (self.pieces)()?;
            if piece.is_empty() {
                self.reader.finish()?;
                return Err(Error::corrupt("the archive of a shard goes on after its end"));
            }
            self.reader.push(&piece);
        }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("progress", &self.progress()).finish_non_exhaustive()
    }
}
