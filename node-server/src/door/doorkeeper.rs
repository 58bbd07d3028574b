//! Which web pages may talk to this server. A browser sends requests wherever a page tells it to,
//! so a server that listens on loopback only is within reach of every page its user visits.

use crate::{http::Problem, server::Context};
use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{net::IpAddr, sync::Arc, time::Duration};
use tower_http::cors::{AllowOrigin, CorsLayer};
use vectordoc::{Error, Result};

/// How long a browser may remember what it was told of an origin.
const PREFLIGHT_AGE: Duration = Duration::from_secs(600);

/// Refuses requests by where they say they come from and go to.
pub(crate) struct Doorkeeper {
    /// Web origins allowed beside those of this machine.
    origins: Vec<String>,
    /// Whether this server can be reached from this machine only. Then a request for another host
    /// is a web page that lies about its own (DNS rebinding).
    loopback: bool,
}

/// Hands a request on, unless the doorkeeper refuses it.
pub(crate) async fn admit(
    State(context): State<Arc<Context>>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    match context.doorkeeper.check(&parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(error) => Problem::from(error).into_response(),
    }
}

/// What tells browsers that pages of the allowed origins may read answers (CORS).
pub(crate) fn cors(context: &Arc<Context>) -> CorsLayer {
    let context = Arc::clone(context);
    let is_allowed = move |origin: &HeaderValue, _: &Parts| context.doorkeeper.allows(origin);
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_allowed))
        .allow_methods([Method::GET, Method::PUT, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
        ])
        .expose_headers([header::ETAG, header::RETRY_AFTER])
        .max_age(PREFLIGHT_AGE)
}

impl Doorkeeper {
    /// For a server that allows these origins.
    pub(crate) fn new(origins: Vec<String>, loopback: bool) -> Self {
        Self { origins, loopback }
    }

    /// `denied` for a request that a stranger's page has sent.
    fn check(&self, request: &Parts) -> Result<()> {
        self.check_host(request)?;
        self.check_origin(request.headers.get(header::ORIGIN))
    }

    fn check_host(&self, request: &Parts) -> Result<()> {
        let header = request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = request.uri.authority().map(|authority| authority.as_str()).or(header);
        if !self.loopback || host.is_some_and(is_this_machine) {
            return Ok(());
        }
        Err(Error::denied("this server answers to localhost only"))
    }

    fn check_origin(&self, origin: Option<&HeaderValue>) -> Result<()> {
        match origin {
            Some(origin) if !self.allows(origin) => Err(Error::denied(format!(
                "pages of {:?} may not connect; the server can allow that origin",
                origin.to_str().unwrap_or_default()
            ))),
            _ => Ok(()),
        }
    }

    /// Whether pages of `origin` may connect.
    fn allows(&self, origin: &HeaderValue) -> bool {
        let origin = origin.to_str().unwrap_or_default();
        let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
        is_this_machine(authority) || self.origins.iter().any(|allowed| allowed == origin)
    }
}

/// Whether `authority`, a host with or without port, is this machine.
fn is_this_machine(authority: &str) -> bool {
    let Ok(uri) = authority.parse::<Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host.to_ascii_lowercase().ends_with(".localhost")
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_admitted(headers: &[(&str, &str)]) -> bool {
        let mut request = axum::http::Request::builder().uri("/v1/ws");
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "localhost:7700");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        Doorkeeper::new(vec!["https://example.org".into()], true).check(&parts).is_ok()
    }

    #[test]
    fn pages_of_strangers_are_refused() {
        for origin in ["http://localhost:8080", "http://[::1]", "https://app.localhost"] {
            assert!(is_admitted(&[("origin", origin)]), "{origin}");
        }
        assert!(is_admitted(&[("origin", "https://example.org")]));
        for origin in ["https://example.com", "null", "", "http://localhost.example.com"] {
            assert!(!is_admitted(&[("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn a_local_server_answers_to_local_names_only() {
        assert!(is_admitted(&[("host", "127.0.0.1:7700")]));
        assert!(is_admitted(&[("host", "[::1]:7700")]));
        assert!(!is_admitted(&[("host", "rebound.example.com:7700")]));
    }
}
