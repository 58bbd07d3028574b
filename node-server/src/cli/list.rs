//! `vectordoc list`: the databases of a server, and how they are.

use super::{
    command::Run, number, output::Output, server::ServerOptions, span::Span, table::Table,
};
use clap::Args;
use indicatif::HumanBytes;
use serde_json::{Value as Json, json};
use vectordoc::Result;

const EXAMPLES: &str = "\
Examples:
  vectordoc list                                    of the server you are logged in to
  vectordoc list --url ws://127.0.0.1:7700
  vectordoc list --json | jq -r '.dbs[] | select(.state == \"paused\") | .db'

A database that is asleep is opened by the next request; to be listed does not wake it. RESTS says where
the newest of it is: here, in the bucket (`serverless.storage`), at another node that has it awake, or
here until it is uploaded.";

/// List the databases of a server and how they are
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct List {
    #[command(flatten)]
    server: ServerOptions,

    /// Print what the server answers, as JSON
    #[arg(long)]
    json: bool,
}

impl Run for List {
    fn run(&self, out: &mut Output) -> Result<()> {
        let server = self.server.connect()?;
        let answer: Json = server.ask("db.list", &json!({}))?;
        server.close()?;
        if self.json {
            return out.line(answer);
        }
        let databases = answer["dbs"].as_array().map_or(&[][..], Vec::as_slice);
        if databases.is_empty() {
            return out.line("no database yet: `vectordoc deploy SCHEMA --name NAME` makes one");
        }
        let mut table =
            Table::new(["NAME", "STATE", "RESTS", "DOCUMENTS", "SHARDS", "MEMORY", "SERVERLESS"]);
        databases.iter().for_each(|database| table.row(row(database)));
        let columns = out.columns();
        table.lines(columns).iter().try_for_each(|line| out.line(line))
    }
}

/// The cells of one database.
pub(crate) fn row(database: &Json) -> [String; 7] {
    let text = |name: &str| database[name].as_str().unwrap_or_default().to_owned();
    let count = |name: &str| database[name].as_u64().unwrap_or_default();
    if !database["error"].is_null() {
        let why = database["error"]["message"].as_str().unwrap_or_default();
        let [rests, documents, shards, memory] = [(); 4].map(|()| "-".to_owned());
        let state = format!("broken: {why}");
        return [text("db"), state, rests, documents, shards, memory, String::new()];
    }
    let idle = database["idle_ms"].as_u64().map(Span);
    let state = match &database["resharding"] {
        Json::Null => text("state"),
        now => format!("scaling to {} shards", now["to"]),
    };
    [
        text("db"),
        state,
        rests(database),
        number::grouped(count("documents")),
        number::grouped(count("shards")),
        HumanBytes(count("memory_bytes")).to_string(),
        idle.map_or_else(|| "no".into(), |idle| format!("after {idle}")),
    ]
}

/// Where the newest of a database is.
fn rests(database: &Json) -> String {
    let why = database["rests_why"].as_str();
    match (database["rests"].as_str().unwrap_or_default(), why) {
        ("waiting", None) => "here, upload waits".into(),
        ("waiting", Some(why)) => format!("here, upload waits: {why}"),
        ("elsewhere", Some(node)) => format!("at node {node}"),
        (place, _) => place.into(),
    }
}
