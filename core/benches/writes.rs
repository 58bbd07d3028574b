//! How many durable writes many writers get done in the time one gets one done, and how many
//! commits that takes: `cargo bench -p vectordoc --bench writes [-- SHARDS]`.
//!
//! Each writer writes one document at a time and waits for the answer. The ways take turns, and the
//! medians of the ratios within a turn are printed; the pace of a bare `fdatasync` after a small
//! appended write on the same disk says what the disk can do.

#![expect(clippy::print_stdout, reason = "it is a program that prints")]

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};
use vectordoc::{
    Database, Document, Id, Result, Schema, Value,
    native::{DatabaseOptions, Durability},
};

const TURN: Duration = Duration::from_secs(1);
const TURNS: usize = 7;
const DIM: usize = 384;

/// What one way got done in one turn.
struct Done {
    writes_per_s: f64,
    commits_per_write: f64,
}

fn document(number: u64) -> Document {
    let number = number % 100_000;
    let vector = (0..DIM).map(|place| ((number as usize * 31 + place * 7) % 97) as f32 - 48.5);
    let vectors = vec![Some(vector.collect())];
    Document { id: Id::Int(number), vectors, values: vec![Value::Float(number as f64)] }
}

fn write(database: &Database, writers: u64, next: &AtomicU64) -> Result<Done> {
    let before = database.stats().commits;
    let started = Instant::now();
    let (is_over, count) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..writers {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    database.index(vec![document(number)]).expect("a write");
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        thread::sleep(TURN);
        is_over.store(true, Ordering::Relaxed);
    });
    let seconds = started.elapsed().as_secs_f64();
    let (count, commits) = (count.into_inner() as f64, database.stats().commits - before);
    Ok(Done { writes_per_s: count / seconds, commits_per_write: commits as f64 / count })
}

/// Appended writes a second, each followed by a sync.
fn bare_syncs(directory: &Path) -> std::io::Result<f64> {
    let mut file = File::create(directory.join("bare"))?;
    let (started, mut count) = (Instant::now(), 0.0);
    while started.elapsed() < TURN {
        file.write_all(&[7; DIM * size_of::<f32>()])?;
        file.sync_data()?;
        count += 1.0;
    }
    Ok(count / started.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> Result<()> {
    let shards = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let options = DatabaseOptions { shards, ..DatabaseOptions::default() };
    let schema = r#"{"id": "u64", "embedding": {"vector": 384, "metric": "l2", "index": "exact"},
                     "number": {"type": "number", "filter": true}}"#;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("db");
    let database = Database::create(path, &Schema::from_json_str(schema)?, &options)?;
    let quick = database.with_durability(Durability::Memory);
    let ways = [(1, &database), (8, &database), (32, &database), (64, &database), (1, &quick)];
    let next = AtomicU64::new(0);
    let mut ratios = vec![(Vec::new(), Vec::new()); ways.len()];
    let (mut bare, mut one) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let syncs = bare_syncs(directory.path()).expect("bare syncs");
        let done = ways.iter().map(|(writers, database)| write(database, *writers, &next));
        let done = done.collect::<Result<Vec<_>>>()?;
        for (ratios, way) in ratios.iter_mut().zip(&done) {
            ratios.0.push(way.writes_per_s / done[0].writes_per_s);
            ratios.1.push(way.commits_per_write);
        }
        bare.push(done[0].writes_per_s / syncs);
        one.push(done[0].writes_per_s);
    }
    println!("one writer: {:.0} durable writes/s, {:.2} × bare syncs", median(one), median(bare));
    println!("writers  durability  writes/s ÷ one writer  commits per write");
    for ((writers, database), (speed, commits)) in ways.iter().zip(ratios) {
        let durability = database.durability().name();
        println!("{writers:7}  {durability:10}  {:21.1}  {:17.4}", median(speed), median(commits));
    }
    database.close()
}
