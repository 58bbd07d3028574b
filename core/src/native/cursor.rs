//! Where someone stands who follows a database, as a string: which stream of records, and for each
//! shard up to which record it was read, and how many changes of the next one.
//!
//! ```text
//! 9f3c61d20a77be01.204.198+37    two shards; of record 199 of the second, 37 changes were read
//! ```

use crate::{Error, Result, limits};
use std::fmt::Write;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) identity: u64,
    /// By shard.
    pub(super) positions: Vec<Position>,
}

/// Where someone stands in one shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// The last record that was read to its end.
    pub(super) record: u64,
    /// Changes that were read of the one after it.
    pub(super) changes: usize,
}

impl Cursor {
    /// Reads what [`to_text`](Self::to_text) wrote.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let read = || {
            let mut parts = text.split('.');
            let identity = u64::from_str_radix(parts.next()?, 16).ok()?;
            let positions = parts.take(limits::SHARDS_MAX + 1).map(Position::parse);
            Some(Self { identity, positions: positions.collect::<Option<_>>()? })
        };
        read().ok_or_else(|| Error::invalid("the position is not one that came with changes"))
    }

    /// The shards of which there is more to read up to `now`, that which is behind most first.
    pub(super) fn behind(&self, now: &Self) -> Vec<usize> {
        let behind = |shard: &usize| {
            now.positions[*shard].record.saturating_sub(self.positions[*shard].record)
        };
        let mut order: Vec<usize> =
            (0..self.positions.len()).filter(|shard| behind(shard) > 0).collect();
        order.sort_by_key(|shard| std::cmp::Reverse(behind(shard)));
        order
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = format!("{:x}", self.identity);
        for Position { record, changes } in &self.positions {
            // Writing to a string cannot fail.
            let _ = match changes {
                0 => write!(text, ".{record}"),
                _ => write!(text, ".{record}+{changes}"),
            };
        }
        text
    }
}

impl Position {
    fn parse(text: &str) -> Option<Self> {
        let (record, changes) = text.split_once('+').unwrap_or((text, "0"));
        Some(Self { record: record.parse().ok()?, changes: changes.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Position};

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is() {
        let positions =
            vec![Position { record: 204, changes: 0 }, Position { record: 198, changes: 37 }];
        let cursor = Cursor { identity: 0x9f3c_61d2_0a77_be01, positions };
        assert_eq!(cursor.to_text(), "9f3c61d20a77be01.204.198+37");
        assert_eq!(Cursor::parse(&cursor.to_text()).expect("a cursor"), cursor);
        for wrong in ["", "x", "1.", "1.a", "1.2+", "1.-2", "1.2+3+4", "1.18446744073709551616"] {
            assert!(Cursor::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
