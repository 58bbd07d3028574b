//! Requests over HTTP/1.1, each on a connection of its own.

use super::broken;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request,
    body::Bytes,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use hyper_util::rt::TokioIo;
use serde_json::Value as Json;
use tokio::net::TcpStream;
use vectordoc::Result;
use vectordoc_server::Server;

/// What a server said.
#[derive(Debug)]
pub(crate) struct Answer {
    /// 200 and the like.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Json {
        let body = || String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", body()))
    }

    /// The header `name`, empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The result; panics when it is an error.
    pub(crate) fn result(&self) -> Json {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }
}

/// A request about to be sent.
pub(crate) struct Http {
    address: std::net::SocketAddr,
    headers: HeaderMap,
}

impl Http {
    /// Requests to `server`.
    pub(crate) fn to(server: &Server) -> Self {
        Self { address: server.addr(), headers: HeaderMap::new() }
    }

    /// The same with one more header.
    pub(crate) fn with(&self, name: &'static str, value: &str) -> Self {
        let mut headers = self.headers.clone();
        let value = HeaderValue::from_str(value).expect("a header");
        headers.insert(HeaderName::from_static(name), value);
        Self { address: self.address, headers }
    }

    /// Sends `body` as it is.
    pub(crate) async fn send(
        &self,
        verb: &str,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<Answer> {
        let stream = TcpStream::connect(self.address).await.map_err(broken)?;
        let connected = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = connected.map_err(broken)?;
        let connection = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(verb)
            .uri(path)
            .header("host", format!("localhost:{}", self.address.port()))
            .body(Full::new(body.into()))
            .map_err(broken)?;
        request.headers_mut().extend(self.headers.clone());
        let answer = sender.send_request(request).await.map_err(broken)?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(broken)?.to_bytes();
        connection.abort();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    /// Sends JSON, or nothing where that is null.
    pub(crate) async fn ask(&self, verb: &str, path: &str, body: Json) -> Result<Answer> {
        if body.is_null() {
            return self.send(verb, path, Bytes::new()).await;
        }
        self.with("content-type", "application/json").send(verb, path, body.to_string()).await
    }
}
