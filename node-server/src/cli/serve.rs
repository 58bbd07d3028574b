//! `vectordoc serve`: the service on one port, until it is asked to stop.

use super::{command::Run, output::Output, runtime};
use crate::{Catalog, Limits, ServeOptions, Server, stop_requested};
use clap::Args;
use std::{net::SocketAddr, path::PathBuf, sync::Arc};
use vectordoc::Result;

const EXAMPLES: &str = "\
Examples:
  vectordoc serve                                  the databases of ./data, for this machine
  vectordoc serve --data /srv/vectors --shards 4   new databases get 4 shards
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

    /// Allow an address that other machines can reach, although there are neither keys nor TLS yet
    #[arg(long)]
    insecure: bool,
}

impl Run for Serve {
    fn run(&self, out: &mut Output) -> Result<()> {
        let catalog = Arc::new(Catalog::open(&self.data, self.shards)?);
        let options = options_at(self.listen).insecure(self.insecure);
        runtime::start()?.block_on(self.serve(catalog, options, out))
    }
}

impl Serve {
    async fn serve(
        &self,
        catalog: Arc<Catalog>,
        options: ServeOptions,
        out: &mut Output,
    ) -> Result<()> {
        let server = Server::start(Arc::clone(&catalog), options).await?;
        self.announce(&server, &catalog, out)?;
        stop_requested().await;
        out.line("stopping: answering what was accepted")?;
        server.stop().await;
        catalog.close();
        out.line("stopped; everything acknowledged is on disk")
    }

    fn announce(&self, server: &Server, catalog: &Catalog, out: &mut Output) -> Result<()> {
        out.line(format_args!("vectordoc serves {} at {}", self.data.display(), server.url()))?;
        let databases = catalog.list();
        for (name, database) in &databases {
            match database {
                Ok(database) => {
                    let documents = database.stats().documents;
                    out.line(format_args!("  {name}: {documents} documents"))?;
                }
                Err(error) => out.line(format_args!("  {name}: not served: {error}"))?,
            }
        }
        if databases.is_empty() {
            out.line("  no database yet: `vectordoc import FILE --db NAME` makes one")?;
        }
        out.line("Ctrl-C stops it.")
    }
}

/// Options to listen at this address.
pub(crate) fn options_at(listen: SocketAddr) -> ServeOptions {
    ServeOptions::default().host(listen.ip().to_string()).port(listen.port())
}
