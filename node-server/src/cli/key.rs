//! `vectordoc key`: who may use a server.

use super::{
    command::Run,
    config::{Effective, Flags},
    output::Output,
    table::Table,
};
use crate::keys::{Key, KeyFile, Role, Scope};
use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use vectordoc::Result;

const EXAMPLES: &str = "\
Examples:
  vectordoc key create --role admin                      to everything, for yourself
  vectordoc key create --role read --db products         to search one database
  vectordoc key list
  vectordoc key revoke 7w2kq0x9ma
  vectordoc key create --role admin --keys keys.json     for several servers that get this file

Once there is a key, the server answers nobody without one. A running server takes changes over at
once.";

/// Create, list and revoke the keys that clients of a server need
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct KeyCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Make a key, and show it once
    Create(Create),
    /// Show all keys without their secrets
    List(List),
    /// Take a key away, for good
    Revoke(Revoke),
}

#[derive(Args, Debug)]
struct Place {
    /// Data directory of the server; the one `serve` would have unless given
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// File of the keys, for `serve --keys`; keys.json in the data directory unless given
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    keys: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct Create {
    /// What it may do: read, write (and read), admin (everything)
    #[arg(long, value_name = "ROLE")]
    role: Role,

    /// A database it is for; may be repeated, all of them unless given
    #[arg(long, value_name = "NAME")]
    db: Vec<String>,

    /// What it is called in lists
    #[arg(long, value_name = "TEXT", default_value = "")]
    name: String,

    #[command(flatten)]
    place: Place,
}

#[derive(Args, Debug)]
struct List {
    #[command(flatten)]
    place: Place,
}

#[derive(Args, Debug)]
struct Revoke {
    /// The id of the key, which is its middle part
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    place: Place,
}

impl Run for KeyCommand {
    fn run(&self, out: &mut Output) -> Result<()> {
        match &self.action {
            Action::Create(command) => command.run(out),
            Action::List(command) => command.run(out),
            Action::Revoke(command) => command.run(out),
        }
    }
}

impl Place {
    fn file(&self) -> Result<KeyFile> {
        Ok(match (&self.keys, &self.data) {
            (Some(file), _) => KeyFile::at(file),
            (None, Some(data)) => KeyFile::of(data),
            (None, None) => Effective::of(&Flags::default())?.settings.key_file(),
        })
    }
}

impl Create {
    fn run(&self, out: &mut Output) -> Result<()> {
        let scope = Scope::of(self.db.iter().map(String::as_str))?;
        let file = self.place.file()?;
        let (token, key) = file.create(&self.name, self.role, scope)?;
        if self.place.json {
            let mut described = describe(&key);
            described["key"] = json!(token.reveal());
            return out.line(described);
        }
        out.line(token.reveal())?;
        eprintln!(
            "A key to {} {}. It is shown this once; {} has only its hash.",
            key.role(),
            key.scope(),
            file.path().display()
        );
        Ok(())
    }
}

impl List {
    fn run(&self, out: &mut Output) -> Result<()> {
        let file = self.place.file()?;
        let keys = file.read()?;
        if self.place.json {
            let keys: Vec<_> = keys.iter().flatten().map(describe).collect();
            return out.line(json!({"keys": keys}));
        }
        match keys.as_deref() {
            None => out.line("There is no key: everyone who reaches the server may do everything."),
            Some([]) => out.line(format_args!(
                "Every key was revoked: nobody may use the server until you create one (or remove \
                 {} and start it again).",
                file.path().display()
            )),
            Some(keys) => {
                table(keys).lines(out.columns()).iter().try_for_each(|line| out.line(line))
            }
        }
    }
}

impl Revoke {
    fn run(&self, out: &mut Output) -> Result<()> {
        let (key, left) = self.place.file()?.revoke(&self.id)?;
        if self.place.json {
            return out.line(json!({"revoked": key.id(), "left": left}));
        }
        out.line(format_args!("Key {} opens nothing any more.", key.id()))?;
        match left {
            0 => {
                out.line("It was the last one: nobody may use the server until you create another.")
            }
            _ => Ok(()),
        }
    }
}

fn table(keys: &[Key]) -> Table {
    let mut table = Table::new(["id", "role", "databases", "created", "name"]);
    for key in keys {
        let (scope, role) = (key.scope().to_string(), key.role().name());
        table.row([key.id(), role, &scope, key.created(), key.name()]);
    }
    table
}

fn describe(key: &Key) -> Json {
    json!({
        "id": key.id(),
        "name": key.name(),
        "role": key.role(),
        "dbs": key.scope(),
        "created": key.created(),
    })
}
