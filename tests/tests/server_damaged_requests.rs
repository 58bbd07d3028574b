//! Promise: whatever bytes come as a message of a WebSocket, in JSON or CBOR, or as one of gRPC, the
//! server answers or ends the connection; nothing panics, nothing is an internal error, and the next
//! request is answered as ever.

mod grpc_fixture;
mod server_fixture;

use ciborium::Value as Cbor;
use futures_util::{SinkExt, StreamExt};
use grpc_fixture::{channel, messages as proto};
use prost::{Message as _, bytes::Buf, bytes::BufMut};
use serde_json::{Value as Json, json};
use server_fixture::{memory_server, product, within_time};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};
use tonic::{
    Code, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};
use vectordoc::{Result, VectorDoc};
use vectordoc_server::Server;
use vectordoc_tests::{decoders::changed, random};

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Counts panics of all threads, those of the server among them.
fn count_panics() {
    std::panic::set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        eprintln!("{panic}");
    }));
}

fn document() -> Json {
    let product = product(3);
    json!({"id": product.id, "embedding": product.embedding, "price": product.price,
           "tags": product.tags, "title": product.title})
}

/// Requests that are answered well; none of them takes the database away.
fn requests() -> Vec<Json> {
    let filter = json!({"$and": [{"price": {"$gt": 1}}, {"tags": {"$in": ["odd", "even"]}}]});
    let params = [
        ("db.create", json!({"db": "d", "schema": server_fixture::Product::schema().to_json()})),
        ("db.get", json!({"db": "d"})),
        ("db.list", json!({})),
        ("doc.index", json!({"db": "d", "docs": [document(), document()], "durability": "memory"})),
        ("doc.update", json!({"db": "d", "docs": [document()], "if_version": 1})),
        (
            "doc.patch",
            json!({"db": "d", "ids": ["p3"], "set": {"title": "b"}, "increment": {"price": 2}}),
        ),
        ("doc.get", json!({"db": "d", "ids": ["p3", "p4"], "include": ["title", "embedding"]})),
        ("doc.delete", json!({"db": "d", "filter": {"price": {"$lt": 0}}})),
        ("doc.count", json!({"db": "d", "filter": filter})),
        (
            "doc.scroll",
            json!({"db": "d", "limit": 5, "filter": filter, "order": {"price": "desc"}}),
        ),
        ("doc.facet", json!({"db": "d", "field": "tags", "limit": 5})),
        (
            "search",
            json!({"db": "d", "vector": [1.0, 0.5, 0.0], "limit": 3, "filter": filter, "offset": 1}),
        ),
        ("changes", json!({"db": "d", "since": 0, "limit": 10})),
    ];
    let request = |(method, params): &(&str, Json)| json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    params.iter().map(request).collect()
}

/// Asks with each of these messages, and after each something that must be answered. Returns how many
/// there were, and how many had a result.
async fn survives(
    server: &Server,
    protocol: Option<&'static str>,
    inputs: impl Iterator<Item = Message>,
    question: &Message,
    is_answer: impl Fn(&Message) -> bool,
    code_of: impl Fn(&Message) -> Option<String>,
) -> (u64, usize) {
    let connect = async || {
        let mut request =
            format!("{}/v1/ws", server.url()).into_client_request().expect("an address");
        if let Some(protocol) = protocol {
            let name = HeaderValue::from_static(protocol);
            request.headers_mut().insert("sec-websocket-protocol", name);
        }
        connect_async(request).await.expect("it connects").0
    };
    let mut socket = connect().await;
    let (mut count, mut results) = (0, 0);
    for input in inputs {
        count += 1;
        let story = format!("{input:?}");
        let is_sent =
            socket.send(input).await.is_ok() && socket.send(question.clone()).await.is_ok();
        loop {
            match if is_sent { socket.next().await } else { None } {
                Some(Ok(message)) if is_answer(&message) => break,
                Some(Ok(message)) => match code_of(&message) {
                    Some(code) => assert_ne!(code, "internal", "{story}: {message:?}"),
                    None => results += 1,
                },
                // Whoever was sent away can come again.
                Some(Err(_)) | None => {
                    socket = connect().await;
                    break;
                }
            }
        }
    }
    (count, results)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_of_a_websocket_makes_it_panic() -> Result<()> {
    within_time(async {
        count_panics();
        let mut rng = fastrand::Rng::with_seed(random::seed(41));
        let server = memory_server().await?;
        let programs = random::budget(1_500);
        let seeds: Vec<Vec<u8>> =
            requests().iter().map(|request| request.to_string().into_bytes()).collect();
        // Undamaged first: these have to do something.
        let whole = seeds.clone().into_iter();
        let texts = whole.chain((0..programs).map(|_| changed(&mut rng, &seeds)));
        let texts = texts.map(|bytes| Message::text(String::from_utf8_lossy(&bytes).into_owned()));
        let question = json!({"jsonrpc": "2.0", "id": "end", "method": "db.list"}).to_string();
        let json_of =
            |message: &Message| serde_json::from_slice::<Json>(&message.clone().into_data());
        let (count, results) = survives(
            &server,
            None,
            texts,
            &Message::text(question),
            |message| json_of(message).is_ok_and(|answer| answer["id"] == "end"),
            |message| {
                let code = &json_of(message).expect("JSON")["error"]["data"]["code"];
                code.as_str().map(str::to_owned)
            },
        )
        .await;
        assert!(results > requests().len(), "{results} of {count} had a result");
        random::figure("server_damaged.json", count, "damaged requests, 0 panics");

        let mut rng = fastrand::Rng::with_seed(random::seed(42));
        let cbor_of = |json: &Json| {
            let mut bytes = Vec::new();
            ciborium::into_writer(json, &mut bytes).expect("it is written");
            bytes
        };
        let seeds: Vec<Vec<u8>> = requests().iter().map(cbor_of).collect();
        let whole = seeds.clone().into_iter();
        let frames = whole.chain((0..programs).map(|_| changed(&mut rng, &seeds)));
        let question = cbor_of(&json!({"jsonrpc": "2.0", "id": 77_777, "method": "db.list"}));
        let text_of = |message: &Message| {
            let read = ciborium::from_reader::<Cbor, _>(&message.clone().into_data()[..]);
            read.map(|answer| format!("{answer:?}")).expect("CBOR")
        };
        let (count, results) = survives(
            &server,
            Some("vectordoc.v1.cbor"),
            frames.map(Message::binary),
            &Message::binary(question),
            |message| text_of(message).contains("77777"),
            |message| {
                let text = text_of(message);
                let code = if text.contains("\"internal\"") { "internal" } else { "another" };
                text.contains("\"error\"").then(|| code.to_owned())
            },
        )
        .await;
        assert!(results > requests().len(), "{results} of {count} had a result");
        random::figure("server_damaged.cbor", count, "damaged requests, 0 panics");
        assert_eq!(PANICS.load(Ordering::Relaxed), 0);
        server.shutdown().await
    })
    .await
}

/// Messages as they are.
#[derive(Clone, Default)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut bytes = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut bytes);
        Ok(Some(bytes))
    }
}

/// Calls of gRPC and a message of each.
fn calls() -> Vec<(&'static str, Vec<u8>)> {
    use grpc_fixture::{document, id, text, value, vector};
    let doc = document([
        ("id", text("p3")),
        ("embedding", vector(&[1.0, 0.5, 0.0])),
        ("price", value(proto::value::Kind::DoubleValue(1.0))),
        ("tags", value(proto::value::Kind::ListValue(proto::List { values: vec![text("a")] }))),
        ("title", text("b")),
    ]);
    let filter = json!({"price": {"$gt": 1}}).to_string();
    let db = || "d".to_owned();
    let docs = || vec![doc.clone(), doc.clone()];
    vec![
        (
            "Index",
            proto::IndexRequest { db: db(), docs: docs(), ..Default::default() }.encode_to_vec(),
        ),
        (
            "Update",
            proto::UpdateRequest { db: db(), docs: docs(), ..Default::default() }.encode_to_vec(),
        ),
        (
            "Get",
            proto::GetRequest { db: db(), ids: vec![id("p3")], ..Default::default() }
                .encode_to_vec(),
        ),
        (
            "Search",
            proto::SearchRequest {
                db: db(),
                vector: vec![1.0, 0.5, 0.0],
                filter: filter.clone(),
                limit: 3,
                ..Default::default()
            }
            .encode_to_vec(),
        ),
        (
            "Count",
            proto::CountRequest { db: db(), filter: filter.clone(), ..Default::default() }
                .encode_to_vec(),
        ),
        ("Scroll", proto::ScrollRequest { db: db(), filter, ..Default::default() }.encode_to_vec()),
        (
            "Facet",
            proto::FacetRequest { db: db(), field: "tags".into(), ..Default::default() }
                .encode_to_vec(),
        ),
        (
            "Delete",
            proto::DeleteRequest { db: db(), ids: vec![id("p9")], ..Default::default() }
                .encode_to_vec(),
        ),
        ("ListDatabases", proto::ListDatabasesRequest {}.encode_to_vec()),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_of_grpc_makes_it_panic() -> Result<()> {
    within_time(async {
        count_panics();
        let mut rng = fastrand::Rng::with_seed(random::seed(43));
        let server = memory_server().await?;
        let mut client = tonic::client::Grpc::new(channel(&server.url()).await?);
        let schema = Json::Object(server_fixture::Product::schema().to_json()).to_string();
        let create = proto::CreateDatabaseRequest { db: "d".into(), schema, ..Default::default() };
        let calls = calls();
        let seeds: Vec<Vec<u8>> = calls.iter().map(|(_, bytes)| bytes.clone()).collect();
        let mut count = 0;
        let mut answered = 0;
        let whole = calls.iter().map(|(name, bytes)| (*name, bytes.clone()));
        let damaged = (0..random::budget(1_500)).map(|_| {
            let name = calls[rng.usize(..calls.len())].0;
            (name, changed(&mut rng, &seeds))
        });
        let first = [("CreateDatabase", create.encode_to_vec())];
        for (name, bytes) in first.into_iter().chain(whole).chain(damaged) {
            count += 1;
            client.ready().await.expect("the connection lives");
            let path = format!("/vectordoc.v1.VectorDoc/{name}").parse().expect("a path");
            let answer = client.unary(tonic::Request::new(bytes.clone()), path, Bytes).await;
            match answer {
                Ok(_) => answered += 1,
                Err(status) => {
                    let is_told = !matches!(status.code(), Code::Unknown | Code::Unavailable);
                    let is_internal = grpc_fixture::error_of(&status).kind().code() == "internal"
                        && !status.message().contains("decode");
                    assert!(is_told && !is_internal, "{name} {bytes:?}: {status:?}");
                }
            }
        }
        assert!(answered > calls.len() as u64, "{answered} of {count}");
        assert_eq!(PANICS.load(Ordering::Relaxed), 0);
        random::figure("server_damaged.grpc", count, "damaged requests, 0 panics");
        server.shutdown().await
    })
    .await
}
