//! Every operation, asked for over every transport, has the same answer and the same error; and
//! what HTTP answers is what `/openapi.json` says.
//!
//! Each transport has a server of its own, and the same requests in the same order. CBOR over
//! WebSocket is in `server_cbor`.

mod grpc_fixture;
mod server_fixture;

use serde_json::{Value as Json, json};
use server_fixture::{
    Product, Wire, described::Described, direction, http::Http, memory_server, within_time,
};
use std::collections::BTreeSet;
use vectordoc::{Result, VectorDoc};

/// A request and what it says: a result, or an error by code and message.
type Said = std::result::Result<Json, (String, String)>;

fn doc(number: u32) -> Json {
    json!({
        "id": format!("p{number}"),
        "embedding": direction(number * 10),
        "price": number,
        "tags": [if number.is_multiple_of(2) { "even" } else { "odd" }],
        "title": format!("Product {number}"),
    })
}

/// Requests that every operation is in, those with errors too, in an order that makes sense.
fn program() -> Vec<(&'static str, Json)> {
    let db = "products";
    let schema = Product::schema().to_json();
    let docs: Vec<_> = (0..20).map(doc).collect();
    let here = [1.0, 0.0, 0.0];
    vec![
        ("db.list", json!({})),
        ("db.get", json!({"db": db})),
        ("db.create", json!({"db": db, "schema": schema, "shards": 2})),
        ("db.create", json!({"db": db, "schema": {"id": "u64", "e": {"vector": 2}}})),
        ("db.create", json!({"db": "Products", "schema": schema})),
        ("db.create", json!({"db": "other", "schema": schema, "replicas": 3})),
        ("db.get", json!({"db": db})),
        ("doc.index", json!({"db": db, "docs": docs})),
        ("doc.index", json!({"db": db, "docs": [doc(20)], "durability": "memory"})),
        ("doc.index", json!({"db": db, "docs": [doc(20)], "durability": "quorum"})),
        ("doc.index", json!({"db": db, "docs": [{"id": "x", "embedding": [1.0]}]})),
        ("doc.index", json!({"db": db, "docs": [doc(20)], "if_version": 0})),
        ("doc.update", json!({"db": db, "doc": doc(1)})),
        ("doc.update", json!({"db": db, "doc": doc(99)})),
        ("doc.update", json!({"db": db, "docs": [doc(2), doc(3)]})),
        ("doc.patch", json!({"db": db, "id": "p4", "set": {"title": "Four"}})),
        ("doc.patch", json!({"db": db, "id": "p4", "increment": {"price": 0.5}})),
        ("doc.patch", json!({"db": db, "id": "nobody", "set": {"title": "Four"}})),
        ("doc.patch", json!({"db": db, "filter": {"tags": "odd"}, "set": {"title": "Odd"}})),
        ("doc.patch", json!({"db": db, "id": "p4"})),
        ("doc.get", json!({"db": db, "id": "p4"})),
        ("doc.get", json!({"db": db, "id": "p4", "include": "*"})),
        ("doc.get", json!({"db": db, "id": "nobody"})),
        ("doc.get", json!({"db": db, "ids": ["p1", "nobody", "p5"], "include": ["title"]})),
        ("search", json!({"db": db, "vector": here, "limit": 3})),
        ("search", json!({"db": db, "vector": here, "limit": 2, "offset": 1, "explain": true})),
        ("search", json!({"db": db, "vector": here, "filter": {"price": {"$gt": 9}}})),
        ("search", json!({"db": db, "vectors": [here, direction(90)], "limit": 2})),
        ("search", json!({"db": db, "like": ["p3"], "unlike": ["p9"], "limit": 2})),
        ("search", json!({"db": db, "vector": here, "group_by": "tags", "group_size": 2})),
        ("search", json!({"db": db, "vector": here, "except": ["p0"], "include": "*"})),
        ("search", json!({"db": db, "vector": here, "exact": true, "min_score": 0.99})),
        ("search", json!({"db": db, "vector": here, "ef": 64, "field": "embedding"})),
        ("search", json!({"db": db, "vector": [1.0, 0.0]})),
        ("search", json!({"db": db, "vector": [0.0, 0.0, 0.0]})),
        ("search", json!({"db": db})),
        ("search", json!({"db": db, "vector": here, "limit": 100_000_000})),
        ("search", json!({"db": db, "vector": here, "filter": {"pric": 1}})),
        ("doc.count", json!({"db": db})),
        ("doc.count", json!({"db": db, "filter": {"price": {"$lt": 5}}})),
        ("doc.count", json!({"db": db, "filter": {"price": {"$near": 5}}})),
        ("doc.scroll", json!({"db": db, "limit": 5})),
        ("doc.scroll", json!({"db": db, "limit": 3, "order_by": "price", "descending": true})),
        ("doc.scroll", json!({"db": db, "cursor": "nowhere"})),
        ("doc.facet", json!({"db": db, "field": "tags"})),
        ("doc.facet", json!({"db": db, "field": "title"})),
        ("doc.count", json!({"db": db, "filter": {"tags.0": "odd"}})),
        ("search", json!({"db": db, "vector": here, "ef": 1})),
        ("db.recall", json!({"db": db, "sample": 5, "k": 3, "seed": 1})),
        ("db.recall", json!({"db": db, "sample": 1_001})),
        ("doc.count", json!({"db": db, "read": "local"})),
        ("doc.get", json!({"db": db, "ids": ["p1"], "read": "linearizable"})),
        ("search", json!({"db": db, "vector": here, "limit": 2, "read": "newest"})),
        ("cluster.status", json!({})),
        ("cluster.remove", json!({"node": 2})),
        ("changes", json!({"db": db})),
        ("changes", json!({"db": db, "since": "nowhere"})),
        ("doc.delete", json!({"db": db, "ids": ["p1", "nobody"]})),
        ("doc.delete", json!({"db": db, "ids": ["p2"], "if_version": 77})),
        ("doc.delete", json!({"db": db, "filter": {"price": {"$gte": 15}}})),
        ("doc.delete", json!({"db": db})),
        ("db.reshard", json!({"db": db, "shards": 3})),
        ("db.reshard", json!({"db": db, "shards": 0})),
        ("db.configure", json!({"db": db, "serverless": true, "idle_ms": 60_000})),
        ("db.configure", json!({"db": db, "idle_ms": 1})),
        ("db.configure", json!({"db": db})),
        ("db.configure", json!({"db": db, "replicas": 3})),
        ("db.configure", json!({"db": db, "replicas": 1})),
        ("db.logs", json!({"db": db, "since": 3, "limit": 10})),
        ("db.logs", json!({"db": db, "limit": 10_000})),
        ("db.logs", json!({"db": "nobody"})),
        ("db.create", json!({"db": "idle", "schema": schema, "serverless": true})),
        ("db.pause", json!({"db": db})),
        ("db.pause", json!({"db": "nobody"})),
        ("db.resume", json!({"db": db})),
        ("db.resume", json!({"db": "nobody"})),
        ("db.snapshot", json!({"db": db})),
        ("db.snapshot.read", json!({"db": db, "snapshot": "none", "offset": 0})),
        ("db.snapshot.close", json!({"db": db, "snapshot": "none"})),
        ("db.restore", json!({"db": "copy"})),
        ("db.restore.write", json!({"db": db, "restore": "none", "offset": 0, "bytes": "YQ=="})),
        ("db.restore.write", json!({"db": db, "restore": "none", "offset": 0, "bytes": "!"})),
        ("db.restore.finish", json!({"db": db, "restore": "none"})),
        ("db.restore.close", json!({"db": db, "restore": "none"})),
        ("db.list", json!({})),
        ("db.drop", json!({"db": db})),
        ("db.drop", json!({"db": db})),
        ("doc.count", json!({"db": db})),
    ]
}

/// What differs between two servers that did the same: what they measure, and opaque positions.
fn comparable(said: Said) -> Said {
    fn forget(value: &mut Json) {
        match value {
            Json::Object(members) => {
                for (name, member) in members {
                    match name.as_str() {
                        "memory_bytes" | "exact_ms" | "search_ms" => *member = json!("measured"),
                        "cursor" if !member.is_null() => *member = json!("somewhere"),
                        _ => forget(member),
                    }
                }
            }
            Json::Array(elements) => elements.iter_mut().for_each(forget),
            // A number may be written as 1 or as 1.0.
            Json::Number(number) => *value = json!(number.as_f64()),
            _ => {}
        }
    }
    said.map(|mut result| {
        forget(&mut result);
        result
    })
}

/// The answer of a JSON-RPC message.
fn of_message(mut message: Json) -> Said {
    if message["error"].is_null() {
        return Ok(message["result"].take());
    }
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    Err((text(&message["error"]["data"]["code"]), text(&message["error"]["message"])))
}

/// Operations that are streams over gRPC, which `server_grpc_streams` judges.
const STREAMS: [&str; 7] = [
    "db.snapshot",
    "db.snapshot.read",
    "db.snapshot.close",
    "db.restore",
    "db.restore.write",
    "db.restore.finish",
    "db.restore.close",
];

/// What gRPC says, as JSON-RPC says it.
async fn of_grpc(client: &mut grpc_fixture::Client, method: &str, params: &Json) -> Said {
    grpc_fixture::ask(client, method, params).await.map_err(|status| {
        let error = grpc_fixture::error_of(&status);
        (error.kind().code().to_owned(), error.message().to_owned())
    })
}

/// What HTTP answers, which must be what is described.
async fn of_http(described: &Described, method: &str, params: &Json) -> Result<Said> {
    let (answer, schema) = described.ask(method, params).await?;
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let said = answer.json();
    let wrong: Vec<_> = validator.iter_errors(&said).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{method} {params}: {wrong:?} in {said}");
    let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
    Ok(if answer.status == 200 { Ok(said) } else { Err((text("code"), text("detail"))) })
}

#[tokio::test]
async fn every_operation_answers_the_same_over_every_transport() -> Result<()> {
    within_time(async {
        let (by_wire, by_http) = (memory_server().await?, memory_server().await?);
        let by_grpc = memory_server().await?;
        let mut wire = Wire::open(&by_wire).await?;
        let described = Described::of(Http::to(&by_http)).await?;
        let mut client = grpc_fixture::client_of(&by_grpc).await?;
        let (mut asked, mut called) = (BTreeSet::new(), BTreeSet::from(STREAMS));
        for (method, params) in program() {
            asked.insert(method);
            let expected = comparable(of_message(wire.ask(method, params.clone()).await?));
            let http = comparable(of_http(&described, method, &params).await?);
            assert_eq!(http, expected, "{method} {params} over HTTP");
            if !STREAMS.contains(&method) {
                called.insert(method);
                let grpc = comparable(of_grpc(&mut client, method, &params).await);
                assert_eq!(grpc, expected, "{method} {params} over gRPC");
            }
        }
        assert_eq!(asked, described.methods(), "some operation is not in the program");
        assert_eq!(called, described.methods(), "some operation is no call of gRPC");
        drop((wire, client));
        by_grpc.shutdown().await?;
        by_wire.shutdown().await?;
        by_http.shutdown().await
    })
    .await
}
