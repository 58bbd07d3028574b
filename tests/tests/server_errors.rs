//! Promise: whatever comes over the wire gets its documented error, and the connection and the
//! server live on.

mod server_fixture;

use serde_json::{Value as Json, json};
use server_fixture::{Wire, any_port, kind, memory_server, within_time};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{CloseCode, Data, OpCode},
    },
};
use vectordoc::{ErrorKind, Result, client::Connection};
use vectordoc_server::{Catalog, Limits, Server};

const MALFORMED: i64 = -32700;
const NO_REQUEST: i64 = -32600;
const NO_METHOD: i64 = -32601;
const INVALID: i64 = -32602;
const NOT_FOUND: i64 = -32001;
const LIMIT_EXCEEDED: i64 = -32003;

/// A connection to a server with the database `shop`, which has one document.
async fn shop() -> Result<(Server, Wire)> {
    let server = memory_server().await?;
    let mut wire = Wire::open(&server).await?;
    let schema = json!({
        "id": "string",
        "embedding": {"vector": 3, "metric": "cosine"},
        "price": {"type": "number", "filter": true},
    });
    wire.result("db.create", json!({"db": "shop", "schema": schema, "shards": 2})).await?;
    let doc = json!({"id": "a", "embedding": [1, 0, 0], "price": 5});
    wire.result("doc.index", json!({"db": "shop", "docs": [doc]})).await?;
    Ok((server, wire))
}

/// Asserts that the connection still answers.
async fn check_alive(wire: &mut Wire) -> Result<()> {
    let found = wire.result("search", json!({"db": "shop", "vector": [1, 0, 0]})).await?;
    assert_eq!(found["hits"][0]["id"], "a");
    Ok(())
}

/// Asserts that `answer` is the error `number` with `code` that says `message`.
fn check_error(answer: &Json, number: i64, code: &str, message: &str) {
    assert_eq!(answer["error"]["code"], number, "{answer}");
    assert_eq!(answer["error"]["data"]["code"], code, "{answer}");
    let said = answer["error"]["message"].as_str().unwrap_or_default();
    assert!(said.contains(message), "{message:?} is not in {said:?}");
}

/// Asserts that `method` with `params` is `invalid` and says `message`, and that life goes on.
async fn check_invalid(method: &str, params: Json, message: &str) -> Result<()> {
    within_time(async {
        let (_server, mut wire) = shop().await?;
        let answer = wire.ask(method, params).await?;
        check_error(&answer, INVALID, "invalid", message);
        check_alive(&mut wire).await
    })
    .await
}

/// Asserts that `text` gets the error `number` without an id, and that life goes on.
async fn check_text(text: &str, number: i64, code: &str, message: &str) -> Result<()> {
    check_message(Message::text(text), number, code, message).await
}

async fn check_message(said: Message, number: i64, code: &str, message: &str) -> Result<()> {
    within_time(async {
        let (_server, mut wire) = shop().await?;
        wire.send(said).await?;
        let answer = wire.receive().await?;
        assert_eq!(answer["id"], Json::Null, "{answer}");
        check_error(&answer, number, code, message);
        check_alive(&mut wire).await
    })
    .await
}

#[tokio::test]
async fn hello_says_what_the_server_takes() -> Result<()> {
    within_time(async {
        let (_server, wire) = shop().await?;
        assert_eq!(wire.hello["method"], "hello");
        assert_eq!(wire.hello["params"]["server"], "vectordoc");
        let limits = &wire.hello["params"]["limits"];
        assert_eq!(limits["message_bytes_max"], 8 * 1024 * 1024);
        assert!(limits["in_flight_max"].as_u64().is_some_and(|max| max > 0));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_vector_of_another_dimension_is_invalid() -> Result<()> {
    let doc = json!({"id": "b", "embedding": [1, 0], "price": 5});
    let message = r#"vector has 2 dimensions, field "embedding" needs 3"#;
    check_invalid("doc.index", json!({"db": "shop", "docs": [doc]}), message).await?;
    check_invalid("search", json!({"db": "shop", "vector": [1, 0, 0, 0]}), "needs 3").await
}

#[tokio::test]
async fn nan_is_no_json() -> Result<()> {
    let text =
        r#"{"jsonrpc":"2.0","id":1,"method":"search","params":{"db":"shop","vector":[1,NaN,0]}}"#;
    check_text(text, MALFORMED, "invalid", "not JSON").await
}

#[tokio::test]
async fn null_in_a_vector_is_invalid() -> Result<()> {
    let params = json!({"db": "shop", "vector": [1, null, 0]});
    check_invalid("search", params, "vector: invalid type: null").await?;
    let doc = json!({"id": "b", "embedding": [1, null, 0], "price": 5});
    check_invalid("doc.index", json!({"db": "shop", "docs": [doc]}), "docs: element 0: ").await
}

#[tokio::test]
async fn infinity_and_zero_are_no_vectors() -> Result<()> {
    let beyond_f32 = json!({"db": "shop", "vector": [1e39, 0, 0]});
    check_invalid("search", beyond_f32, "number out of range").await?;
    check_invalid("search", json!({"db": "shop", "vector": [0, 0, 0]}), "is zero").await
}

#[tokio::test]
async fn an_unknown_field_is_invalid_and_the_nearest_one_is_named() -> Result<()> {
    let doc = json!({"id": "b", "embedding": [1, 0, 0], "prise": 5});
    let message = r#"unknown field "prise"; did you mean "price"?"#;
    check_invalid("doc.index", json!({"db": "shop", "docs": [doc]}), message).await?;
    let filtered = json!({"db": "shop", "vector": [1, 0, 0], "filter": {"prise": 5}});
    check_invalid("search", filtered, message).await?;
    let included = json!({"db": "shop", "vector": [1, 0, 0], "include": ["prise"]});
    check_invalid("search", included, message).await
}

#[tokio::test]
async fn an_unknown_option_is_invalid_and_the_nearest_one_is_named() -> Result<()> {
    let message = r#"unknown parameter "lmit"; did you mean "limit"?"#;
    let params = json!({"db": "shop", "vector": [1, 0, 0], "lmit": 3});
    check_invalid("search", params, message).await?;
    let params = json!({"db": "shop", "docs": [], "request_size": 3});
    check_invalid("doc.index", params, "unknown parameter").await
}

#[tokio::test]
async fn what_does_not_go_together_is_invalid_and_says_what_does() -> Result<()> {
    let vector = json!([1, 0, 0]);
    for (method, params, message) in [
        ("doc.patch", json!({"set": {}}), r#"either "id" or "filter""#),
        ("doc.patch", json!({"id": "a", "filter": {}, "set": {}}), r#"either "id" or "filter""#),
        ("doc.patch", json!({"id": "a"}), r#"give "set", "unset" or "increment""#),
        ("doc.patch", json!({"id": "a", "set": 5}), "is an object of fields"),
        ("doc.patch", json!({"filter": {}, "set": {}, "if_version": 1}), r#"goes with "id""#),
        ("doc.index", json!({"docs": [], "if_version": 1}), r#"goes with "docs" of one element"#),
        ("doc.update", json!({"docs": [], "if_version": 1}), r#"goes with "doc""#),
        ("doc.delete", json!({"ids": ["a", "b"], "if_version": 1}), r#"goes with "ids" of one"#),
        ("doc.delete", json!({"filter": {}, "if_version": 1}), r#"goes with "ids" of one"#),
        ("search", json!({}), r#"one of "vector", "vectors" and "like""#),
        ("search", json!({"like": ["a"], "vector": vector}), "give one of the two"),
        ("search", json!({"like": []}), "needs a document to be like"),
        ("search", json!({"vector": vector, "unlike": ["a"]}), r#"goes with "like""#),
        ("search", json!({"vector": vector, "group_size": 2}), r#"goes with "group_by""#),
        (
            "search",
            json!({"vectors": [vector], "group_by": "price"}),
            r#""vector", "like" or "text""#,
        ),
        (
            "search",
            json!({"vector": vector, "group_by": "price", "explain": true}),
            "leave one of the two out",
        ),
        ("doc.scroll", json!({"descending": true}), r#"goes with "order_by""#),
        ("doc.facet", json!({}), r#"parameter "field" is missing"#),
        ("doc.facet", json!({"field": "prise"}), r#"did you mean "price"?"#),
    ] {
        let mut params = params;
        params["db"] = json!("shop");
        check_invalid(method, params, message).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_negative_limit_is_invalid() -> Result<()> {
    check_invalid("search", json!({"db": "shop", "vector": [1, 0, 0], "limit": -1}), "limit: ")
        .await
}

#[tokio::test]
async fn a_name_no_database_can_have_is_invalid() -> Result<()> {
    let schema = json!({"id": "string"});
    for name in ["", "Shop", "a/b", "..", "a.b", &"x".repeat(65)] {
        let params = json!({"db": name, "schema": schema});
        check_invalid("db.create", params, "a name is 1 to 64 of a-z").await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_unknown_database_is_not_found_and_the_nearest_one_is_named() -> Result<()> {
    within_time(async {
        let (_server, mut wire) = shop().await?;
        let answer = wire.ask("search", json!({"db": "shup", "vector": [1, 0, 0]})).await?;
        check_error(&answer, NOT_FOUND, "not_found", r#"did you mean "shop"?"#);
        check_alive(&mut wire).await
    })
    .await
}

#[tokio::test]
async fn an_unknown_method_is_named_with_the_nearest_one() -> Result<()> {
    within_time(async {
        let (_server, mut wire) = shop().await?;
        let answer = wire.ask("serch", json!({})).await?;
        check_error(&answer, NO_METHOD, "unsupported", r#"did you mean "search"?"#);
        check_alive(&mut wire).await
    })
    .await
}

#[tokio::test]
async fn malformed_json_is_answered() -> Result<()> {
    check_text("", MALFORMED, "invalid", "not JSON").await?;
    check_text(r#"{"jsonrpc": "2.0", "id": 1"#, MALFORMED, "invalid", "not JSON").await?;
    check_text(&"[".repeat(100_000), MALFORMED, "invalid", "not JSON").await
}

#[tokio::test]
async fn json_that_is_no_request_is_answered() -> Result<()> {
    check_text("5", NO_REQUEST, "invalid", "no JSON-RPC request").await?;
    check_text("[]", NO_REQUEST, "invalid", "at least one").await?;
    check_message(Message::binary(vec![1, 2]), NO_REQUEST, "invalid", "text frames").await
}

#[tokio::test]
async fn a_frame_of_100_mb_is_answered() -> Result<()> {
    let message = Message::text("x".repeat(100 * 1024 * 1024));
    let says = "the message has 104857600 bytes, the limit is 8388608";
    check_message(message, LIMIT_EXCEEDED, "limit_exceeded", says).await
}

#[tokio::test]
async fn a_message_too_long_in_fragments_ends_the_connection_and_not_the_server() -> Result<()> {
    within_time(async {
        let (server, mut wire) = shop().await?;
        let fragment = vec![b' '; 5 * 1024 * 1024];
        let first = Frame::message(fragment.clone(), OpCode::Data(Data::Text), false);
        let second = Frame::message(fragment, OpCode::Data(Data::Continue), false);
        wire.send(Message::Frame(first)).await?;
        wire.send(Message::Frame(second)).await?;
        let end = wire.hear_close().await.map(|frame| frame.code);
        assert_eq!(end, Some(CloseCode::Size));
        check_alive(&mut Wire::open(&server).await?).await
    })
    .await
}

#[tokio::test]
async fn a_batch_is_answered_as_one_without_its_notifications() -> Result<()> {
    within_time(async {
        let (_server, mut wire) = shop().await?;
        let count =
            json!({"jsonrpc": "2.0", "id": "c", "method": "doc.count", "params": {"db": "shop"}});
        let doc = json!({"id": "b", "embedding": [0, 1, 0], "price": 1});
        let index = json!({
            "jsonrpc": "2.0", "method": "doc.index", "params": {"db": "shop", "docs": [doc]},
        });
        wire.say(&json!([index, count, 5]).to_string()).await?;
        let answers = wire.receive().await?;
        assert_eq!(answers.as_array().map(Vec::len), Some(2), "{answers}");
        assert_eq!(answers[0]["result"], json!({"count": 2}));
        check_error(&answers[1], NO_REQUEST, "invalid", "no JSON-RPC request");
        check_alive(&mut wire).await
    })
    .await
}

#[tokio::test]
async fn too_many_documents_or_queries_exceed_a_limit() -> Result<()> {
    within_time(async {
        let (_server, mut wire) = shop().await?;
        for params in [
            json!({"db": "shop", "vector": [1, 0, 0], "limit": 10_001}),
            json!({"db": "shop", "vectors": vec![[1, 0, 0]; 1025]}),
            json!({"db": "shop", "vector": [1, 0, 0], "filter": {"price": {"$in": vec![1; 65_537]}}}),
        ] {
            let answer = wire.ask("search", params).await?;
            check_error(&answer, LIMIT_EXCEEDED, "limit_exceeded", "limit");
        }
        let answer = wire.ask("doc.delete", json!({"db": "shop", "ids": vec!["a"; 100_001]})).await?;
        check_error(&answer, LIMIT_EXCEEDED, "limit_exceeded", "100001");
        check_alive(&mut wire).await
    })
    .await
}

#[tokio::test]
async fn an_answer_that_would_be_too_long_is_refused() -> Result<()> {
    within_time(async {
        let mut limits = Limits::default();
        limits.answer_bytes_max = 2_000;
        let server = Server::start(Catalog::in_memory(1), &any_port().limits(limits)).await?;
        let mut wire = Wire::open(&server).await?;
        let schema = json!({"id": "u64", "embedding": {"vector": 2}, "text": "string"});
        wire.result("db.create", json!({"db": "long", "schema": schema})).await?;
        let doc = |id| json!({"id": id, "embedding": [1, 1], "text": "x".repeat(100)});
        let docs: Vec<_> = (0..50).map(doc).collect();
        wire.result("doc.index", json!({"db": "long", "docs": docs})).await?;
        let params = json!({"db": "long", "vector": [1, 1], "limit": 50});
        let answer = wire.ask("search", params).await?;
        check_error(&answer, LIMIT_EXCEEDED, "limit_exceeded", "ask for fewer documents");
        let params = json!({"db": "long", "vector": [1, 1], "limit": 5, "include": []});
        let found = wire.result("search", params).await?;
        assert_eq!(found["hits"].as_array().map(Vec::len), Some(5));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn requests_over_the_limit_in_flight_are_told_to_come_again() -> Result<()> {
    within_time(async {
        let mut limits = Limits::default();
        limits.in_flight_max = 1;
        let server = Server::start(Catalog::in_memory(1), &any_port().limits(limits)).await?;
        let mut wire = Wire::open(&server).await?;
        for id in 0..100 {
            let request = json!({"jsonrpc": "2.0", "id": id, "method": "db.list"});
            wire.say(&request.to_string()).await?;
        }
        for _ in 0..100 {
            let answer = wire.receive().await?;
            if !answer["error"].is_null() {
                assert_eq!(answer["error"]["data"]["code"], "busy", "{answer}");
                assert!(answer["error"]["data"]["retry_after_ms"].as_u64().is_some(), "{answer}");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn connections_over_the_limit_are_told_to_come_again() -> Result<()> {
    within_time(async {
        let mut limits = Limits::default();
        limits.connections_max = 1;
        let server = Server::start(Catalog::in_memory(1), &any_port().limits(limits)).await?;
        let first = Connection::open(&server.url()).await?;
        let refused = Connection::open(&server.url()).await;
        assert_eq!(kind(refused), Some(ErrorKind::Busy));
        first.close().await
    })
    .await
}

#[tokio::test]
async fn addresses_without_a_server_say_so() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let elsewhere = format!("{}/v2/ws", server.url());
        assert_eq!(kind(Connection::open(&elsewhere).await), Some(ErrorKind::NotFound));
        assert_eq!(kind(Connection::open("http://localhost").await), Some(ErrorKind::Invalid));
        let url = server.url();
        server.shutdown().await?;
        assert_eq!(kind(Connection::open(&url).await), Some(ErrorKind::Unavailable));
        Ok(())
    })
    .await
}
