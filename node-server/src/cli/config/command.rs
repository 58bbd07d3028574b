//! `vectordoc config`: what a server started like this would be told.

use super::{Effective, Flags};
use crate::cli::{command::Run, output::Output};
use clap::Args;
use vectordoc::Result;

const EXAMPLES: &str = "\
Examples:
  vectordoc config                                   every setting with its default
  vectordoc config > vectordoc.toml                  a file to begin with
  vectordoc config --config vectordoc.toml --check   is it right?";

/// Print the settings that `serve` would have, and where each comes from
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ConfigCommand {
    /// Print nothing, only say whether everything is right
    #[arg(long)]
    check: bool,

    #[command(flatten)]
    flags: Flags,
}

impl Run for ConfigCommand {
    fn run(&self, out: &mut Output) -> Result<()> {
        let effective = Effective::of(&self.flags)?;
        if self.check {
            return out.line("the configuration is right");
        }
        out.line(effective.to_toml().trim_end())
    }
}
