//! Errors as problem documents (RFC 9457), with vectordoc's `code`.

use crate::limits::RETRY_AFTER_MS;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use vectordoc::{Error, ErrorKind};

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// How to say who one is (RFC 6750 §3).
const BEARER: HeaderValue = HeaderValue::from_static("Bearer realm=\"vectordoc\"");

/// An answer that says what went wrong.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    error: Error,
    indexed: Option<usize>,
}

impl Problem {
    /// An error that HTTP has a status of its own for.
    pub(crate) fn with_status(status: StatusCode, error: Error) -> Self {
        Self { status, error, indexed: None }
    }

    /// Says how many documents were indexed before.
    pub(crate) fn after(mut self, indexed: usize) -> Self {
        self.indexed = Some(indexed);
        self
    }

    /// The document.
    pub(crate) fn to_body(&self) -> Vec<u8> {
        let kind = self.error.kind();
        let document = Document {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            detail: self.error.message(),
            code: kind.code(),
            retry_after_ms: self.retry_after_ms(),
            indexed: self.indexed,
        };
        // A few strings and numbers can always be written.
        serde_json::to_vec(&document).unwrap_or_default()
    }

    fn retry_after_ms(&self) -> Option<u64> {
        self.error.kind().is_retryable().then_some(RETRY_AFTER_MS)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = StatusCode::from_u16(error.kind().http_status());
        Self::with_status(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), error)
    }
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    indexed: Option<usize>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response =
            (self.status, [(header::CONTENT_TYPE, CONTENT_TYPE)], self.to_body()).into_response();
        if let Some(retry_after_ms) = self.retry_after_ms() {
            let seconds = HeaderValue::from(retry_after_ms.div_ceil(1000));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        if self.error.kind() == ErrorKind::Unauthenticated {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, BEARER);
        }
        response
    }
}
