//! One WebSocket to a server: requests are sent as they come and answered in any order.

use super::{
    failure::Failure,
    inbox::{Inbox, Inboxes},
    message::{self, Incoming, Refusal},
    pending::{Hook, Pending},
    way::{Address, Stream, Way},
};
use crate::{Error, ErrorKind, Result};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::AbortHandle,
    time::{Instant, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error as WsError, Message,
        client::IntoClientRequest,
        error::ProtocolError,
        http::{
            HeaderValue, Response,
            header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL},
        },
        protocol::WebSocketConfig,
    },
};

const SUBPROTOCOL: &str = "vectordoc.v1.json";
/// How long a server may take to accept a connection and say hello.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may take to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Bytes of the longest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Requests that wait to be written; further ones wait before that.
const OUTBOX_MAX: usize = 16;
/// A server that is silent for so many of its own ping intervals is dead.
const SILENT_INTERVALS_MAX: u32 = 3;

type Socket = WebSocketStream<Box<dyn Stream>>;

/// What a server takes, as it says in its first message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ServerLimits {
    /// Bytes of one request.
    pub message_bytes_max: usize,
    /// Requests of one connection that are not answered yet.
    pub in_flight_max: usize,
    /// How often the server asks whether the client lives.
    pub ping_interval_ms: Option<u64>,
}

#[derive(Deserialize)]
struct Hello {
    limits: ServerLimits,
}

/// A WebSocket that is or was open. It closes when it is dropped.
pub(super) struct Link {
    outbox: mpsc::Sender<Outgoing>,
    pending: Arc<Pending>,
    inboxes: Arc<Inboxes>,
    slots: Arc<Semaphore>,
    limits: ServerLimits,
    ended: watch::Receiver<bool>,
    reader: AbortHandle,
}

/// One thing to send.
enum Outgoing {
    Request(String),
    Close,
}

impl Link {
    /// Opens a WebSocket to the first of the addresses that lets it.
    pub(super) async fn open(way: &Way) -> Result<Self, Failure> {
        let mut last = Failure::undone(Error::invalid("a connection needs an address"));
        for address in way.addresses() {
            let opened = timeout(OPEN_TIMEOUT, open(address, way.authorization.as_ref())).await;
            let no_answer = |_| Error::unavailable("the server does not answer");
            match opened.map_err(no_answer).flatten() {
                Ok((socket, limits)) => return Ok(Self::start(socket, limits)),
                Err(error) => {
                    let context = format!("cannot connect to {}", address.url);
                    last = Failure::undone(error.within(context));
                }
            }
        }
        Err(last)
    }

    /// What the server takes.
    pub(super) fn limits(&self) -> &ServerLimits {
        &self.limits
    }

    /// Whether it is worth trying.
    pub(super) fn takes_requests(&self) -> bool {
        self.pending.takes_requests()
    }

    /// Requests that the server has not answered.
    pub(super) fn in_flight(&self) -> usize {
        self.limits.in_flight_max.saturating_sub(self.slots.available_permits())
    }

    /// What is told of the subscriptions of this link.
    pub(super) fn inboxes(&self) -> &Inboxes {
        &self.inboxes
    }

    /// Asks for `method` with `params`. Waits while as many requests as the server takes are under
    /// way. What is told of the subscription that this begins comes into `inbox`.
    pub(super) async fn request<P: Serialize + ?Sized>(
        &self,
        method: &str,
        params: &P,
        inbox: Option<&Arc<Inbox>>,
    ) -> Result<Box<RawValue>, Failure> {
        let gone = || Failure::undone(self.pending.refusal().unwrap_or_else(ended));
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| gone())?;
        let place = self.outbox.reserve().await.map_err(|_| gone())?;
        // From here to the sending nothing waits: a request that a caller gives up is either sent,
        // or was never there.
        let hook = inbox.map(|inbox| {
            let (inboxes, inbox) = (Arc::clone(&self.inboxes), Arc::clone(inbox));
            let hook: Hook = Box::new(move |answer| inboxes.open(answer, inbox));
            hook
        });
        let (id, answer) = self.pending.add(slot, hook).map_err(Failure::undone)?;
        match self.write(id, method, params) {
            Ok(text) => place.send(Outgoing::Request(text)),
            Err(error) => self.pending.answer(id, Err(Failure::undone(error))),
        }
        answer.await.unwrap_or_else(|_| Err(Failure::unknown(ended())))
    }

    /// A request that was made at `since` had no answer in time. If nothing else had, the server is
    /// taken for dead: nobody waits for it any longer.
    pub(super) fn suspect(&self, since: Instant) {
        if self.pending.last_answer() >= since {
            return;
        }
        let error = Error::unavailable("the server does not answer: the connection is dead");
        self.pending.refuse(error.clone());
        self.pending.fail(&error);
        self.inboxes.end(&error);
        self.reader.abort();
    }

    /// Says goodbye and waits until the server has answered. Requests under way are answered
    /// `closed`.
    pub(super) async fn close(&self) {
        let closed = Error::closed("this connection was closed");
        self.pending.refuse(closed.clone());
        self.inboxes.end(&closed);
        let mut end = self.ended.clone();
        let close = async {
            // A connection that is over already needs no goodbye.
            let _ = self.outbox.send(Outgoing::Close).await;
            let _ = end.wait_for(|ended| *ended).await;
        };
        // A server that does not answer is left without.
        let _ = timeout(CLOSE_TIMEOUT, close).await;
        self.pending.fail(&closed);
    }

    fn start(socket: Socket, limits: ServerLimits) -> Self {
        let (sink, stream) = socket.split();
        let (outbox, queue) = mpsc::channel(OUTBOX_MAX);
        let (end, ended) = watch::channel(false);
        let pending = Arc::new(Pending::default());
        let inboxes = Arc::new(Inboxes::default());
        let desk = Desk { pending: Arc::clone(&pending), inboxes: Arc::clone(&inboxes) };
        let patience = limits.ping_interval_ms.map(Duration::from_millis);
        let patience = patience.map(|interval| interval * SILENT_INTERVALS_MAX);
        tokio::spawn(write(sink, queue, ended.clone()));
        let reader = tokio::spawn(read(stream, desk, patience, end));
        let slots = Arc::new(Semaphore::new(limits.in_flight_max));
        Self { outbox, pending, inboxes, slots, limits, ended, reader: reader.abort_handle() }
    }

    /// The text of a request, if the server takes one so long.
    fn write<P: Serialize + ?Sized>(&self, id: u64, method: &str, params: &P) -> Result<String> {
        let text = message::request(id, method, params)?;
        let bytes_max = self.limits.message_bytes_max;
        if text.len() <= bytes_max {
            return Ok(text);
        }
        Err(Error::limit_exceeded(format!(
            "the request has {} bytes, the server takes {bytes_max}; send less at a time",
            text.len()
        )))
    }
}

fn ended() -> Error {
    Error::unavailable("the connection to the server ended")
}

async fn open(
    address: &Address,
    authorization: Option<&HeaderValue>,
) -> Result<(Socket, ServerLimits)> {
    let mut request = address.uri.clone().into_client_request().map_err(|error| refused(&error))?;
    let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
    if let Some(authorization) = authorization {
        request.headers_mut().insert(AUTHORIZATION, authorization.clone());
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(ANSWER_BYTES_MAX))
        .max_frame_size(Some(ANSWER_BYTES_MAX));
    let stream = address.connect().await?;
    let opened = client_async_with_config(request, stream, Some(config)).await;
    let (mut socket, _) = opened.map_err(|error| refused(&error))?;
    let limits = read_hello(&mut socket).await?;
    Ok((socket, limits))
}

/// The first message of a server.
async fn read_hello(socket: &mut Socket) -> Result<ServerLimits> {
    let text = match socket.next().await {
        Some(Ok(Message::Text(text))) => text,
        Some(Err(error)) => return Err(refused(&error)),
        _ => return Err(ended()),
    };
    match message::read(&text)? {
        Incoming::Notification(method, params) if method == "hello" => {
            message::decode::<Hello>(params.get()).map(|hello| hello.limits)
        }
        _ => Err(Error::unsupported("the server there does not speak as vectordoc does")),
    }
}

/// Why a connection was not opened.
fn refused(error: &WsError) -> Error {
    match error {
        WsError::Http(response) => refused_by_server(response),
        WsError::Io(_)
        | WsError::ConnectionClosed
        | WsError::AlreadyClosed
        | WsError::Protocol(
            ProtocolError::HandshakeIncomplete | ProtocolError::ResetWithoutClosingHandshake,
        ) => Error::unavailable(format!("the connection broke before it was open: {error}")),
        WsError::Url(_) | WsError::HttpFormat(_) => Error::invalid(format!("{error}")),
        _ => Error::unsupported(format!("no vectordoc server answers there: {error}")),
    }
}

fn refused_by_server(response: &Response<Option<Vec<u8>>>) -> Error {
    let status = response.status().as_u16();
    let kind = match status {
        401 => ErrorKind::Unauthenticated,
        403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        429 | 503 => ErrorKind::Busy,
        _ => ErrorKind::Unsupported,
    };
    let body = response.body().as_deref().unwrap_or_default();
    let body = String::from_utf8_lossy(body);
    Error::new(kind, format!("the server refuses with status {status}: {}", body.trim()))
}

/// Writes what comes until the connection has ended; when nothing will come any more, says goodbye.
async fn write(
    mut sink: SplitSink<Socket, Message>,
    mut queue: mpsc::Receiver<Outgoing>,
    mut ended: watch::Receiver<bool>,
) {
    loop {
        let next = tokio::select! {
            next = queue.recv() => next,
            _ = ended.wait_for(|ended| *ended) => return,
        };
        let message = match next {
            Some(Outgoing::Request(text)) => Message::text(text),
            Some(Outgoing::Close) | None => break,
        };
        if sink.send(message).await.is_err() {
            // The reader meets the end too, and tells everyone who waits.
            return;
        }
    }
    let _ = sink.send(Message::Close(None)).await;
}

/// Hands out answers until the connection ends, and then tells everyone who waits.
async fn read(
    mut stream: SplitStream<Socket>,
    desk: Desk,
    patience: Option<Duration>,
    end: watch::Sender<bool>,
) {
    let reason = loop {
        let message = match patience {
            Some(patience) => timeout(patience, stream.next()).await,
            None => Ok(stream.next().await),
        };
        match message {
            Err(_) => break Error::unavailable("the server is silent: the connection is dead"),
            Ok(None) => break ended(),
            Ok(Some(Err(error))) => break Error::unavailable(format!("{}: {error}", ended())),
            Ok(Some(Ok(Message::Text(text)))) => {
                if let Err(error) = desk.receive(&text) {
                    break error;
                }
            }
            Ok(Some(Ok(_))) => {}
        }
    };
    desk.pending.refuse(reason.clone());
    desk.pending.fail(&reason);
    desk.inboxes.end(&reason);
    end.send_replace(true);
}

/// Who what a server says is for.
struct Desk {
    pending: Arc<Pending>,
    inboxes: Arc<Inboxes>,
}

impl Desk {
    fn receive(&self, text: &str) -> Result<()> {
        match message::read(text)? {
            Incoming::Answer(Some(id), answer) => {
                let is_leaving = !self.pending.takes_requests();
                let failure =
                    |refusal: Refusal| Failure::answered(refusal.error, refusal.after, is_leaving);
                self.pending.answer(id, answer.map_err(failure));
            }
            // The server could not tell which request was wrong.
            Incoming::Answer(None, answer) => {
                answer.map_err(|refusal| refusal.error).map(drop)?;
            }
            Incoming::Notification(method, params) => match method.as_str() {
                "goaway" => self.pending.refuse(Error::unavailable("the server is shutting down")),
                "changes" | "hits" | "lagged" | "ended" => self.inboxes.put((method, params))?,
                _ => {}
            },
        }
        Ok(())
    }
}
