//! JSON-RPC 2.0, the client's side of it.

use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;

const VERSION: &str = "2.0";

/// A request as it is sent.
#[derive(Serialize)]
struct Request<'a, P: ?Sized> {
    jsonrpc: &'static str,
    id: u64,
    method: &'a str,
    params: &'a P,
}

/// The text of a request.
pub(super) fn request<P: Serialize + ?Sized>(id: u64, method: &str, params: &P) -> Result<String> {
    let request = Request { jsonrpc: VERSION, id, method, params };
    serde_json::to_string(&request)
        .map_err(|error| Error::invalid(format!("the request cannot be written as JSON: {error}")))
}

/// An error that a server answered.
pub(super) struct Refusal {
    pub(super) error: Error,
    /// How long it wants to be left alone.
    pub(super) after: Option<Duration>,
}

/// What a server says.
pub(super) enum Incoming {
    /// The answer to a request; to nobody knows which without an id.
    Answer(Option<u64>, Result<Box<RawValue>, Refusal>),
    /// `method` with `params`, wanting no answer.
    Notification(String, Box<RawValue>),
}

#[derive(Deserialize)]
struct Envelope<'a> {
    id: Option<u64>,
    method: Option<String>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    message: String,
    data: Option<FaultData>,
}

#[derive(Deserialize)]
struct FaultData {
    code: Option<String>,
    retry_after_ms: Option<u64>,
}

/// Reads one message of a server.
pub(super) fn read(text: &str) -> Result<Incoming> {
    let envelope: Envelope<'_> = decode(text)?;
    let owned = |value: Option<&RawValue>| value.unwrap_or(RawValue::NULL).to_owned();
    Ok(match envelope {
        Envelope { method: Some(method), params, .. } => {
            Incoming::Notification(method, owned(params))
        }
        Envelope { id, error: Some(fault), .. } => Incoming::Answer(id, Err(fault.into())),
        Envelope { id, result, .. } => Incoming::Answer(id, Ok(owned(result))),
    })
}

/// Reads what a server sent as `T`.
pub(super) fn decode<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| misunderstood(&error))
}

/// A server that speaks, but not as it should.
pub(super) fn misunderstood(error: &serde_json::Error) -> Error {
    Error::internal(format!("the server's answer is not understood: {error}"))
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let (code, retry_after_ms) =
            fault.data.map_or((None, None), |data| (data.code, data.retry_after_ms));
        let kind = code.and_then(|code| ErrorKind::from_code(&code));
        let error = Error::new(kind.unwrap_or(ErrorKind::Internal), fault.message);
        Self { error, after: retry_after_ms.map(Duration::from_millis) }
    }
}
