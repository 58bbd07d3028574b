//! Searches while documents are written as fast as they can be, into a database of their own.

use super::{build, median::ratio, place::Place, report::DuringIngest, stream::percentile_us};
use crate::cli::dataset::Dataset;
use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};
use vectordoc::{Database, Error, Filter, Query, Result, Schema, native::DatabaseOptions};

/// How long each search took, and each count, which does next to nothing but wait for its turn.
#[derive(Default)]
struct Times {
    searches: Vec<Duration>,
    counts: Vec<Duration>,
}

/// Writes the whole data set and meanwhile asks `queries`, one after the other; beside searches that
/// nothing disturbs, of which 99 of 100 take `quiet_p99_us` at most.
pub(super) fn measure(
    dataset: &Dataset,
    schema: &Schema,
    options: &DatabaseOptions,
    queries: &[Query],
    scratch: Option<&Path>,
    quiet_p99_us: f64,
) -> Result<DuringIngest> {
    let place = Place::of(None, scratch)?;
    let database = Database::create(place.path(), schema, options)?;
    let is_written = AtomicBool::new(false);
    let times = thread::scope(|scope| {
        let asking = scope.spawn(|| ask_until(&is_written, &database, queries));
        let written = build::write(&database, dataset);
        is_written.store(true, Ordering::Relaxed);
        let asked = asking.join();
        written?;
        asked.unwrap_or_else(|_| Err(Error::internal("a stream of queries panicked")))
    })?;
    database.close()?;
    Ok(times.beside(quiet_p99_us))
}

fn ask_until(is_written: &AtomicBool, database: &Database, queries: &[Query]) -> Result<Times> {
    let mut times = Times::default();
    for query in queries.iter().cycle() {
        if is_written.load(Ordering::Relaxed) {
            break;
        }
        let start = Instant::now();
        let documents = database.count(&Filter::All)?;
        let counted = start.elapsed();
        // An empty database answers a thousand times before the first batch is in.
        if documents == 0 {
            thread::yield_now();
            continue;
        }
        let start = Instant::now();
        database.search(query)?;
        times.counts.push(counted);
        times.searches.push(start.elapsed());
    }
    Ok(times)
}

impl Times {
    fn beside(mut self, quiet_p99_us: f64) -> DuringIngest {
        self.searches.sort_unstable();
        self.counts.sort_unstable();
        let p99_us = percentile_us(&self.searches, 99);
        DuringIngest {
            searches: self.searches.len(),
            p50_us: percentile_us(&self.searches, 50),
            p99_us,
            max_us: percentile_us(&self.searches, 100),
            ratio: ratio(p99_us, quiet_p99_us),
            wait_p99_us: percentile_us(&self.counts, 99),
            wait_max_us: percentile_us(&self.counts, 100),
        }
    }
}
