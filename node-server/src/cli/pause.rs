//! `vectordoc pause` and `resume`: a database that answers nothing for a while.

use super::{command::Run, output::Output, server::ServerOptions};
use clap::Args;
use serde_json::{Value as Json, json};
use vectordoc::Result;

const PAUSE_EXAMPLES: &str = "\
Examples:
  vectordoc pause products
  vectordoc pause products --url wss://vectors.example.org --json

A paused database takes no memory and refuses requests until `vectordoc resume`, also after its server
was started again. Nothing that was accepted is lost.";

const RESUME_EXAMPLES: &str = "\
Examples:
  vectordoc resume products";

/// Take a database out of memory and refuse requests about it
#[derive(Args, Debug)]
#[command(after_help = PAUSE_EXAMPLES)]
pub(crate) struct Pause {
    #[command(flatten)]
    one: One,
}

/// Serve a database again that was paused
#[derive(Args, Debug)]
#[command(after_help = RESUME_EXAMPLES)]
pub(crate) struct Resume {
    #[command(flatten)]
    one: One,
}

/// One database of a server.
#[derive(Args, Debug)]
struct One {
    /// Name of the database
    name: String,

    #[command(flatten)]
    server: ServerOptions,

    /// Print what the server answers, as JSON
    #[arg(long)]
    json: bool,
}

impl One {
    fn ask(&self, method: &str, said: &str, out: &mut Output) -> Result<()> {
        let server = self.server.connect()?;
        let answer: Json = server.ask(method, &json!({"db": self.name}))?;
        server.close()?;
        if self.json {
            return out.line(answer);
        }
        out.line(format_args!("{} is {said}", self.name))
    }
}

impl Run for Pause {
    fn run(&self, out: &mut Output) -> Result<()> {
        self.one.ask("db.pause", "paused", out)
    }
}

impl Run for Resume {
    fn run(&self, out: &mut Output) -> Result<()> {
        self.one.ask("db.resume", "served again", out)
    }
}
