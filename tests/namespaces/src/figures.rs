//! What a cluster of three nodes is measured to do, as ratios within one run.

use crate::{
    cluster::Cluster,
    ground::Ground,
    node::Node,
    quota::Quota,
    request::Answer,
    space::{bandwidth, round_trip},
    switch::Link,
};
use serde_json::{Value as Json, json};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Numbers of a vector.
const DIM: usize = 384;
/// What a node gets of a core while searches are counted.
const THOUSANDTHS: u32 = 150;
/// Documents of one request.
const BATCH: usize = 250;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Figure {
    /// Searches a second of three replicas ÷ those of one.
    Search,
    /// How long writes and reads pause when the leader is killed.
    Failover,
    /// How long a write takes with three replicas, beside one and a round trip.
    Latency,
    /// Bytes a second that a new replica takes in, beside disk and network.
    CatchUp,
}

impl Figure {
    /// Measures it and prints what came out.
    pub(crate) fn print(self, ground: &Arc<Ground>, program: &Path) -> Result<(), String> {
        match self {
            Self::Search => search(ground, program),
            Self::Failover => failover(ground, program),
            Self::Latency => latency(ground, program),
            Self::CatchUp => catch_up(ground, program),
        }
    }
}

fn three(ground: &Arc<Ground>, program: &Path) -> Result<Cluster, String> {
    Cluster::start_new(ground, program.to_path_buf(), 3, false, &[])
}

fn schema() -> Json {
    json!({"id": "u64", "embedding": {"vector": DIM}, "n": {"type": "number", "filter": true}})
}

/// A vector near one of 200 places.
fn vector(number: u64) -> Vec<f32> {
    let mut place = fastrand::Rng::with_seed(number % 200);
    let mut own = fastrand::Rng::with_seed(number + 1_000);
    (0..DIM).map(|_| place.f32() - 0.5 + 0.3 * (own.f32() - 0.5)).collect()
}

fn fill(node: &Node, name: &str, count: u64) -> Result<(), String> {
    let numbers: Vec<u64> = (0..count).collect();
    for numbers in numbers.chunks(BATCH) {
        let docs = numbers.iter().map(|n| json!({"id": n, "embedding": vector(*n), "n": n}));
        let body = json!({"docs": docs.collect::<Vec<_>>()});
        node.insist("POST", &format!("/v1/dbs/{name}/docs"), &body)?;
    }
    Ok(())
}

fn search(ground: &Arc<Ground>, program: &Path) -> Result<(), String> {
    const DOCUMENTS: u64 = 10_000;
    const TIME: Duration = Duration::from_secs(8);
    const CLIENTS: usize = 6;
    let cluster = three(ground, program)?;
    cluster.create("search", &schema(), 1, 3)?;
    let nodes: Vec<&Node> = cluster.nodes().collect();
    fill(nodes[0], "search", DOCUMENTS)?;
    cluster.wait_equal("search", 3, Duration::from_secs(120))?;
    // Until the graphs are built.
    thread::sleep(Duration::from_secs(10));
    let leader = cluster.leader_of("search").ok_or("nobody leads")?;
    let mut quotas = Vec::new();
    for node in &nodes {
        let id = node.id().ok_or("a node has ended")?;
        let name = format!("vectordoc{id}");
        quotas.push(Quota::give(&name, id, THOUSANDTHS).map_err(|error| error.to_string())?);
    }
    let alone: Vec<&Node> = nodes.iter().copied().filter(|node| node.number == leader).collect();
    println!(
        "searches a second, {DOCUMENTS} × {DIM}, each node has {THOUSANDTHS}/1000 of a core \
         ({CLIENTS} clients over HTTP have the rest):"
    );
    for read in ["local", "linearizable"] {
        let one = searches(&alone, read, CLIENTS, TIME);
        let three = searches(&nodes, read, CLIENTS, TIME);
        println!("  {read}: one node {one:.0}, three nodes {three:.0}: {:.2} ×", three / one);
    }
    drop(cluster);
    Ok(())
}

fn searches(nodes: &[&Node], read: &str, clients: usize, time: Duration) -> f64 {
    let (done, begin) = (AtomicUsize::new(0), Instant::now());
    thread::scope(|scope| {
        for client in 0..clients {
            let (node, done) = (nodes[client % nodes.len()], &done);
            scope.spawn(move || {
                let mut number = 1_000_000 * (client as u64 + 1);
                let body = |number| json!({"vector": vector(number), "limit": 10, "read": read});
                let bodies: Vec<Json> = (0..50).map(|n| body(number + n)).collect();
                while begin.elapsed() < time {
                    let body = &bodies[(number % 50) as usize];
                    number += 1;
                    let answer = node.ask("POST", "/v1/dbs/search/search", body);
                    if matches!(answer, Answer::Said(200, _)) {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    done.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64()
}

/// The longest time between two answers.
struct Pause {
    last: Instant,
    longest: Duration,
}

impl Pause {
    fn begin() -> Mutex<Self> {
        Mutex::new(Self { last: Instant::now(), longest: Duration::ZERO })
    }

    fn answered(pause: &Mutex<Self>) {
        let mut pause = pause.lock().unwrap_or_else(PoisonError::into_inner);
        pause.longest = pause.longest.max(pause.last.elapsed());
        pause.last = Instant::now();
    }

    fn longest(pause: &Mutex<Self>) -> Duration {
        let pause = pause.lock().unwrap_or_else(PoisonError::into_inner);
        pause.longest.max(pause.last.elapsed())
    }
}

fn failover(ground: &Arc<Ground>, program: &Path) -> Result<(), String> {
    const KILLS: usize = 10;
    let mut cluster = three(ground, program)?;
    let small = json!({"id": "u64", "embedding": {"vector": 2}, "n": "number"});
    cluster.create("failover", &small, 1, 3)?;
    let mut longest: Vec<[Duration; 3]> = Vec::new();
    for kill in 0..KILLS {
        let leader = cluster.leader_of("failover").ok_or("nobody leads")?;
        let rest: Vec<String> = cluster
            .running()
            .into_iter()
            .filter(|place| *place != leader)
            .map(|place| format!("{}:7700", ground.client_address(place)))
            .collect();
        let is_over = AtomicBool::new(false);
        let pauses = [Pause::begin(), Pause::begin(), Pause::begin()];
        thread::scope(|scope| {
            for (kind, pause) in pauses.iter().enumerate() {
                let (rest, is_over) = (&rest, &is_over);
                scope.spawn(move || {
                    let mut number = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        number += 1;
                        let address = &rest[number % rest.len()];
                        let answer = match kind {
                            0 => write_one(address, number),
                            1 => count(address, "local"),
                            _ => count(address, "linearizable"),
                        };
                        if matches!(answer, Answer::Said(200, _)) {
                            Pause::answered(pause);
                        }
                        thread::sleep(Duration::from_millis(2));
                    }
                });
            }
            thread::sleep(Duration::from_millis(500));
            cluster.kill(leader);
            thread::sleep(Duration::from_secs(5));
            is_over.store(true, Ordering::Relaxed);
        });
        longest.push([0, 1, 2].map(|kind| Pause::longest(&pauses[kind])));
        cluster.start(leader)?;
        cluster
            .wait_equal("failover", 3, Duration::from_secs(30))
            .map_err(|error| format!("after kill {kill}: {error}"))?;
    }
    println!("longest pause after the leader is killed, {KILLS} times, default settings:");
    for (kind, name) in ["writes", "local reads", "linearizable reads"].into_iter().enumerate() {
        let mut times: Vec<Duration> = longest.iter().map(|times| times[kind]).collect();
        times.sort_unstable();
        println!("  {name}: median {:.2?}, longest {:.2?}", times[KILLS / 2], times[KILLS - 1]);
    }
    Ok(())
}

fn write_one(address: &str, number: usize) -> Answer {
    let docs = json!({"docs": [{"id": number % 100, "embedding": [1.0, number], "n": number}]});
    crate::request::ask(address, "POST", "/v1/dbs/failover/docs", &docs)
}

fn count(address: &str, read: &str) -> Answer {
    crate::request::ask(address, "POST", "/v1/dbs/failover/count", &json!({"read": read}))
}

fn latency(ground: &Arc<Ground>, program: &Path) -> Result<(), String> {
    const WRITES: usize = 300;
    let cluster = three(ground, program)?;
    let nodes: Vec<&Node> = cluster.nodes().collect();
    println!(
        "median of {WRITES} writes of one document, one after the other, asked of the leader:"
    );
    for (name, replicas) in [("one", 1), ("three", 3)] {
        cluster.create(name, &schema(), 1, replicas)?;
    }
    for delay_ms in [0, 5, 20] {
        let delay = Duration::from_millis(delay_ms);
        cluster.set_links(Link { delay, ..Link::default() });
        // Leaders may have changed for it.
        thread::sleep(Duration::from_secs(3));
        let trip = round_trip(ground, 0, 1).map_err(|error| error.to_string())?;
        let mut medians = [Duration::ZERO; 2];
        for (median, name) in medians.iter_mut().zip(["one", "three"]) {
            let leader = cluster.leader_of(name).ok_or("nobody leads")?;
            let node = nodes.iter().find(|node| node.number == leader).ok_or("no such node")?;
            let mut times = Vec::new();
            for number in 0..WRITES as u64 {
                let doc = json!({"id": number, "embedding": vector(number), "n": number});
                let begin = Instant::now();
                node.insist("POST", &format!("/v1/dbs/{name}/docs"), &json!({"docs": [doc]}))?;
                times.push(begin.elapsed());
            }
            times.sort_unstable();
            *median = times[WRITES / 2];
        }
        let [one, three] = medians;
        println!(
            "  round trip {trip:.2?}: one replica {one:.2?}, three {three:.2?}; ÷ (2 × one + round \
             trip): {:.2}",
            three.as_secs_f64() / (2 * one + trip).as_secs_f64()
        );
    }
    Ok(())
}

fn catch_up(ground: &Arc<Ground>, program: &Path) -> Result<(), String> {
    const DOCUMENTS: u64 = 20_000;
    let cluster = three(ground, program)?;
    cluster.create("big", &schema(), 1, 2)?;
    {
        let node = cluster.nodes().next().ok_or("no node runs")?;
        fill(node, "big", DOCUMENTS)?;
    }
    cluster.wait_equal("big", 2, Duration::from_secs(120))?;
    thread::sleep(Duration::from_secs(15));
    println!("a new replica of {DOCUMENTS} × {DIM}:");
    for round in 0..3 {
        let bytes = (0..3).map(|place| stored(&ground.data(place))).max().unwrap_or(0);
        let disk = disk_rate(&ground.path("filler"), bytes).map_err(|error| error.to_string())?;
        let network = bandwidth(ground, 0, 2, usize::try_from(bytes).map_err(|e| e.to_string())?)
            .map_err(|error| error.to_string())?;
        let node = cluster.nodes().next().ok_or("no node runs")?;
        let begin = Instant::now();
        node.insist("PATCH", "/v1/dbs/big", &json!({"replicas": 3}))?;
        cluster.wait_voters("big", 3, Duration::from_secs(120))?;
        let rate = bytes as f64 / begin.elapsed().as_secs_f64();
        let mb = |rate: f64| rate / 1e6;
        println!(
            "  round {round}: {:.0} MB at {:.0} MB/s; a file is written and synced at {:.0}, one \
             connection carries {:.0}: {:.2} × the slower one",
            mb(bytes as f64),
            mb(rate),
            mb(disk),
            mb(network),
            rate / disk.min(network)
        );
        node.insist("PATCH", "/v1/dbs/big", &json!({"replicas": 2}))?;
        cluster.wait_voters("big", 2, Duration::from_secs(60))?;
        thread::sleep(Duration::from_secs(2));
    }
    Ok(())
}

/// Bytes of databases in a data directory, which has the log of the cluster too.
fn stored(path: &Path) -> u64 {
    size_of(path).saturating_sub(size_of(&path.join("raft.redb")))
}

fn size_of(path: &Path) -> u64 {
    let Ok(found) = fs::read_dir(path) else {
        return fs::metadata(path).map_or(0, |file| file.len());
    };
    found.flatten().map(|entry| size_of(&entry.path())).sum()
}

fn disk_rate(path: &PathBuf, bytes: u64) -> std::io::Result<f64> {
    let (block, begin) = (vec![7; 1 << 20], Instant::now());
    let mut file = File::create(path)?;
    for _ in 0..bytes.div_ceil(1 << 20) {
        file.write_all(&block)?;
    }
    file.sync_all()?;
    let rate = bytes as f64 / begin.elapsed().as_secs_f64();
    fs::remove_file(path)?;
    Ok(rate)
}
