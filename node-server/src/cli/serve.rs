//! `vectordoc serve`: the service on one port, until it is asked to stop.

use super::{
    command::Run,
    config::{Effective, Flags, Settings},
    log, number,
    output::Output,
    runtime,
};
use crate::{Catalog, Name, ServeOptions, Server, stop_requested};
use clap::Args;
use std::net::SocketAddr;
use vectordoc::{Database, Result};

const EXAMPLES: &str = "\
Examples:
  vectordoc serve                                  the databases of ./data, for this machine
  vectordoc serve --data /srv/vectors --shards 4   new databases get 4 shards
  vectordoc serve --residence disk                 more documents than memory
  vectordoc serve --listen 127.0.0.1:0             any free port; the first line says which
  vectordoc serve --config vectordoc.toml          what `vectordoc config` prints, changed

Then, in another terminal:
  vectordoc import products.jsonl --db products
  vectordoc search --db products --like 1";

/// Serve the databases of a data directory
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    #[command(flatten)]
    flags: Flags,
}

impl Run for Serve {
    fn run(&self, out: &mut Output) -> Result<()> {
        let settings = Effective::of(&self.flags)?.settings;
        let runtime = runtime::start()?;
        let _traces = {
            let _entered = runtime.enter();
            log::show_as(&settings)?
        };
        let catalog =
            Catalog::open_with(&settings.data, settings.shards, settings.database_options())?;
        let databases = describe(&catalog);
        runtime.block_on(serve(catalog, &settings, &databases, out))
    }
}

async fn serve(
    catalog: Catalog,
    settings: &Settings,
    databases: &[String],
    out: &mut Output,
) -> Result<()> {
    let server = Server::start(catalog, &settings.serve_options()).await?;
    out.line(format_args!("vectordoc serves {} at {}", settings.data.display(), server.url()))?;
    if let Some(console) = server.console_url() {
        out.line(format_args!("  console: {console}"))?;
    }
    databases.iter().try_for_each(|database| out.line(format_args!("  {database}")))?;
    out.line("Ctrl-C stops it.")?;
    stop_requested().await;
    // Whoever reads the output may be gone; what was accepted is finished all the same.
    let _ = out.line("stopping: answering what was accepted");
    server.shutdown().await?;
    out.line("stopped; everything acknowledged is on disk")
}

/// A line for every database of the catalog.
fn describe(catalog: &Catalog) -> Vec<String> {
    let databases = catalog.list();
    if databases.is_empty() {
        return vec!["no database yet: `vectordoc import FILE --db NAME` makes one".into()];
    }
    let line = |(name, database): (Name, Result<Database>)| match database {
        Ok(database) => {
            let documents = number::grouped(database.stats().documents);
            format!("{name}: {documents} documents, {} shards", database.shards())
        }
        Err(error) => format!("{name}: not served: {error}"),
    };
    databases.into_iter().map(line).collect()
}

/// Options to listen at this address.
pub(crate) fn options_at(listen: SocketAddr) -> ServeOptions {
    ServeOptions::default().host(listen.ip().to_string()).port(listen.port())
}
