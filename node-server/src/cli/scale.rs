//! `vectordoc scale`: another number of shards or replicas for a database, or another time until it
//! sleeps.

use super::{
    command::Run,
    output::Output,
    place::reshard,
    progress::Progress,
    server::{Server, ServerOptions},
    span::Span,
};
use clap::Args;
use serde_json::{Value as Json, json};
use vectordoc::{Error, Result};

const EXAMPLES: &str = "\
Examples:
  vectordoc scale products --shards 4               while it is read and written
  vectordoc scale products --replicas 3             each on another node of a cluster
  vectordoc scale products --serverless true        leaves memory while it is idle
  vectordoc scale products --idle 30s               after half a minute without a request

It takes twice its space until it has its shards. Replicas are made one after the other while it is
read and written; `vectordoc cluster status` shows how far they are.";

/// Give a database other shards or replicas, or let it sleep
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Scale {
    /// Name of the database
    name: String,

    /// How many shards there shall be
    #[arg(long, value_name = "N")]
    shards: Option<usize>,

    /// How many replicas there shall be, each on another node of a cluster
    #[arg(long, value_name = "N")]
    replicas: Option<usize>,

    /// Whether it leaves memory while it is idle, to be opened by the next request
    #[arg(long, value_name = "true|false")]
    serverless: Option<bool>,

    /// How long it is without a request before it does
    #[arg(long, value_name = "TIME")]
    idle: Option<Span>,

    #[command(flatten)]
    server: ServerOptions,

    /// Print what the server answers, as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Scale {
    fn run(&self, out: &mut Output) -> Result<()> {
        let configured = self.configured();
        if self.shards.is_none() && configured.is_none() {
            return Err(Error::invalid(
                "say what shall be: --shards, --replicas, --serverless or --idle",
            ));
        }
        let server = self.server.connect()?;
        if let Some(configured) = configured {
            configure(&server, &self.name, configured)?;
        }
        if let Some(shards) = self.shards {
            let progress = Progress::steps("scaling", 0);
            let Server { runtime, connection } = &server;
            reshard(runtime, connection, &self.name, shards, &mut |done, total| {
                progress.set(done, total);
            })?;
        }
        let described: Json = server.ask("db.get", &json!({"db": self.name}))?;
        server.close()?;
        if self.json {
            return out.line(described);
        }
        out.line(format_args!("{} has {} shards", self.name, described["shards"]))?;
        if let Some(replicas) = described["replicas"].as_u64() {
            out.line(format_args!(
                "it shall have {replicas} replicas; `vectordoc cluster status` shows them"
            ))?;
        }
        match described["idle_ms"].as_u64() {
            Some(idle_ms) => out.line(format_args!("it leaves memory after {}", Span(idle_ms))),
            None => Ok(()),
        }
    }
}

impl Scale {
    /// What `db.configure` is asked for.
    fn configured(&self) -> Option<Json> {
        let serving = serving(self.serverless, self.idle);
        let Some(replicas) = self.replicas else { return serving };
        let mut configured = serving.unwrap_or_else(|| json!({}));
        configured["replicas"] = replicas.into();
        Some(configured)
    }
}

/// How a database is to be served, for `db.configure`; `None` when nothing is said of that.
pub(crate) fn serving(serverless: Option<bool>, idle: Option<Span>) -> Option<Json> {
    let mut serving = json!({});
    if let Some(serverless) = serverless {
        serving["serverless"] = serverless.into();
    }
    if let Some(Span(idle_ms)) = idle {
        serving["idle_ms"] = idle_ms.into();
    }
    (serving != json!({})).then_some(serving)
}

/// Changes how the database `name` is served.
pub(crate) fn configure(server: &Server, name: &str, mut serving: Json) -> Result<()> {
    serving["db"] = name.into();
    server.ask::<Json>("db.configure", &serving).map(drop)
}
