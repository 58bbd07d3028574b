//! `vectordoc deploy`: a database on a server, empty or with the documents of a local one.

use super::{
    archives::About,
    command::Run,
    file, number,
    output::Output,
    place::reshard,
    progress::Progress,
    scale::{configure, serving},
    server::{Server, ServerOptions},
    span::Span,
};
use clap::Args;
use serde_json::{Value as Json, json};
use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};
use vectordoc::{
    Database, Error, Result, Schema,
    native::{DatabaseOptions, Snapshot},
};

const EXAMPLES: &str = "\
Examples:
  vectordoc deploy schema.json --name products                     an empty database
  vectordoc deploy schema.json --name products --shards 4 --serverless --idle 10m
  vectordoc deploy schema.json --name products --replicas 3        in a cluster
  vectordoc deploy --from ./products                               a local one with its documents
  vectordoc deploy --from ./data/products --name shop --url wss://vectors.example.org

schema.json is what `vectordoc list --json` shows of a database, what the derive makes of a struct, and
what TypeScript passes to `open`. The directory of --from is what a program opens by `Db::open`; it
must be closed meanwhile, and is not changed.";

/// Create a database on a server, with the documents of a local one if you like
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Deploy {
    /// File with the schema, in JSON
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    schema: Option<PathBuf>,

    /// Directory of a local database, whose documents and indexes come along
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,

    /// Name of the database; that of the file or directory unless given
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// How many shards; the server's choice, or those of the local database, unless given
    #[arg(long, value_name = "N")]
    shards: Option<usize>,

    /// How many replicas, each on another node of a cluster; the cluster's choice unless given
    #[arg(long, value_name = "N")]
    replicas: Option<usize>,

    /// Let it leave memory while it is idle, to be opened by the next request
    #[arg(long)]
    serverless: bool,

    /// How long it is without a request before it does
    #[arg(long, value_name = "TIME", requires = "serverless")]
    idle: Option<Span>,

    #[command(flatten)]
    server: ServerOptions,

    /// Print what the server says of it, as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Deploy {
    fn run(&self, out: &mut Output) -> Result<()> {
        let name = self.name()?;
        let server = self.server.connect()?;
        match (&self.from, &self.schema) {
            (Some(from), _) => self.bring(&server, from, &name)?,
            (None, Some(schema)) => self.create(&server, schema, &name)?,
            (None, None) => return Err(Error::invalid("give a schema, or --from DIR")),
        }
        let described: Json = server.ask("db.get", &json!({"db": name}))?;
        server.close()?;
        if self.json {
            return out.line(described);
        }
        let documents = number::grouped(described["documents"].as_u64().unwrap_or_default());
        let url = self.server.url()?;
        out.line(format_args!(
            "deployed {name} at {url}: {documents} documents, {} shards",
            described["shards"]
        ))?;
        if let Some(replicas) = described["replicas"].as_u64() {
            out.line(format_args!("  {replicas} replicas, each on another node of the cluster"))?;
        }
        if let Some(idle_ms) = described["idle_ms"].as_u64() {
            let idle = Span(idle_ms);
            out.line(format_args!("  it leaves memory after {idle} without a request"))?;
        }
        out.line(format_args!("  vectordoc search --db {name} --url {url} --like ID"))
    }
}

impl Deploy {
    fn name(&self) -> Result<String> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let of = |path: &PathBuf| {
            let path = path.canonicalize().ok()?;
            let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
            name?.to_str().map(String::from)
        };
        let name = self.from.as_ref().or(self.schema.as_ref()).and_then(of);
        name.ok_or_else(|| Error::invalid("say how it shall be called: --name NAME"))
    }

    fn create(&self, server: &Server, schema: &Path, name: &str) -> Result<()> {
        let schema = Schema::from_json_str(&file::read_text(schema)?)
            .map_err(|error| error.within(schema.display()))?;
        let mut params = json!({"db": name, "schema": schema.to_json()});
        if let Some(replicas) = self.replicas {
            params["replicas"] = replicas.into();
        }
        if let Some(shards) = self.shards {
            params["shards"] = shards.into();
        }
        if let Some(Json::Object(serving)) = self.serving() {
            serving.into_iter().for_each(|(name, value)| params[name] = value);
        }
        server.ask::<Json>("db.create", &params).map(drop)
    }

    /// Takes the local database to the server as it is: documents, versions and indexes.
    fn bring(&self, server: &Server, from: &Path, name: &str) -> Result<()> {
        if let Some(replicas) = self.replicas.filter(|replicas| *replicas != 1) {
            return Err(Error::unsupported(format!(
                "a local database is brought to a server as one copy, --replicas says {replicas}; \
                 deploy its schema with --replicas, then `vectordoc export` and `vectordoc import` \
                 its documents"
            )));
        }
        let database = Database::open(from, &DatabaseOptions::default())?;
        let snapshot = database.snapshot()?;
        let progress = Progress::entries("deploying");
        let brought = server.bring_in(name, Reading(snapshot), &mut |done, total| {
            progress.set(done, total);
        });
        drop(progress);
        let About { shards, .. } = brought?;
        database.close()?;
        if let Some(serving) = self.serving() {
            configure(server, name, serving)?;
        }
        match self.shards {
            Some(wanted) if wanted != shards => {
                let progress = Progress::steps("scaling", 0);
                let Server { runtime, connection } = server;
                reshard(runtime, connection, name, wanted, &mut |done, total| {
                    progress.set(done, total);
                })
            }
            _ => Ok(()),
        }
    }

    fn serving(&self) -> Option<Json> {
        serving(self.serverless.then_some(true), self.idle)
    }
}

/// An archive that is read while it is made.
struct Reading(Snapshot);

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let piece = self.0.piece(buffer.len()).map_err(io::Error::other)?;
        buffer[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }
}
