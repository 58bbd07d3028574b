//! What a search costs over gRPC, over HTTP and embedded, compared with the same search over WebSocket
//! in CBOR: `cargo bench -p vectordoc-tests --bench transports`. Rounds alternate, and what is printed
//! is the median of their ratios. Clients do not look into what comes back, so that the ratio is about the
//! server and the protocols.

#[path = "../../node-server/src/grpc/generated/messages.rs"]
#[rustfmt::skip]
#[allow(missing_docs, unreachable_pub, dead_code, clippy::all)]
mod messages;

use ciborium::Value as Cbor;
use futures_util::{SinkExt, StreamExt, future::BoxFuture};
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use messages::SearchRequest;
use std::{
    io::Write,
    num::NonZero,
    thread,
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, runtime::Runtime, task::JoinSet};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};
use tonic::{client::Grpc, codegen::http::uri::PathAndQuery, transport::Endpoint};
use tonic_prost::ProstCodec;
use vectordoc::{Db, VectorDoc};
use vectordoc_server::{Serve, ServeOptions};

const DIM: usize = 384;
const DOCUMENTS: u64 = 10_000;
const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_secs(1);
const CLIENTS: [usize; 2] = [8, 32];

#[derive(Clone, Debug, VectorDoc)]
struct Row {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 384, metric = "cosine"))]
    embedding: Vec<f32>,
    #[vectordoc(filter)]
    price: f64,
    title: String,
}

fn vector(rng: &mut fastrand::Rng) -> Vec<f32> {
    (0..DIM).map(|_| rng.f32() - 0.5).collect()
}

fn queries() -> Vec<Vec<f32>> {
    let mut rng = fastrand::Rng::with_seed(2);
    (0..256).map(|_| vector(&mut rng)).collect()
}

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

/// A search as a WebSocket sends it.
fn message(vector: &[f32]) -> Vec<u8> {
    bytes_of(&object(vec![
        ("jsonrpc", "2.0".into()),
        ("id", 1.into()),
        ("method", "search".into()),
        ("params", object(vec![("db", "row".into()), ("vector", typed_array(vector))])),
    ]))
}

/// Searches until `end`; how many.
async fn by_websocket(url: String, end: Instant) -> u64 {
    let mut request = format!("{url}/v1/ws").into_client_request().expect("a URL");
    let protocol = HeaderValue::from_static("vectordoc.v1.cbor");
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = connect_async(request).await.expect("a connection");
    socket.next().await.expect("a hello").expect("a hello");
    let messages: Vec<Vec<u8>> = queries().iter().map(|query| message(query)).collect();
    let mut searches = 0;
    for message in messages.iter().cycle() {
        if Instant::now() > end {
            break;
        }
        socket.send(Message::binary(message.clone())).await.expect("sent");
        let answer = loop {
            let message = socket.next().await.expect("open").expect("an answer");
            if let Message::Binary(answer) = message {
                break answer;
            }
        };
        assert!(answer.len() > 300, "ten hits take more");
        searches += 1;
    }
    searches
}

/// Searches until `end`; how many.
async fn by_grpc(url: String, end: Instant) -> u64 {
    let endpoint = Endpoint::from_shared(url.replacen("ws://", "http://", 1)).expect("a URL");
    let mut grpc = Grpc::new(endpoint.connect().await.expect("a connection"));
    let path = PathAndQuery::from_static("/vectordoc.v1.VectorDoc/Search");
    let requests = queries().into_iter().map(|vector| SearchRequest {
        db: "row".into(),
        vector,
        ..SearchRequest::default()
    });
    let requests: Vec<SearchRequest> = requests.collect();
    let mut searches = 0;
    for request in requests.iter().cycle() {
        if Instant::now() > end {
            break;
        }
        grpc.ready().await.expect("ready");
        let request = tonic::Request::new(request.clone());
        let codec = ProstCodec::<SearchRequest, ()>::default();
        grpc.unary(request, path.clone(), codec).await.expect("an answer");
        searches += 1;
    }
    searches
}

/// Searches until `end`; how many.
async fn by_http(url: String, end: Instant) -> u64 {
    let address = url.trim_start_matches("ws://").to_owned();
    let stream = TcpStream::connect(&address).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    let connection = tokio::spawn(connection);
    let bodies: Vec<Bytes> = queries()
        .iter()
        .map(|query| bytes_of(&object(vec![("vector", typed_array(query))])).into())
        .collect();
    let mut searches = 0;
    for body in bodies.iter().cycle() {
        if Instant::now() > end {
            break;
        }
        let request = Request::post("/v1/dbs/row/search")
            .header("host", &address)
            .header("content-type", "application/cbor")
            .header("accept", "application/cbor")
            .body(Full::new(body.clone()))
            .expect("a request");
        let answer = sender.send_request(request).await.expect("an answer");
        let answer = answer.into_body().collect().await.expect("all of it").to_bytes();
        assert!(answer.len() > 300, "ten hits take more");
        searches += 1;
    }
    connection.abort();
    searches
}

/// Searches without a server until `end`, on a thread per core; how many.
fn embedded(db: &Db<Row>, end: Instant) -> u64 {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let search = || {
        let mut searches = 0;
        for query in queries().iter().cycle() {
            if Instant::now() > end {
                return searches;
            }
            let hits = db.search(query).limit(10).run().expect("hits");
            assert_eq!(hits.len(), 10);
            searches += 1;
        }
        searches
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(search)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    })
}

/// Searches until an instant; how many.
type Client = fn(String, Instant) -> BoxFuture<'static, u64>;

/// Searches a second by so many clients.
fn round(runtime: &Runtime, clients: usize, url: &str, client: Client) -> f64 {
    runtime.block_on(async {
        let started = Instant::now();
        let mut all = JoinSet::new();
        for _ in 0..clients {
            all.spawn(client(url.to_owned(), started + ROUND));
        }
        per_second(all.join_all().await.into_iter().sum(), started)
    })
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn per_second(searches: u64, started: Instant) -> f64 {
    searches as f64 / started.elapsed().as_secs_f64()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn main() -> vectordoc::Result<()> {
    let db = Db::<Row>::in_memory()?;
    let mut rng = fastrand::Rng::with_seed(1);
    let row = |id: u64| {
        let (embedding, price) = (vector(&mut rng), f64::from(u32::try_from(id).expect("small")));
        Row { id, embedding, price, title: format!("Title of row {id}") }
    };
    db.index((0..DOCUMENTS).map(row).collect::<Vec<_>>())?;
    db.database().wait_indexed(&mut |_, _| {})?;
    let service = db.serve(ServeOptions::default().port(0).name("row"))?;
    let runtime = Runtime::new().expect("a runtime");
    let mut output = std::io::stdout();
    let others: [(&str, Client); 2] = [
        ("gRPC", |url, end| Box::pin(by_grpc(url, end))),
        ("HTTP (CBOR)", |url, end| Box::pin(by_http(url, end))),
    ];
    for clients in CLIENTS {
        let url = service.url();
        let mut ratios: [Vec<f64>; 3] = Default::default();
        let mut searches = Vec::new();
        for _ in 0..ROUNDS {
            let websocket =
                round(&runtime, clients, &url, |url, end| Box::pin(by_websocket(url, end)));
            for (ratios, (_, client)) in ratios.iter_mut().zip(others) {
                ratios.push(round(&runtime, clients, &url, client) / websocket);
            }
            let started = Instant::now();
            ratios[2].push(websocket / per_second(embedded(&db, started + ROUND), started));
            searches.push(websocket);
        }
        let [grpc, http, embedded] = ratios.map(median);
        let _ = writeln!(
            output,
            "{clients:>2} clients over WebSocket (CBOR) make {:.0} searches a second here, {embedded:.2} \
             of what is made embedded; gRPC {grpc:.2} and HTTP (CBOR) {http:.2} of that",
            median(searches)
        );
    }
    service.shutdown()
}
