//! A running server: who may come in, and the way out that loses nothing.

use crate::{
    Catalog, Limits, ServeOptions,
    account::{Account, Ledger},
    console,
    door::{self, Doorkeeper, Peer, Places},
    fault, folders, grpc, http,
    keys::Keyring,
    limits::{SLEEP_CHECK_INTERVAL, TRANSFER_CHECK_INTERVAL},
    telemetry::{self, Telemetry},
    tls::Tls,
    work::Workers,
    ws,
};
use axum::{Router, middleware};
use std::{
    future::Future,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::task::TaskTracker;
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
    /// Who may do what.
    pub(crate) keyring: Keyring,
    /// What connections are encrypted with, if they are.
    pub(crate) tls: Option<Tls>,
    /// What is counted and logged.
    pub(crate) telemetry: Arc<Telemetry>,
    /// Whether there is a web console.
    pub(crate) has_console: bool,
    /// Which pages may connect.
    pub(crate) doorkeeper: Doorkeeper,
    /// How far the server is with stopping.
    pub(crate) phase: watch::Sender<Phase>,
    /// The places of connections.
    pub(crate) places: Arc<Places>,
    /// Their answers that are not taken yet.
    pub(crate) ledger: Arc<Ledger>,
    /// The connections, also those that became WebSockets.
    pub(crate) tasks: TaskTracker,
}

/// How far a server is with stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Not at all.
    Serving,
    /// It answers what it accepted.
    Draining,
    /// It waits for nobody any more.
    Ended,
}

impl Context {
    /// Does `work` unless the server ends before it is done.
    pub(crate) async fn until_ended(self: Arc<Self>, work: impl Future<Output = ()>) {
        let mut phase = self.phase.subscribe();
        tokio::select! {
            () = work => {}
            _ = phase.wait_for(|phase| *phase == Phase::Ended) => {}
        }
    }
}

/// A server on the current tokio runtime. Dropped, it stops like with
/// [`shutdown`](Self::shutdown), in the background.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    console_scheme: Option<&'static str>,
    phase: watch::Sender<Phase>,
    /// Ends once everything is answered and every database is closed.
    running: JoinHandle<()>,
}

impl Server {
    /// Serves the databases of `catalog`. `invalid` when the options name a database or its shards,
    /// or an address that other machines can reach without saying that is wanted; `busy` when
    /// something listens there already.
    pub async fn start(catalog: Catalog, options: &ServeOptions) -> Result<Self> {
        options.expect_no_database()?;
        options.check_folders()?;
        let files = folders::routes(&options.folders)?;
        let keyring = catalog.keyring()?;
        let addresses = options.addresses(&keyring)?;
        let tls = options.load_tls()?;
        let place = format!("{}:{}", options.host, options.port);
        let failed = |error| fault::os("cannot listen at", &place, &error);
        let listener = TcpListener::bind(&*addresses).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (phase, stopping) = watch::channel(Phase::Serving);
        let context = Arc::new(Context {
            catalog,
            places: Places::new(&options.limits),
            ledger: Ledger::new(&options.limits),
            limits: options.limits.clone(),
            workers: Workers::new(),
            keyring,
            tls,
            telemetry: Arc::new(Telemetry::new(options.slow_after)?),
            has_console: options.console,
            doorkeeper: Doorkeeper::new(
                options.origins.clone(),
                address.ip().is_loopback(),
                options.console_scheme(),
            ),
            phase: phase.clone(),
            tasks: TaskTracker::new(),
        });
        if let Some(tls) = context.tls.clone() {
            context.tasks.spawn(until_stopped(context.phase.subscribe(), tls.follow()));
        }
        let expiring = expire_transfers(Arc::clone(&context));
        context.tasks.spawn(until_stopped(context.phase.subscribe(), expiring));
        let sleeping = let_sleep(Arc::clone(&context));
        context.tasks.spawn(until_stopped(context.phase.subscribe(), sleeping));
        if context.catalog.has_bucket() {
            let uploading = upload(Arc::clone(&context));
            context.tasks.spawn(until_stopped(context.phase.subscribe(), uploading));
        }
        let (scheme, console_scheme) = (options.scheme(), options.console_scheme());
        tracing::info!(%address, scheme, "serving");
        let running = tokio::spawn(run(listener, context, files, stopping));
        Ok(Self { address, scheme, console_scheme, phase, running })
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

    /// What clients connect to: `ws://127.0.0.1:7700`, or `wss://…` with TLS.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Where a browser finds the web console: `http://127.0.0.1:7700/`, or `https://…` with TLS;
    /// `None` when it is turned off.
    pub fn console_url(&self) -> Option<String> {
        self.console_scheme.map(|scheme| format!("{scheme}://{}/", self.address))
    }

    /// Stops: takes no more connections, answers every request it accepted, tells clients that it
    /// goes away, closes the databases it opened.
    pub async fn shutdown(mut self) -> Result<()> {
        self.phase.send_replace(Phase::Draining);
        let ended = (&mut self.running).await;
        ended.map_err(|error| Error::internal(format!("the server failed: {error}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.phase.send_modify(|phase| *phase = (*phase).max(Phase::Draining));
    }
}

/// Completes when the server stops, also when it is just gone.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<Phase>) {
    let _ = stopping.wait_for(|phase| *phase > Phase::Serving).await;
}

/// Does `work` until the server stops.
async fn until_stopped(mut phase: watch::Receiver<Phase>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = stopped(&mut phase) => {}
    }
}

/// Ends transfers that clients have left, now and then.
async fn expire_transfers(context: Arc<Context>) {
    loop {
        sleep(TRANSFER_CHECK_INTERVAL).await;
        let context = Arc::clone(&context);
        // One that panicked has been logged, and the next one tries again.
        let _ =
            tokio::task::spawn_blocking(move || context.catalog.transfers().expire(Instant::now()))
                .await;
    }
}

/// Puts databases to sleep that are idle, now and then.
async fn let_sleep(context: Arc<Context>) {
    loop {
        sleep(SLEEP_CHECK_INTERVAL).await;
        let context = Arc::clone(&context);
        // One that panicked has been logged, and the next one tries again.
        let _ = tokio::task::spawn_blocking(move || context.catalog.let_sleep()).await;
    }
}

/// Uploads databases that are asleep, now and then.
async fn upload(context: Arc<Context>) {
    loop {
        sleep(SLEEP_CHECK_INTERVAL).await;
        let context = Arc::clone(&context);
        // One that panicked has been logged, and the next one tries again.
        let _ = tokio::task::spawn_blocking(move || context.catalog.upload()).await;
    }
}

/// Every route of every transport, behind the doorkeeper.
fn routes(context: &Arc<Context>, files: Router<Arc<Context>>) -> Router {
    let admit = middleware::from_fn_with_state(Arc::clone(context), door::admit);
    let identify = middleware::from_fn_with_state(Arc::clone(context), telemetry::identify);
    let console = if context.has_console { console::routes() } else { Router::new() };
    let routes = Router::new()
        .merge(console)
        .merge(ws::routes())
        .merge(telemetry::routes())
        .merge(grpc::routes(context))
        .merge(files)
        .merge(http::routes());
    // The last layer is the outermost: refusals of the doorkeeper have an id too, and gRPC clients
    // hear them as they understand them.
    let routes = routes.layer(door::cors(context)).layer(admit).layer(identify);
    routes.layer(middleware::from_fn(grpc::say)).with_state(Arc::clone(context))
}

/// Serves until `stopping` says so.
async fn run(
    listener: TcpListener,
    context: Arc<Context>,
    files: Router<Arc<Context>>,
    mut stopping: watch::Receiver<Phase>,
) {
    let routes = routes(&context, files);
    accept_all(listener, routes, &context, &mut stopping).await;
    tracing::info!(connections = context.tasks.len(), "stopping");
    context.tasks.close();
    let stopping = Arc::clone(&context);
    // Who waits for it is answered, so that the connections can drain.
    let _ = tokio::task::spawn_blocking(move || stopping.catalog.stop_resharding()).await;
    // Each connection drains within the same time, and then needs a moment to say goodbye.
    let patience = context.limits.drain_timeout + 4 * crate::limits::CLOSE_TIMEOUT;
    if timeout(patience, context.tasks.wait()).await.is_err() {
        tracing::warn!("some connections did not end in time");
        context.phase.send_replace(Phase::Ended);
        context.tasks.wait().await;
    }
    let closed = tokio::task::spawn_blocking(move || context.catalog.close()).await;
    tracing::info!(clean = closed.is_ok(), "stopped");
}

async fn accept_all(
    listener: TcpListener,
    routes: Router,
    context: &Arc<Context>,
    stopping: &mut watch::Receiver<Phase>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(stopping) => return,
        };
        match accepted {
            Ok((stream, address)) => {
                let place = match context.places.take(address.ip()) {
                    Ok(place) => place,
                    Err(why) => {
                        context.telemetry.turned_away(why.reason());
                        context.tasks.spawn(door::turn_away(stream, why));
                        continue;
                    }
                };
                let (place, account) = (Arc::new(place), Account::new(&context.ledger));
                let peer = Peer { address, place, account };
                let served = serve(stream, peer, routes.clone(), Arc::clone(context));
                context.tasks.spawn(Arc::clone(context).until_ended(served));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves one connection.
async fn serve(stream: TcpStream, peer: Peer, routes: Router, context: Arc<Context>) {
    // Answers are small and someone waits for each.
    let _ = stream.set_nodelay(true);
    let (limits, stopping) = (&context.limits, context.phase.subscribe());
    let Some(tls) = &context.tls else {
        return door::serve(stream, peer, routes, limits, stopping).await;
    };
    match tls.accept(stream, limits.handshake_timeout).await {
        Ok(stream) => door::serve(stream, peer, routes, limits, stopping).await,
        Err(error) => tracing::debug!(%error, "TLS was not agreed on"),
    }
}
