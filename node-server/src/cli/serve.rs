//! `vectordoc serve`: the service on one port, until it is asked to stop.

use super::{command::Run, number, output::Output, runtime};
use crate::{Catalog, Name, ServeOptions, Server, stop_requested};
use clap::Args;
use std::{net::SocketAddr, path::PathBuf};
use vectordoc::{Database, Result, native::Residence};

const EXAMPLES: &str = "\
Examples:
  vectordoc serve                                  the databases of ./data, for this machine
  vectordoc serve --data /srv/vectors --shards 4   new databases get 4 shards
  vectordoc serve --residence disk                 more documents than memory
  vectordoc serve --listen 127.0.0.1:0             any free port; the first line says which

Then, in another terminal:
  vectordoc import products.jsonl --db products
  vectordoc search --db products --like 1";

/// Serve the databases of a data directory over WebSocket
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// Directory of the databases; created when missing
    #[arg(long, value_name = "DIR", default_value = "./data")]
    data: PathBuf,

    /// Address and port to listen at
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7700")]
    listen: SocketAddr,

    /// Shards of new databases whose creator does not say
    #[arg(long, value_name = "N", default_value_t = 1)]
    shards: usize,

    /// Where documents and full vectors are: on the disk, codes of an eighth of their size are in
    /// memory
    #[arg(long, value_name = "PLACE", default_value = "memory", value_parser = ["memory", "disk"])]
    residence: String,

    /// Allow an address that other machines can reach, although there are neither keys nor TLS yet
    #[arg(long)]
    insecure: bool,
}

impl Run for Serve {
    fn run(&self, out: &mut Output) -> Result<()> {
        let catalog =
            Catalog::open_in(&self.data, self.shards, Residence::parse(&self.residence)?)?;
        let databases = describe(&catalog);
        let options = options_at(self.listen).insecure(self.insecure);
        runtime::start()?.block_on(self.serve(catalog, &options, &databases, out))
    }
}

impl Serve {
    async fn serve(
        &self,
        catalog: Catalog,
        options: &ServeOptions,
        databases: &[String],
        out: &mut Output,
    ) -> Result<()> {
        let server = Server::start(catalog, options).await?;
        out.line(format_args!("vectordoc serves {} at {}", self.data.display(), server.url()))?;
        databases.iter().try_for_each(|database| out.line(format_args!("  {database}")))?;
        out.line("Ctrl-C stops it.")?;
        stop_requested().await;
        // Whoever reads the output may be gone; what was accepted is finished all the same.
        let _ = out.line("stopping: answering what was accepted");
        server.shutdown().await?;
        out.line("stopped; everything acknowledged is on disk")
    }
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
