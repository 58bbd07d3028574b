//! Promise: a full disk is said, nothing is lost or half there, reading goes on, and writing too
//! once there is space again.
//!
//! The disk is full by a limit on the size of files, which a shell sets for the child that this
//! test starts of itself, and which the child has lifted when it has seen enough.

#![cfg(target_os = "linux")]

use std::process::Command;
use vectordoc::{Db, ErrorKind, Filter, Result, VectorDoc};

const DIRECTORY: &str = "VECTORDOC_DISK_FULL_DIRECTORY";
const BATCH_DOCUMENTS: u64 = 100;
/// Of 512 bytes.
const FILE_BLOCKS_MAX: u32 = 24 * 1024;

#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Row {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 256, metric = "l2"))]
    embedding: Vec<f32>,
    #[vectordoc(filter)]
    batch: u64,
}

fn batch(number: u64) -> impl Iterator<Item = Row> {
    let row = move |id| {
        let mut rng = fastrand::Rng::with_seed(id);
        Row { id, embedding: (0..256).map(|_| rng.f32()).collect(), batch: number }
    };
    (number * BATCH_DOCUMENTS..(number + 1) * BATCH_DOCUMENTS).map(row)
}

fn expect_batches(db: &Db<Row>, count: u64) -> Result<()> {
    assert_eq!(db.count(Filter::All)?, count * BATCH_DOCUMENTS);
    let query = batch(count / 2).last().expect("a batch has rows");
    assert_eq!(db.search(&query.embedding).limit(1).run()?[0].doc, query);
    db.database().check()
}

/// What the child does; in an ordinary run there is no directory and nothing to do.
#[test]
fn child_whose_disk_is_full() -> Result<()> {
    let Ok(directory) = std::env::var(DIRECTORY) else { return Ok(()) };
    let db = Db::<Row>::open(&directory)?;
    let mut written = 0;
    let error = loop {
        match db.index(batch(written)) {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 1_000, "the limit holds");
    };
    assert_eq!(error.kind(), ErrorKind::Full, "{error:?}");
    assert!(error.message().contains("free some space"), "{error}");
    expect_batches(&db, written)?;
    // Still full, unless a checkpoint has made room meanwhile.
    match db.index(batch(written)) {
        Ok(_) => written += 1,
        Err(again) => assert_eq!(again.kind(), ErrorKind::Full, "{again:?}"),
    }
    expect_batches(&db, written)?;

    let me = format!("--pid={}", std::process::id());
    let lifted = Command::new("prlimit").args([&me, "--fsize=unlimited"]).status();
    assert!(lifted.expect("prlimit is there").success());
    db.index(batch(written))?;
    expect_batches(&db, written + 1)?;
    db.close()?;
    expect_batches(&Db::open(&directory)?, written + 1)
}

#[test]
fn a_full_disk_is_said_and_writing_goes_on_when_there_is_space() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let limited = format!("trap '' XFSZ; ulimit -S -f {FILE_BLOCKS_MAX}; exec \"$0\" \"$@\"");
    let child = Command::new("sh")
        .args(["-c", &limited])
        .arg(std::env::current_exe().expect("this program"))
        .args(["child_whose_disk_is_full", "--exact", "--nocapture"])
        .env(DIRECTORY, directory.path().join("db"))
        .output()
        .expect("the child runs");
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{said}\n{}", String::from_utf8_lossy(&child.stdout));
}
