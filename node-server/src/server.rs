//! A running server: who may come in, and the way out that loses nothing.

use crate::{Catalog, Limits, ServeOptions, fault, work::Workers, ws};
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};
use vectordoc::{Error, Result};

/// How long to wait when the system cannot accept a connection, which usually means that it is out
/// of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What all connections of a server share.
pub(crate) struct Context {
    /// The databases.
    pub(crate) catalog: Catalog,
    /// The bounds.
    pub(crate) limits: Limits,
    /// Where operations run.
    pub(crate) workers: Workers,
    /// Who may connect.
    pub(crate) doorkeeper: ws::Doorkeeper,
}

/// A server on the current tokio runtime. Dropped, it stops like with
/// [`shutdown`](Self::shutdown), in the background.
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    /// Ends once everything is answered and every database is closed.
    running: JoinHandle<()>,
}

impl Server {
    /// Serves the databases of `catalog`. `invalid` when the options name a database or its shards,
    /// or an address that other machines can reach without saying that is wanted; `busy` when
    /// something listens there already.
    pub async fn start(catalog: Catalog, options: &ServeOptions) -> Result<Self> {
        options.expect_no_database()?;
        let addresses = options.addresses()?;
        let place = format!("{}:{}", options.host, options.port);
        let failed = |error| fault::os("cannot listen at", &place, &error);
        let listener = TcpListener::bind(&*addresses).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (limits, origins) = (options.limits.clone(), options.origins.clone());
        let context = Context {
            catalog,
            workers: Workers::new(),
            doorkeeper: ws::Doorkeeper::new(limits.clone(), origins, address.ip().is_loopback()),
            limits,
        };
        let (stop, stopping) = watch::channel(false);
        tracing::info!(%address, "serving");
        let running = tokio::spawn(run(listener, Arc::new(context), stopping));
        Ok(Self { address, stop, running })
    }

    /// Serves the data directory `path`: see [`Catalog::open`]. New databases get as many shards as
    /// the options say, 1 if they do not.
    pub async fn open(path: impl AsRef<Path>, options: &ServeOptions) -> Result<Self> {
        let (path, shards) = (path.as_ref().to_path_buf(), options.shards.unwrap_or(1));
        let opened = tokio::task::spawn_blocking(move || Catalog::open(path, shards)).await;
        let catalog = opened.map_err(|error| Error::internal(format!("opening: {error}")))??;
        let options = ServeOptions { shards: None, ..options.clone() };
        Self::start(catalog, &options).await
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// What clients connect to: `ws://127.0.0.1:7700`.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Stops: takes no more connections, answers every request it accepted, tells clients that it
    /// goes away, closes the databases it opened.
    pub async fn shutdown(self) -> Result<()> {
        self.stop.send_replace(true);
        self.running.await.map_err(|error| Error::internal(format!("the server failed: {error}")))
    }
}

/// Completes when the server stops, also when it is just gone.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// Serves until `stopping` says so, or the [`Server`] is gone.
async fn run(listener: TcpListener, context: Arc<Context>, mut stopping: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    accept_all(listener, &context, &mut stopping, &mut connections).await;
    tracing::info!(connections = connections.len(), "stopping");
    let drained = async { while connections.join_next().await.is_some() {} };
    // Each connection drains within the same time, and then needs a moment to say goodbye.
    let patience = context.limits.drain_timeout + 4 * crate::limits::CLOSE_TIMEOUT;
    if timeout(patience, drained).await.is_err() {
        tracing::warn!("some connections did not end in time");
        connections.shutdown().await;
    }
    let closed = tokio::task::spawn_blocking(move || context.catalog.close()).await;
    tracing::info!(clean = closed.is_ok(), "stopped");
}

async fn accept_all(
    listener: TcpListener,
    context: &Arc<Context>,
    stopping: &mut watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
) {
    let places = Arc::new(Semaphore::new(context.limits.connections_max));
    let signal = stopping.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = stopped(stopping) => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let place = Arc::clone(&places).try_acquire_owned().ok();
                let context = Arc::clone(context);
                connections.spawn(serve(stream, place, context, signal.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves one connection, if there is a place for it.
async fn serve(
    stream: TcpStream,
    place: Option<OwnedSemaphorePermit>,
    context: Arc<Context>,
    stopping: watch::Receiver<bool>,
) {
    // Answers are small and someone waits for each.
    let _ = stream.set_nodelay(true);
    let Some(_place) = place else {
        return context.doorkeeper.turn_away(stream).await;
    };
    ws::serve(stream, context, stopping).await;
}
