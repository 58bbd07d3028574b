//! `vectordoc serve`: the service on one port, until it is asked to stop.

use super::{
    command::Run,
    config::{Effective, Flags, Settings},
    log, number,
    output::Output,
    runtime,
};
use crate::{Catalog, ServeOptions, Server, catalog::Seen, stop_requested};
use clap::Args;
use std::{
    collections::BTreeMap,
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::pin,
    task::Poll,
};
use vectordoc::Result;

/// Databases that are named when the server starts.
const LINES_MAX: usize = 20;

const EXAMPLES: &str = "\
Examples:
  vectordoc serve                                  the databases of ./data, for this machine
  vectordoc serve --data /srv/vectors --shards 4   new databases get 4 shards
  vectordoc serve --residence disk                 more documents than memory
  vectordoc serve --serverless-all                 databases leave memory while they are idle
  vectordoc serve --serverless-all --serverless-storage s3://vectors/prod
                                                   and rest in a bucket, where any node finds them
  vectordoc serve --listen 127.0.0.1:0             any free port; the first line says which
  vectordoc serve --config vectordoc.toml          what `vectordoc config` prints, changed

A cluster of three nodes, here on one machine:
  vectordoc cluster key cluster.key
  vectordoc serve --data n1 --cluster-key-file cluster.key
  vectordoc serve --data n2 --cluster-key-file cluster.key --listen 127.0.0.1:7701 \\
      --cluster-listen 127.0.0.1:7801 --join 127.0.0.1:7800
  vectordoc serve --data n3 --cluster-key-file cluster.key --listen 127.0.0.1:7702 \\
      --cluster-listen 127.0.0.1:7802 --join 127.0.0.1:7800

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
        let options = settings.database_options();
        let (catalog, databases) = match settings.cluster_options()? {
            None => {
                let Settings { data, shards, serverless, bucket, .. } = &settings;
                let serverless = serverless.clone();
                let catalog = match bucket.is_named() {
                    true => Catalog::open_in_bucket(data, *shards, options, serverless, bucket)?,
                    false => Catalog::open_serverless(data, *shards, options, serverless)?,
                };
                let databases = describe(&catalog);
                (catalog, databases)
            }
            Some(cluster) => {
                let opened =
                    Catalog::open_in_cluster(&settings.data, settings.shards, options, &cluster);
                let catalog = runtime.block_on(opened)?;
                let line = in_cluster(&catalog);
                (catalog, vec![line])
            }
        };
        runtime.block_on(serve(catalog, &settings, &databases, out))
    }
}

async fn serve(
    catalog: Catalog,
    settings: &Settings,
    databases: &[String],
    out: &mut Output,
) -> Result<()> {
    let mut stop = pin!(stop_requested());
    // It listens once it was polled: before anybody hears that there is a server to be stopped.
    let is_asked = poll_fn(|context| Poll::Ready(stop.as_mut().poll(context).is_ready())).await;
    let server = Server::start(catalog, &settings.serve_options()).await?;
    out.line(format_args!("vectordoc serves {} at {}", settings.data.display(), server.url()))?;
    if let Some(console) = server.console_url() {
        out.line(format_args!("  console: {console}"))?;
    }
    databases.iter().try_for_each(|database| out.line(format_args!("  {database}")))?;
    out.line("Ctrl-C stops it.")?;
    if !is_asked {
        stop.await;
    }
    // Whoever reads the output may be gone; what was accepted is finished all the same.
    let _ = out.line("stopping: answering what was accepted");
    server.shutdown().await?;
    out.line("stopped; everything acknowledged is on disk")
}

/// A line about the cluster it is in.
fn in_cluster(catalog: &Catalog) -> String {
    let address = catalog.cluster_address().unwrap_or_default();
    format!("node of a cluster, for others at {address}: `vectordoc cluster status`")
}

/// Lines about the databases of the catalog: of each that is in memory, up to so many, and how many
/// others there are.
fn describe(catalog: &Catalog) -> Vec<String> {
    let (mut lines, mut others) = (Vec::new(), BTreeMap::<&str, u64>::new());
    for (name, seen) in catalog.overview() {
        let other = match seen {
            Seen::Open(database) if lines.len() < LINES_MAX => {
                let documents = number::grouped(database.stats().documents);
                lines.push(format!("{name}: {documents} documents, {} shards", database.shards()));
                continue;
            }
            Seen::Broken => {
                let why = catalog.describe(name.as_str()).err();
                let why = why.map_or_else(String::new, |error| format!(": {error}"));
                lines.push(format!("{name}: not served{why}"));
                continue;
            }
            Seen::Open(_) => "more",
            Seen::Asleep => "asleep, each opened by the first request about it",
            Seen::Paused => "paused",
            Seen::Changing => "changing",
        };
        *others.entry(other).or_default() += 1;
    }
    let others = others.into_iter().map(|(what, n)| format!("{} {what}", number::grouped(n)));
    lines.extend(others);
    if lines.is_empty() {
        lines.push("no database yet: `vectordoc import FILE --db NAME` makes one".into());
    }
    lines
}

/// Options to listen at this address.
pub(crate) fn options_at(listen: SocketAddr) -> ServeOptions {
    ServeOptions::default().host(listen.ip().to_string()).port(listen.port())
}
