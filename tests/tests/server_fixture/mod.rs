//! What the server's judges share: a document type, a server on a free port, and a client that
//! says exactly what it is told.

// Each judge uses a part of this.
#![allow(dead_code)]

pub(crate) mod described;
pub(crate) mod http;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use std::{future::Future, path::Path, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue, protocol::CloseFrame},
};
use vectordoc::{Client, Error, ErrorKind, Result, VectorDoc};
use vectordoc_server::{Catalog, ServeOptions, Server};

/// How long a test may take; no test waits for anything that takes a noticeable part of this.
const TEST_TIMEOUT: Duration = Duration::from_secs(120);

/// A document with one field of every sort the tests ask about.
#[derive(Clone, Debug, PartialEq, VectorDoc)]
pub(crate) struct Product {
    #[vectordoc(id)]
    pub(crate) id: String,
    #[vectordoc(vector(dim = 3, metric = "cosine"))]
    pub(crate) embedding: Vec<f32>,
    #[vectordoc(filter)]
    pub(crate) price: f64,
    #[vectordoc(filter)]
    pub(crate) tags: Vec<String>,
    pub(crate) title: String,
}

/// The product of this number: they point into all directions of a plane, and cost their number.
pub(crate) fn product(number: u32) -> Product {
    let price = f64::from(number);
    Product {
        id: format!("p{number}"),
        embedding: direction(number),
        price,
        tags: vec![if number.is_multiple_of(2) { "even" } else { "odd" }.into()],
        title: format!("Product {number}"),
    }
}

/// The products of numbers below `count`.
pub(crate) fn products(count: u32) -> Vec<Product> {
    (0..count).map(product).collect()
}

/// A direction for each number up to a thousand, further from that of 0 the greater the number.
pub(crate) fn direction(number: u32) -> Vec<f32> {
    let turned = f64::from(number) / 1000.0 * std::f64::consts::PI;
    #[expect(clippy::cast_possible_truncation)]
    let component = |value: f64| value as f32;
    vec![component(turned.cos()), component(turned.sin()), 0.0]
}

/// Runs a test that may not hang.
pub(crate) async fn within_time<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(TEST_TIMEOUT, test).await.expect("the test hangs")
}

/// Any free port of this machine.
pub(crate) fn any_port() -> ServeOptions {
    ServeOptions::default().port(0)
}

/// A server whose databases live in memory.
pub(crate) async fn memory_server() -> Result<Server> {
    Server::start(Catalog::in_memory(1), &any_port()).await
}

/// A server of the data directory `path`.
pub(crate) async fn server_of(path: &Path) -> Result<Server> {
    Server::open(path, &any_port()).await
}

/// A client of the products of `server`, which it creates with `shards` shards.
pub(crate) async fn client_of(server: &Server, shards: usize) -> Result<Client<Product>> {
    Client::builder(server.url()).db("products").shards(shards).connect().await
}

/// The same, of a client that makes no request twice.
pub(crate) async fn impatient_client_of(server: &Server, shards: usize) -> Result<Client<Product>> {
    let builder = Client::builder(server.url()).db("products").shards(shards);
    builder.retry_for(Duration::ZERO).connect().await
}

/// The kind of error `result` is.
pub(crate) fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

/// A WebSocket without a client's good manners.
pub(crate) struct Wire {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The server's first message.
    pub(crate) hello: Json,
    last_id: u64,
}

impl Wire {
    /// Connects and hears the hello.
    pub(crate) async fn open(server: &Server) -> Result<Self> {
        Self::open_with(server, None).await
    }

    /// Connects with this `authorization` header and hears the hello.
    pub(crate) async fn open_with(server: &Server, authorization: Option<&str>) -> Result<Self> {
        let headers: Vec<_> = authorization.iter().map(|value| ("authorization", *value)).collect();
        Self::open_at(&server.url(), &headers).await
    }

    /// Connects to the server at `url` with these headers and hears the hello.
    pub(crate) async fn open_at(url: &str, headers: &[(&'static str, &str)]) -> Result<Self> {
        let mut request = format!("{url}/v1/ws").into_client_request().map_err(broken)?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).map_err(broken)?);
        }
        let (socket, _) = connect_async(request).await.map_err(broken)?;
        let mut wire = Self { socket, hello: Json::Null, last_id: 0 };
        wire.hello = wire.receive().await?;
        Ok(wire)
    }

    /// Sends one message.
    pub(crate) async fn send(&mut self, message: impl Into<Message>) -> Result<()> {
        self.socket.send(message.into()).await.map_err(broken)
    }

    /// Sends one message as text.
    pub(crate) async fn say(&mut self, text: &str) -> Result<()> {
        self.send(Message::text(text)).await
    }

    /// The next message that is no ping.
    pub(crate) async fn receive(&mut self) -> Result<Json> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    return serde_json::from_str(&text).map_err(broken);
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => return Err(Error::unavailable(format!("instead of text: {other:?}"))),
            }
        }
    }

    /// How the server ends the connection, whatever it says before; says goodbye too.
    pub(crate) async fn hear_close(&mut self) -> Option<CloseFrame> {
        let mut end = None;
        while let Some(Ok(message)) = self.socket.next().await {
            if let Message::Close(frame) = message {
                end = frame;
            }
        }
        end
    }

    /// The whole answer to `method` with `params`.
    pub(crate) async fn ask(&mut self, method: &str, params: Json) -> Result<Json> {
        self.last_id += 1;
        let id = self.last_id;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.say(&request.to_string()).await?;
        let answer = self.receive().await?;
        assert_eq!(answer["id"], json!(id), "{answer}");
        Ok(answer)
    }

    /// The result of `method` with `params`; panics when it is an error.
    pub(crate) async fn result(&mut self, method: &str, params: Json) -> Result<Json> {
        let mut answer = self.ask(method, params).await?;
        assert!(answer["error"].is_null(), "{answer}");
        Ok(answer["result"].take())
    }
}

/// The whole answer to a GET of `path` at `address` with these headers, as text.
pub(crate) async fn http_get(
    address: impl tokio::net::ToSocketAddrs,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<String> {
    let mut request = format!("GET {path} HTTP/1.1\r\nconnection: close\r\n");
    let host = [("host", "localhost")];
    let has_host = headers.iter().any(|(name, _)| *name == "host");
    for (name, value) in headers.iter().chain(host.iter().filter(|_| !has_host)) {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    let mut stream = TcpStream::connect(address).await.map_err(broken)?;
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.map_err(broken)?;
    Ok(answer)
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::unavailable(error.to_string())
}
