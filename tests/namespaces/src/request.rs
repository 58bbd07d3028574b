//! Requests by HTTP, one at a time.

use serde_json::Value as Json;
use std::{cell::RefCell, time::Duration};
use ureq::{Agent, Body, http};

/// How long a request may take before nobody waits for it any more.
const TIMEOUT: Duration = Duration::from_secs(8);

/// What became of a request.
#[derive(Debug)]
#[allow(dead_code, reason = "what is said why is read by people")]
pub(crate) enum Answer {
    /// A status and a body.
    Said(u16, Json),
    /// Nothing, and it was never sent.
    Unsent(String),
    /// Nothing; whether it was heard, nobody knows.
    Lost(String),
}

thread_local! {
    static AGENT: RefCell<Agent> = RefCell::new(
        Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .timeout_connect(Some(Duration::from_secs(2)))
            .http_status_as_error(false)
            .build()
            .into(),
    );
}

pub(crate) fn ask(address: &str, verb: &str, path: &str, body: &Json) -> Answer {
    let request = http::Request::builder()
        .method(verb)
        .uri(format!("http://{address}{path}"))
        .header("content-type", "application/json");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = match request.body(body) {
        Ok(request) => request,
        Err(error) => return Answer::Unsent(error.to_string()),
    };
    match AGENT.with_borrow(|agent| agent.run(request)) {
        Ok(response) => read(response),
        Err(error) if is_unsent(&error) => Answer::Unsent(error.to_string()),
        Err(error) => Answer::Lost(error.to_string()),
    }
}

fn read(mut response: http::Response<Body>) -> Answer {
    let status = response.status().as_u16();
    match response.body_mut().read_to_string() {
        Ok(text) if text.is_empty() => Answer::Said(status, Json::Null),
        Ok(text) => match serde_json::from_str(&text) {
            Ok(json) => Answer::Said(status, json),
            Err(_) => Answer::Said(status, Json::String(text)),
        },
        Err(error) => Answer::Lost(error.to_string()),
    }
}

fn is_unsent(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        ureq::Error::Timeout(timeout) => matches!(timeout, ureq::Timeout::Connect),
        ureq::Error::ConnectionFailed => true,
        _ => false,
    }
}
