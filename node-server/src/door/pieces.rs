//! The body of an answer, handed on in pieces, so that what is not handed on yet is where it is counted
//! and not in the buffers of a connection.

use crate::account::{Account, next_piece};
use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// A body whose data are handed on in pieces.
pub(crate) struct Pieces<B> {
    body: B,
    /// What of the body is taken from it and not handed on.
    left: Bytes,
    account: Arc<Account>,
}

impl<B> Pieces<B> {
    /// The same body, read by the peer that has `account`.
    pub(crate) fn new(body: B, account: Arc<Account>) -> Self {
        Self { body, left: Bytes::new(), account }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Pieces<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.left.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context))
                .map(|frame| frame.map(|frame| frame.into_data()))
            {
                Some(Ok(Ok(data))) => self.left = data,
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        self.account.took();
        Poll::Ready(Some(Ok(Frame::data(next_piece(&mut self.left)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let left = u64::try_from(self.left.len()).unwrap_or(u64::MAX);
        let (of_body, mut hint) = (self.body.size_hint(), SizeHint::new());
        // A lower bound may at no time be above the upper one.
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper.saturating_add(left));
        }
        hint.set_lower(of_body.lower().saturating_add(left));
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, account::Ledger, limits::PIECE_BYTES};
    use http_body_util::{BodyExt, Full};

    #[tokio::test]
    async fn a_body_is_the_same_in_pieces() {
        let account = Account::new(&Ledger::new(&Limits::default()));
        for bytes in [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES] {
            let whole: Vec<u8> =
                (0..bytes).map(|byte| u8::try_from(byte % 251).unwrap_or(0)).collect();
            let held = account.hold(whole.clone());
            let mut pieces = Pieces::new(Full::new(held), Arc::clone(&account));
            let mut read = Vec::new();
            loop {
                let left = u64::try_from(bytes - read.len()).ok();
                assert_eq!(pieces.size_hint().exact(), left);
                assert_eq!(account.progress().is_some(), left > Some(0));
                let Some(frame) = pieces.frame().await else { break };
                let data = frame.expect("it cannot fail").into_data().expect("data");
                assert!(data.len() <= PIECE_BYTES);
                read.extend_from_slice(&data);
            }
            assert!(pieces.is_end_stream());
            assert_eq!(read, whole);
        }
    }
}
