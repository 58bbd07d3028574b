//! What goes out on one connection, in one order: answers, notifications, pings, the end.

use super::{connection::Socket, guard::Pulse};
use crate::{Limits, limits::CLOSE_TIMEOUT};
use futures_util::{SinkExt, stream::SplitSink};
use std::time::Duration;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use tokio_tungstenite::tungstenite::{
    Bytes, Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

/// Messages that wait to go out without holding a slot: notifications and refusals. Whoever has
/// one more waits, and does not read on.
const SPARE: usize = 16;

/// What a peer hears that lets answers pile up.
const TOO_SLOW: &str = "answers are not read fast enough";

/// One thing to send.
pub(super) enum Outgoing {
    /// A message. Its slot is free again once it has left.
    Text(String, Option<OwnedSemaphorePermit>),
    /// The end; nothing is sent after it.
    Close(CloseFrame),
}

/// The bounded queue into the outbox of a connection.
pub(super) type Sender = mpsc::Sender<Outgoing>;

/// The end of a connection, in the protocol's terms.
pub(super) fn close(code: CloseCode, reason: &'static str) -> CloseFrame {
    CloseFrame { code, reason: reason.into() }
}

/// The writing half of a connection.
pub(super) struct Outbox {
    sink: SplitSink<Socket, Message>,
    queue: mpsc::Receiver<Outgoing>,
    pulse: Pulse,
    write_timeout: Duration,
    ping_interval: Duration,
}

impl Outbox {
    /// The writing half `sink`, and the queue into it.
    pub(super) fn new(
        sink: SplitSink<Socket, Message>,
        pulse: Pulse,
        limits: &Limits,
    ) -> (Self, Sender) {
        let (sender, queue) = mpsc::channel(limits.in_flight_max + SPARE);
        let Limits { write_timeout, ping_interval, .. } = *limits;
        (Self { sink, queue, pulse, write_timeout, ping_interval }, sender)
    }

    /// Sends what comes until the end. Then the queue is closed, which its senders notice.
    pub(super) async fn run(mut self) {
        let mut ping = interval_at(Instant::now() + self.ping_interval, self.ping_interval);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard_at_ping = None;
        loop {
            let message = tokio::select! {
                next = self.queue.recv() => match next {
                    Some(Outgoing::Text(text, slot)) => (Message::text(text), slot),
                    Some(Outgoing::Close(frame)) => return self.close(frame).await,
                    None => return,
                },
                _ = ping.tick() => {
                    let heard = Some(self.pulse.count());
                    if heard == heard_at_ping {
                        tracing::debug!("a peer is dead: nothing came since the last ping");
                        return;
                    }
                    heard_at_ping = heard;
                    (Message::Ping(Bytes::new()), None)
                }
            };
            let (message, _slot) = message;
            match timeout(self.write_timeout, self.sink.send(message)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return tracing::debug!(%error, "a connection ended"),
                Err(_) => return self.close(close(CloseCode::Policy, TOO_SLOW)).await,
            }
        }
    }

    /// Says why the connection is over. A peer that does not read does not learn it.
    async fn close(mut self, frame: CloseFrame) {
        let sent = timeout(CLOSE_TIMEOUT, self.sink.send(Message::Close(Some(frame)))).await;
        tracing::debug!(?sent, "a connection is closed");
    }
}
