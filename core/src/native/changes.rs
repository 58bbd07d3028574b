//! Following a database: every change since a position, in the order of the records.

use super::{
    Database,
    cursor::{Cursor, Position},
    feed::Subscription,
    shard::Shard,
};
use crate::{
    Change, ChangePage, ChangeQuery, Engine, Error, Record, Result, Schema, Value, limits, record,
};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

impl Database {
    /// What changed since a position, or the position there is now. Changes are told once they are
    /// on stable storage and applied; whoever applies them in order, again or for the first time,
    /// has the same documents. `conflict` when the database does not remember that far, or the
    /// position is of another database: then take a new position, scroll, and follow from it. The
    /// same after [resharding](Self::reshard), unless everything before it had been read.
    pub fn changes(&self, query: &ChangeQuery) -> Result<ChangePage> {
        self.check_open()?;
        limits::at_most(query.limit, limits::CHANGES_LIMIT_MAX, "limit")?;
        if query.limit == 0 {
            return Err(Error::invalid("limit is 0; ask for at least one change"));
        }
        if self.is_spread() {
            return self.changes_elsewhere(query);
        }
        let shards = self.shards_now();
        check_query(&shards[0].engine(), query)?;
        expect_kept(self)?;
        let now = position(&shards);
        let mut cursor = match &query.since {
            Some(since) => self.inner.lineage.follow(Cursor::parse(since)?, &now),
            None => now.clone(),
        };
        let is_shared = shards.iter().all(|shard| shard.feed().is_shared());
        check_cursor(&cursor, &now, is_shared)?;
        let bytes_max = limits::CHANGES_BYTES_MAX;
        let mut page = Pages { query, changes: Vec::new(), bytes: 0, bytes_max };
        let order = cursor.behind(&now);
        for (turn, shard) in order.iter().enumerate() {
            let share = (query.limit - page.changes.len()).div_ceil(order.len() - turn);
            if share == 0 {
                break;
            }
            let position = &mut cursor.positions[*shard];
            page.read(&shards[*shard], position, now.positions[*shard].record, share)?;
        }
        let has_more = !cursor.behind(&now).is_empty();
        Ok(ChangePage { changes: page.changes, cursor: cursor.to_text(), has_more })
    }

    /// The same where the shards are elsewhere, which are asked at the same time.
    fn changes_elsewhere(&self, query: &ChangeQuery) -> Result<ChangePage> {
        let Some(spread) = self.spread() else {
            return Err(Error::internal("the shards are here"));
        };
        let now = spread.position()?;
        let since = query.since.as_deref().map(Cursor::parse).transpose()?;
        let mut cursor = since.unwrap_or_else(|| now.clone());
        check_cursor(&cursor, &now, true)?;
        let order = cursor.behind(&now);
        let (mut shares, mut left) = (vec![0; self.shards()], query.limit);
        for (turn, shard) in order.iter().enumerate() {
            shares[*shard] = left.div_ceil(order.len() - turn);
            left -= shares[*shard];
        }
        if order.is_empty() {
            // Of nothing to tell, too, it is said what is wrong with the question.
            shares[0] = 1;
        }
        let changes = spread.changes(query, &mut cursor, &shares)?;
        let has_more = !cursor.behind(&now).is_empty();
        Ok(ChangePage { changes, cursor: cursor.to_text(), has_more })
    }

    /// The same, and where there is no change yet, waits for one, at most so long.
    pub fn changes_within(&self, query: &ChangeQuery, time: Duration) -> Result<ChangePage> {
        let until = Instant::now() + time;
        let announcer = Arc::clone(&self.inner.announcer);
        let _following = match &self.inner.elsewhere {
            Some(elsewhere) => Some(elsewhere.follow(Arc::new(move || announcer.announce()))?),
            None => None,
        };
        loop {
            let seen = self.inner.announcer.announcements();
            let page = self.changes(query)?;
            let is_over = query.since.is_none() || !page.changes.is_empty();
            if is_over || !self.inner.announcer.wait(seen, until) {
                return Ok(page);
            }
        }
    }

    /// Lets `listener` be called whenever there may be new [`changes`](Self::changes), when indexes
    /// have followed, so that searches may find something else, and when the database closes, until
    /// the subscription is dropped. It is called by the threads that write, so it must be quick and
    /// only take note: set a flag, wake a task. Nothing is kept for it, so that who is slow reads
    /// more changes at a time and keeps nobody waiting.
    pub fn on_change(&self, listener: impl Fn() + Send + Sync + 'static) -> Result<Subscription> {
        self.check_open()?;
        match &self.inner.elsewhere {
            Some(elsewhere) => elsewhere.follow(Arc::new(listener)).map(Subscription::elsewhere),
            None => Ok(self.inner.announcer.subscribe(Arc::new(listener))),
        }
    }
}

/// Refuses to tell changes where none are kept.
pub(super) fn expect_kept(database: &Database) -> Result<()> {
    if database.inner.history_bytes == 0 {
        return Err(Error::unsupported(
            "this database keeps no changes; open it with history_bytes over 0",
        ));
    }
    Ok(())
}

/// Where who has read everything stands.
pub(super) fn position(shards: &[Shard]) -> Cursor {
    let feeds = || shards.iter().map(Shard::feed);
    let identity = feeds().fold(0u64, |all, feed| all.rotate_left(1) ^ feed.stream());
    let position = |record| Position { record, changes: 0 };
    let positions = feeds().map(|feed| position(feed.published())).collect();
    Cursor { identity, positions }
}

/// Refuses a position of another stream, or one that is not reached yet, which in a stream that
/// replicas share is one that another replica has told.
fn check_cursor(cursor: &Cursor, now: &Cursor, is_shared: bool) -> Result<()> {
    let is_ahead = || {
        let mut pairs = cursor.positions.iter().zip(&now.positions);
        pairs.any(|(at, now)| at.record > now.record || (at.record == now.record && at.changes > 0))
    };
    let is_of_this = cursor.identity == now.identity
        && cursor.positions.len() == now.positions.len()
        && (is_shared || !is_ahead());
    let context =
        "the position is of another database, or of this one before it was restored or resharded";
    if is_of_this { Ok(()) } else { Err(start_anew(context)) }
}

fn start_anew(reason: &str) -> Error {
    Error::conflict(format!(
        "{reason}: ask for changes without a position to get the one there is now, scroll through \
         the documents, then follow from that position"
    ))
}

pub(super) fn check_query(engine: &Engine, query: &ChangeQuery) -> Result<()> {
    engine.check_include(&query.include)?;
    engine.matcher(&query.filter).map(drop)
}

/// A page in the making.
pub(super) struct Pages<'a> {
    pub(super) query: &'a ChangeQuery,
    pub(super) changes: Vec<Change>,
    pub(super) bytes: usize,
    /// After so many, no more are read.
    pub(super) bytes_max: usize,
}

impl Pages<'_> {
    /// Reads up to `share` changes of a shard after `position`, which then stands after them, up to
    /// the record `last`.
    pub(super) fn read(
        &mut self,
        shard: &Shard,
        position: &mut Position,
        last: u64,
        share: usize,
    ) -> Result<()> {
        let schema = shard.engine().schema().clone();
        let mut read: Vec<(record::Change, u64)> = Vec::new();
        let (mut at, mut expected) = (*position, position.record + 1);
        let mut is_gap = false;
        shard.records(expected, last, share, &mut |bytes| {
            let record = Record::from_bytes(bytes, &schema)?;
            is_gap = record.number != expected;
            if is_gap {
                return Ok(false);
            }
            expected += 1;
            let version = record.number;
            let mut changes = last_of_each(record).into_iter().skip(at.changes).peekable();
            while let Some(change) = changes.next() {
                self.bytes += change.bytes();
                read.push((change, version));
                at.changes += 1;
                let is_full = read.len() >= share || self.bytes >= self.bytes_max;
                if is_full && changes.peek().is_some() {
                    return Ok(false);
                }
            }
            at = Position { record: version, changes: 0 };
            Ok(read.len() < share && self.bytes < self.bytes_max)
        })?;
        if is_gap || at == *position {
            return Err(start_anew("the database does not remember that far"));
        }
        *position = at;
        let engine = shard.engine();
        let passes = engine.matcher(&self.query.filter)?;
        for (change, version) in read {
            self.changes.push(told(change, version, &schema, self.query, &passes)?);
        }
        Ok(())
    }
}

/// The changes of a record that are ever seen: of several of one document, the last.
pub(super) fn last_of_each(record: Record) -> Vec<record::Change> {
    let mut seen = BTreeSet::new();
    let mut changes = record.changes;
    changes.reverse();
    changes.retain(|change| seen.insert(change.id().clone()));
    changes.reverse();
    changes
}

fn told(
    change: record::Change,
    version: u64,
    schema: &Schema,
    query: &ChangeQuery,
    passes: &impl Fn(&[Value]) -> bool,
) -> Result<Change> {
    let stored = match change {
        record::Change::Delete(id) => return Ok(Change::Delete { id, version }),
        record::Change::Put(stored) => stored,
    };
    let doc = stored.to_document(schema)?;
    if !passes(&doc.values) {
        return Ok(Change::Leave { id: doc.id, version });
    }
    Ok(Change::Index { doc: query.include.of(doc, schema), version })
}
