//! One connection from hello to close.

use super::{
    guard::refused_bytes,
    outbox::{Outbox, Outgoing, Sender, close},
    reply::Session,
    rpc::{self, AUTH, Body, Call, Failure, Fault, Incoming, Notification, Part, Request, Success},
    subscriptions::{Subscriber, Subscriptions},
    upgrade::Socket,
};
use crate::{
    Limits,
    account::Account,
    encoding::Encoding,
    keys::{Caller, Role, Scope},
    limits::{CLOSE_TIMEOUT, RETRY_AFTER_MS},
    server::{Context, Phase, stopped},
    telemetry::{Arrival, RequestId, Transport},
    work::Work,
};
use futures_util::{
    StreamExt,
    stream::{FusedStream, SplitStream},
};
use serde::Serialize;
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_tungstenite::tungstenite::{
    Bytes, Error as WsError, Message, Utf8Bytes,
    protocol::{CloseFrame, frame::coding::CloseCode},
};
use vectordoc::{Error, Value};

/// Who opened a WebSocket, and for what.
pub(super) struct Client {
    /// Whose key it showed.
    pub(super) caller: Caller,
    /// How it wants to speak.
    pub(super) encoding: Encoding,
    /// That of its request.
    pub(super) id: RequestId,
}

/// Answers one client until it leaves or `stopping` says so.
pub(super) async fn converse(
    socket: Socket,
    client: Client,
    account: Arc<Account>,
    context: Arc<Context>,
    stopping: watch::Receiver<Phase>,
) {
    let pulse = socket.get_ref().pulse();
    let (sink, stream) = socket.split();
    let (outbox, sender) = Outbox::new(sink, pulse, &context.limits);
    let outbox = tokio::spawn(outbox.run());
    let slots = Arc::new(Semaphore::new(context.limits.in_flight_max));
    let Client { caller, encoding, id } = client;
    let caller = Arc::new(caller);
    let subscriptions = Subscriptions::new(context.limits.subscriptions_max);
    let mut connection = Connection {
        stream,
        encoding,
        outbox: sender,
        slots,
        subscriptions,
        caller,
        id,
        account,
        context,
        stopping,
    };
    let end = connection.run().await;
    connection.subscriptions.end();
    match end {
        End::Gone => return outbox.abort(),
        End::Told => {}
        End::Close(frame) => connection.send(Outgoing::Close(frame)).await,
    }
    if let Ok(sink) = outbox.await
        && let Ok(socket) = connection.stream.reunite(sink)
    {
        linger(socket).await;
    }
}

/// Waits until the peer has read the end: until it says goodbye too, or, when it broke the protocol
/// and cannot be understood any more, until it closes its side. A socket closed earlier would make
/// the system throw away what the peer has not read yet.
async fn linger(mut socket: Socket) {
    let read_to_end = async {
        if socket.is_terminated() {
            let guard = socket.get_mut();
            guard.shutdown().await?;
            return tokio::io::copy(guard, &mut tokio::io::sink()).await.map(drop);
        }
        while let Some(Ok(_)) = socket.next().await {}
        Ok(())
    };
    let lingered = timeout(CLOSE_TIMEOUT, read_to_end).await;
    tracing::debug!(?lingered, "a connection is closed");
}

/// The reading half of a connection.
struct Connection {
    stream: SplitStream<Socket>,
    encoding: Encoding,
    outbox: Sender,
    /// One per request that is read and whose answer is not on its way yet.
    slots: Arc<Semaphore>,
    subscriptions: Arc<Subscriptions>,
    caller: Arc<Caller>,
    /// That of the request it began with.
    id: RequestId,
    account: Arc<Account>,
    context: Arc<Context>,
    stopping: watch::Receiver<Phase>,
}

/// How a connection ends.
enum End {
    /// There is nobody any more.
    Gone,
    /// The outbox gave the peer up, and told it why.
    Told,
    /// The peer is told why.
    Close(CloseFrame),
}

impl Connection {
    async fn run(&mut self) -> End {
        let hello = Hello::new(&self.context.limits);
        self.notify("hello", hello).await;
        loop {
            let message = tokio::select! {
                message = self.stream.next() => message,
                () = stopped(&mut self.stopping) => return self.drain().await,
                () = self.outbox.closed() => return End::Told,
            };
            match self.read(message) {
                Ok(Some(incoming)) => self.accept(incoming).await,
                Ok(None) => {}
                Err(end) => return end,
            }
        }
    }

    /// Lets accepted requests be answered, and refuses new ones.
    async fn drain(&mut self) -> End {
        self.subscriptions.end();
        self.notify("goaway", GoAway { reason: "the server is shutting down" }).await;
        let refusal = Error::unavailable("the server is shutting down; connect again later");
        let slots = Arc::clone(&self.slots);
        let all = u32::try_from(self.context.limits.in_flight_max).unwrap_or(u32::MAX);
        let mut answered = pin!(slots.acquire_many(all));
        let mut given_up = pin!(sleep(self.context.limits.drain_timeout));
        loop {
            let message = tokio::select! {
                message = self.stream.next() => message,
                _ = &mut answered => break,
                () = &mut given_up => break,
                () = self.outbox.closed() => return End::Told,
            };
            match self.read(message) {
                Ok(Some(incoming)) => {
                    self.reply(&incoming.refuse(&refusal), &self.arrival()).await;
                }
                Ok(None) => {}
                Err(end) => return end,
            }
        }
        End::Close(close(CloseCode::Away, "the server is shutting down"))
    }

    /// What a message asks for; nothing, when it belongs to the protocol.
    fn read(&self, message: Option<Result<Message, WsError>>) -> Result<Option<Incoming>, End> {
        match message {
            Some(Ok(Message::Text(text))) => Ok(Some(self.read_text(text))),
            Some(Ok(Message::Binary(bytes))) => Ok(Some(self.read_body(Body::Cbor(bytes)))),
            // The protocol answers a close frame itself, when it is asked for the next message.
            Some(Ok(_)) => Ok(None),
            Some(Err(error)) => Err(end_after(&error)),
            None => Err(End::Gone),
        }
    }

    fn read_text(&self, text: Utf8Bytes) -> Incoming {
        let Some(bytes) = refused_bytes(&text) else {
            return self.read_body(Body::Json(text));
        };
        let error = Error::limit_exceeded(format!(
            "the message has {bytes} bytes, the limit is {}; send less at a time",
            self.context.limits.message_bytes_max
        ));
        Incoming::One(Fault::from(error).of_nobody())
    }

    fn read_body(&self, body: Body) -> Incoming {
        if body.encoding() == self.encoding {
            return rpc::read(&body, self.context.limits.batch_requests_max);
        }
        let fault = Fault::request(match self.encoding {
            Encoding::Json => "this connection speaks JSON in text frames",
            Encoding::Cbor => "this connection speaks CBOR in binary frames",
        });
        Incoming::One(fault.of_nobody())
    }

    /// Has requests run, if there is a slot for them.
    async fn accept(&mut self, incoming: Incoming) {
        let arrival = self.arrival();
        if incoming.is_refused() {
            return self.reply(&incoming, &arrival).await;
        }
        match &incoming {
            Incoming::One(Request { id, call: Ok(Call::Auth { key }), .. }) => {
                return self.authenticate(id.as_ref(), key).await;
            }
            Incoming::One(Request {
                id: Some(id),
                call: Ok(Call::Unsubscribe { subscription }),
                ..
            }) => return self.unsubscribe(id, *subscription).await,
            _ => {}
        }
        // A key that was revoked since ends here too.
        match self.context.keyring.renew(&self.caller).await {
            Ok(caller) if caller == *self.caller => {}
            Ok(caller) => self.caller = Arc::new(caller),
            Err(error) => return self.reply(&incoming.refuse(&error), &arrival).await,
        }
        match Arc::clone(&self.slots).try_acquire_owned() {
            Ok(slot) => {
                let asked = Asked {
                    arrival,
                    incoming,
                    encoding: self.encoding,
                    caller: Arc::clone(&self.caller),
                    account: Arc::clone(&self.account),
                    context: Arc::clone(&self.context),
                };
                match asked.incoming {
                    Incoming::One(Request {
                        id: Some(id),
                        call: Ok(Call::Subscribe { params }),
                        ..
                    }) => self.subscribe(id, params, slot),
                    incoming => self.start(Asked { incoming, ..asked }, slot).await,
                }
            }
            Err(_) => {
                let refusal = Error::busy(format!(
                    "{} requests of this connection are not answered yet, which is the limit",
                    self.context.limits.in_flight_max
                ));
                self.reply(&incoming.refuse(&refusal), &arrival).await;
                self.rest().await;
            }
        }
    }

    /// Runs requests beside those that come after them; a brief one before those, if it is alone. Of
    /// many at once each takes its turn in the line of all, however brief it is.
    async fn start(&self, asked: Asked, slot: OwnedSemaphorePermit) {
        let is_alone = self.slots.available_permits() + 1 == self.context.limits.in_flight_max;
        match asked.incoming.work(&asked.context.catalog) {
            Work::Brief if is_alone => answer(asked, Work::Brief, slot, self.outbox.clone()).await,
            work => {
                let work = if work == Work::Brief { Work::Compute } else { work };
                tokio::spawn(answer(asked, work, slot, self.outbox.clone()));
            }
        }
    }

    /// Does not read on until half of what was asked is answered, or for as long as who is refused
    /// should wait: refusing costs about as much as a search, so it is not done as often.
    async fn rest(&self) {
        let half = u32::try_from(self.context.limits.in_flight_max / 2).unwrap_or(u32::MAX);
        tokio::select! {
            _ = self.slots.acquire_many(half) => {}
            () = sleep(Duration::from_millis(RETRY_AFTER_MS)) => {}
        }
    }

    /// Takes the client for the holder of `key` from the next message on. A wrong key changes
    /// nothing.
    async fn authenticate(&mut self, id: Option<&Value>, key: &str) {
        let identified = self.context.keyring.identify(Some(key)).await;
        let outcome = identified.as_ref().map(drop);
        self.context.telemetry.count(Transport::WebSocket, AUTH, outcome);
        let written = match identified {
            Ok(caller) => {
                self.caller = Arc::new(caller);
                id.map(|id| self.write(&Success::new(id, Authenticated::of(&self.caller))))
            }
            Err(error) => id.map(|id| self.write(&Failure::new(id, &error.into()))),
        };
        match written {
            Some(Ok(bytes)) => {
                self.send(Outgoing::Message(framed(self.encoding, bytes), None)).await;
            }
            Some(Err(error)) => tracing::error!(%error, "an answer cannot be written"),
            None => {}
        }
    }

    fn subscribe(&self, id: Value, params: Option<Part>, slot: OwnedSemaphorePermit) {
        let subscriber = Subscriber {
            encoding: self.encoding,
            outbox: self.outbox.clone(),
            caller: Arc::clone(&self.caller),
            account: Arc::clone(&self.account),
            context: Arc::clone(&self.context),
        };
        tokio::spawn(Arc::clone(&self.subscriptions).open(id, params, subscriber, slot));
    }

    async fn unsubscribe(&self, id: &Value, subscription: u64) {
        let stopped = self.subscriptions.stop(subscription).await;
        let outcome = stopped.as_ref().map(drop);
        self.context.telemetry.count(Transport::WebSocket, rpc::UNSUBSCRIBE, outcome);
        let written = match stopped {
            Ok(()) => self.write(&Success::new(id, Unsubscribed { unsubscribed: true })),
            Err(error) => self.write(&Failure::new(id, &error.into())),
        };
        match written {
            Ok(bytes) => self.send(Outgoing::Message(framed(self.encoding, bytes), None)).await,
            Err(error) => tracing::error!(%error, "an answer cannot be written"),
        }
    }

    fn write(&self, message: &impl Serialize) -> Result<Vec<u8>, Error> {
        self.encoding.write(message, self.context.limits.answer_bytes_max)
    }

    fn arrival(&self) -> Arrival {
        self.context.telemetry.arrival(Transport::WebSocket, self.id.clone())
    }

    /// Answers requests that need nothing run.
    async fn reply(&self, refused: &Incoming, arrival: &Arrival) {
        let (caller, account, catalog) = (&*self.caller, &*self.account, &self.context.catalog);
        let session = Session { caller, account, catalog, arrival };
        let bytes_max = self.context.limits.answer_bytes_max;
        if let Some(bytes) = refused.answer(self.encoding, session, bytes_max) {
            self.send(Outgoing::Message(framed(self.encoding, bytes), None)).await;
        }
    }

    async fn notify(&self, method: &'static str, params: impl Serialize) {
        let message = Notification::new(method, params);
        match self.write(&message) {
            Ok(bytes) => self.send(Outgoing::Message(framed(self.encoding, bytes), None)).await,
            Err(error) => tracing::error!(%error, method, "a notification cannot be written"),
        }
    }

    async fn send(&self, outgoing: Outgoing) {
        // An outbox that takes nothing any more belongs to a connection that is over.
        let _ = self.outbox.send(outgoing).await;
    }
}

/// Requests of one message, and what they are run with.
struct Asked {
    arrival: Arrival,
    incoming: Incoming,
    encoding: Encoding,
    caller: Arc<Caller>,
    account: Arc<Account>,
    context: Arc<Context>,
}

impl Asked {
    /// Runs them and writes the answer, which counts as unread from here. Blocks.
    fn answer(&self) -> Option<Bytes> {
        self.write(&self.incoming).map(|bytes| self.account.hold(bytes))
    }

    /// Writes what answers all of them with `error`.
    fn refuse(&self, error: &Error) -> Option<Bytes> {
        self.write(&self.incoming.refuse(error)).map(Bytes::from)
    }

    fn write(&self, incoming: &Incoming) -> Option<Vec<u8>> {
        let Self { caller, account, context, arrival, .. } = self;
        let session = Session { caller, account, catalog: &context.catalog, arrival };
        incoming.answer(self.encoding, session, self.context.limits.answer_bytes_max)
    }
}

/// Runs requests and sends their answer; `slot` is theirs until that is on its way.
async fn answer(asked: Asked, work: Work, slot: OwnedSemaphorePermit, outbox: Sender) {
    let asked = Arc::new(asked);
    let job = Arc::clone(&asked);
    let ran = match asked.context.workers.permit(&asked.account, work).await {
        // Nobody waits for the answer any more, and nothing but that would come of it.
        Ok(_) if outbox.is_closed() && work != Work::Commit => return,
        Ok(permit) => permit.run(move || job.answer()).await,
        Err(error) => Err(error),
    };
    if let Some(bytes) = ran.unwrap_or_else(|error| asked.refuse(&error)) {
        // A client that has left misses its answer.
        let message = framed(asked.encoding, bytes);
        let _ = outbox.send(Outgoing::Message(message, Some(slot))).await;
    }
}

/// The message that `bytes` are sent in.
pub(super) fn framed(encoding: Encoding, bytes: impl Into<Bytes>) -> Message {
    let bytes: Bytes = bytes.into();
    match encoding {
        Encoding::Json => Message::text(Utf8Bytes::try_from(bytes).expect("JSON is UTF-8")),
        Encoding::Cbor => Message::binary(bytes),
    }
}

/// What a peer is told that broke the protocol.
fn end_after(error: &WsError) -> End {
    tracing::debug!(%error, "a connection broke");
    match error {
        WsError::Capacity(_) => End::Close(close(CloseCode::Size, "the message is too long")),
        WsError::Utf8(_) => End::Close(close(CloseCode::Invalid, "a text message is UTF-8")),
        WsError::Protocol(_) => End::Close(close(CloseCode::Protocol, "the frame is malformed")),
        _ => End::Gone,
    }
}

/// The first message of a server: who it is, and what it takes.
#[derive(Serialize)]
struct Hello {
    server: &'static str,
    version: &'static str,
    limits: AnnouncedLimits,
}

/// The limits a client can keep to.
#[derive(Serialize)]
struct AnnouncedLimits {
    message_bytes_max: usize,
    answer_bytes_max: usize,
    in_flight_max: usize,
    batch_requests_max: usize,
    subscriptions_max: usize,
    live_interval_ms: u128,
    ping_interval_ms: u128,
}

impl Hello {
    fn new(limits: &Limits) -> Self {
        let limits = AnnouncedLimits {
            message_bytes_max: limits.message_bytes_max,
            answer_bytes_max: limits.answer_bytes_max,
            in_flight_max: limits.in_flight_max,
            batch_requests_max: limits.batch_requests_max,
            subscriptions_max: limits.subscriptions_max,
            live_interval_ms: limits.live_interval.as_millis(),
            ping_interval_ms: limits.ping_interval.as_millis(),
        };
        Self { server: "vectordoc", version: env!("CARGO_PKG_VERSION"), limits }
    }
}

/// The answer to `unsubscribe`.
#[derive(Serialize)]
struct Unsubscribed {
    /// Always true: what is not there is an error.
    unsubscribed: bool,
}

/// The answer to `auth`: what the key is good for.
#[derive(Serialize)]
struct Authenticated<'a> {
    /// `read`, `write` or `admin`.
    role: Role,
    /// The databases it is for; null for all of them.
    dbs: Option<&'a Scope>,
}

impl<'a> Authenticated<'a> {
    fn of(caller: &'a Caller) -> Self {
        match caller {
            Caller::Holder(key) => Self { role: key.role(), dbs: Some(key.scope()) },
            Caller::Anyone | Caller::Unknown => Self { role: Role::Admin, dbs: None },
        }
    }
}

/// The last notification of a server.
#[derive(Serialize)]
struct GoAway {
    reason: &'static str,
}
