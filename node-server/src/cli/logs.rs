//! `vectordoc logs`: what a server did about a database lately.

use super::{command::Run, output::Output, server::ServerOptions};
use clap::Args;
use serde_json::{Value as Json, json};
use std::time::Duration;
use vectordoc::Result;

const EXAMPLES: &str = "\
Examples:
  vectordoc logs products
  vectordoc logs products --limit 1000 --json
  vectordoc logs products --follow                until Ctrl-C

The server keeps the last lines in memory: what became of databases, requests that failed or were
slow. `vectordoc serve --log-filter info` writes a line for every request where it runs.";

/// How often who follows asks for more.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Show what a server did about a database lately
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Logs {
    /// Name of the database
    name: String,

    /// The last so many lines
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,

    /// Go on with what happens
    #[arg(long)]
    follow: bool,

    #[command(flatten)]
    server: ServerOptions,

    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

impl Run for Logs {
    fn run(&self, out: &mut Output) -> Result<()> {
        let server = self.server.connect()?;
        let mut since = 0;
        loop {
            let params = json!({"db": self.name, "since": since, "limit": self.limit});
            let answer: Json = server.ask("db.logs", &params)?;
            for line in answer["lines"].as_array().into_iter().flatten() {
                since = line["number"].as_u64().unwrap_or(since);
                self.show(line, out)?;
            }
            if !self.follow {
                return server.close();
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Logs {
    fn show(&self, line: &Json, out: &mut Output) -> Result<()> {
        if self.json {
            return out.line(line);
        }
        let text = |name: &str| line[name].as_str().unwrap_or_default();
        out.line(format_args!("{} {:5} {}", text("time"), text("level"), text("message")))
    }
}
