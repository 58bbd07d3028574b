//! Clients of each transport. They do not look into what comes back, so that the cost is that of the
//! server and of the protocols.

use super::{
    messages::SearchRequest,
    rows::{DB, Row, queries},
};
use ciborium::Value as Cbor;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use std::{num::NonZero, thread, time::Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};
use tonic::{client::Grpc, codegen::http::uri::PathAndQuery, transport::Endpoint};
use tonic_prost::ProstCodec;
use vectordoc::Db;

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn object(fields: Vec<(&str, Cbor)>) -> Cbor {
    Cbor::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

fn typed_array(vector: &[f32]) -> Cbor {
    let bytes = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    Cbor::Tag(85, Box::new(Cbor::Bytes(bytes)))
}

fn bytes_of(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("memory takes it");
    bytes
}

fn call(id: u64, method: &str, params: Vec<(&str, Cbor)>) -> Message {
    Message::binary(bytes_of(&object(vec![
        ("jsonrpc", "2.0".into()),
        ("id", id.into()),
        ("method", method.into()),
        ("params", object([vec![("db", DB.into())], params].concat())),
    ])))
}

/// The searches for every query, as a WebSocket sends them.
pub(crate) fn searches() -> Vec<Message> {
    let search =
        |(id, query): (u64, Vec<f32>)| call(id, "search", vec![("vector", typed_array(&query))]);
    (0..).zip(queries()).map(search).collect()
}

/// The message that writes `rows`.
pub(crate) fn indexing(rows: impl Iterator<Item = Row>) -> Message {
    let doc = |row: Row| {
        object(vec![
            ("id", row.id.into()),
            ("embedding", typed_array(&row.embedding)),
            ("price", row.price.into()),
            ("title", row.title.into()),
        ])
    };
    call(0, "doc.index", vec![("docs", Cbor::Array(rows.map(doc).collect()))])
}

/// A connection that has been greeted.
pub(crate) async fn connected(url: &str) -> Socket {
    let mut request = format!("{url}/v1/ws").into_client_request().expect("a URL");
    let protocol = HeaderValue::from_static("vectordoc.v1.cbor");
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = connect_async(request).await.expect("a connection");
    socket.next().await.expect("a hello").expect("a hello");
    socket
}

/// The next answer, whatever it says.
pub(crate) async fn answer(
    socket: &mut (impl StreamExt<Item = Result<Message, Broken>> + Unpin),
) -> Bytes {
    loop {
        if let Message::Binary(answer) = socket.next().await.expect("open").expect("an answer") {
            return answer;
        }
    }
}

type Broken = tokio_tungstenite::tungstenite::Error;

/// Searches until `end`; how many.
pub(crate) async fn by_websocket(url: String, end: Instant) -> u64 {
    let mut socket = connected(&url).await;
    let mut count = 0;
    for message in searches().iter().cycle() {
        if Instant::now() > end {
            break;
        }
        socket.send(message.clone()).await.expect("sent");
        assert!(answer(&mut socket).await.len() > 300, "ten hits take more");
        count += 1;
    }
    count
}

/// Searches until `end`; how many.
pub(crate) async fn by_grpc(url: String, end: Instant) -> u64 {
    let endpoint = Endpoint::from_shared(url.replacen("ws://", "http://", 1)).expect("a URL");
    let mut grpc = Grpc::new(endpoint.connect().await.expect("a connection"));
    let path = PathAndQuery::from_static("/vectordoc.v1.VectorDoc/Search");
    let requests = queries().into_iter().map(|vector| SearchRequest {
        db: DB.into(),
        vector,
        ..SearchRequest::default()
    });
    let requests: Vec<SearchRequest> = requests.collect();
    let mut count = 0;
    for request in requests.iter().cycle() {
        if Instant::now() > end {
            break;
        }
        grpc.ready().await.expect("ready");
        let request = tonic::Request::new(request.clone());
        let codec = ProstCodec::<SearchRequest, ()>::default();
        grpc.unary(request, path.clone(), codec).await.expect("an answer");
        count += 1;
    }
    count
}

/// Searches until `end`; how many.
pub(crate) async fn by_http(url: String, end: Instant) -> u64 {
    let address = url.trim_start_matches("ws://").to_owned();
    let stream = TcpStream::connect(&address).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    let connection = tokio::spawn(connection);
    let bodies: Vec<Bytes> = queries()
        .iter()
        .map(|query| bytes_of(&object(vec![("vector", typed_array(query))])).into())
        .collect();
    let mut count = 0;
    for body in bodies.iter().cycle() {
        if Instant::now() > end {
            break;
        }
        let request = Request::post(format!("/v1/dbs/{DB}/search"))
            .header("host", &address)
            .header("content-type", "application/cbor")
            .header("accept", "application/cbor")
            .body(Full::new(body.clone()))
            .expect("a request");
        let answer = sender.send_request(request).await.expect("an answer");
        let answer = answer.into_body().collect().await.expect("all of it").to_bytes();
        assert!(answer.len() > 300, "ten hits take more");
        count += 1;
    }
    connection.abort();
    count
}

/// Searches without a server until `end`, on a thread per core; how many.
pub(crate) fn embedded(db: &Db<Row>, end: Instant) -> u64 {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let search = || {
        let mut count = 0;
        for query in queries().iter().cycle() {
            if Instant::now() > end {
                return count;
            }
            assert_eq!(db.search(query).limit(10).run().expect("hits").len(), 10);
            count += 1;
        }
        count
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(search)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    })
}
