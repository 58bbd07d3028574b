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
  vectordoc resume products
  vectordoc resume products --force                 it was awake at a node that is lost for good

A database that rests in a bucket and was awake when its node was lost has, on the disk of that node,
what was written since its last upload. Start that node again, and nothing is lost; --force goes back
to the last upload.";

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

    /// Give up what was written, since the last upload to the bucket, at a node that is lost
    #[arg(long)]
    force: bool,
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
    fn ask(&self, method: &str, params: Json, said: &str, out: &mut Output) -> Result<()> {
        let server = self.server.connect()?;
        let answer: Json = server.ask(method, &params)?;
        server.close()?;
        if self.json {
            return out.line(answer);
        }
        out.line(format_args!("{} is {said}", self.name))
    }
}

impl Run for Pause {
    fn run(&self, out: &mut Output) -> Result<()> {
        let params = json!({"db": self.one.name});
        self.one.ask("db.pause", params, "paused", out)
    }
}

impl Run for Resume {
    fn run(&self, out: &mut Output) -> Result<()> {
        let mut params = json!({"db": self.one.name});
        if self.force {
            params["force"] = json!(true);
        }
        self.one.ask("db.resume", params, "served again", out)
    }
}
