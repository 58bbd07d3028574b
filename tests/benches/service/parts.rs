//! The things that are measured.

use super::{
    clients::{answer, by_grpc, by_http, by_websocket, connected, embedded, indexing},
    pace::{Latencies, searched},
    rows::{DB, Row, row},
};
use futures_util::{SinkExt, future::BoxFuture};
use std::{
    fs::File,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinSet,
};
use tokio_tungstenite::tungstenite::Message;
use vectordoc::{Db, Result};
use vectordoc_server::{Serve, ServeOptions, Service, network_runtime};

const ROUND: Duration = Duration::from_secs(2);
const CLIENTS: [usize; 2] = [8, 32];
const WRITERS: u64 = 64;
/// Documents written together.
const BATCH: u64 = 1_000;
/// More than are taken in one round.
const BATCHES: u64 = 40;

/// A served database of rows.
pub(crate) struct Bench {
    db: Db<Row>,
    documents: u64,
    rounds: u64,
    service: Service,
    runtime: Runtime,
    directory: TempDir,
}

impl Bench {
    /// Makes the database.
    pub(crate) fn new(documents: u64, rounds: u64) -> Result<Self> {
        let directory = tempfile::tempdir().expect("a directory");
        let db = Db::<Row>::open(directory.path().join("db"))?;
        for start in (0..documents).step_by(1_000) {
            db.index((start..documents.min(start + BATCH)).map(row).collect::<Vec<_>>())?;
        }
        db.database().wait_indexed(&mut |_, _| {})?;
        let service = db.serve(ServeOptions::default().port(0).name(DB))?;
        // Clients on this machine share its processors, as clients elsewhere would not.
        let runtime = network_runtime().expect("a runtime");
        Ok(Self { db, documents, rounds, service, runtime, directory })
    }

    /// Stops serving.
    pub(crate) fn end(self) -> Result<()> {
        self.service.shutdown()
    }

    fn url(&self) -> String {
        self.service.url()
    }

    /// Searches a second by so many clients, each of which waits for its answer.
    fn rate(&self, clients: usize, client: Client) -> f64 {
        self.runtime.block_on(async {
            let started = Instant::now();
            let mut all = JoinSet::new();
            for _ in 0..clients {
                all.spawn(client(self.url(), started + ROUND));
            }
            per_second(all.join_all().await.into_iter().sum(), started)
        })
    }

    fn searched(&self, rate: f64) -> Latencies {
        self.runtime.block_on(searched(&self.url(), 8, rate, ROUND))
    }
}

/// Searches until an instant; how many.
type Client = fn(String, Instant) -> BoxFuture<'static, u64>;

const WEBSOCKET: Client = |url, end| Box::pin(by_websocket(url, end));
const GRPC: Client = |url, end| Box::pin(by_grpc(url, end));
const HTTP: Client = |url, end| Box::pin(by_http(url, end));

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn per_second(count: u64, started: Instant) -> f64 {
    count as f64 / started.elapsed().as_secs_f64()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// The transports, and the engine alone.
pub(crate) fn transports(bench: &Bench) -> Result<String> {
    let mut lines = Vec::new();
    for clients in CLIENTS {
        let mut ratios: [Vec<f64>; 3] = Default::default();
        let mut rates = Vec::new();
        for _ in 0..bench.rounds {
            let websocket = bench.rate(clients, WEBSOCKET);
            ratios[0].push(bench.rate(clients, GRPC) / websocket);
            ratios[1].push(bench.rate(clients, HTTP) / websocket);
            let started = Instant::now();
            ratios[2].push(websocket / per_second(embedded(&bench.db, started + ROUND), started));
            rates.push(websocket);
        }
        let [grpc, http, embedded] = ratios.map(median);
        lines.push(format!(
            "{clients} clients over WebSocket (CBOR) make {:.0} searches a second here, {embedded:.2} of \
             what is made embedded; gRPC {grpc:.2} and HTTP (CBOR) {http:.2} of that",
            median(rates)
        ));
    }
    Ok(lines.join("; "))
}

/// Half the peak.
pub(crate) fn load(bench: &Bench) -> Result<String> {
    let (mut halves, mut usual, mut longest) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        let half = bench.rate(8, WEBSOCKET) / 2.0;
        let latencies = bench.searched(half);
        halves.push(half);
        usual.push(latencies.milliseconds(500));
        longest.push(latencies.milliseconds(990));
    }
    Ok(format!(
        "at {:.0} searches a second, half the peak, p99 ÷ p50 is {:.2} ({:.3} ms, {:.3} ms)",
        median(halves),
        median(ratios(&longest, &usual)),
        median(longest),
        median(usual)
    ))
}

/// Writing meanwhile.
pub(crate) fn ingest(bench: &Bench) -> Result<String> {
    let quarter = bench.rate(8, WEBSOCKET) / 4.0;
    let (mut rates, mut quiet, mut busy) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..bench.rounds {
        let first = bench.documents + round * BATCHES * BATCH;
        let batch = |batch| indexing((0..BATCH).map(|number| row(first + batch * BATCH + number)));
        let batches: Arc<Vec<Message>> = Arc::new((0..BATCHES).map(batch).collect());
        quiet.push(bench.searched(quarter).milliseconds(990));
        let ends = Arc::new(AtomicBool::new(false));
        let started = Instant::now();
        let writing = write(bench.url(), batches, Arc::clone(&ends));
        let writing = thread::spawn(|| writer_runtime().block_on(writing));
        busy.push(bench.searched(quarter).milliseconds(990));
        ends.store(true, Ordering::Relaxed);
        let written = writing.join().expect("no panic");
        rates.push(per_second(written * BATCH, started));
        bench.db.database().wait_indexed(&mut |_, _| {})?;
    }
    Ok(format!(
        "with {quarter:.0} searches a second, p99 while {:.0} documents a second are written ÷ p99 \
         otherwise is {:.2} ({:.3} ms, {:.3} ms)",
        median(rates),
        median(ratios(&busy, &quiet)),
        median(busy),
        median(quiet)
    ))
}

/// One number of each round ÷ another.
fn ratios(some: &[f64], others: &[f64]) -> Vec<f64> {
    some.iter().zip(others).map(|(some, other)| some / other).collect()
}

/// Who writes is another program, and does not delay those who search.
fn writer_runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Sends batches, each after the one before is answered, until `ends`; how many.
async fn write(url: String, batches: Arc<Vec<Message>>, ends: Arc<AtomicBool>) -> u64 {
    let mut socket = connected(&url).await;
    let mut written = 0;
    for batch in batches.iter().cycle() {
        if ends.load(Ordering::Relaxed) {
            break;
        }
        socket.send(batch.clone()).await.expect("sent");
        let _ = answer(&mut socket).await;
        written += 1;
    }
    written
}

/// Single writes.
pub(crate) fn writers(bench: &Bench) -> Result<String> {
    let (mut ratios, mut alone, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        let syncs = syncs(&bench.directory);
        let many = bench.rate_of_writes(WRITERS);
        ratios.push(many / syncs);
        alone.push(many / bench.rate_of_writes(1));
        rates.push(many);
    }
    Ok(format!(
        "{WRITERS} clients make {:.0} single durable writes a second, {:.1} × as many as there are syncs one \
         after the other, and {:.1} × as many as one client makes",
        median(rates),
        median(ratios),
        median(alone)
    ))
}

/// Appends as long as a document, each synced before the next, a second.
fn syncs(directory: &TempDir) -> f64 {
    let mut file = File::create(directory.path().join("syncs")).expect("a file");
    let (started, mut count) = (Instant::now(), 0);
    while started.elapsed() < ROUND {
        file.write_all(&[1; 2048]).expect("written");
        file.sync_data().expect("synced");
        count += 1;
    }
    per_second(count, started)
}

impl Bench {
    fn rate_of_writes(&self, clients: u64) -> f64 {
        self.runtime.block_on(async {
            let started = Instant::now();
            let mut all = JoinSet::new();
            for client in 0..clients {
                let url = self.url();
                all.spawn(async move {
                    let mut socket = connected(&url).await;
                    // The same documents over and over, so that rounds find what they found before.
                    let messages: Vec<_> = (0..16)
                        .map(|number| indexing(std::iter::once(row(client * 16 + number))))
                        .collect();
                    let mut count = 0;
                    for message in messages.iter().cycle() {
                        if started.elapsed() > ROUND {
                            break;
                        }
                        socket.send(message.clone()).await.expect("sent");
                        let _ = answer(&mut socket).await;
                        count += 1;
                    }
                    count
                });
            }
            per_second(all.join_all().await.into_iter().sum(), started)
        })
    }
}
