//! A request's body that has to keep coming: who sends a byte now and then holds a place for nothing.

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep};

/// What has to come within the time.
const STEP_BYTES: usize = 64 * 1024;

/// A body of which each 64 KiB, or what is left of it, come within a time; it ends in an error
/// otherwise. It is the time that the server waits for the peer which counts, not the time that the
/// server takes to ask for more.
pub(super) struct Paced<B = Incoming> {
    body: B,
    time: Duration,
    bytes: usize,
    /// What is left of the time; the deadline runs only while somebody waits.
    left: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    /// Where the body is in its messages, between which it may pause; `None` when it may not.
    messages: Option<Messages>,
}

/// Where a body of messages of gRPC is: each has five bytes before it, the last four its length.
#[derive(Default)]
struct Messages {
    head: [u8; 5],
    head_bytes: usize,
    /// Of the message whose head is there.
    left: usize,
}

impl Messages {
    fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let passed = self.left.min(bytes.len());
                self.left -= passed;
                bytes = &bytes[passed..];
                continue;
            }
            self.head[self.head_bytes] = bytes[0];
            self.head_bytes += 1;
            bytes = &bytes[1..];
            if let (true, [_, length @ ..]) = (self.head_bytes == self.head.len(), self.head) {
                self.head_bytes = 0;
                self.left = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
            }
        }
    }

    /// Whether no message has begun that has not ended.
    fn is_between(&self) -> bool {
        self.head_bytes == 0 && self.left == 0
    }
}

impl<B> Paced<B> {
    /// The same body, with so much time for each step.
    pub(super) fn new(body: B, time: Duration) -> Self {
        Self { body, time, bytes: 0, left: time, waiting: None, messages: None }
    }

    /// The same for a stream of messages: once one has begun, the rest of it has to come as any
    /// body does; the next one may begin whenever there is something to say.
    pub(super) fn of_messages(body: B, time: Duration) -> Self {
        Self { messages: Some(Messages::default()), ..Self::new(body, time) }
    }

    fn may_pause(&self) -> bool {
        self.messages.as_ref().is_some_and(Messages::is_between)
    }

    fn arrived(&mut self, bytes: &[u8]) {
        if let Some((since, _)) = self.waiting.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        if let Some(messages) = &mut self.messages {
            messages.pass(bytes);
        }
        self.bytes += bytes.len();
        if self.bytes >= STEP_BYTES || self.may_pause() {
            (self.bytes, self.left) = (0, self.time);
        }
    }

    fn too_slow(&self) -> io::Error {
        let seconds = self.time.as_secs_f64();
        let message = format!(
            "the body came too slowly: 64 KiB, or what is left of it, have to come within \
             {seconds} s (limits.body_timeout)"
        );
        io::Error::new(io::ErrorKind::TimedOut, message)
    }
}

impl<B> Body for Paced<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                self.arrived(frame.data_ref().map_or(&[], Bytes::as_ref));
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(io::Error::other(error)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending if self.may_pause() => Poll::Pending,
            Poll::Pending => {
                let left = self.left;
                let new = || (Instant::now(), Box::pin(sleep(left)));
                let (_, deadline) = self.waiting.get_or_insert_with(new);
                match deadline.as_mut().poll(context) {
                    Poll::Ready(()) => Poll::Ready(Some(Err(self.too_slow()))),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body as Streamed;
    use futures_util::{StreamExt, stream};

    /// How many bytes came, of so many pieces of so many bytes with so much time between them.
    async fn read(pieces: usize, bytes: usize, pause: Duration) -> Result<usize, String> {
        let pieces = stream::iter(0..pieces).then(move |_| async move {
            sleep(pause).await;
            Ok::<_, io::Error>(Bytes::from(vec![0; bytes]))
        });
        let paced = Paced::new(Streamed::from_stream(pieces), Duration::from_secs(10));
        let read = axum::body::to_bytes(Streamed::new(paced), usize::MAX).await;
        read.map(|read| read.len()).map_err(|error| error.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_take_long_if_it_keeps_coming() {
        let read = read(100, STEP_BYTES, Duration::from_secs(9)).await;
        assert_eq!(read, Ok(100 * STEP_BYTES));
    }

    /// How many bytes came of a stream of messages, of these pieces with so much time between them.
    async fn read_messages(pieces: Vec<Vec<u8>>, pause: Duration) -> Result<usize, String> {
        let pieces = stream::iter(pieces).then(move |piece| async move {
            sleep(pause).await;
            Ok::<_, io::Error>(Bytes::from(piece))
        });
        let paced = Paced::of_messages(Streamed::from_stream(pieces), Duration::from_secs(10));
        let read = axum::body::to_bytes(Streamed::new(paced), usize::MAX).await;
        read.map(|read| read.len()).map_err(|error| error.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_may_pause_between_its_messages_and_not_within_one() {
        let hour = Duration::from_secs(3600);
        let message = vec![0, 0, 0, 0, 3, 1, 2, 3];
        let empty = vec![0, 0, 0, 0, 0];
        let two = [message.clone(), message.clone()].concat();
        let whole = vec![message.clone(), empty, two, message.clone()];
        assert_eq!(read_messages(whole, hour).await, Ok(8 + 5 + 16 + 8));
        for cut in 1..message.len() {
            let (begin, end) = message.split_at(cut);
            let parts = vec![message.clone(), begin.to_vec(), end.to_vec()];
            let refused = read_messages(parts.clone(), hour).await.expect_err("it stops within");
            assert!(refused.contains("limits.body_timeout"), "{refused}");
            assert_eq!(read_messages(parts, Duration::from_secs(9)).await, Ok(16));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_that_trickle_are_not_waited_for() {
        let refused = read(100, 1, Duration::from_secs(1)).await.expect_err("it trickles");
        assert!(refused.contains("limits.body_timeout"), "{refused}");
        assert_eq!(read(5, 1, Duration::from_secs(1)).await, Ok(5));
        assert!(read(1, 1, Duration::from_secs(11)).await.is_err());
    }
}
