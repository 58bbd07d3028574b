//! The id of a request, by which its client and its log lines find each other, and its trace.

use super::{Telemetry, trace::Trace};
use crate::server::Context;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use ring::rand::{SecureRandom, SystemRandom};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use vectordoc::{Error, Result};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Bytes of an id that a client brings.
const BYTES_MAX: usize = 128;

/// An id of a request, or of a WebSocket: the one its client brought, or a new one.
#[derive(Clone, Debug)]
pub(crate) struct RequestId {
    text: Arc<str>,
    trace: Trace,
}

impl RequestId {
    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// What it is a part of.
    pub(super) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What a client brought, if it can stand in a log as it is.
    fn brought(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(HEADER)?.to_str().ok()?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte);
        let is_id = (1..=BYTES_MAX).contains(&text.len()) && text.bytes().all(is_plain);
        is_id.then(|| Self { text: text.into(), trace: Trace::default() })
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Makes ids that no other server and no other request has.
pub(super) struct RequestIds {
    /// Drawn when the server starts.
    prefix: u32,
    next: AtomicU64,
}

impl RequestIds {
    pub(super) fn new() -> Result<Self> {
        let mut prefix = [0; 4];
        let drawn = SystemRandom::new().fill(&mut prefix);
        drawn.map_err(|_| Error::unavailable("the system gives no random numbers"))?;
        Ok(Self { prefix: u32::from_le_bytes(prefix), next: AtomicU64::new(1) })
    }

    fn make(&self) -> RequestId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let text = format!("{:08x}-{number:x}", self.prefix).into();
        RequestId { text, trace: Trace::default() }
    }
}

impl Telemetry {
    /// The id that a request with these headers has from now on.
    pub(crate) fn request_id(&self, headers: &HeaderMap) -> RequestId {
        let id = RequestId::brought(headers).unwrap_or_else(|| self.ids().make());
        RequestId { trace: Trace::of(headers), ..id }
    }
}

/// Gives every request an id, which is among its extensions, and its answer the same.
pub(crate) async fn identify(
    State(context): State<Arc<Context>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = context.telemetry.request_id(request.headers());
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    // An id is visible ASCII, which a header can hold.
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(header: Option<&[u8]>) -> Result<String> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            let value = HeaderValue::from_bytes(header);
            headers.insert(HEADER, value.expect("a header can hold it"));
        }
        Ok(RequestId::brought(&headers).map_or_else(String::new, |id| id.to_string()))
    }

    #[test]
    fn an_id_is_taken_when_it_can_stand_in_a_log() -> Result<()> {
        let longest = "x".repeat(BYTES_MAX);
        for taken in ["7", "req_1.2:3/4+5=6@a-b", &longest] {
            assert_eq!(id_of(Some(taken.as_bytes()))?, taken);
        }
        let longer = "x".repeat(BYTES_MAX + 1);
        for refused in ["", "a b", "a\tb", "\"a\"", "é", &longer] {
            assert_eq!(id_of(Some(refused.as_bytes()))?, "", "{refused}");
        }
        assert_eq!(id_of(None)?, "");
        Ok(())
    }

    #[test]
    fn ids_that_are_made_are_different_and_would_be_taken() -> Result<()> {
        let ids = RequestIds::new()?;
        let (first, second) = (ids.make(), ids.make());
        assert_ne!(first.as_str(), second.as_str());
        assert_eq!(id_of(Some(first.as_str().as_bytes()))?, first.as_str());
        Ok(())
    }
}
