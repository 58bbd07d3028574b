//! What the service costs and how it holds under load, as ratios within one run:
//! `cargo bench -p vectordoc-tests --bench service -- [PART…]`.
//!
//! - `transports`: searches a second over WebSocket, gRPC and HTTP, and embedded;
//! - `load`: how long a search takes when half as many come in as can be answered;
//! - `ingest`: the same while documents are written as fast as they are taken;
//! - `writers`: single durable writes by many clients at once, beside one sync after the other.
//!
//! `DOCUMENTS` says how many there are (10,000), `ROUNDS` how often each thing is measured (5). What
//! is printed is the median over the rounds.

#[path = "../../../node-server/src/grpc/generated/messages.rs"]
#[rustfmt::skip]
#[allow(missing_docs, unreachable_pub, dead_code, clippy::all)]
mod messages;

mod clients;
mod pace;
mod parts;
mod rows;

use parts::{Bench, ingest, load, transports, writers};
use std::{env, io::Write, process::ExitCode};

type Part = fn(&Bench) -> vectordoc::Result<String>;

const PARTS: [(&str, Part); 4] =
    [("transports", transports), ("load", load), ("ingest", ingest), ("writers", writers)];

/// A number given by the environment.
fn given(name: &str, otherwise: u64) -> u64 {
    env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

fn run(names: &[String]) -> vectordoc::Result<()> {
    let bench = Bench::new(given("DOCUMENTS", 10_000), given("ROUNDS", 5))?;
    for (name, part) in PARTS {
        if names.is_empty() || names.iter().any(|given| given == name) {
            let found = part(&bench)?;
            let _ = writeln!(std::io::stdout(), "{name}: {found}");
        }
    }
    bench.end()
}

fn main() -> ExitCode {
    // Cargo adds a flag of its own.
    let names: Vec<String> = env::args().skip(1).filter(|name| !name.starts_with("--")).collect();
    if let Some(unknown) = names.iter().find(|name| PARTS.iter().all(|(part, _)| part != name)) {
        let known = PARTS.map(|(name, _)| name).join(", ");
        let _ = writeln!(std::io::stderr(), "there is no part {unknown:?}; there are {known}");
        return ExitCode::from(2);
    }
    match run(&names) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}
