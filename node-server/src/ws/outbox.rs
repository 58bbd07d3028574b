//! What goes out on one connection, in one order: answers, notifications, pings, the end.

use super::{guard::Pulse, upgrade::Socket};
use crate::{
    Limits,
    account::next_piece,
    limits::{CLOSE_TIMEOUT, PIECE_BYTES},
};
use futures_util::{SinkExt, stream::SplitSink};
use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{OwnedSemaphorePermit, mpsc},
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use tokio_tungstenite::tungstenite::{
    Bytes, Error as WsError, Message,
    protocol::{
        CloseFrame,
        frame::{
            Frame,
            coding::{CloseCode, Data, OpCode},
        },
    },
};

/// Messages that wait to go out without holding a slot: notifications and refusals. Whoever has
/// one more waits, and does not read on.
const SPARE: usize = 16;

/// What a peer hears that lets answers pile up.
const TOO_SLOW: &str = "answers are not read fast enough";

/// One thing to send.
pub(super) enum Outgoing {
    /// A message. Its slot is free again when it is on its way.
    Message(Message, Option<OwnedSemaphorePermit>),
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
pub(super) struct Outbox<S> {
    sink: SplitSink<Socket<S>, Message>,
    queue: mpsc::Receiver<Outgoing>,
    pulse: Pulse,
    write_timeout: Duration,
    ping_interval: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Outbox<S> {
    /// The writing half `sink`, and the queue into it.
    pub(super) fn new(
        sink: SplitSink<Socket<S>, Message>,
        pulse: Pulse,
        limits: &Limits,
    ) -> (Self, Sender) {
        let messages_max = limits.in_flight_max + limits.subscriptions_max + SPARE;
        let (sender, queue) = mpsc::channel(messages_max);
        let Limits { write_timeout, ping_interval, .. } = *limits;
        (Self { sink, queue, pulse, write_timeout, ping_interval }, sender)
    }

    /// Sends what comes until the end. Then the queue is closed, which its senders notice.
    pub(super) async fn run(mut self) -> SplitSink<Socket<S>, Message> {
        if let Some(frame) = self.send_all().await {
            // A peer that does not read does not learn why the connection is over.
            let sent = timeout(CLOSE_TIMEOUT, self.sink.send(Message::Close(Some(frame)))).await;
            tracing::debug!(?sent, "a connection ends");
        }
        self.sink
    }

    /// Sends what comes. Returns what the peer is told in the end, if there is somebody to tell.
    async fn send_all(&mut self) -> Option<CloseFrame> {
        let mut ping = interval_at(Instant::now() + self.ping_interval, self.ping_interval);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard_at_ping = None;
        loop {
            let message = tokio::select! {
                next = self.queue.recv() => match next? {
                    Outgoing::Message(message, slot) => {
                        // Before it leaves: who has read it may ask the next thing at once.
                        drop(slot);
                        message
                    }
                    Outgoing::Close(frame) => return Some(frame),
                },
                _ = ping.tick() => {
                    let heard = Some(self.pulse.count());
                    if heard == heard_at_ping {
                        tracing::debug!("a peer is dead: nothing came since the last ping");
                        return None;
                    }
                    heard_at_ping = heard;
                    Message::Ping(Bytes::new())
                }
            };
            match timeout(self.write_timeout, send(&mut self.sink, message)).await {
                Ok(sent) => sent.ok()?,
                Err(_) => return Some(close(CloseCode::Policy, TOO_SLOW)),
            }
        }
    }
}

/// Sends a message, a long one in several frames: what is written is copied into a buffer that keeps
/// the size of the longest frame for as long as the connection lives.
async fn send<S: AsyncRead + AsyncWrite + Unpin>(
    sink: &mut SplitSink<Socket<S>, Message>,
    message: Message,
) -> Result<(), WsError> {
    let (kind, mut left) = match message {
        Message::Text(text) if text.len() > PIECE_BYTES => (Data::Text, Bytes::from(text)),
        Message::Binary(bytes) if bytes.len() > PIECE_BYTES => (Data::Binary, bytes),
        short => return sink.send(short).await,
    };
    let mut kind = OpCode::Data(kind);
    while !left.is_empty() {
        let piece = next_piece(&mut left);
        let frame = Frame::message(piece, kind, left.is_empty());
        sink.feed(Message::Frame(frame)).await?;
        kind = OpCode::Data(Data::Continue);
    }
    sink.flush().await
}

#[cfg(test)]
mod tests {
    use super::{super::guard::Guard, *};
    use futures_util::StreamExt;
    use std::sync::Arc;
    use tokio::{io::DuplexStream, sync::Semaphore};
    use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

    /// An outbox into a pipe of a few bytes, the queue into it, and the pipe's other end.
    async fn outbox() -> (Outbox<DuplexStream>, Sender, DuplexStream) {
        let (near, far) = tokio::io::duplex(64);
        let guard = Guard::new(near, Vec::new(), 1024);
        let pulse = guard.pulse();
        let socket = WebSocketStream::from_raw_socket(guard, Role::Server, None).await;
        let (outbox, sender) = Outbox::new(socket.split().0, pulse, &Limits::default());
        (outbox, sender, far)
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_cut_off_and_frees_its_slots() {
        let (outbox, sender, _far) = outbox().await;
        let slots = Arc::new(Semaphore::new(1));
        let slot = Arc::clone(&slots).acquire_owned().await.ok();
        let sent = sender.send(Outgoing::Message(Message::text("x".repeat(1000)), slot)).await;
        assert!(sent.is_ok());
        drop(outbox.run().await);
        assert!(sender.is_closed());
        assert_eq!(slots.available_permits(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_answers_no_ping_is_dead() {
        let (outbox, sender, _far) = outbox().await;
        let started = Instant::now();
        drop(outbox.run().await);
        assert!(sender.is_closed());
        assert_eq!(started.elapsed(), 2 * Limits::default().ping_interval);
    }
}
