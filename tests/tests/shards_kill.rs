//! Promise: a database that is killed while it is resharded under load has its old number of shards
//! or its new one, everything that was acknowledged, and no file of the other.
//!
//! The test starts itself as the process to be killed. The child writes on one thread and reshards
//! on another, and says on its standard output what was acknowledged.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use vectordoc::{
    Database, Document, Filter, Id, Include, Result, Schema, Value, native::DatabaseOptions,
};
use vectordoc_tests::random;

const DIRECTORY: &str = "VECTORDOC_SHARDS_KILL_DIRECTORY";
const SEED: &str = "VECTORDOC_SHARDS_KILL_SEED";
/// Documents that are written again and again.
const IDS: u64 = 600;
const SHARDS_MAX: usize = 5;

fn schema() -> Schema {
    let json = r#"{
        "id": "u64",
        "embedding": {"vector": 4, "index": "hnsw", "m": 4},
        "round": {"type": "u64", "filter": true}
    }"#;
    Schema::from_json_str(json).expect("a schema")
}

/// The document of this id as it is written in a round.
fn document(id: u64, round: u64) -> Document {
    let mut rng = fastrand::Rng::with_seed(id ^ (round << 32));
    let vector = (0..4).map(|_| rng.f32() - 0.5).collect();
    let values = vec![Value::Int(round.into())];
    Document { id: Id::Int(id), vectors: vec![Some(vector)], values }
}

fn say(line: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("the judge reads");
}

/// What the child does; in an ordinary run there is no directory and nothing to do.
#[test]
fn child_that_writes_and_reshards_until_it_is_killed() -> Result<()> {
    let (Ok(directory), Ok(seed)) = (std::env::var(DIRECTORY), std::env::var(SEED)) else {
        return Ok(());
    };
    let seed: u64 = seed.parse().expect("a number");
    let db = Database::create(directory, &schema(), &DatabaseOptions::default())?;
    std::thread::scope(|scope| {
        scope.spawn(|| -> Result<()> {
            let mut rng = fastrand::Rng::with_seed(seed);
            loop {
                let shards = rng.usize(1..=SHARDS_MAX);
                db.reshard(shards)?;
                say(format_args!("resharded {shards}"));
            }
        });
        let mut rng = fastrand::Rng::with_seed(!seed);
        for round in seed * 1_000_000.. {
            let first = rng.u64(..IDS);
            let ids = first..(first + rng.u64(1..9)).min(IDS);
            // One document at a time is whole or absent wherever it is.
            for id in ids {
                let is_deleted = rng.u8(..5) == 0;
                say(format_args!("begun {id} {round}"));
                if is_deleted {
                    db.delete(vec![Id::Int(id)])?;
                    say(format_args!("deleted {id}"));
                } else {
                    db.index(vec![document(id, round)])?;
                    say(format_args!("written {id} {round}"));
                }
            }
        }
        Ok(())
    })
}

fn start_child(directory: &Path, seed: u64) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["child_that_writes_and_reshards_until_it_is_killed", "--exact", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the child starts")
}

/// What may be there of one document.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// The round that was acknowledged last; `None` when it was deleted.
    acknowledged: Option<u64>,
    /// One that was begun and never answered.
    begun: bool,
}

/// Lets a child run for a random while after it has said something, kills it, and notes what it said.
fn run_and_kill(
    directory: &Path,
    seed: u64,
    rng: &mut fastrand::Rng,
    known: &mut BTreeMap<u64, Known>,
) -> usize {
    let mut child = start_child(directory, seed);
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let deadline = Instant::now() + Duration::from_millis(rng.u64(20..600));
    let mut resharded = 0;
    let mut is_killed = false;
    for line in output.lines().map_while(std::result::Result::ok) {
        // The test harness writes its own words before the first line.
        let line = line.rsplit("... ").next().unwrap_or_default();
        let mut words = line.split(' ');
        let (verb, mut numbers) = (words.next().unwrap_or_default(), words.map(str::parse::<u64>));
        let mut number = || numbers.next().and_then(std::result::Result::ok);
        match (verb, number()) {
            ("begun", Some(id)) => known.entry(id).or_default().begun = true,
            ("deleted", Some(id)) => *known.entry(id).or_default() = Known::default(),
            ("written", Some(id)) => {
                *known.entry(id).or_default() = Known { acknowledged: number(), begun: false };
            }
            ("resharded", Some(_)) => resharded += 1,
            _ => {}
        }
        if !is_killed && Instant::now() >= deadline {
            child.kill().expect("the child can be killed");
            is_killed = true;
        }
    }
    child.wait().expect("the child ends");
    resharded
}

#[test]
fn whichever_shards_are_there_after_a_kill_have_everything_acknowledged() -> Result<()> {
    let mut rng = fastrand::Rng::with_seed(random::seed(1));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("db");
    let db = Database::create(&path, &schema(), &DatabaseOptions::default())?;
    db.index((0..IDS).map(|id| document(id, 0)).collect())?;
    db.close()?;
    let all = (0..IDS).map(|id| (id, Known { acknowledged: Some(0), begun: false }));
    let mut known: BTreeMap<u64, Known> = all.collect();
    let (mut numbers, mut resharded) = (BTreeMap::new(), 0);
    for kill in 1..=random::programs(25) {
        resharded += run_and_kill(&path, kill, &mut rng, &mut known);
        let db = Database::open(&path, &DatabaseOptions::default())?;
        *numbers.entry(db.shards()).or_insert(0) += 1;
        judge(&db, kill, &mut known)?;
        db.close()?;
        let files = fs::read_dir(&path).expect("a directory").count();
        assert_eq!(files, db.shards() + 1, "after kill {kill}: shards and the lock, nothing else");
    }
    assert!(resharded > 0 && numbers.len() > 1, "{resharded} times to the end: {numbers:?}");
    random::figure("kill/resharded", random::programs(25), "kills, 0 lost, 0 half, 0 twice");
    Ok(())
}

/// Every document is as it was acknowledged, or as it was begun to be; which of both is known then.
fn judge(db: &Database, kill: u64, known: &mut BTreeMap<u64, Known>) -> Result<()> {
    db.check()?;
    let mut count = 0;
    for id in 0..IDS {
        let found = db.get(&[Id::Int(id)], &Include::Everything)?.into_iter().next().flatten();
        let round = found.as_ref().map(|found| match found.values[..] {
            [Value::Int(round)] => u64::try_from(round).expect("a round"),
            _ => panic!("after kill {kill}: {found:?}"),
        });
        let Known { acknowledged, begun } = known[&id];
        assert!(begun || round == acknowledged, "after kill {kill}: {id} is of {round:?}");
        if let (Some(found), Some(round)) = (&found, round) {
            assert_eq!(found.values, document(id, round).values);
            count += 1;
        }
        known.insert(id, Known { acknowledged: round, begun: false });
    }
    assert_eq!(db.count(&Filter::All)?, count, "after kill {kill}");
    Ok(())
}
