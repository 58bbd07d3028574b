//! Streams of queries: each asks one query after the other, and all of them run at once.
//!
//! Every stream asks all queries, each from another one on, so that one stream and several do the
//! same passes over the index.

use crate::cli::number;
use std::{
    thread,
    time::{Duration, Instant},
};
use vectordoc::{Database, Error, Hit, Query, Result};

/// Queries are asked again, all of them, until they took this long.
const MEASURED_MIN: Duration = Duration::from_secs(1);

/// What the streams did.
pub(super) struct Measured {
    /// The hits of every query.
    pub(super) answers: Vec<Vec<Hit>>,
    /// Queries answered per second by all streams together.
    pub(super) qps: f64,
    /// The time half of the queries took at most, in microseconds.
    pub(super) p50_us: f64,
    /// The time 99 of 100 queries took at most, in microseconds.
    pub(super) p99_us: f64,
}

/// A query's hits and the time they took.
type Timed = (Vec<Hit>, Duration);

/// One pass over all queries.
struct Round {
    answers: Vec<Vec<Hit>>,
    times: Vec<Duration>,
    elapsed: Duration,
}

/// Asks all `queries` in `streams` streams, repeatedly if they are answered fast: then the first
/// round warms caches up and is not counted.
pub(super) fn measure(database: &Database, queries: &[Query], streams: usize) -> Result<Measured> {
    let Round { answers, mut times, mut elapsed } = ask_all(database, queries, streams)?;
    if elapsed < MEASURED_MIN {
        (times, elapsed) = (Vec::new(), Duration::ZERO);
    }
    while elapsed < MEASURED_MIN && !queries.is_empty() {
        let round = ask_all(database, queries, streams)?;
        times.extend(round.times);
        elapsed += round.elapsed;
    }
    times.sort_unstable();
    let qps = number::per_second(times.len(), elapsed);
    let (p50_us, p99_us) = (percentile_us(&times, 50), percentile_us(&times, 99));
    Ok(Measured { answers, qps, p50_us, p99_us })
}

fn ask_all(database: &Database, queries: &[Query], streams: usize) -> Result<Round> {
    let streams = streams.clamp(1, queries.len().max(1));
    let start = Instant::now();
    let asked: Vec<Result<Vec<Timed>>> = thread::scope(|scope| {
        let stream = |stream| {
            let (later, first) = queries.split_at(stream * queries.len() / streams);
            scope.spawn(move || ask_each(database, first.iter().chain(later)))
        };
        let running: Vec<_> = (0..streams).map(stream).collect();
        let join = |stream: thread::ScopedJoinHandle<'_, _>| {
            stream.join().unwrap_or_else(|_| Err(Error::internal("a stream of queries panicked")))
        };
        running.into_iter().map(join).collect()
    });
    let elapsed = start.elapsed();
    let asked: Vec<_> = asked.into_iter().collect::<Result<_>>()?;
    let (mut answers, times): (Vec<_>, Vec<_>) = asked.into_iter().flatten().unzip();
    // Those of the first stream, which began with the first query.
    answers.truncate(queries.len());
    Ok(Round { answers, times, elapsed })
}

fn ask_each<'a>(
    database: &Database,
    queries: impl Iterator<Item = &'a Query>,
) -> Result<Vec<Timed>> {
    let ask = |query| {
        let start = Instant::now();
        let hits = database.search(query)?;
        Ok((hits, start.elapsed()))
    };
    queries.map(ask).collect()
}

/// The time that `percent` of the sorted `times` do not exceed, in microseconds.
pub(super) fn percentile_us(times: &[Duration], percent: usize) -> f64 {
    let rank = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(rank).map_or(0.0, |time| time.as_secs_f64() * 1e6)
}
