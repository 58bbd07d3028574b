//! Promise: a write is as durable as it says; what is written in memory first keeps its order, is
//! whole or absent after a crash, and is never overtaken; writers that wait share commits, and a
//! shard that is busy says so.
//!
//! The kill test starts itself as the process to be killed.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};
use vectordoc::{
    Db, ErrorKind, Filter, Result, VectorDoc,
    native::{Durability, WhenBusy},
};
use vectordoc_tests::random;

const DIRECTORY: &str = "VECTORDOC_DURABILITY_DIRECTORY";
const FIRST_BATCH: &str = "VECTORDOC_DURABILITY_FIRST_BATCH";
const BATCH_DOCUMENTS: u64 = 5;

#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Line {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 2))]
    embedding: [f32; 2],
    #[vectordoc(filter)]
    batch: u64,
}

fn line(batch: u64, position: u64) -> Line {
    Line { id: batch * BATCH_DOCUMENTS + position, embedding: [1.0, 0.5], batch }
}

fn lines(batch: u64) -> impl Iterator<Item = Line> {
    (0..BATCH_DOCUMENTS).map(move |position| line(batch, position))
}

/// Which batches the child syncs: about one in nine, so that there are runs of others.
fn is_synced(batch: u64) -> bool {
    fastrand::Rng::with_seed(batch).u8(..9) == 0
}

#[test]
fn a_write_in_memory_is_found_at_once_and_there_after_a_clean_close() -> Result<()> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let db = Db::<Line>::builder().shards(2).open(directory.path())?;
    let quick = db.with_durability(Durability::Memory);
    assert_eq!(quick.database().durability(), Durability::Memory);
    assert_eq!(db.database().durability(), Durability::Fsync);
    assert_eq!(quick.index(lines(0))?, 5);
    assert_eq!(db.count(Line::batch().eq(0_u64))?, BATCH_DOCUMENTS);
    assert_eq!(quick.delete([0, 99])?.missing.len(), 1);
    db.close()?;
    let db = Db::<Line>::open(directory.path())?;
    assert_eq!(db.count(Filter::All)?, BATCH_DOCUMENTS - 1);
    db.database().check()
}

#[test]
fn a_write_in_memory_is_committed_although_nothing_follows_it() -> Result<()> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let db = Db::<Line>::open(directory.path())?;
    db.database().checkpoint()?;
    let before = db.database().stats().commits;
    let deadline = Instant::now() + Duration::from_secs(30);
    db.with_durability(Durability::Memory).index(lines(0))?;
    while db.database().stats().commits == before {
        assert!(Instant::now() < deadline, "nothing was committed");
        thread::yield_now();
    }
    Ok(())
}

#[test]
fn many_writes_in_memory_take_few_commits() -> Result<()> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let db = Db::<Line>::open(directory.path())?;
    db.database().checkpoint()?;
    let before = db.database().stats().commits;
    let quick = db.with_durability(Durability::Memory);
    (0..1_000).try_for_each(|batch| quick.index(lines(batch)).map(drop))?;
    db.index(lines(1_000))?;
    let commits = db.database().stats().commits - before;
    assert!(commits < 250, "{commits} commits for 1,000 writes in memory and one synced");
    Ok(())
}

#[test]
fn writers_that_wait_at_the_same_time_share_commits() -> Result<()> {
    const WRITERS: u64 = 32;
    const WRITES: u64 = 20;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let db = Db::<Line>::open(directory.path())?;
    let before = db.database().stats().commits;
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let db = &db;
            scope.spawn(move || {
                for write in 0..WRITES {
                    db.index([line(writer * WRITES + write, 0)]).expect("a write");
                }
            });
        }
    });
    let commits = db.database().stats().commits - before;
    let writes = WRITERS * WRITES;
    assert_eq!(db.count(Filter::All)?, writes);
    assert!(commits < writes / 4, "{commits} commits for {writes} writes of {WRITERS} writers");
    Ok(())
}

#[test]
fn a_busy_shard_refuses_with_its_limit_or_lets_wait_and_writes_all_or_nothing() -> Result<()> {
    const WRITERS: u64 = 16;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let options = Db::<Line>::builder().shards(2).waiting_writes_max(1);
    let db = options.open(directory.path())?;
    let impatient = db.when_busy(WhenBusy::Refuse);
    let (next, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    let deadline = Instant::now() + Duration::from_secs(60);
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                while refused.load(Ordering::Relaxed) < 100 && Instant::now() < deadline {
                    let batch = next.fetch_add(1, Ordering::Relaxed);
                    let present = match impatient.index(lines(batch)) {
                        Ok(_) => BATCH_DOCUMENTS,
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Busy);
                            assert!(error.message().starts_with("1 writes wait"), "{error}");
                            refused.fetch_add(1, Ordering::Relaxed);
                            0
                        }
                    };
                    let count = db.count(Line::batch().eq(batch)).expect("a count");
                    assert_eq!(count, present, "documents of batch {batch}");
                }
            });
        }
    });
    assert!(refused.into_inner() >= 100, "nobody was refused");
    thread::scope(|scope| {
        for batch in 1_000_000..1_000_000 + WRITERS {
            let db = &db;
            scope.spawn(move || db.index(lines(batch)).expect("a write that waits"));
        }
    });
    Ok(())
}

/// What the child does; in an ordinary run there is no directory and nothing to do.
#[test]
fn child_that_writes_until_it_is_killed() -> Result<()> {
    let (Ok(directory), Ok(first)) = (std::env::var(DIRECTORY), std::env::var(FIRST_BATCH)) else {
        return Ok(());
    };
    let db = Db::<Line>::open(directory)?;
    let quick = db.with_durability(Durability::Memory);
    let first: u64 = first.parse().expect("a number");
    let mut out = std::io::stdout();
    for batch in first.. {
        let handle = if is_synced(batch) { &db } else { &quick };
        handle.index(lines(batch))?;
        assert_eq!(db.count(Line::batch().eq(batch))?, BATCH_DOCUMENTS);
        writeln!(out, "acknowledged {batch}").and_then(|()| out.flush()).expect("the judge reads");
    }
    Ok(())
}

fn start_child(directory: &Path, first: u64) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["child_that_writes_until_it_is_killed", "--exact", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(FIRST_BATCH, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the child starts")
}

/// Lets a child run for a random while and kills it; returns the last batch it said was
/// acknowledged.
fn run_and_kill(directory: &Path, first: u64, rng: &mut fastrand::Rng) -> u64 {
    let mut child = start_child(directory, first);
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let deadline = Instant::now() + Duration::from_millis(rng.u64(5..250));
    let (mut last, mut is_killed) = (None, false);
    for line in output.lines().map_while(std::result::Result::ok) {
        if let Some((_, batch)) = line.split_once("acknowledged ") {
            last = Some(batch.parse().expect("a number"));
        }
        if !is_killed && last.is_some() && Instant::now() >= deadline {
            child.kill().expect("the child can be killed");
            is_killed = true;
        }
    }
    child.wait().expect("the child ends");
    last.expect("the child wrote")
}

#[test]
fn after_a_kill_what_was_synced_is_there_with_all_before_it_and_the_rest_is_lost_from_the_end()
-> Result<()> {
    let mut rng = fastrand::Rng::with_seed(random::seed(1));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("db");
    let (mut first, mut lost) = (0, 0);
    for kill in 0..random::programs(20) {
        let last = run_and_kill(&path, first, &mut rng);
        let db = Db::<Line>::open(&path)?;
        let documents = db.count(Filter::All)?;
        assert_eq!(documents % BATCH_DOCUMENTS, 0, "after kill {kill}: half a batch");
        let there = documents / BATCH_DOCUMENTS;
        for batch in 0..there {
            let count = db.count(Line::batch().eq(batch))?;
            assert_eq!(count, BATCH_DOCUMENTS, "after kill {kill}: batch {batch} of {there}");
        }
        let synced = (first..=last).rev().find(|batch| is_synced(*batch));
        let durable = synced.map_or(first, |synced| synced + 1);
        assert!(there >= durable, "after kill {kill}: {there} batches, {durable} were synced");
        lost += (last + 1).saturating_sub(there);
        first = there;
        db.database().check()?;
        db.close()?;
    }
    eprintln!("{lost} acknowledged batches in memory were lost, none out of order");
    random::figure("kill/deferred", random::programs(20), "kills, 0 lost, 0 half, 0 twice");
    Ok(())
}
