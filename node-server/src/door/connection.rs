//! One connection, spoken in HTTP/1.1 or HTTP/2 by what its first bytes say, from its first byte
//! until it is closed or upgraded.

use super::{
    pace::Paced,
    places::{NoPlace, Place},
    wire::Wire,
};
use crate::{
    Limits,
    account::Account,
    grpc,
    limits::{
        BROKEN_STREAMS_MAX, CLOSE_TIMEOUT, HANDSHAKE_BYTES_MAX, HEADERS_MAX, RESET_STREAMS_MAX,
    },
    server::{Phase, stopped},
};
use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use std::{
    mem,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout},
};
use tower::ServiceExt;

/// Who is at the other end of a connection; every request of it carries this.
#[derive(Clone)]
pub(crate) struct Peer {
    /// Its address.
    pub(crate) address: SocketAddr,
    /// Its place among the connections a server has, free again when the last clone is gone.
    pub(crate) place: Arc<Place>,
    /// What its connection has of the server.
    pub(crate) account: Arc<Account>,
}

/// Serves one connection: its requests go to `routes`. Returns once it is closed, or handed over
/// to a WebSocket.
pub(crate) async fn serve<S>(
    stream: S,
    peer: Peer,
    routes: Router,
    limits: &Limits,
    mut stopping: watch::Receiver<Phase>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let has_asked = Arc::new(AtomicBool::new(false));
    let account = Arc::clone(&peer.account);
    let service = {
        let has_asked = Arc::clone(&has_asked);
        let body_timeout = limits.body_timeout;
        service_fn(move |mut request: Request<Incoming>| {
            has_asked.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(peer.clone());
            let may_pause = grpc::may_pause(request.uri(), request.headers());
            let pace = if may_pause { Paced::of_messages } else { Paced::new };
            routes.clone().oneshot(request.map(|body| Body::new(pace(body, body_timeout))))
        })
    };
    let builder = protocol(limits);
    let mut connection =
        pin!(builder.serve_connection_with_upgrades(TokioIo::new(Wire::new(stream)), service));
    // Which protocol it is, is found out without a deadline (hyper #3756), so there is one here.
    let mut first_request = pin!(sleep(limits.handshake_timeout));
    let (mut is_waiting, mut is_draining) = (true, false);
    let mut reads = interval_at(Instant::now() + limits.write_timeout, limits.write_timeout);
    reads.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut progress = None;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                return tracing::debug!(?ended, "a connection ends");
            }
            () = &mut first_request, if is_waiting => {
                is_waiting = false;
                if !has_asked.load(Ordering::Relaxed) {
                    return tracing::debug!("no request came in time");
                }
            }
            _ = reads.tick() => {
                let before = mem::replace(&mut progress, account.progress());
                if progress.is_some() && progress == before {
                    return tracing::debug!("answers are not read");
                }
            }
            () = stopped(&mut stopping), if !is_draining => {
                is_draining = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// HTTP with a bound on everything a peer can make it hold.
fn protocol(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.handshake_timeout)
        .max_buf_size(HANDSHAKE_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    let streams_max = u32::try_from(limits.in_flight_max).unwrap_or(u32::MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.ping_interval)
        .keep_alive_timeout(limits.ping_interval)
        .max_concurrent_streams(streams_max)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .max_local_error_reset_streams(BROKEN_STREAMS_MAX)
        .max_header_list_size(u32::try_from(HANDSHAKE_BYTES_MAX).unwrap_or(u32::MAX));
    builder
}

/// Tells a peer that there are too many already.
pub(crate) async fn turn_away(mut stream: TcpStream, why: NoPlace) {
    let message = why.message();
    let refusal = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n\
         retry-after: 1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{message}",
        message.len()
    );
    // Whether the peer still listens does not matter.
    let _ = timeout(CLOSE_TIMEOUT, async {
        stream.write_all(refusal.as_bytes()).await?;
        stream.shutdown().await
    })
    .await;
}
