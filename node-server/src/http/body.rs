//! The bytes of a request, bounded, and how they are written.

use super::Problem;
use crate::{Limits, encoding::Encoding};
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use vectordoc::{Error, Result};

/// What a body is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// One object.
    Object(Encoding),
    /// JSON values, one a line.
    Lines,
}

impl Content {
    /// What `content-type` says; JSON without one.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(header) = headers.get(header::CONTENT_TYPE) else {
            return Ok(Self::Object(Encoding::Json));
        };
        let text = header.to_str().unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/json" => Ok(Self::Object(Encoding::Json)),
            "application/cbor" => Ok(Self::Object(Encoding::Cbor)),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Self::Lines),
            _ => Err(unknown(text)),
        }
    }
}

fn unknown(content_type: &str) -> Problem {
    Problem::with_status(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::invalid(format!(
            "the content-type is {content_type:?}, and is one of application/json, \
             application/cbor and, for documents to be indexed, application/x-ndjson"
        )),
    )
}

/// How the answer is to be written: JSON, unless `accept` asks for CBOR.
pub(super) fn wanted(headers: &HeaderMap) -> Encoding {
    if accepts(headers, "application/cbor") { Encoding::Cbor } else { Encoding::Json }
}

/// Whether `accept` names `content_type`.
pub(super) fn accepts(headers: &HeaderMap, content_type: &str) -> bool {
    let all = headers.get_all(header::ACCEPT).iter().filter_map(|header| header.to_str().ok());
    let mut names = all.flat_map(|text| text.split(',')).map(|range| range.split(';').next());
    names.any(|name| name.is_some_and(|name| name.trim().eq_ignore_ascii_case(content_type)))
}

/// All of `body`, refused with `limit_exceeded` once it is longer than a message may be.
pub(super) async fn collect(body: Body, limits: &Limits) -> Result<Bytes> {
    let limited = Limited::new(body, limits.message_bytes_max);
    match limited.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_long(limits)),
        Err(error) => Err(broken(&error)),
    }
}

fn too_long(limits: &Limits) -> Error {
    Error::limit_exceeded(format!(
        "the body is longer than {} bytes; send less at a time, or documents as \
         application/x-ndjson",
        limits.message_bytes_max
    ))
}

/// A body that ends before its end, or is not compressed as it says.
pub(super) fn broken(error: &impl std::fmt::Display) -> Error {
    Error::invalid(format!("the body cannot be read: {error}"))
}

/// Lines where one object is wanted.
pub(super) fn lines_elsewhere() -> Problem {
    Problem::with_status(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::invalid("application/x-ndjson is for documents to be indexed; send one object"),
    )
}
