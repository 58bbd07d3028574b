//! `vectordoc reshard`: another number of shards for a database, which is used meanwhile.

use super::{command::Run, number, output::Output, place::PlaceOptions, progress::Progress};
use clap::Args;
use serde_json::json;
use std::time::Instant;
use vectordoc::Result;

const EXAMPLES: &str = "\
Examples:
  vectordoc reshard 4 --db products                             of the server on this machine
  vectordoc reshard 4 --db products --url wss://example.org     of another, with a key of role admin
  vectordoc reshard 1 --db products --data ./data               without a server

The database is read and written meanwhile, and takes twice its space until it is done.";

/// Spread a database over another number of shards
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Reshard {
    /// How many shards there shall be
    shards: usize,

    #[command(flatten)]
    place: PlaceOptions,

    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Reshard {
    fn run(&self, out: &mut Output) -> Result<()> {
        let mut place = self.place.open()?;
        let start = Instant::now();
        let progress = Progress::steps("resharding", 0);
        let resharded = place.reshard(self.shards, &mut |done, total| progress.set(done, total));
        drop(progress);
        let closed = place.close();
        resharded.and(closed)?;
        let (db, shards, took) = (&self.place.db, self.shards, start.elapsed());
        if self.json {
            let outcome = json!({"db": db, "shards": shards, "seconds": took.as_secs_f64()});
            return out.line(outcome);
        }
        out.line(format_args!("{db} has {shards} shards, after {}", number::time(took)))
    }
}
