//! `vectordoc restore`: a database out of the file that `vectordoc backup` wrote.

use super::{
    archives::{About, ArchivesOptions},
    command::Run,
    file, number,
    output::Output,
    progress::Progress,
};
use clap::Args;
use serde_json::json;
use std::{
    io::{self, Read},
    path::PathBuf,
    time::{Duration, Instant},
};
use vectordoc::{Error, Result};

const EXAMPLES: &str = "\
Examples:
  vectordoc restore products.vectordoc                               as database products of a server
  vectordoc restore products.vectordoc --data ./data                 in a data directory
  vectordoc restore products.vectordoc --data ./data --db copy       under another name
  ssh host 'cat products.vectordoc' | vectordoc restore - --data ./data --db products

Nothing is overwritten, and nothing is left behind by a file that is damaged or cut off.";

/// Make a database of a file that `backup` wrote
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Restore {
    /// File to read; `-` for standard input
    file: PathBuf,

    #[command(flatten)]
    archives: ArchivesOptions,

    /// Name of the database; that of the file unless given
    #[arg(long, value_name = "NAME")]
    db: Option<String>,

    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Restore {
    fn run(&self, out: &mut Output) -> Result<()> {
        let name = self.name()?;
        let source: Box<dyn Read> = match self.is_standard_input() {
            true => Box::new(io::stdin()),
            false => Box::new(file::open(&self.file)?),
        };
        let archives = self.archives.open()?;
        let start = Instant::now();
        let progress = Progress::entries("restoring");
        let restored =
            archives.bring_in(&name, source, &mut |done, total| progress.set(done, total));
        drop(progress);
        let about = restored.map_err(|error| error.within(self.file.display()))?;
        let said = self.outcome(&name, &about, start.elapsed());
        archives.close()?;
        out.line(said)
    }
}

impl Restore {
    fn is_standard_input(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    fn name(&self) -> Result<String> {
        let of_file = || match self.is_standard_input() {
            true => None,
            false => self.file.file_stem()?.to_str().map(String::from),
        };
        self.db
            .clone()
            .or_else(of_file)
            .ok_or_else(|| Error::invalid("say the name of the database that is made: --db NAME"))
    }

    fn outcome(&self, name: &str, about: &About, took: Duration) -> String {
        let About { documents, shards } = *about;
        if self.json {
            let outcome = json!({
                "db": name,
                "documents": documents,
                "shards": shards,
                "seconds": took.as_secs_f64(),
            });
            return outcome.to_string();
        }
        format!(
            "restored {} documents as {name} in {}",
            number::grouped(documents),
            number::time(took),
        )
    }
}
