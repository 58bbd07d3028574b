//! Which web pages may talk to this server. A browser sends requests wherever a page tells it to,
//! so a server that listens on loopback only is within reach of every page its user visits.

use crate::{http::Problem, server::Context, telemetry};
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
    /// What the URLs of the server's own pages begin with, if it has some.
    own_scheme: Option<&'static str>,
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
    /// For a server that allows these origins beside its own pages, whose URLs begin with
    /// `own_scheme`.
    pub(crate) fn new(
        origins: Vec<String>,
        loopback: bool,
        own_scheme: Option<&'static str>,
    ) -> Self {
        Self { origins, loopback, own_scheme }
    }

    /// `denied` for a request that a stranger's page has sent.
    fn check(&self, request: &Parts) -> Result<()> {
        // Who watches over a server calls it by whatever name reaches it.
        let header = request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = request.uri.authority().map(|authority| authority.as_str()).or(header);
        if !telemetry::is_probe(request.uri.path()) {
            self.check_host(host)?;
        }
        self.check_origin(request.headers.get(header::ORIGIN), host)
    }

    fn check_host(&self, host: Option<&str>) -> Result<()> {
        if !self.loopback || host.is_some_and(is_this_machine) {
            return Ok(());
        }
        Err(Error::denied("this server answers to localhost only"))
    }

    fn check_origin(&self, origin: Option<&HeaderValue>, host: Option<&str>) -> Result<()> {
        match origin {
            Some(origin) if self.is_own(origin, host) => Ok(()),
            Some(origin) if !self.allows(origin) => Err(Error::denied(format!(
                "pages of {:?} may not connect; the server can allow that origin",
                origin.to_str().unwrap_or_default()
            ))),
            _ => Ok(()),
        }
    }

    /// Whether `origin` is where this server's own pages are, seen from a request to `host`. A name
    /// may be a stranger's that was led here (DNS rebinding), which looks the same from here: it is
    /// believed over TLS, where a browser has checked it. A number leads nowhere else.
    fn is_own(&self, origin: &HeaderValue, host: Option<&str>) -> bool {
        let Some((scheme, authority)) =
            origin.to_str().ok().and_then(|origin| origin.split_once("://"))
        else {
            return false;
        };
        self.own_scheme == Some(scheme)
            && host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
            && (scheme == "https" || address_of(authority).is_some())
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
    let host = host_of(authority).to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || address_of(authority).is_some_and(|address| address.is_loopback())
}

/// The address that `authority` is, if it is no name.
fn address_of(authority: &str) -> Option<IpAddr> {
    host_of(authority).parse().ok()
}

/// `authority` without its port and brackets; empty when it is none.
fn host_of(authority: &str) -> String {
    let uri = authority.parse::<Uri>().unwrap_or_default();
    uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_admitted(headers: &[(&str, &str)]) -> bool {
        is_admitted_at("/v1/ws", headers)
    }

    fn is_admitted_at(path: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = axum::http::Request::builder().uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "localhost:7700");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let doorkeeper = Doorkeeper::new(vec!["https://example.org".into()], true, Some("http"));
        doorkeeper.check(&parts).is_ok()
    }

    /// Whether pages of `origin` may ask a server that other machines reach, as `host`.
    fn is_admitted_from_afar(own: Option<&'static str>, origin: &str, host: &str) -> bool {
        let request = axum::http::Request::builder().header("origin", origin).header("host", host);
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        Doorkeeper::new(Vec::new(), false, own).check(&parts).is_ok()
    }

    #[test]
    fn a_servers_own_pages_are_those_of_the_name_it_is_called_by_if_that_is_surely_its_own() {
        let admitted = |origin, host| is_admitted_from_afar(Some("https"), origin, host);
        assert!(admitted("https://db.example.org:7700", "db.example.org:7700"));
        assert!(admitted("https://10.0.0.7:7700", "10.0.0.7:7700"));
        assert!(admitted("https://db.example.org", "DB.example.org"));
        assert!(!admitted("http://db.example.org:7700", "db.example.org:7700"));
        assert!(!admitted("https://db.example.org:7701", "db.example.org:7700"));
        assert!(!admitted("https://example.com", "db.example.org"));
        let admitted = |origin, host| is_admitted_from_afar(Some("http"), origin, host);
        assert!(admitted("http://10.0.0.7:7700", "10.0.0.7:7700"));
        assert!(admitted("http://[2001:db8::7]:7700", "[2001:db8::7]:7700"));
        assert!(!admitted("http://rebound.example.com:7700", "rebound.example.com:7700"));
        assert!(!admitted("http://10.0.0.8:7700", "10.0.0.7:7700"));
        assert!(!admitted("https://10.0.0.7:7700", "10.0.0.7:7700"));
        assert!(!is_admitted_from_afar(None, "https://10.0.0.7:7700", "10.0.0.7:7700"));
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
        for (path, admitted) in [("/healthz", true), ("/readyz", true), ("/metrics", false)] {
            assert_eq!(is_admitted_at(path, &[("host", "pod-7:7700")]), admitted, "{path}");
            let strange = [("origin", "https://example.com")];
            assert!(!is_admitted_at(path, &strange), "{path}");
        }
    }
}
