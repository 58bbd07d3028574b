//! A WebSocket to a server: requests are sent as they come and answered in any order.

use super::{
    inbox::{Inbox, Inboxes},
    message::{self, Incoming},
    pending::{Hook, Pending},
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
    net::TcpStream,
    sync::{Semaphore, mpsc, watch},
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Error as WsError, Message,
        client::IntoClientRequest,
        error::UrlError,
        http::{
            HeaderValue, Response, Uri,
            header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL},
        },
        protocol::WebSocketConfig,
    },
};

const PATH: &str = "/v1/ws";
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

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a server takes, as it says in its first message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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

/// A connection to a server. Clones share it; it closes when the last is dropped.
#[derive(Clone)]
pub struct Connection {
    outbox: mpsc::Sender<Outgoing>,
    pending: Arc<Pending>,
    inboxes: Arc<Inboxes>,
    slots: Arc<Semaphore>,
    limits: Arc<ServerLimits>,
    ended: watch::Receiver<bool>,
}

/// One thing to send.
enum Outgoing {
    Request(String),
    Close,
}

impl Connection {
    /// Connects to `url`: `ws://host:port`, to which `/v1/ws` is added when it has no path.
    ///
    /// `unavailable` when nobody answers there, `busy` when the server has too many connections,
    /// `denied` when it does not want this one.
    pub async fn open(url: &str) -> Result<Self> {
        Self::open_with(url, None).await
    }

    /// The same for the holder of `key`, an API key of the server; `unauthenticated` when the
    /// server does not know it.
    pub async fn open_with(url: &str, key: Option<&str>) -> Result<Self> {
        let within = |error: Error| error.within(format!("cannot connect to {url}"));
        let opened = timeout(OPEN_TIMEOUT, open(url, key)).await;
        let no_answer = |_| Error::unavailable("the server does not answer");
        let (socket, limits) = opened.map_err(no_answer).flatten().map_err(within)?;
        Ok(Self::start(socket, limits))
    }

    /// What the server takes.
    pub fn limits(&self) -> &ServerLimits {
        &self.limits
    }

    /// Asks the server for `method` with `params`, an object, and returns its result.
    ///
    /// Waits while as many requests as the server takes are under way. `limit_exceeded` when the
    /// request is longer than the server takes, `unavailable` when the connection ends before the
    /// answer: then the request may have been done, or not.
    pub async fn request<P: Serialize>(&self, method: &str, params: &P) -> Result<Box<RawValue>> {
        self.request_with(method, params, None).await
    }

    /// Asks to be told what `params` say; what is told comes into the inbox, also what comes right
    /// after the answer.
    pub(super) async fn subscribe(&self, params: &RawValue) -> Result<(Box<RawValue>, Arc<Inbox>)> {
        let inbox = Arc::new(Inbox::default());
        let (inboxes, opened) = (Arc::clone(&self.inboxes), Arc::clone(&inbox));
        let hook: Hook = Box::new(move |answer| inboxes.open(answer, opened));
        Ok((self.request_with("subscribe", params, Some(hook)).await?, inbox))
    }

    /// What is told of the subscriptions of this connection.
    pub(super) fn inboxes(&self) -> &Inboxes {
        &self.inboxes
    }

    async fn request_with<P: Serialize + ?Sized>(
        &self,
        method: &str,
        params: &P,
        hook: Option<Hook>,
    ) -> Result<Box<RawValue>> {
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| ended())?;
        let place = self.outbox.reserve().await.map_err(|_| ended());
        // From here to the sending nothing waits: a request that a caller gives up is either sent,
        // or was never there.
        let (id, answer) = self.pending.add(slot, hook)?;
        match place.and_then(|place| Ok((place, self.write(id, method, params)?))) {
            Ok((place, text)) => place.send(Outgoing::Request(text)),
            Err(error) => self.pending.answer(id, Err(error)),
        }
        answer.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Says goodbye and waits until the server has answered. Requests under way, of every clone,
    /// are answered `closed`.
    pub async fn close(&self) -> Result<()> {
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
        Ok(())
    }

    fn start(socket: Socket, limits: ServerLimits) -> Self {
        let (sink, stream) = socket.split();
        let (outbox, queue) = mpsc::channel(OUTBOX_MAX);
        let (end, ended) = watch::channel(false);
        let pending = Arc::new(Pending::default());
        let inboxes = Arc::new(Inboxes::default());
        let patience = limits.ping_interval_ms.map(Duration::from_millis);
        let patience = patience.map(|interval| interval * SILENT_INTERVALS_MAX);
        tokio::spawn(write(sink, queue, ended.clone()));
        let desk = Desk { pending: Arc::clone(&pending), inboxes: Arc::clone(&inboxes) };
        tokio::spawn(read(stream, desk, patience, end));
        let slots = Arc::new(Semaphore::new(limits.in_flight_max));
        Self { outbox, pending, inboxes, slots, limits: Arc::new(limits), ended }
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

async fn open(url: &str, key: Option<&str>) -> Result<(Socket, ServerLimits)> {
    let mut request = address(url)?.into_client_request().map_err(|error| refused(&error))?;
    let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
    if let Some(key) = key {
        let unsendable = |_| Error::invalid("the key has characters that no key has");
        let mut bearer = HeaderValue::try_from(format!("Bearer {key}")).map_err(unsendable)?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, bearer);
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(ANSWER_BYTES_MAX))
        .max_frame_size(Some(ANSWER_BYTES_MAX));
    let no_delay = true;
    let opened = connect_async_with_config(request, Some(config), no_delay).await;
    let (mut socket, _) = opened.map_err(|error| refused(&error))?;
    let limits = read_hello(&mut socket).await?;
    Ok((socket, limits))
}

/// `url` with the path of the service, unless it has one.
fn address(url: &str) -> Result<Uri> {
    let wrong = || Error::invalid(format!("{url:?} is no address such as ws://localhost:7700"));
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let authority = uri.authority().ok_or_else(wrong)?;
    match (uri.scheme_str(), uri.path()) {
        (Some("ws"), "" | "/") => format!("ws://{authority}{PATH}").parse().map_err(|_| wrong()),
        (Some("ws"), _) => Ok(uri),
        (Some("wss"), _) => Err(Error::unsupported("this build has no TLS; use ws://")),
        _ => Err(wrong()),
    }
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
        WsError::Url(UrlError::UnableToConnect(_)) | WsError::Io(_) => {
            Error::unavailable(format!("{error}"))
        }
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
            Incoming::Answer(Some(id), answer) => self.pending.answer(id, answer),
            // The server could not tell which request was wrong.
            Incoming::Answer(None, answer) => {
                answer.map(drop)?;
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
