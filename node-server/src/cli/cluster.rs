//! `vectordoc cluster`: the nodes that have replicas together.

use super::{
    command::Run, file, number::grouped, output::Output, server::ServerOptions, table::Table,
};
use crate::ClusterKey;
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::{fmt, fs::OpenOptions, io::Write, path::PathBuf};
use vectordoc::{Error, Result};

const EXAMPLES: &str = "\
Examples:
  vectordoc cluster key cluster.key     a key for all nodes; copy it to each
  vectordoc cluster status              nodes, and where each database has replicas
  vectordoc cluster status --hashes     also whether replicas have the same documents
  vectordoc cluster remove 2            node 2 is gone for good

`vectordoc help serve` shows how nodes are started. A new node with an empty data directory that
joins gets the replicas that are missing, and then its share of the others, one after the other.";

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
        for line in seen.replicas(self.hashes).lines(columns) {
            out.line(line)?;
        }
        seen.moves.iter().try_for_each(|moving| out.line(format_args!("\n{moving}")))
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
    moves: Vec<Move>,
}

#[derive(Deserialize)]
struct Node {
    node: u64,
    address: String,
    url: String,
    is_up: bool,
    is_leader: bool,
    replicas: usize,
}

#[derive(Deserialize)]
struct Database {
    db: String,
    shards: usize,
    replicas_wanted: usize,
    replicas: Vec<Replica>,
}

#[derive(Deserialize)]
struct Replica {
    shard: usize,
    node: u64,
    role: String,
    applied: u64,
    documents: u64,
    hash: Option<String>,
}

#[derive(Deserialize)]
struct Move {
    db: String,
    shard: usize,
    from: Option<u64>,
    to: u64,
    done: u64,
    total: u64,
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { db, shard, from, to, done, total } = self;
        let from = from.map_or_else(|| "new".into(), |node| format!("from node {node}"));
        write!(f, "moving: a replica of shard {shard} of {db}, {from} to node {to}")?;
        match total {
            0 => Ok(()),
            _ => write!(f, ", {} of {} entries sent", grouped(*done), grouped(*total)),
        }
    }
}

impl Seen {
    fn nodes(&self) -> Table {
        let mut table = Table::new(["NODE", "STATE", "REPLICAS", "FOR NODES", "FOR CLIENTS"]);
        for Node { node, address, url, is_up, is_leader, replicas } in &self.nodes {
            let state = match (is_up, is_leader) {
                (true, true) => "up, leads",
                (true, false) => "up",
                (false, _) => "down",
            };
            let replicas = replicas.to_string();
            table.row([node.to_string(), state.into(), replicas, address.clone(), url.clone()]);
        }
        table
    }

    fn replicas(&self, with_hashes: bool) -> Table {
        let headings =
            ["DATABASE", "SHARD", "REPLICAS", "NODE", "ROLE", "DOCUMENTS", "APPLIED", "HASH"];
        let shown = headings.len() - usize::from(!with_hashes);
        let mut table = Table::new(headings.into_iter().take(shown));
        for Database { db, shards, replicas_wanted, replicas } in &self.databases {
            for Replica { shard, node, role, applied, documents, hash } in replicas {
                let of_shard = replicas.iter().filter(|other| other.shard == *shard).count();
                let cells = [
                    db.clone(),
                    format!("{shard} of {shards}"),
                    format!("{of_shard}/{replicas_wanted}"),
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
