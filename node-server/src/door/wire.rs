//! The bytes of a connection, with what the first of them say: which protocol it speaks.

use std::{
    io::{IoSlice, Result},
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How the preface of HTTP/2 begins (RFC 9113, section 3.4), and no request of HTTP/1.1 that is served.
const PREFACE: &[u8] = b"PRI";

/// A connection that is written to in as few pieces as its protocol makes of an answer.
///
/// An answer of HTTP/2 is several frames. Where pieces can be written together, its library hands on
/// the larger ones as they are, and nothing behind such a one goes out with it: the trailers of a
/// short answer of gRPC would be a packet of their own, and wake its client twice.
pub(super) struct Wire<S> {
    stream: S,
    first: [u8; PREFACE.len()],
    seen: usize,
}

impl<S> Wire<S> {
    /// The connection `stream`, of which nothing was read yet.
    pub(super) fn new(stream: S) -> Self {
        Self { stream, first: [0; PREFACE.len()], seen: 0 }
    }

    fn see(&mut self, bytes: &[u8]) {
        let rest = self.first.iter_mut().skip(self.seen);
        self.seen += rest.zip(bytes).map(|(first, byte)| *first = *byte).count();
    }

    fn is_http2(&self) -> bool {
        self.first == PREFACE
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.seen < PREFACE.len() {
            self.see(&buffer.filled()[before..]);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        !self.is_http2() && self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    async fn is_vectored(said: &[u8]) -> bool {
        let (near, far) = tokio::net::UnixStream::pair().expect("a pair");
        let mut far = far;
        tokio::io::AsyncWriteExt::write_all(&mut far, said).await.expect("written");
        let mut wire = Wire::new(near);
        // By pieces, as a network may bring them.
        for _ in said {
            wire.read_u8().await.expect("read");
        }
        wire.is_write_vectored()
    }

    #[tokio::test]
    async fn only_http2_is_written_without_pieces() {
        assert!(!is_vectored(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await);
        assert!(is_vectored(b"GET / HTTP/1.1\r\n").await);
        assert!(is_vectored(b"PUT / HTTP/1.1\r\n").await);
    }
}
