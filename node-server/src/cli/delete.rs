//! `vectordoc delete`: a database of a server, gone for good.

use super::{command::Run, number, output::Output, server::ServerOptions};
use clap::Args;
use serde_json::{Value as Json, json};
use std::io::{self, IsTerminal};
use vectordoc::{Error, Result};

const EXAMPLES: &str = "\
Examples:
  vectordoc delete products                       asks you to type the name once more
  vectordoc delete products --yes                 does not ask, for scripts
  vectordoc backup products.vectordoc --db products && vectordoc delete products --yes";

/// Delete a database and everything in it
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Delete {
    /// Name of the database
    name: String,

    /// Do not ask
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    server: ServerOptions,

    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Delete {
    fn run(&self, out: &mut Output) -> Result<()> {
        if !self.yes && !io::stdin().is_terminal() {
            return Err(Error::invalid(format!(
                "this deletes {} for good, and there is no terminal to ask you at; add --yes",
                self.name
            )));
        }
        let server = self.server.connect()?;
        if !self.yes {
            let about: Json = server.ask("db.get", &json!({"db": self.name}))?;
            self.confirm(&about)?;
        }
        server.ask::<Json>("db.drop", &json!({"db": self.name}))?;
        server.close()?;
        if self.json {
            return out.line(json!({"db": self.name, "deleted": true}));
        }
        out.line(format_args!("{} is deleted", self.name))
    }
}

impl Delete {
    fn confirm(&self, about: &Json) -> Result<()> {
        let documents = number::grouped(about["documents"].as_u64().unwrap_or_default());
        eprint!(
            "This deletes {} at {} with its {documents} documents, for good. Type its name to go on: ",
            self.name,
            self.server.url()?
        );
        let mut typed = String::new();
        let read = io::stdin().read_line(&mut typed);
        read.map_err(|error| super::file::trouble("the terminal", &error))?;
        if typed.trim() == self.name {
            return Ok(());
        }
        Err(Error::invalid(format!("{:?} is not its name; nothing was deleted", typed.trim())))
    }
}
