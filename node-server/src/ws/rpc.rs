//! JSON-RPC 2.0: messages into calls, results and errors into messages. Knows neither sockets nor
//! databases.

use crate::{
    encoding::{Encoding, Raw, Unreadable},
    limits::RETRY_AFTER_MS,
    operation::Method,
    telemetry::UNKNOWN,
};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor},
};
use std::{borrow::Cow, fmt, ops::Range};
use tokio_tungstenite::tungstenite::{Bytes, Utf8Bytes};
use vectordoc::{Error, Value};

const VERSION: &str = "2.0";
/// Bytes of a method name. Looking for the nearest name to a longer one would take its time.
const METHOD_BYTES_MAX: usize = 64;
const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const METHOD_NOT_FOUND: i32 = -32601;

/// A whole message; clones share it.
#[derive(Clone)]
pub(super) enum Body {
    /// Of a text frame.
    Json(Utf8Bytes),
    /// Of a binary frame.
    Cbor(Bytes),
}

impl Body {
    /// How it is written.
    pub(super) fn encoding(&self) -> Encoding {
        self.as_raw().encoding()
    }

    fn as_raw(&self) -> Raw<'_> {
        match self {
            Self::Json(text) => Raw::Json(text),
            Self::Cbor(bytes) => Raw::Cbor(bytes),
        }
    }
}

/// What one message asks for.
pub(super) enum Incoming {
    /// One request.
    One(Request),
    /// Several, answered together.
    Batch(Vec<Request>),
}

/// One request.
pub(super) struct Request {
    /// The id its answer carries; a notification has none and gets no answer.
    pub(super) id: Option<Value>,
    /// The name of what it asks for, for those who count.
    pub(super) method: &'static str,
    /// What it asks for, or why that is nothing.
    pub(super) call: Result<Call, Fault>,
}

/// What a request asks for.
pub(super) enum Call {
    /// An operation to run.
    Operation {
        /// Which.
        method: &'static Method,
        /// Its parameters: an object, if the client was right.
        params: Option<Part>,
    },
    /// `subscribe`: to be told what happens from now on.
    Subscribe {
        /// What is followed: an object, if the client was right.
        params: Option<Part>,
    },
    /// `unsubscribe`: to hear no more.
    Unsubscribe {
        /// Of which subscription.
        subscription: u64,
    },
    /// `auth`: to be known as the holder of a key from now on. Browsers cannot send a header.
    Auth {
        /// The key.
        key: String,
    },
}

/// The method of [`Call::Auth`].
pub(super) const AUTH: &str = "auth";
/// The method of [`Call::Subscribe`].
pub(super) const SUBSCRIBE: &str = "subscribe";
/// The method of [`Call::Unsubscribe`].
pub(super) const UNSUBSCRIBE: &str = "unsubscribe";

impl Call {
    /// The name of what is asked for.
    pub(super) fn method(&self) -> &'static str {
        match self {
            Self::Operation { method, .. } => method.name,
            Self::Subscribe { .. } => SUBSCRIBE,
            Self::Unsubscribe { .. } => UNSUBSCRIBE,
            Self::Auth { .. } => AUTH,
        }
    }
}

/// The parameters of [`UNSUBSCRIBE`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnsubscribeParams {
    subscription: u64,
}

/// The parameters of [`AUTH`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthParams {
    key: String,
}

/// A part of a message, shared with it.
pub(super) struct Part {
    body: Body,
    range: Range<usize>,
}

impl Part {
    /// The part of `body` that `value`, read from it, is.
    fn of(body: &Body, value: Raw<'_>) -> Self {
        let address = |value: Raw<'_>| value.as_bytes().as_ptr().addr();
        let start = address(value) - address(body.as_raw());
        Self { body: body.clone(), range: start..start + value.as_bytes().len() }
    }

    /// The value.
    pub(super) fn as_raw(&self) -> Raw<'_> {
        match &self.body {
            Body::Json(text) => Raw::Json(&text.as_str()[self.range.clone()]),
            Body::Cbor(bytes) => Raw::Cbor(&bytes[self.range.clone()]),
        }
    }
}

/// A JSON-RPC error: the number its protocol prescribes, and ours.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    number: i32,
    error: Error,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { number: error.kind().jsonrpc_code(), error }
    }
}

impl Fault {
    /// Ours.
    pub(super) fn error(&self) -> &Error {
        &self.error
    }

    /// A request that JSON-RPC does not allow.
    pub(super) fn request(message: impl Into<String>) -> Self {
        Self { number: INVALID_REQUEST, error: Error::invalid(message) }
    }

    /// The request that is answered with this fault, though nobody knows its id.
    pub(super) fn of_nobody(self) -> Request {
        Request { id: Some(Value::Null), method: UNKNOWN, call: Err(self) }
    }

    /// A message that is not what it is said to be written in, or no request.
    fn unreadable(encoding: Encoding, error: &Unreadable) -> Self {
        if !error.is_malformed {
            return Self::request(format!("no JSON-RPC request: {error}"));
        }
        let error = Error::invalid(format!("the message is not {}: {error}", encoding.name()));
        Self { number: PARSE_ERROR, error }
    }

    fn method(error: Error) -> Self {
        Self { number: METHOD_NOT_FOUND, error }
    }
}

/// Reads one message. What cannot be read becomes a request that is answered with its fault.
pub(super) fn read(message: &Body, batch_requests_max: usize) -> Incoming {
    let raw = message.as_raw();
    if !raw.is_array() {
        return Incoming::One(read_request(message, raw));
    }
    let fault = match raw.seeded(BatchSeed { requests_max: batch_requests_max }) {
        Err(error) => Fault::unreadable(raw.encoding(), &error),
        Ok(Batch { requests, .. }) if requests.is_empty() => {
            Fault::request("a batch holds at least one request")
        }
        Ok(Batch { requests, refused: 0 }) => {
            let requests = requests.into_iter().map(|request| read_request(message, request));
            return Incoming::Batch(requests.collect());
        }
        Ok(Batch { refused, .. }) => Fault::from(Error::limit_exceeded(format!(
            "the batch has {} requests, the limit is {batch_requests_max}",
            batch_requests_max + refused
        ))),
    };
    Incoming::One(fault.of_nobody())
}

/// The requests of a batch, and how many more there were than a batch may have.
struct Batch<'a> {
    requests: Vec<Raw<'a>>,
    refused: usize,
}

struct BatchSeed {
    requests_max: usize,
}

impl<'de> DeserializeSeed<'de> for BatchSeed {
    type Value = Batch<'de>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Batch<'de>, D::Error> {
        input.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for BatchSeed {
    type Value = Batch<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of requests")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Batch<'de>, A::Error> {
        let mut requests = Vec::new();
        while requests.len() < self.requests_max {
            match seq.next_element()? {
                Some(request) => requests.push(request),
                None => return Ok(Batch { requests, refused: 0 }),
            }
        }
        let mut refused = 0;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            refused += 1;
        }
        Ok(Batch { requests, refused })
    }
}

/// A request before its members are looked at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    #[serde(borrow)]
    jsonrpc: Option<Raw<'a>>,
    #[serde(borrow, default, deserialize_with = "read_id")]
    id: Option<Raw<'a>>,
    #[serde(borrow)]
    method: Option<Raw<'a>>,
    #[serde(borrow)]
    params: Option<Raw<'a>>,
}

/// Reads an id, so that null is an id and only a missing one is none.
fn read_id<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Raw<'de>>, D::Error> {
    Raw::deserialize(input).map(Some)
}

/// Reads the request `raw`, which is `message` or a part of it.
fn read_request(message: &Body, raw: Raw<'_>) -> Request {
    let envelope: Envelope<'_> = match raw.read() {
        Ok(envelope) => envelope,
        Err(error) => return Fault::unreadable(raw.encoding(), &error).of_nobody(),
    };
    let id = envelope.id.map(id_of);
    match read_call(message, &envelope, id.as_ref()) {
        Err(fault) if fault.number == INVALID_REQUEST => {
            let id = Some(id.flatten().unwrap_or_default());
            Request { id, method: UNKNOWN, call: Err(fault) }
        }
        call => {
            let method = call.as_ref().map_or(UNKNOWN, Call::method);
            Request { id: id.flatten(), method, call }
        }
    }
}

fn read_call(
    message: &Body,
    envelope: &Envelope<'_>,
    id: Option<&Option<Value>>,
) -> Result<Call, Fault> {
    if text_of(envelope.jsonrpc).as_deref() != Some(VERSION) {
        return Err(Fault::request(r#"a request says "jsonrpc": "2.0""#));
    }
    if id == Some(&None) {
        return Err(Fault::request("an id is a string, a number or null"));
    }
    let method = text_of(envelope.method)
        .filter(|method| method.len() <= METHOD_BYTES_MAX)
        .ok_or_else(|| Fault::request(r#"a request names its "method" with a short string"#))?;
    if method == AUTH {
        let params = envelope.params.and_then(|params| params.read::<AuthParams>().ok());
        // What is wrong with it is not said in the decoder's words, which may quote the key.
        let wrong = || Error::invalid(r#"the params of "auth" are {"key": "vd_…"}"#);
        return Ok(Call::Auth { key: params.ok_or_else(wrong)?.key });
    }
    if method == UNSUBSCRIBE {
        let params = envelope.params.and_then(|params| params.read::<UnsubscribeParams>().ok());
        let wrong = || Error::invalid(r#"the params of "unsubscribe" are {"subscription": 1}"#);
        return Ok(Call::Unsubscribe { subscription: params.ok_or_else(wrong)?.subscription });
    }
    let params = envelope.params.map(|params| Part::of(message, params));
    if method == SUBSCRIBE {
        return Ok(Call::Subscribe { params });
    }
    let method = Method::named(&method).map_err(Fault::method)?;
    Ok(Call::Operation { method, params })
}

/// The id that `raw` is, if it is one.
fn id_of(raw: Raw<'_>) -> Option<Value> {
    // A long list is not read only to be refused.
    let id = (!raw.is_compound()).then(|| raw.read().ok()).flatten();
    id.filter(|id| matches!(id, Value::Null | Value::Int(_) | Value::Float(_) | Value::Text(_)))
}

/// The string that `value` is.
fn text_of(value: Option<Raw<'_>>) -> Option<Cow<'_, str>> {
    value.and_then(|value| value.read().ok())
}

/// A message with a result.
#[derive(Serialize)]
pub(super) struct Success<'a, R> {
    jsonrpc: &'static str,
    id: &'a Value,
    result: R,
}

impl<'a, R> Success<'a, R> {
    /// The answer to request `id`.
    pub(super) fn new(id: &'a Value, result: R) -> Self {
        Self { jsonrpc: VERSION, id, result }
    }
}

/// A message with an error.
#[derive(Serialize)]
pub(super) struct Failure<'a> {
    jsonrpc: &'static str,
    id: &'a Value,
    error: FaultView<'a>,
}

#[derive(Serialize)]
struct FaultView<'a> {
    code: i32,
    message: &'a str,
    data: FaultData,
}

#[derive(Serialize)]
struct FaultData {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

impl<'a> Failure<'a> {
    /// The answer to request `id`.
    pub(super) fn new(id: &'a Value, fault: &'a Fault) -> Self {
        let kind = fault.error.kind();
        let retry_after_ms = kind.is_retryable().then_some(RETRY_AFTER_MS);
        let data = FaultData { code: kind.code(), retry_after_ms };
        let error = FaultView { code: fault.number, message: fault.error.message(), data };
        Self { jsonrpc: VERSION, id, error }
    }
}

/// A message that wants no answer.
#[derive(Serialize)]
pub(super) struct Notification<P> {
    jsonrpc: &'static str,
    method: &'static str,
    params: P,
}

impl<P> Notification<P> {
    /// Tells the client `method`.
    pub(super) fn new(method: &'static str, params: P) -> Self {
        Self { jsonrpc: VERSION, method, params }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a message is read as: ids with the number of their fault, 0 for a call.
    fn seen(message: &str) -> Vec<(String, i32)> {
        let requests = match read(&Body::Json(message.into()), 3) {
            Incoming::One(request) => vec![request],
            Incoming::Batch(requests) => requests,
        };
        let seen = |request: &Request| {
            let id = request.id.as_ref().map(|id| serde_json::to_string(id).expect("short"));
            (
                id.unwrap_or("none".into()),
                request.call.as_ref().err().map_or(0, |fault| fault.number),
            )
        };
        requests.iter().map(seen).collect()
    }

    fn check(message: &str, id: &str, number: i32) {
        assert_eq!(seen(message), [(id.to_string(), number)], "{message}");
    }

    #[test]
    fn calls_and_notifications_are_told_apart() {
        check(r#"{"jsonrpc":"2.0","id":7,"method":"search","params":{}}"#, "7", 0);
        check(r#"{"jsonrpc":"2.0","id":"a","method":"search"}"#, r#""a""#, 0);
        check(r#"{"jsonrpc":"2.0","id":null,"method":"search"}"#, "null", 0);
        check(r#"{"jsonrpc":"2.0","method":"search"}"#, "none", 0);
    }

    #[test]
    fn what_is_wrong_gets_the_number_json_rpc_gives_it() {
        check("", "null", PARSE_ERROR);
        check("{\"jsonrpc\"", "null", PARSE_ERROR);
        check(
            r#"{"jsonrpc":"2.0","id":1,"method":"search","params":{"vector":[NaN]}}"#,
            "null",
            PARSE_ERROR,
        );
        check("[1,", "null", PARSE_ERROR);
        check("[]", "null", INVALID_REQUEST);
        check("1", "null", INVALID_REQUEST);
        check(r#"{"jsonrpc":"1.0","id":1,"method":"search"}"#, "1", INVALID_REQUEST);
        check(r#"{"jsonrpc":"2.0","id":1,"method":5}"#, "1", INVALID_REQUEST);
        check(r#"{"jsonrpc":"2.0","id":{},"method":"search"}"#, "null", INVALID_REQUEST);
        check(r#"{"jsonrpc":"2.0","id":1,"method":"search","limit":3}"#, "null", INVALID_REQUEST);
        check(r#"{"jsonrpc":"2.0","id":1,"method":"serch"}"#, "1", METHOD_NOT_FOUND);
        check(r#"{"jsonrpc":"2.0","method":"serch"}"#, "none", METHOD_NOT_FOUND);
    }

    #[test]
    fn a_batch_is_read_request_by_request_up_to_its_limit() {
        let good = r#"{"jsonrpc":"2.0","id":1,"method":"db.list"}"#;
        let expected = [("1".to_string(), 0), ("null".to_string(), INVALID_REQUEST)];
        assert_eq!(seen(&format!("[{good}, 5]")), expected);
        check(&format!("[{good},{good},{good},{good}]"), "null", -32003);
    }

    #[test]
    fn params_are_the_text_the_client_sent() {
        let message = r#"[{"jsonrpc":"2.0","id":1,"method":"db.get","params": {"db": "é"} }]"#;
        let Incoming::Batch(requests) = read(&Body::Json(message.into()), 3) else {
            panic!("a batch was sent");
        };
        let Ok(Call::Operation { params, .. }) = &requests[0].call else {
            panic!("the call is sound");
        };
        let params = params.as_ref().map(|params| params.as_raw().as_bytes());
        assert_eq!(params, Some(r#"{"db": "é"}"#.as_bytes()));
    }
}
