//! Opening the closed database, up to its first answer, beside plainly reading its files.

use super::{
    files,
    median::{median, ratio},
    process,
    report::{Open, Opened},
};
use crate::cli::progress::Progress;
use std::{path::Path, time::Instant};
use vectordoc::{Database, Query, Result, native::DatabaseOptions};

/// How often each of both is done, in turn.
pub(super) const TIMES: usize = 5;

/// What is opened, and asked first.
pub(super) struct Opening<'a> {
    pub(super) path: &'a Path,
    pub(super) options: &'a DatabaseOptions,
    pub(super) first: Option<&'a Query>,
}

/// Seconds of each opening and of each reading, and whether any was answered by the page cache.
#[derive(Default)]
struct Times {
    open: Vec<f64>,
    read: Vec<f64>,
    is_cached: bool,
}

impl Opening<'_> {
    /// Opens and answers.
    pub(super) fn open(&self) -> Result<Database> {
        let database = Database::open(self.path, self.options)?;
        self.first.map(|query| database.search(query)).transpose()?;
        Ok(database)
    }

    /// Times opening and reading with the files outside of the page cache and inside of it.
    pub(super) fn measure(&self, progress: &Progress) -> Result<Open> {
        let (mut cold, mut warm) = (Times::default(), Times::default());
        for _ in 0..TIMES {
            files::drop_from_cache(self.path)?;
            self.time_open(&mut cold)?;
            files::drop_from_cache(self.path)?;
            self.time_read(&mut cold)?;
            self.time_open(&mut warm)?;
            self.time_read(&mut warm)?;
            progress.advance(1);
        }
        let cold = (!cold.is_cached).then(|| cold.opened());
        let warm = warm.opened();
        Ok(Open { seconds: warm.seconds, warm, cold })
    }

    fn time_open(&self, times: &mut Times) -> Result<()> {
        let start = Instant::now();
        let database = self.open()?;
        times.open.push(start.elapsed().as_secs_f64());
        database.close()
    }

    fn time_read(&self, times: &mut Times) -> Result<()> {
        let fetched = process::fetched_bytes();
        let start = Instant::now();
        let bytes = files::read(self.path)?;
        times.read.push(start.elapsed().as_secs_f64());
        let fetched = fetched.zip(process::fetched_bytes()).map(|(before, now)| now - before);
        times.is_cached |= fetched.is_none_or(|fetched| fetched < bytes / 2);
        Ok(())
    }
}

impl Times {
    fn opened(self) -> Opened {
        let (seconds, read_seconds) = (median(self.open), median(self.read));
        Opened { seconds, read_seconds, ratio: ratio(seconds, read_seconds) }
    }
}
