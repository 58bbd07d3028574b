//! `vectordoc cluster`: the nodes that have replicas together.

use super::{
    command::Run, file, number::grouped, output::Output, server::ServerOptions, table::Table,
};
use crate::ClusterKey;
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::{fs::OpenOptions, io::Write, path::PathBuf};
use vectordoc::{Error, Result};

const EXAMPLES: &str = "\
Examples:
  vectordoc cluster key cluster.key     a key for all nodes; copy it to each
  vectordoc cluster status              nodes, and where each database has replicas
  vectordoc cluster status --hashes     also whether replicas have the same documents
  vectordoc cluster remove 2            node 2 is gone for good

`vectordoc help serve` shows how nodes are started. A new node with an empty data directory that
joins gets the replicas that are missing.";

/// Look after the nodes of a cluster
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ClusterCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Make the key that the nodes of a new cluster share
    Key(MakeKey),
    /// Show the nodes and the replicas of every database
    Status(Status),
    /// Take a node out for good; its replicas are made anew on others
    Remove(Remove),
}

#[derive(Args, Debug)]
struct MakeKey {
    /// File to write, which must not be there
    file: PathBuf,
}

/// A node of the cluster.
#[derive(Args, Debug)]
struct Place {
    #[command(flatten)]
    server: ServerOptions,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct Status {
    /// Have every replica read all its documents, and show a hash of them
    #[arg(long)]
    hashes: bool,

    #[command(flatten)]
    place: Place,
}

#[derive(Args, Debug)]
struct Remove {
    /// The number of the node
    node: u64,

    #[command(flatten)]
    place: Place,
}

impl Run for ClusterCommand {
    fn run(&self, out: &mut Output) -> Result<()> {
        match &self.action {
            Action::Key(command) => command.run(out),
            Action::Status(command) => command.run(out),
            Action::Remove(command) => command.run(out),
        }
    }
}

impl MakeKey {
    fn run(&self, out: &mut Output) -> Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let key = ClusterKey::generate()?;
        let written = options.open(&self.file).and_then(|mut file| {
            writeln!(file, "{key}")?;
            file.sync_all()
        });
        written.map_err(|error| file::trouble(self.file.display(), &error))?;
        let path = self.file.display();
        out.line(format_args!("{path} has the key of a new cluster: copy it to every node"))
    }
}

impl Place {
    fn ask<T: serde::de::DeserializeOwned>(&self, method: &str, params: &Json) -> Result<T> {
        let server = self.server.connect()?;
        let answer = server.ask(method, params)?;
        server.close()?;
        Ok(answer)
    }
}

impl Status {
    fn run(&self, out: &mut Output) -> Result<()> {
        let status: Json = self.place.ask("cluster.status", &json!({"hashes": self.hashes}))?;
        if self.place.json {
            return out.line(status);
        }
        let seen = Seen::deserialize(&status);
        let seen = seen.map_err(|error| Error::internal(format!("cluster.status: {error}")))?;
        let columns = out.columns();
        for line in seen.nodes().lines(columns) {
            out.line(line)?;
        }
        if seen.databases.is_empty() {
            return out.line("\nno database yet: `vectordoc import FILE --db NAME` makes one");
        }
        out.line("")?;
        let lines = seen.replicas(self.hashes).lines(columns);
        lines.into_iter().try_for_each(|line| out.line(line))
    }
}

impl Remove {
    fn run(&self, out: &mut Output) -> Result<()> {
        let removed: Json = self.place.ask("cluster.remove", &json!({"node": self.node}))?;
        if self.place.json {
            return out.line(removed);
        }
        out.line(format_args!("node {} is no node of the cluster any more", self.node))
    }
}

/// A cluster as it is shown.
#[derive(Deserialize)]
struct Seen {
    nodes: Vec<Node>,
    databases: Vec<Database>,
}

#[derive(Deserialize)]
struct Node {
    node: u64,
    address: String,
    url: String,
    is_up: bool,
    is_leader: bool,
}

#[derive(Deserialize)]
struct Database {
    db: String,
    replicas_wanted: usize,
    replicas: Vec<Replica>,
}

#[derive(Deserialize)]
struct Replica {
    node: u64,
    role: String,
    applied: u64,
    documents: u64,
    hash: Option<String>,
}

impl Seen {
    fn nodes(&self) -> Table {
        let mut table = Table::new(["NODE", "STATE", "FOR NODES", "FOR CLIENTS"]);
        for Node { node, address, url, is_up, is_leader } in &self.nodes {
            let state = match (is_up, is_leader) {
                (true, true) => "up, leads",
                (true, false) => "up",
                (false, _) => "down",
            };
            table.row([node.to_string(), state.into(), address.clone(), url.clone()]);
        }
        table
    }

    fn replicas(&self, with_hashes: bool) -> Table {
        let headings = ["DATABASE", "REPLICAS", "NODE", "ROLE", "DOCUMENTS", "APPLIED", "HASH"];
        let shown = headings.len() - usize::from(!with_hashes);
        let mut table = Table::new(headings.into_iter().take(shown));
        for Database { db, replicas_wanted, replicas } in &self.databases {
            for Replica { node, role, applied, documents, hash } in replicas {
                let cells = [
                    db.clone(),
                    format!("{}/{replicas_wanted}", replicas.len()),
                    node.to_string(),
                    role.clone(),
                    grouped(*documents),
                    grouped(*applied),
                    hash.clone().unwrap_or_else(|| "-".into()),
                ];
                table.row(cells.into_iter().take(shown));
            }
        }
        table
    }
}
