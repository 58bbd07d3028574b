//! Runs nodes of a cluster in network namespaces, lets faults befall them, and judges what clients
//! heard meanwhile; or measures such a cluster. Needs root.

mod clients;
mod cluster;
mod fault;
mod figures;
mod ground;
mod history;
mod node;
mod quota;
mod request;
mod space;
mod switch;

use clap::Parser;
use clients::{Clients, DATABASE};
use cluster::{Cluster, REPLICAS};
use fault::FAULTS;
use figures::Figure;
use ground::Ground;
use serde_json::json;
use std::{
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// Nodes at the start of a run.
const NODES: usize = 3;

/// Nodes of a cluster in network namespaces, and what befalls them.
#[derive(Parser)]
struct Arguments {
    /// The program `vectordoc`.
    #[arg(long, default_value = "target/debug/vectordoc")]
    program: PathBuf,
    /// How many runs there are.
    #[arg(long, default_value_t = 1)]
    runs: u64,
    /// How long faults go on in a run, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// What the faults of the first run are chosen by; that of the next is one more.
    #[arg(long)]
    seed: Option<u64>,
    /// What happens, by name; everything if nothing is said.
    #[arg(long, value_delimiter = ',')]
    faults: Vec<String>,
    /// Measures instead; the program should be a release build, on a machine that does nothing else.
    #[arg(long, value_enum, num_args = 1..)]
    figures: Vec<Figure>,
}

fn main() -> ExitCode {
    match run_all(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_all(arguments: &Arguments) -> Result<(), String> {
    let faults: Vec<_> = FAULTS
        .into_iter()
        .filter(|fault| {
            arguments.faults.is_empty() || arguments.faults.contains(&format!("{fault:?}"))
        })
        .collect();
    if faults.is_empty() {
        return Err(format!("no fault is called {:?}; there are {FAULTS:?}", arguments.faults));
    }
    if !arguments.figures.is_empty() {
        let ground = Arc::new(Ground::new()?);
        return arguments.figures.iter().try_for_each(|figure| {
            ground.clear();
            figure.print(&ground, &arguments.program)
        });
    }
    let first = arguments.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let ground = Arc::new(Ground::new()?);
    for seed in first..first + arguments.runs {
        run(&ground, arguments, &faults, seed)
            .map_err(|error| format!("seed {seed}: {error}\nagain: --runs 1 --seed {seed}"))?;
        ground.clear();
    }
    leave_figure(arguments)
}

/// Writes what was judged to where `tests/guarantees` collects it.
fn leave_figure(arguments: &Arguments) -> Result<(), String> {
    let Some(directory) = std::env::var_os("FIGURES") else { return Ok(()) };
    let path = PathBuf::from(directory).join("cluster.namespaces");
    let said = format!(
        "{} runs of {} s in namespaces, 0 histories without an order",
        arguments.runs, arguments.seconds
    );
    std::fs::write(&path, said).map_err(|error| format!("{}: {error}", path.display()))
}

fn run(
    ground: &Arc<Ground>,
    arguments: &Arguments,
    faults: &[fault::Fault],
    seed: u64,
) -> Result<(), String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut cluster = Cluster::start_new(ground, arguments.program.clone(), NODES, true, &[])?;
    let schema = json!({
        "id": "u64", "embedding": {"vector": 2}, "n": {"type": "number", "filter": true},
    });
    let shards = random.usize(1..4);
    cluster.create(DATABASE, &schema, shards, REPLICAS)?;
    let mut clients = Clients::start(cluster.addresses(), seed);
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let mut happened = Vec::new();
    while Instant::now() < end {
        let fault = faults[random.usize(..faults.len())];
        happened.push(fault);
        let time = Duration::from_millis(random.u64(1_000..6_000));
        fault
            .happen(&mut cluster, &mut random, time)
            .map_err(|error| format!("after {happened:?}: {error}"))?;
        thread::sleep(Duration::from_millis(random.u64(500..3_000)));
    }
    clients.stop();
    let healed = cluster.heal(REPLICAS).map_err(|error| format!("after {happened:?}: {error}"))?;
    for node in cluster.nodes() {
        clients.read_all(&node.client())?;
    }
    let count = clients.record.count();
    let violations = clients.record.violations();
    println!(
        "seed {seed}, {shards} shards: {} written, {} read, {} refused, {} unknown; equal after {:.1} s; {} documents \
         without an order; {happened:?}",
        count.written,
        count.read,
        count.refused,
        count.unknown,
        healed.as_secs_f64(),
        violations.len()
    );
    match violations.first() {
        None => Ok(()),
        Some((document, history)) => Err(format!("document {document} has no order:\n{history}")),
    }
}
