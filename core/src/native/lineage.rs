//! Positions of streams of records that ended, and where they go on.

use super::cursor::Cursor;
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

/// Ends that are remembered.
const ENDS_MAX: usize = 16;

/// Who has read a stream to its end goes on at the beginning of the one that followed it. Who has
/// not cannot, as its records are gone.
#[derive(Default)]
pub(super) struct Lineage(Mutex<VecDeque<(Cursor, Cursor)>>);

impl Lineage {
    /// What stood at `end` goes on at `beginning`.
    pub(super) fn add(&self, end: Cursor, beginning: Cursor) {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ends.len() == ENDS_MAX {
            ends.pop_front();
        }
        ends.push_back((end, beginning));
    }

    /// The position that `cursor` stands for in the stream of `now`, if it goes on there.
    pub(super) fn follow(&self, mut cursor: Cursor, now: &Cursor) -> Cursor {
        let ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (end, beginning) in ends.iter() {
            if cursor.identity != now.identity && cursor == *end {
                cursor = beginning.clone();
            }
        }
        cursor
    }
}
