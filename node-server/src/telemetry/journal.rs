//! The last of what the server did about its databases, kept in memory for who asks by `db.logs`:
//! creation, sleep and waking, pauses, failures, slow requests.

use crate::limits::{JOURNAL_LINE_BYTES_MAX, JOURNAL_LINES_MAX};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};
use vectordoc::Timestamp;

/// One thing that happened.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Line {
    /// Each has a greater one than that before it.
    pub(crate) number: u64,
    pub(crate) time: String,
    pub(crate) level: &'static str,
    pub(crate) message: String,
    #[serde(skip)]
    db: String,
}

/// Lines in the order they came, the oldest of which go when there are too many.
#[derive(Default)]
pub(crate) struct Journal {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lines: VecDeque<Line>,
    last: u64,
    is_kept: bool,
}

/// That of this process.
static JOURNAL: Journal = Journal::new();

impl Journal {
    const fn new() -> Self {
        let state = State { lines: VecDeque::new(), last: 0, is_kept: false };
        Self { state: Mutex::new(state) }
    }

    /// That of this process.
    pub(crate) fn of_process() -> &'static Self {
        &JOURNAL
    }

    /// Says that lines are going to come.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "the command line keeps it"))]
    pub(crate) fn keep(&self) {
        self.lock().is_kept = true;
    }

    /// Whether lines come: a program that embeds a server has its own way to keep them.
    pub(crate) fn is_kept(&self) -> bool {
        self.lock().is_kept
    }

    /// Adds a line about the database `db`.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "the command line keeps it"))]
    pub(crate) fn add(&self, db: String, level: &'static str, mut message: String) {
        message.truncate(message.floor_char_boundary(JOURNAL_LINE_BYTES_MAX));
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        let time = Timestamp::from_millis(millis).map_or_else(|_| String::new(), |t| t.to_string());
        let mut state = self.lock();
        state.last += 1;
        let line = Line { number: state.last, time, level, message, db };
        if state.lines.len() >= JOURNAL_LINES_MAX {
            state.lines.pop_front();
        }
        state.lines.push_back(line);
    }

    /// The last `limit` lines about the database `db` of those after number `since`.
    pub(crate) fn about(&self, db: &str, since: u64, limit: usize) -> Vec<Line> {
        let state = self.lock();
        let about = state.lines.iter().rev();
        let about = about.take_while(|line| line.number > since).filter(|line| line.db == db);
        let mut lines: Vec<_> = about.take(limit).cloned().collect();
        lines.reverse();
        lines
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
