//! What a search costs over gRPC, compared with the same search over WebSocket in CBOR:
//! `cargo bench -p vectordoc-tests --bench transports`. Rounds alternate, and what is printed is the
//! median of their ratios. Clients do not look into what comes back, so that the ratio is about the
//! server and the protocols.

#[path = "../../node-server/src/grpc/generated/messages.rs"]
#[rustfmt::skip]
#[allow(missing_docs, unreachable_pub, dead_code, clippy::all)]
mod messages;

use ciborium::Value as Cbor;
use futures_util::{SinkExt, StreamExt};
use messages::SearchRequest;
use std::{
    future::Future,
    io::Write,
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, task::JoinSet};
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

/// A search as a WebSocket sends it.
fn message(vector: &[f32]) -> Vec<u8> {
    let bytes = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    let object = |fields: Vec<(&str, Cbor)>| {
        Cbor::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
    };
    let vector = Cbor::Tag(85, Box::new(Cbor::Bytes(bytes)));
    let request = object(vec![
        ("jsonrpc", "2.0".into()),
        ("id", 1.into()),
        ("method", "search".into()),
        ("params", object(vec![("db", "row".into()), ("vector", vector)])),
    ]);
    let mut message = Vec::new();
    ciborium::into_writer(&request, &mut message).expect("memory takes it");
    message
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

/// Searches a second by so many clients.
fn round<F>(runtime: &Runtime, clients: usize, url: &str, client: fn(String, Instant) -> F) -> f64
where
    F: Future<Output = u64> + Send + 'static,
{
    runtime.block_on(async {
        let started = Instant::now();
        let mut all = JoinSet::new();
        for _ in 0..clients {
            all.spawn(client(url.to_owned(), started + ROUND));
        }
        let searches: u64 = all.join_all().await.into_iter().sum();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let searches = searches as f64;
        searches / started.elapsed().as_secs_f64()
    })
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
    for clients in CLIENTS {
        let rounds = (0..ROUNDS).map(|_| {
            let websocket = round(&runtime, clients, &service.url(), by_websocket);
            (websocket, round(&runtime, clients, &service.url(), by_grpc))
        });
        let rounds: Vec<_> = rounds.collect();
        let ratio = median(rounds.iter().map(|(websocket, grpc)| grpc / websocket).collect());
        let websocket = median(rounds.iter().map(|(websocket, _)| *websocket).collect());
        let _ = writeln!(
            output,
            "{clients:>2} clients: gRPC makes {ratio:.2} of the searches of WebSocket (CBOR), which \
             made {websocket:.0} a second here"
        );
    }
    service.shutdown()
}
