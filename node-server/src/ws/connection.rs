//! One connection from hello to close.

use super::{
    guard::{Guard, Pulse, refused_bytes},
    outbox::{Outbox, Outgoing, Sender, close},
    reply,
    rpc::{self, Fault, Incoming, Notification},
};
use crate::{Limits, limits::CLOSE_TIMEOUT, server::Context};
use futures_util::{
    StreamExt,
    stream::{FusedStream, SplitStream},
};
use serde::Serialize;
use std::{pin::pin, sync::Arc};
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error as WsError, Message, Utf8Bytes,
        error::CapacityError,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use vectordoc::Error;

/// A WebSocket of a client.
pub(super) type Socket = WebSocketStream<Guard<TcpStream>>;

/// Serves one connection until its client leaves or `stopping` says so.
pub(crate) async fn serve(socket: Socket, context: Arc<Context>, stopping: watch::Receiver<bool>) {
    let pulse: Pulse = socket.get_ref().pulse();
    let (sink, stream) = socket.split();
    let (outbox, sender) = Outbox::new(sink, pulse, &context.limits);
    let outbox = tokio::spawn(outbox.run());
    let slots = Arc::new(Semaphore::new(context.limits.in_flight_max));
    let connection = Connection { stream, outbox: sender, slots, context, stopping };
    connection.run().await;
    if let Err(error) = outbox.await {
        tracing::error!(%error, "writing to a connection panicked");
    }
}

/// The reading half of a connection.
struct Connection {
    stream: SplitStream<Socket>,
    outbox: Sender,
    /// One per request that is read and whose answer has not left yet.
    slots: Arc<Semaphore>,
    context: Arc<Context>,
    stopping: watch::Receiver<bool>,
}

/// How a connection goes on after an event.
enum Next {
    /// As before.
    On,
    /// Not at all. The peer is told why, if it can still hear it.
    End(Option<CloseFrame>),
}

impl Connection {
    async fn run(mut self) {
        self.notify("hello", Hello::new(&self.context.limits)).await;
        let end = match self.serve().await {
            Some(end) => end,
            None => self.drain().await,
        };
        if let Some(frame) = end {
            self.send(Outgoing::Close(frame)).await;
            self.hear_out().await;
        }
    }

    /// Answers requests. Returns how the connection ends; `None` when the server stops.
    async fn serve(&mut self) -> Option<Option<CloseFrame>> {
        loop {
            let next = tokio::select! {
                message = self.stream.next() => self.receive(message, Self::accept).await,
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                () = self.outbox.closed() => Next::End(None),
            };
        }
    }
}
