//! What machines ask about the server: `/healthz`, `/readyz` and `/metrics`.
//!
//! A server is ready while it takes requests and can use at least one of its databases, or has none
//! yet. A damaged database, or a disk that is too full to write, does not make it unready: the other
//! databases and all reading would go with it. Such things are in the answer as counts and in the
//! metrics, to be alerted on.
//!
//! The first two are open to everyone and say nothing about anyone's data. `/metrics` names
//! databases: where there are keys it takes one of role `read`, and shows what that key may see.

use super::scrape;
use crate::{
    catalog::Seen,
    encoding::Encoding,
    http::{Problem, caller},
    keys::Role,
    server::{Context, Phase},
};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use std::sync::Arc;
use vectordoc::{Error, Result};

const HEALTH: &str = "/healthz";
const READY: &str = "/readyz";
const METRICS: &str = "/metrics";

/// The routes of machines that look after the server.
pub(crate) fn routes() -> Router<Arc<Context>> {
    Router::new()
        .route(HEALTH, get(|| async { "ok\n" }))
        .route(READY, get(ready))
        .route(METRICS, get(metrics))
}

/// Whether `path` says only that there is a server, to whoever asks and under any name.
pub(crate) fn is_probe(path: &str) -> bool {
    path == HEALTH || path == READY
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Ready {
    status: &'static str,
    databases: Databases,
}

/// How many databases there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Databases {
    usable: usize,
    /// Opened by the next request about them.
    asleep: usize,
    /// Not served until they are resumed.
    paused: usize,
    /// Being created, restored or dropped.
    changing: usize,
    /// They answer an error, which the log has.
    broken: usize,
}

async fn ready(State(context): State<Arc<Context>>) -> Result<Response, Problem> {
    let mut databases = Databases::default();
    for (_, seen) in context.catalog.overview() {
        match seen {
            Seen::Open(_) => databases.usable += 1,
            Seen::Asleep => databases.asleep += 1,
            Seen::Paused => databases.paused += 1,
            Seen::Changing => databases.changing += 1,
            Seen::Broken => databases.broken += 1,
        }
    }
    let phase = *context.phase.borrow();
    let ready = Encoding::Json.write(&readiness(phase, databases)?, usize::MAX)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], ready).into_response())
}

fn readiness(phase: Phase, databases: Databases) -> Result<Ready> {
    if phase > Phase::Serving {
        return Err(Error::unavailable("the server is shutting down"));
    }
    let Databases { usable, asleep, paused, changing, broken } = databases;
    if broken > 0 && usable + asleep + paused + changing == 0 {
        return Err(Error::unavailable(format!(
            "none of the {} databases can be used; the log says why",
            broken
        )));
    }
    Ok(Ready { status: "ready", databases })
}

async fn metrics(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = caller(&context.keyring, &headers).await?;
    caller.check(Role::Read, None)?;
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let format = scrape::Format::wanted(accept.unwrap_or_default());
    // One at a time: it walks through every database.
    let _turn = context.telemetry.turn().await;
    let asked = Arc::clone(&context);
    let job = move || scrape::scrape(&asked, &caller, format);
    let scraped = tokio::task::spawn_blocking(job).await;
    let text = scraped.map_err(|error| Error::internal(format!("counting: {error}")))??;
    Ok(([(header::CONTENT_TYPE, format.content_type())], text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_while_it_takes_requests_and_can_use_a_database() {
        let some = Databases { usable: 1, broken: 3, ..Databases::default() };
        let none = Databases { broken: 3, ..Databases::default() };
        let asleep = Databases { asleep: 1, broken: 3, ..Databases::default() };
        assert!(readiness(Phase::Serving, Databases::default()).is_ok());
        assert!(readiness(Phase::Serving, some).is_ok());
        assert!(readiness(Phase::Serving, asleep).is_ok());
        let refused = readiness(Phase::Serving, none).expect_err("none can be used");
        assert!(refused.message().contains("none of the 3"), "{refused}");
        for phase in [Phase::Draining, Phase::Ended] {
            assert!(readiness(phase, some).is_err(), "{phase:?}");
        }
    }
}
