//! Promise: gRPC says what JSON-RPC says: the same operations, answers and errors, on the same port;
//! and whatever comes in a message gets its documented error, and the connection lives on.

mod grpc_fixture;
mod server_fixture;

use futures_util::StreamExt;
use grpc_fixture::{
    ask, channel, client_of, client_with, document, error_of,
    messages::{self as proto, value::Kind},
    text, value, vector,
};
use prost::Message;
use serde_json::{Value as Json, json};
use server_fixture::{Wire, any_port, memory_server, server_of, within_time};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::{Code, client::Grpc, codegen::http::uri::PathAndQuery};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_prost::ProstCodec;
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use vectordoc::{ErrorKind, Result};
use vectordoc_server::{
    Catalog, Limits, Server,
    keys::{KeyFile, Role, Scope},
};

const SERVICE: &str = "vectordoc.v1.VectorDoc";

fn schema() -> Json {
    json!({
        "id": "string",
        "embedding": {"vector": 2, "metric": "l2"},
        "price": {"type": "number", "filter": true},
        "count": {"type": "u64", "filter": true, "optional": true},
        "tags": {"type": "string[]", "filter": true},
        "body": {"type": "string", "text": true, "optional": true},
        "extra": {"type": "json", "optional": true},
    })
}

fn doc(id: &str, x: f64, body: &str) -> Json {
    json!({
        "id": id, "embedding": [x, 0.5], "price": x, "tags": ["all", id], "body": body,
        "extra": {"deep": [1, {"er": null}], "big": u64::MAX},
    })
}

/// Requests in the order they are made, right and wrong ones.
fn requests() -> Vec<(&'static str, Json)> {
    let docs = json!([doc("a", 1.0, "red wine"), doc("b", 2.0, "red"), doc("c", 3.5, "beer")]);
    let mut big = doc("big", 7.0, "");
    big["count"] = json!(u64::MAX);
    let near = json!([1.25, 0.5]);
    let all = |mut fields: Json| {
        fields["db"] = json!("d");
        fields
    };
    let mut requests = vec![
        ("db.create", all(json!({"schema": schema(), "shards": 1}))),
        ("db.create", all(json!({"schema": schema()}))),
        ("db.create", all(json!({"schema": {"id": "u64", "v": {"vector": 2}}}))),
        ("db.create", all(json!({"schema": {"id": "strin"}}))),
        ("db.create", all(json!({"schema": schema(), "replicas": 3}))),
        ("db.list", json!({})),
        ("db.get", all(json!({}))),
        ("db.get", json!({"db": "nowhere"})),
        ("doc.index", all(json!({"docs": docs}))),
        ("doc.index", all(json!({"docs": [big], "if_version": 0, "durability": "memory"}))),
        ("doc.index", all(json!({"docs": [big], "if_version": 7}))),
        ("doc.index", all(json!({"docs": docs, "if_version": 7}))),
        ("doc.index", all(json!({"docs": docs, "durability": "quorum"}))),
        ("doc.index", all(json!({"docs": [{"id": "x", "embedding": [1]}]}))),
        ("doc.index", all(json!({"docs": [{"id": "x", "embeding": [1, 2]}]}))),
        ("doc.index", all(json!({"docs": []}))),
        ("doc.update", all(json!({"doc": doc("b", 2.5, "white wine")}))),
        ("doc.update", all(json!({"docs": [doc("none", 2.5, "")]}))),
        ("doc.patch", all(json!({"id": "a", "set": {"price": 9}, "unset": ["body"]}))),
        ("doc.patch", all(json!({"filter": {"price": {"$gt": 3}}, "increment": {"price": -0.5}}))),
        ("doc.patch", all(json!({"id": "a"}))),
        ("doc.patch", all(json!({"id": "a", "set": {"price": "x"}}))),
        ("doc.get", all(json!({"ids": ["a", "none", "big"], "include": "*"}))),
        ("doc.get", all(json!({"ids": ["a"], "include": ["price"]}))),
        ("doc.get", all(json!({"ids": ["a"], "include": []}))),
        ("doc.get", all(json!({"ids": ["a"], "include": ["prize"]}))),
        ("doc.get", all(json!({"ids": [7]}))),
        ("doc.get", all(json!({"id": "b", "include": "*"}))),
        ("doc.get", all(json!({"id": "none"}))),
        ("doc.get", all(json!({"id": "a", "ids": ["a"]}))),
    ];
    let searches = [
        json!({"vector": near, "limit": 2}),
        json!({"vector": near, "filter": {"tags": {"$contains": "b"}}, "include": "*"}),
        json!({"vector": near, "exact": true, "explain": true, "field": "embedding", "ef": 50}),
        json!({"vector": near, "min_score": 0.5, "offset": 1, "except": ["c"]}),
        json!({"vectors": [near, [3, 3]], "limit": 1}),
        json!({"like": ["a"], "unlike": ["c"]}),
        json!({"text": "wine", "text_field": "body"}),
        json!({"vector": near, "text": "wine", "fusion": {"weighted": 0.25}}),
        json!({"vector": near, "text": "beer", "fusion": {"rrf": 5}}),
        json!({"vector": near, "text": "beer", "fusion": "rrf"}),
        json!({"vector": near, "group_by": "price", "group_size": 2}),
        json!({"vector": near, "group_by": "tags"}),
        json!({"vector": [1, 2, 3]}),
        json!({"vector": near, "limit": 1_000_000}),
        json!({"vector": near, "filter": {"prize": 1}}),
        json!({"vector": near, "filter": {"price": {"$near": 1}}}),
        json!({"limit": 3}),
    ];
    requests.extend(searches.map(|search| ("search", all(search))));
    requests.extend([
        ("doc.count", all(json!({}))),
        ("doc.count", all(json!({"filter": {"price": {"$lt": 3}}}))),
        ("doc.scroll", all(json!({"limit": 2}))),
        ("doc.scroll", all(json!({"order_by": "price", "descending": true, "include": []}))),
        ("doc.scroll", all(json!({"cursor": "nonsense"}))),
        ("doc.facet", all(json!({"field": "tags", "limit": 2}))),
        ("doc.facet", all(json!({"field": "body"}))),
        ("changes", all(json!({"limit": 10_001}))),
        ("changes", all(json!({"since": "nonsense"}))),
        ("doc.delete", all(json!({"ids": ["a"], "if_version": 1}))),
        ("doc.delete", all(json!({"ids": ["a", "none"]}))),
        ("doc.delete", all(json!({"filter": {"price": {"$gt": 2}}}))),
        ("doc.delete", all(json!({}))),
        ("db.drop", all(json!({}))),
        ("db.drop", all(json!({}))),
    ]);
    requests
}

/// What is the same on two servers.
fn comparable(mut answer: Json) -> Json {
    let mut forget = |description: &mut Json| {
        if let Some(fields) = description.as_object_mut() {
            // They depend on how far maintenance is.
            fields.remove("unindexed");
            fields.remove("memory_bytes");
        }
    };
    forget(&mut answer);
    answer["dbs"].as_array_mut().into_iter().flatten().for_each(&mut forget);
    answer
}

#[tokio::test]
async fn every_operation_answers_as_over_websocket() -> Result<()> {
    within_time(async {
        let (server, other) = (memory_server().await?, memory_server().await?);
        let mut wire = Wire::open(&other).await?;
        let mut client = client_of(&server).await?;
        let mut refused = 0;
        for (method, params) in requests() {
            let mut there = wire.ask(method, params.clone()).await?;
            match ask(&mut client, method, &params).await {
                Ok(answer) => {
                    let there = comparable(there["result"].take());
                    assert_eq!(comparable(answer), there, "{method} {params}");
                }
                Err(status) => {
                    refused += 1;
                    let (error, there) = (error_of(&status), &there["error"]);
                    assert_eq!(error.kind().code(), there["data"]["code"], "{method} {params}");
                    assert_eq!(error.message(), there["message"], "{method} {params}");
                }
            }
        }
        assert_eq!(refused, 28, "as many as are wrong");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn vectors_come_and_go_as_floats() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut client = client_of(&server).await?;
        let params = json!({"db": "d", "schema": {"id": "u64", "e": {"vector": 3},
            "photo": {"type": "bytes", "optional": true},
            "at": {"type": "timestamp", "optional": true}}});
        ask(&mut client, "db.create", &params).await.expect("it is created");
        let number = |number| value(Kind::UintValue(number));
        let photo = value(Kind::BytesValue(vec![0, 255]));
        let at = text("2026-01-31T12:00:00Z");
        let numbers = [0.1, -1e-30, 3.0];
        let docs = vec![
            document([("id", number(1)), ("e", vector(&numbers)), ("photo", photo), ("at", at)]),
            document([("id", number(2)), ("e", vector(&[1.0, 0.0, 0.0]))]),
        ];
        let request = proto::IndexRequest { db: "d".into(), docs, ..Default::default() };
        client.index(request.clone()).await.expect("it is indexed");
        let include = proto::Include { fields: vec!["*".into()] };
        let search = proto::SearchRequest {
            db: "d".into(),
            vector: numbers.to_vec(),
            include: Some(include),
            ..Default::default()
        };
        let hits = client.search(search.clone()).await.expect("it is found").into_inner().hits;
        let mut docs = request.docs.clone();
        // Answers use the kind of most integers.
        docs[0].fields.insert("id".into(), value(Kind::IntValue(1)));
        assert_eq!(hits[0].doc.as_ref(), Some(&docs[0]));
        assert_eq!(hits[0].id, Some(proto::Id { id: Some(proto::id::Id::Number(1)) }));
        for wrong in [f32::NAN, f32::INFINITY] {
            let search = proto::SearchRequest { vector: vec![wrong, 0.0, 0.0], ..search.clone() };
            let status = client.search(search).await.expect_err("it is not finite");
            assert_eq!(error_of(&status).kind(), ErrorKind::Invalid);
        }
        Ok(())
    })
    .await
}

/// What an error says.
async fn refusal<T>(
    answer: impl Future<Output = std::result::Result<T, tonic::Status>>,
) -> (ErrorKind, String) {
    let status = answer.await.map(|_| ()).expect_err("it is refused");
    let error = error_of(&status);
    (error.kind(), error.message().to_owned())
}

#[tokio::test]
async fn what_a_message_leaves_open_is_refused_with_a_reason() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut client = client_of(&server).await?;
        ask(&mut client, "db.create", &json!({"db": "d", "schema": schema()})).await.expect("new");
        let index = |value: proto::Value, durability| {
            let docs = vec![document([("id", text("a")), ("price", value)])];
            proto::IndexRequest { db: "d".into(), docs, if_version: None, durability }
        };
        let nothing = refusal(client.index(index(proto::Value { kind: None }, 0))).await;
        assert_eq!(nothing.0, ErrorKind::Invalid);
        assert!(nothing.1.starts_with("docs: element 0: field \"price\": "), "{}", nothing.1);
        let null = refusal(client.index(index(value(Kind::NullValue(3)), 0))).await;
        assert!(null.0 == ErrorKind::Invalid && null.1.contains("NULL_VALUE"), "{}", null.1);
        let lasting = refusal(client.index(index(text("x"), 9))).await;
        assert!(lasting.0 == ErrorKind::Invalid && lasting.1.contains('9'), "{}", lasting.1);
        let get = proto::GetRequest {
            db: "d".into(),
            ids: vec![proto::Id { id: None }],
            ..Default::default()
        };
        let nobody = refusal(client.get(get)).await;
        assert!(nobody.0 == ErrorKind::Invalid && nobody.1.starts_with("ids: "), "{}", nobody.1);
        let search =
            proto::SearchRequest { db: "d".into(), vector: vec![1.0, 2.0], ..Default::default() };
        let fusion = Some(proto::Fusion { method: None });
        let fused = refusal(client.search(proto::SearchRequest { fusion, ..search.clone() })).await;
        assert!(fused.0 == ErrorKind::Invalid && fused.1.starts_with("fusion: "), "{}", fused.1);
        let filter = "{\"price\": ".into();
        let filtered = refusal(client.search(proto::SearchRequest { filter, ..search })).await;
        assert_eq!(filtered.0, ErrorKind::Invalid);
        assert!(filtered.1.starts_with("filter: it is JSON, and "), "{}", filtered.1);
        Ok(())
    })
    .await
}

/// A message of one field 1 that is these bytes, whatever they should be.
#[derive(Clone, PartialEq, prost::Message)]
struct Bytes {
    #[prost(bytes = "vec", tag = "1")]
    bytes: Vec<u8>,
}

/// Calls `rpc` with a message of this sort.
async fn call<M: Message + Default + 'static>(
    server: &Server,
    rpc: &str,
    message: M,
) -> std::result::Result<(), tonic::Status> {
    let mut grpc = Grpc::new(channel(&server.url()).await.expect("a connection"));
    grpc.ready().await.expect("ready");
    let path = PathAndQuery::try_from(format!("/{rpc}")).expect("a path");
    let codec = ProstCodec::<M, ()>::default();
    grpc.unary(tonic::Request::new(message), path, codec).await.map(|_| ())
}

#[tokio::test]
async fn what_is_no_message_is_invalid() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let wrong = Bytes { bytes: vec![0xff, 0xfe] };
        let rpc = format!("{SERVICE}/GetDatabase");
        let malformed = refusal(call(&server, &rpc, wrong)).await;
        assert_eq!(malformed.0, ErrorKind::Invalid);
        assert!(malformed.1.contains("UTF-8"), "{}", malformed.1);
        let unknown = refusal(call(&server, &format!("{SERVICE}/Serch"), ())).await;
        assert_eq!(unknown.0, ErrorKind::Unsupported);
        assert!(unknown.1.contains("did you mean \"Search\""), "{}", unknown.1);
        let nowhere = refusal(call(&server, "vectordoc.v2.Other/Call", ())).await;
        assert_eq!(nowhere.0, ErrorKind::Unsupported);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn messages_over_their_bound_are_refused_and_the_connection_lives_on() -> Result<()> {
    within_time(async {
        let mut limits = Limits::default();
        limits.message_bytes_max = 4_096;
        limits.answer_bytes_max = 4_096;
        let server = Server::start(Catalog::in_memory(1), &any_port().limits(limits)).await?;
        let mut client = client_of(&server).await?;
        ask(&mut client, "db.create", &json!({"db": "d", "schema": schema()})).await.expect("new");
        for id in ["a", "b"] {
            let params = json!({"db": "d", "docs": [doc(id, 1.0, &"word ".repeat(600))]});
            ask(&mut client, "doc.index", &params).await.expect("it is short enough");
        }
        let params = json!({"db": "d", "docs": [doc("c", 1.0, &"word ".repeat(1_000))]});
        let long = refusal(ask(&mut client, "doc.index", &params)).await;
        assert!(long.0 == ErrorKind::LimitExceeded && long.1.contains("4096"), "{}", long.1);
        let answer = refusal(ask(&mut client, "doc.scroll", &json!({"db": "d"}))).await;
        assert!(answer.0 == ErrorKind::LimitExceeded && answer.1.contains("4096"), "{}", answer.1);
        let count = ask(&mut client, "doc.count", &json!({"db": "d"})).await.expect("it lives");
        assert_eq!(count, json!({"count": 2}));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn each_caller_may_do_what_its_key_is_good_for() -> Result<()> {
    within_time(async {
        let data = tempfile::tempdir().expect("a folder");
        let keys = KeyFile::of(data.path());
        let key = |role| Ok::<_, vectordoc::Error>(keys.create("", role, Scope::of([])?)?.0);
        let (admin, reader) = (key(Role::Admin)?, key(Role::Read)?);
        let server = server_of(data.path()).await?;
        let mut nobody = client_of(&server).await?;
        let mut stranger = client_with(&server, Some("vd_0")).await?;
        let mut reader = client_with(&server, Some(reader.reveal())).await?;
        let mut admin = client_with(&server, Some(admin.reveal())).await?;
        let params = json!({"db": "d", "schema": schema()});
        let create = async |client| refusal(ask(client, "db.create", &params)).await.0;
        assert_eq!(create(&mut nobody).await, ErrorKind::Unauthenticated);
        assert_eq!(create(&mut stranger).await, ErrorKind::Unauthenticated);
        assert_eq!(create(&mut reader).await, ErrorKind::Denied);
        ask(&mut admin, "db.create", &params).await.expect("an admin may");
        let (docs, count) = (json!({"db": "d", "docs": []}), json!({"db": "d"}));
        assert_eq!(refusal(ask(&mut reader, "doc.index", &docs)).await.0, ErrorKind::Denied);
        assert_eq!(
            ask(&mut reader, "doc.count", &count).await.expect("a reader may"),
            json!({"count": 0})
        );
        let follow = proto::ChangesRequest { db: "d".into(), ..Default::default() };
        assert_eq!(refusal(nobody.follow(follow)).await.0, ErrorKind::Unauthenticated);
        let batch = proto::IndexStreamRequest { db: "d".into(), ..Default::default() };
        let batches = futures_util::stream::iter([batch]);
        assert_eq!(refusal(reader.index_stream(batches)).await.0, ErrorKind::Denied);
        drop((nobody, stranger, reader, admin));
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn what_speaks_no_grpc_is_told_so() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut stream = TcpStream::connect(server.addr()).await.expect("a connection");
        let request = format!(
            "POST /{SERVICE}/Search HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: 2\r\nconnection: close\r\n\r\n{{}}"
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 415 "), "{answer}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn health_says_when_the_server_stops() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut health = HealthClient::new(channel(&server.url()).await?);
        for service in ["", SERVICE] {
            let request = HealthCheckRequest { service: service.into() };
            let status = health.check(request).await.expect("an answer").into_inner().status();
            assert_eq!(status, ServingStatus::Serving, "{service}");
        }
        let request = HealthCheckRequest { service: "other".into() };
        let status = health.check(request).await.expect_err("there is no such service");
        assert_eq!(status.code(), Code::NotFound);
        let request = HealthCheckRequest { service: SERVICE.into() };
        let mut watched = health.watch(request).await.expect("a stream").into_inner();
        let told = watched.message().await.expect("alive").expect("told");
        assert_eq!(told.status(), ServingStatus::Serving);
        let stopping = tokio::spawn(server.shutdown());
        let told = watched.message().await.expect("alive").expect("told");
        assert_eq!(told.status(), ServingStatus::NotServing);
        assert_eq!(watched.message().await.expect("ended well"), None);
        stopping.await.expect("no panic")
    })
    .await
}

#[tokio::test]
async fn everything_that_is_described_is_there() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut reflection = ServerReflectionClient::new(channel(&server.url()).await?);
        let asked = |asked| {
            let host = String::new();
            ServerReflectionRequest { host, message_request: Some(asked) }
        };
        let requests = futures_util::stream::iter([
            asked(MessageRequest::ListServices(String::new())),
            asked(MessageRequest::FileContainingSymbol(SERVICE.into())),
        ]);
        let answers = reflection.server_reflection_info(requests).await.expect("an answer");
        let mut answers = answers.into_inner();
        let mut next = async || answers.message().await.expect("alive")?.message_response;
        let Some(MessageResponse::ListServicesResponse(listed)) = next().await else {
            panic!("no list");
        };
        let mut names: Vec<_> = listed.service.iter().map(|service| &*service.name).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", SERVICE]
        );
        let Some(MessageResponse::FileDescriptorResponse(file)) = next().await else {
            panic!("no description");
        };
        let described = &file.file_descriptor_proto[0][..];
        let described = protox::prost_reflect::prost_types::FileDescriptorProto::decode(described);
        let described = described.expect("a description");
        assert_eq!(described.service[0].method.len(), 26);
        for method in &described.service[0].method {
            let rpc = format!("{SERVICE}/{}", method.name());
            match call(&server, &rpc, ()).await {
                Ok(()) => {}
                Err(status) => assert_ne!(status.code(), Code::Unimplemented, "{rpc}: {status:?}"),
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_tool_that_never_stops_asking_does_not_keep_the_server() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut reflection = ServerReflectionClient::new(channel(&server.url()).await?);
        let asked = MessageRequest::ListServices(String::new());
        let asked = ServerReflectionRequest { host: String::new(), message_request: Some(asked) };
        let requests = futures_util::stream::iter([asked]).chain(futures_util::stream::pending());
        let answers = reflection.server_reflection_info(requests).await.expect("an answer");
        let mut answers = answers.into_inner();
        assert!(answers.message().await.expect("alive").is_some());
        let stopping = tokio::spawn(server.shutdown());
        assert_eq!(answers.message().await.expect("ended well"), None);
        stopping.await.expect("no panic")
    })
    .await
}
