//! A database of a program, served from inside the program.

use crate::{Catalog, Name, ServeOptions, Server, network, stop_requested};
use std::{net::SocketAddr, sync::mpsc, thread};
use tokio::sync::oneshot;
use vectordoc::{Db, Error, Result, VectorDoc};

/// Makes a [`Db`] reachable over WebSocket.
pub trait Serve {
    /// Serves this database until the [`Service`] is shut down or dropped. The database stays open
    /// and usable in the program, and outlives the service.
    ///
    /// `invalid` when the options ask for another number of shards than the database has, or for
    /// an address that other machines can reach without saying that is wanted.
    ///
    /// ```no_run
    /// # use vectordoc::{Db, Result, VectorDoc};
    /// use vectordoc_server::{Serve, ServeOptions};
    ///
    /// # fn serve<Product: VectorDoc>(db: Db<Product>) -> Result<()> {
    /// let service = db.serve(ServeOptions::default().port(7700))?;
    /// println!("connect to {}", service.url());
    /// service.block()
    /// # }
    /// ```
    fn serve(&self, options: ServeOptions) -> Result<Service>;
}

impl<T: VectorDoc> Serve for Db<T> {
    fn serve(&self, options: ServeOptions) -> Result<Service> {
        let name = Name::parse(options.name.as_deref().unwrap_or(T::NAME))?;
        let database = self.database();
        match options.shards {
            Some(wanted) if wanted != database.shards() => {
                Err(other_shards(database.shards(), wanted))
            }
            _ => {
                let options = ServeOptions { name: None, shards: None, ..options };
                Service::start(Catalog::lent(name, database.clone()), options)
            }
        }
    }
}

fn other_shards(shards: usize, wanted: usize) -> Error {
    Error::invalid(format!(
        "the database has {shards} shards, the options ask for {wanted}; call \
         `reshard({wanted})` on it first, or leave `shards` out"
    ))
}

/// A server on a thread of its own, for programs that are not asynchronous. Dropped, it shuts down.
pub struct Service {
    address: SocketAddr,
    scheme: &'static str,
    /// Says when to stop; `None` once it was said.
    stop: Option<oneshot::Sender<When>>,
    thread: Option<thread::JoinHandle<Result<()>>>,
}

/// When a service stops.
enum When {
    /// At once.
    Now,
    /// When the process is asked to.
    Requested,
}

impl Service {
    /// Serves the databases of `catalog`.
    pub fn start(catalog: Catalog, options: ServeOptions) -> Result<Self> {
        let scheme = options.scheme();
        let (stop, when) = oneshot::channel();
        let (started, address) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("vectordoc-service".into())
            .spawn(move || run(catalog, &options, &started, when))
            .map_err(|error| crate::fault::os("cannot start", "a thread", &error))?;
        let address = address.recv().unwrap_or_else(|_| Err(ended_early()))?;
        Ok(Self { address, scheme, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// What clients connect to: `ws://127.0.0.1:7700`, or `wss://…` with TLS.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Stops and waits for that: every accepted request is answered. The database stays open.
    pub fn shutdown(mut self) -> Result<()> {
        self.stop(When::Now)
    }

    /// Serves until the process is asked to stop (Ctrl-C, SIGTERM), then shuts down.
    pub fn block(mut self) -> Result<()> {
        self.stop(When::Requested)
    }

    fn stop(&mut self, when: When) -> Result<()> {
        if let Some(stop) = self.stop.take() {
            // A server that is gone already has nothing to be told.
            let _ = stop.send(when);
        }
        match self.thread.take().map(thread::JoinHandle::join) {
            Some(ended) => ended.unwrap_or_else(|_| Err(ended_early())),
            None => Ok(()),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Err(error) = self.stop(When::Now) {
            tracing::error!(%error, "a service did not stop cleanly");
        }
    }
}

fn ended_early() -> Error {
    Error::internal("the server's thread ended early; its log has more")
}

/// The thread of a service: starts, tells `started` where, serves, stops.
fn run(
    catalog: Catalog,
    options: &ServeOptions,
    started: &mpsc::SyncSender<Result<SocketAddr>>,
    when: oneshot::Receiver<When>,
) -> Result<()> {
    let runtime = match network::runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            return report(started, Err(crate::fault::os("cannot start", "a runtime", &error)));
        }
    };
    runtime.block_on(async {
        let server = match Server::start(catalog, options).await {
            Ok(server) => server,
            Err(error) => return report(started, Err(error)),
        };
        report(started, Ok(server.addr()))?;
        if let Ok(When::Requested) = when.await {
            stop_requested().await;
        }
        server.shutdown().await
    })
}

/// Tells who waits how the start went.
fn report(started: &mpsc::SyncSender<Result<SocketAddr>>, how: Result<SocketAddr>) -> Result<()> {
    started.send(how).map_err(|_| ended_early())
}
