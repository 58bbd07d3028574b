//! Promise: an acknowledged write survives `kill -9`; a batch is whole or absent; nothing is there
//! twice.
//!
//! The test starts itself as the process to be killed. The child writes batches whose documents
//! all carry the batch's number, and says on its standard output which ones were acknowledged.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use vectordoc::{Db, Filter, Result, VectorDoc};
use vectordoc_tests::random;

const DIRECTORY: &str = "VECTORDOC_KILL_DIRECTORY";
const FIRST_BATCH: &str = "VECTORDOC_KILL_FIRST_BATCH";
const BATCH_DOCUMENTS: u64 = 25;

#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Line {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 8, index = "hnsw", m = 4))]
    embedding: [f32; 8],
    #[vectordoc(filter)]
    batch: u64,
}

fn line(batch: u64, position: u64) -> Line {
    let id = batch * BATCH_DOCUMENTS + position;
    let mut rng = fastrand::Rng::with_seed(id);
    Line { id, embedding: std::array::from_fn(|_| rng.f32() - 0.5), batch }
}

fn is_to_be_deleted(batch: u64) -> bool {
    batch.is_multiple_of(7)
}

/// What the child does; in an ordinary run there is no directory and nothing to do.
#[test]
fn child_that_writes_until_it_is_killed() -> Result<()> {
    let (Ok(directory), Ok(first)) = (std::env::var(DIRECTORY), std::env::var(FIRST_BATCH)) else {
        return Ok(());
    };
    let db = Db::<Line>::builder().shards(2).open(directory)?;
    let first: u64 = first.parse().expect("a number");
    let mut out = std::io::stdout();
    for batch in first.. {
        db.index((0..BATCH_DOCUMENTS).map(|position| line(batch, position)))?;
        writeln!(out, "acknowledged {batch}").and_then(|()| out.flush()).expect("the judge reads");
        if is_to_be_deleted(batch) {
            db.delete_where(Line::batch().eq(batch))?;
            writeln!(out, "deleted {batch}").and_then(|()| out.flush()).expect("the judge reads");
        }
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

/// Lets a child run for a random while and kills it; returns the batches it said were
/// acknowledged, and those it said were deleted.
fn run_and_kill(directory: &Path, first: u64, rng: &mut fastrand::Rng) -> (Vec<u64>, Vec<u64>) {
    let mut child = start_child(directory, first);
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let deadline = Instant::now() + Duration::from_millis(rng.u64(5..250));
    let (mut acknowledged, mut deleted) = (Vec::new(), Vec::new());
    let mut is_killed = false;
    for line in output.lines().map_while(std::result::Result::ok) {
        let number = |text: &str| text.parse().expect("a number");
        // The test harness writes its own words before the first line.
        if let Some((_, batch)) = line.split_once("acknowledged ") {
            acknowledged.push(number(batch));
        } else if let Some((_, batch)) = line.split_once("deleted ") {
            deleted.push(number(batch));
        }
        if !is_killed && !acknowledged.is_empty() && Instant::now() >= deadline {
            child.kill().expect("the child can be killed");
            is_killed = true;
        }
    }
    child.wait().expect("the child ends");
    (acknowledged, deleted)
}

#[test]
fn every_acknowledged_batch_is_there_after_each_kill_none_half_none_twice() -> Result<()> {
    let mut rng = fastrand::Rng::with_seed(random::seed(1));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("db");
    let (mut acknowledged, mut deleted) = (Vec::new(), Vec::new());
    for kill in 0..random::programs(20) {
        let first = acknowledged.last().map_or(0, |last| last + 2);
        let (more, gone) = run_and_kill(&path, first, &mut rng);
        acknowledged.extend(more);
        deleted.extend(gone);
        let db = Db::<Line>::open(&path)?;
        for batch in &acknowledged {
            let count = db.count(Line::batch().eq(*batch))?;
            let expected = match (deleted.contains(batch), is_to_be_deleted(*batch)) {
                (true, _) => 0,
                (false, false) => BATCH_DOCUMENTS,
                // The deletion may have happened without having been acknowledged.
                (false, true) => continue,
            };
            assert_eq!(count, expected, "after kill {kill}: documents of batch {batch}");
        }
        judge_whole(&db, kill)?;
        db.close()?;
    }
    random::figure("kill/batches", random::programs(20), "kills, 0 lost, 0 half, 0 twice");
    Ok(())
}

/// What was never acknowledged may be there, per shard whole or not at all; what is there is right.
fn judge_whole(db: &Db<Line>, kill: u64) -> Result<()> {
    db.database().check()?;
    let (mut seen, mut cursor) = (0, None::<String>);
    loop {
        let page = db.scroll(Filter::All, cursor.as_deref(), 1_000)?;
        for found in &page.docs {
            let expected = line(found.batch, found.id % BATCH_DOCUMENTS);
            assert_eq!(*found, expected, "after kill {kill}");
        }
        seen += page.docs.len() as u64;
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, db.count(Filter::All)?, "after kill {kill}");
    Ok(())
}
