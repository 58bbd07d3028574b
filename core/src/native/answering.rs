//! What a database that is one shard of another answers: what any [`Engine`](crate::Engine) does, and
//! what only a host knows.

use super::{
    Database, Stats,
    changes::{Pages, check_query, expect_kept},
    cursor::Position,
};
use crate::{
    Change, ChangeQuery, Error, Filter, Include, Result, Schema,
    bytes::{Reader, Writer},
    document::{read_id, write_id},
    shards::format::{
        document_bytes, read_all, read_document, read_filter, read_include, read_list, read_size,
        read_u64, write_filter, write_include, write_list,
    },
};

/// The first byte of these questions, which no question to an engine has; raised when their bytes
/// change.
const FORMAT: u8 = 0x81;

const STATS: u8 = 1;
const POSITION: u8 = 2;
const CHANGES: u8 = 3;

const INDEX: u8 = 1;
const DELETE: u8 = 2;
const LEAVE: u8 = 3;

/// What only a host can be asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Asked {
    /// The state of the shard.
    Stats,
    /// Which stream of records it has, and the last that may be read.
    Position,
    /// Changes after a position.
    Changes { position: Position, limit: usize, bytes_max: usize, filter: Filter, include: Include },
}

impl Database {
    /// Answers a question of [`Elsewhere::ask`](super::Elsewhere::ask) to the shard that this
    /// database is.
    pub fn answer(&self, question: &[u8]) -> Result<Vec<u8>> {
        self.check_open()?;
        let shards = self.shards_now();
        let [shard] = &shards[..] else {
            return Err(Error::unsupported(format!(
                "a shard is asked, and this database has {}",
                shards.len()
            )));
        };
        if question.first() != Some(&FORMAT) {
            shard.searched();
            return shard.engine().answer(question);
        }
        let mut writer = Writer::default();
        match Asked::from_bytes(question)? {
            Asked::Stats => write_stats(&mut writer, &self.stats()),
            Asked::Position => {
                expect_kept(self)?;
                writer.u64(shard.feed().stream());
                writer.varint(shard.feed().published().into());
            }
            Asked::Changes { mut position, limit, bytes_max, filter, include } => {
                let query = ChangeQuery { since: None, limit, filter, include };
                check_query(&shard.engine(), &query)?;
                let last = shard.feed().published();
                let mut page = Pages { query: &query, changes: Vec::new(), bytes: 0, bytes_max };
                if position.record < last {
                    page.read(shard, &mut position, last, limit)?;
                }
                write_position(&mut writer, position);
                write_list(&mut writer, &page.changes, write_change);
            }
        }
        Ok(writer.into_bytes())
    }

    /// How often something changed so far, as [`on_change`](Self::on_change) tells.
    pub fn announcements(&self) -> u64 {
        self.inner.announcer.announcements()
    }
}

impl Asked {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.u8(FORMAT);
        match self {
            Self::Stats => writer.u8(STATS),
            Self::Position => writer.u8(POSITION),
            Self::Changes { position, limit, bytes_max, filter, include } => {
                writer.u8(CHANGES);
                write_position(&mut writer, *position);
                writer.length(*limit);
                writer.length(*bytes_max);
                write_filter(&mut writer, filter);
                write_include(&mut writer, include);
            }
        }
        writer.into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        read_all(bytes, |reader| {
            reader.u8()?;
            Ok(match reader.u8()? {
                STATS => Self::Stats,
                POSITION => Self::Position,
                CHANGES => Self::Changes {
                    position: read_at(reader)?,
                    limit: read_size(reader)?,
                    bytes_max: read_size(reader)?,
                    filter: read_filter(reader)?,
                    include: read_include(reader)?,
                },
                tag => return Err(Error::corrupt(format!("a question has the unknown tag {tag}"))),
            })
        })
    }
}

fn write_position(writer: &mut Writer, position: Position) {
    writer.varint(position.record.into());
    writer.length(position.changes);
}

fn read_at(reader: &mut Reader<'_>) -> Result<Position> {
    Ok(Position { record: read_u64(reader)?, changes: read_size(reader)? })
}

fn write_stats(writer: &mut Writer, stats: &Stats) {
    let Stats { documents, unindexed, shards: _, record_number, memory_bytes, commits } = stats;
    for number in [documents, unindexed, record_number, memory_bytes, commits] {
        writer.varint((*number).into());
    }
}

pub(super) fn read_stats(bytes: &[u8]) -> Result<Stats> {
    read_all(bytes, |reader| {
        Ok(Stats {
            documents: read_u64(reader)?,
            unindexed: read_u64(reader)?,
            shards: 1,
            record_number: read_u64(reader)?,
            memory_bytes: read_u64(reader)?,
            commits: read_u64(reader)?,
        })
    })
}

/// Which stream of records a shard has, and the last that may be read.
pub(super) fn read_position(bytes: &[u8]) -> Result<(u64, u64)> {
    read_all(bytes, |reader| Ok((reader.u64()?, read_u64(reader)?)))
}

/// Changes and the position after them.
pub(super) fn read_page(bytes: &[u8], schema: &Schema) -> Result<(Position, Vec<Change>)> {
    read_all(bytes, |reader| {
        Ok((read_at(reader)?, read_list(reader, |reader| read_change(reader, schema))?))
    })
}

fn write_change(writer: &mut Writer, change: &Change) {
    let version = match change {
        Change::Index { doc, version } => {
            writer.u8(INDEX);
            writer.bytes(&document_bytes(doc));
            version
        }
        Change::Delete { id, version } => {
            writer.u8(DELETE);
            write_id(writer, id);
            version
        }
        Change::Leave { id, version } => {
            writer.u8(LEAVE);
            write_id(writer, id);
            version
        }
    };
    writer.varint((*version).into());
}

fn read_change(reader: &mut Reader<'_>, schema: &Schema) -> Result<Change> {
    Ok(match reader.u8()? {
        INDEX => {
            let doc = read_document(reader.bytes()?, schema)?;
            Change::Index { doc, version: read_u64(reader)? }
        }
        DELETE => Change::Delete { id: read_id(reader)?, version: read_u64(reader)? },
        LEAVE => Change::Leave { id: read_id(reader)?, version: read_u64(reader)? },
        tag => return Err(Error::corrupt(format!("a change has the unknown tag {tag}"))),
    })
}
