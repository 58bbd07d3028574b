//! What databases cost that nobody uses, and how long the first request about one takes:
//! `cargo bench -p vectordoc-tests --bench idle`.
//!
//! A directory of `DATABASES` (10,000) serverless databases of 100 documents each is served by a
//! process of its own. Printed are its resident memory above that of a server without databases, how
//! long each server took to start, and, for `WAKES` (500) databases that are each asked for the first
//! time, how long the answer took; then, for one of `DOCUMENTS` (50,000) documents, the median over
//! `ROUNDS` (5) of the time to its first answer ÷ that of reading its files. All files are in the
//! cache of the system, for both.
//!
//! The same database then rests in a bucket of an S3 in this process: printed is the median over
//! `ROUNDS` of the time from the request to its first answer at a node that has nothing of it ÷ that of
//! reading its objects from the same S3, six at a time as the node does.
//!
//! One database is made, and its files are copied: what is measured is the same, and made quickly.

#[path = "../tests/bucket_fixture/mod.rs"]
mod bucket_fixture;
#[path = "../tests/cli_program/mod.rs"]
mod cli_program;
#[path = "../tests/server_fixture/mod.rs"]
mod server_fixture;

use bucket_fixture::Bucket;
use cli_program::Running;
use serde_json::json;
use std::{
    env, fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};
use vectordoc::{Database, Document, Id, Result, Schema, Value, native::DatabaseOptions};

const DIM: usize = 384;
const DOCUMENTS_EACH: u64 = 100;
const BATCH: usize = 1_000;
/// The file by which a database says how it is served.
const SERVERLESS: &str = r#"{"serverless":true,"idle_ms":600000}"#;

fn given(name: &str, otherwise: u64) -> u64 {
    env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

fn vector(rng: &mut fastrand::Rng) -> Vec<f32> {
    (0..DIM).map(|_| rng.f32() - 0.5).collect()
}

/// A database at rest that is served serverless.
fn make(path: &Path, documents: u64) -> Result<()> {
    let schema = json!({
        "id": "u64",
        "embedding": {"vector": DIM},
        "price": {"type": "number", "filter": true},
        "title": "string",
    });
    let schema = Schema::from_json(&schema)?;
    let database = Database::create(path, &schema, &DatabaseOptions::default())?;
    let mut rng = fastrand::Rng::with_seed(documents);
    let mut document = |id: u64| Document {
        id: Id::Int(id),
        vectors: vec![Some(vector(&mut rng))],
        values: vec![Value::Float(0.5), Value::Text(format!("Document {id}"))],
    };
    for first in (0..documents).step_by(BATCH) {
        let last = documents.min(first + BATCH as u64);
        database.index((first..last).map(&mut document).collect())?;
    }
    database.checkpoint()?;
    database.rest()?;
    fs::write(path.join("serving.json"), SERVERLESS).expect("it can be written");
    Ok(())
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// A server, how long it took to start, and its resident memory.
struct Measured {
    server: Running,
    url: String,
    start: Duration,
}

impl Measured {
    fn of(data: &Path) -> Self {
        let began = Instant::now();
        let (server, url) = Running::serve(data);
        Self { server, url, start: began.elapsed() }
    }

    fn resident_mib(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.id()));
        let status = status.expect("Linux tells it");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line");
        let kib = line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok());
        kib.expect("a number") / 1024.0
    }

    /// How long a search of the database `db` takes over a new connection.
    fn search(&self, db: &str, body: &str) -> Duration {
        let address = self.url.strip_prefix("ws://").expect("an address");
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).expect("it connects");
        let request = format!(
            "POST /v1/dbs/{db}/search HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        began.elapsed()
    }
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// How long reading every file of a folder takes.
fn read_all(folder: &Path) -> Duration {
    let began = Instant::now();
    let mut buffer = vec![0; 1 << 20];
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let mut file = fs::File::open(entry.path()).expect("a file");
        while file.read(&mut buffer).expect("it is read") > 0 {}
    }
    began.elapsed()
}

fn many(folder: &Path, body: &str) -> Result<()> {
    let (databases, wakes) = (given("DATABASES", 10_000), given("WAKES", 500));
    let (template, data) = (folder.join("template"), folder.join("many"));
    make(&template, DOCUMENTS_EACH)?;
    for number in 0..databases {
        copy(&template, &data.join(format!("db{number}"))).expect("it is copied");
    }
    let empty = Measured::of(&folder.join("empty"));
    let full = Measured::of(&data);
    say(&format!(
        "{databases} idle databases of {DOCUMENTS_EACH} documents: {:.1} MiB resident above an empty \
         server's {:.1} (target 200); started in {:.0} ms, the empty one in {:.0}",
        full.resident_mib() - empty.resident_mib(),
        empty.resident_mib(),
        milliseconds(full.start),
        milliseconds(empty.start),
    ));
    // Those spread over all of them.
    let step = (databases / wakes.max(1)).max(1);
    let wake = |number: u64| full.search(&format!("db{}", number * step), body);
    let count = wakes.min(databases);
    let mut times: Vec<Duration> = (0..count).map(wake).collect();
    times.sort_unstable();
    let at = |hundredths: usize| milliseconds(times[(times.len() - 1) * hundredths / 100]);
    say(&format!(
        "the first answer of {count} of them: p50 {:.1} ms, p99 {:.1} ms (target 20); {:.1} MiB above \
         the empty server after that",
        at(50),
        at(99),
        full.resident_mib() - empty.resident_mib(),
    ));
    Ok(())
}

fn large(folder: &Path, body: &str) -> Result<()> {
    let (documents, rounds) = (given("DOCUMENTS", 50_000), given("ROUNDS", 5));
    let data = folder.join("large");
    make(&data.join("large"), documents)?;
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let reading = read_all(&data.join("large"));
        let measured = Measured::of(&data);
        let waking = measured.search("large", body);
        measured.server.terminate();
        ratios.push((waking.as_secs_f64() / reading.as_secs_f64(), waking, reading));
    }
    ratios.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (ratio, waking, reading) = ratios[ratios.len() / 2];
    say(&format!(
        "the first answer of one of {documents} documents ÷ reading its files: {ratio:.2} (target 2; \
         {:.0} ms, {:.0} ms)",
        milliseconds(waking),
        milliseconds(reading),
    ));
    Ok(())
}

/// The database of [`large`], from a bucket.
fn stored(folder: &Path, body: &str) -> Result<()> {
    let (documents, rounds) = (given("DOCUMENTS", 50_000), given("ROUNDS", 5));
    let bucket = Bucket::new();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let first = bucket.node("first", &folder.join("large"), &[]);
    runtime.block_on(first.wait_rests("large", "bucket"))?;
    drop(first);
    let mut ratios = Vec::new();
    for round in 0..rounds {
        let reading = runtime.block_on(bucket.read_all("dbs/large"));
        let node = bucket.node("other", &folder.join(format!("other{round}")), &[]);
        let measured = Measured { server: node.server, url: node.url, start: Duration::ZERO };
        let waking = measured.search("large", body);
        // It gives the lease back.
        measured.server.terminate();
        ratios.push((waking.as_secs_f64() / reading.as_secs_f64(), waking, reading));
    }
    ratios.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (ratio, waking, reading) = ratios[ratios.len() / 2];
    say(&format!(
        "the first answer of one of {documents} documents in a bucket ÷ reading its objects: \
         {ratio:.2} (target 2; {:.0} ms, {:.0} ms)",
        milliseconds(waking),
        milliseconds(reading),
    ));
    Ok(())
}

fn main() -> Result<()> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut rng = fastrand::Rng::with_seed(1);
    let body = json!({"vector": vector(&mut rng), "limit": 10}).to_string();
    if given("DATABASES", 1) > 0 {
        many(folder.path(), &body)?;
    }
    large(folder.path(), &body)?;
    stored(folder.path(), &body)
}
