//! The command line as a whole: which command, how it ends.

use super::{
    backup::Backup,
    bench::Bench,
    cluster::ClusterCommand,
    config::ConfigCommand,
    delete::Delete,
    demo::Demo,
    deploy::Deploy,
    export::Export,
    health::Health,
    import::Import,
    key::KeyCommand,
    list::List,
    log,
    login::{LoginCommand, Logout},
    logs::Logs,
    output::Output,
    pause::{Pause, Resume},
    reshard::Reshard,
    restore::Restore,
    scale::Scale,
    search::Search,
    serve::Serve,
};
use clap::{Parser, Subcommand};
use std::{ffi::OsString, process::ExitCode};
use vectordoc::Result;

const EXAMPLES: &str = "\
Examples:
  vectordoc demo                                        see it work on real documents
  vectordoc serve --data ./data                         serve your own
  vectordoc import products.jsonl --db products         fill it
  vectordoc search --db products --like 1               ask it
  vectordoc deploy schema.json --name products          create one on a server you logged in to

`vectordoc help COMMAND` has examples for each.";

/// A vector database: demo, server, import, export, search, backup, deployment, keys and measurement in one binary
#[derive(Parser, Debug)]
#[command(name = "vectordoc", version, about, after_help = EXAMPLES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Demo(Demo),
    Serve(Serve),
    Health(Health),
    Import(Import),
    Export(Export),
    Search(Search),
    Backup(Backup),
    Restore(Restore),
    Reshard(Reshard),
    Login(LoginCommand),
    Logout(Logout),
    Deploy(Deploy),
    List(List),
    Pause(Pause),
    Resume(Resume),
    Scale(Scale),
    Logs(Logs),
    Delete(Delete),
    Bench(Bench),
    Key(KeyCommand),
    Cluster(ClusterCommand),
    Config(ConfigCommand),
}

/// A command that was understood.
pub(super) trait Run {
    /// Does it, and says what it found on `out`.
    fn run(&self, out: &mut Output) -> Result<()>;
}

/// Runs the command that `args` name, the program's name first. Usage mistakes end with code 2,
/// failures with code 1; both are explained on standard error.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let line = match CommandLine::try_parse_from(args) {
        Ok(line) => line,
        Err(refusal) => return explain(&refusal),
    };
    if !line.command.logs_as_configured() {
        log::show();
    }
    let mut out = Output::stdout();
    match line.command.run(&mut out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if out.reader_left() => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Command {
    /// Whether its configuration says what it logs, which then it reads first.
    fn logs_as_configured(&self) -> bool {
        matches!(self, Self::Serve(_))
    }
}

impl Run for Command {
    fn run(&self, out: &mut Output) -> Result<()> {
        match self {
            Self::Demo(command) => command.run(out),
            Self::Serve(command) => command.run(out),
            Self::Health(command) => command.run(out),
            Self::Import(command) => command.run(out),
            Self::Export(command) => command.run(out),
            Self::Search(command) => command.run(out),
            Self::Backup(command) => command.run(out),
            Self::Restore(command) => command.run(out),
            Self::Reshard(command) => command.run(out),
            Self::Login(command) => command.run(out),
            Self::Logout(command) => command.run(out),
            Self::Deploy(command) => command.run(out),
            Self::List(command) => command.run(out),
            Self::Pause(command) => command.run(out),
            Self::Resume(command) => command.run(out),
            Self::Scale(command) => command.run(out),
            Self::Logs(command) => command.run(out),
            Self::Delete(command) => command.run(out),
            Self::Bench(command) => command.run(out),
            Self::Key(command) => command.run(out),
            Self::Cluster(command) => command.run(out),
            Self::Config(command) => command.run(out),
        }
    }
}

/// Prints help, the version, or what was wrong with the command line and what was meant.
fn explain(refusal: &clap::Error) -> ExitCode {
    // Nobody reads: nothing is left to say.
    let _ = refusal.print();
    u8::try_from(refusal.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}
