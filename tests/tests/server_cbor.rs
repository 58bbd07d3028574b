//! Promise: CBOR says what JSON says: the same operations, answers and errors; and whatever comes in
//! a binary frame gets its documented error, and the connection lives on.

mod server_fixture;

use ciborium::Value as Cbor;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Map, Value as Json, json};
use server_fixture::{Wire, memory_server, within_time};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};
use vectordoc::{Error, Result};
use vectordoc_server::Server;

const MALFORMED: i64 = -32700;
const NO_REQUEST: i64 = -32600;
const INVALID: i64 = -32602;
const LIMIT_EXCEEDED: i64 = -32003;

const F16_BIG: u64 = 80;
const F32_BIG: u64 = 81;
const F64_BIG: u64 = 82;
const F16_LITTLE: u64 = 84;
const F32_LITTLE: u64 = 85;
const F64_LITTLE: u64 = 86;

/// How the arrays of numbers in a request are written.
#[derive(Clone, Copy, Debug)]
enum Vectors {
    Plain,
    Typed,
}

/// A WebSocket that speaks CBOR.
struct BinaryWire {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_id: i64,
}

impl BinaryWire {
    /// Connects and hears the hello.
    async fn open(server: &Server) -> Result<Self> {
        let mut request =
            format!("{}/v1/ws", server.url()).into_client_request().map_err(broken)?;
        let protocol = HeaderValue::from_static("vectordoc.v1.cbor");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (socket, response) = connect_async(request).await.map_err(broken)?;
        assert_eq!(response.headers()["sec-websocket-protocol"], "vectordoc.v1.cbor");
        let mut wire = Self { socket, last_id: 0 };
        let hello = json_of(&wire.receive().await?);
        assert_eq!(hello["method"], "hello");
        assert_eq!(hello["params"]["limits"]["message_bytes_max"], 8 * 1024 * 1024);
        Ok(wire)
    }

    /// Sends one message.
    async fn send(&mut self, message: Message) -> Result<()> {
        self.socket.send(message).await.map_err(broken)
    }

    /// The next message that is no ping.
    async fn receive(&mut self) -> Result<Cbor> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) => {
                    return ciborium::from_reader(&bytes[..]).map_err(broken);
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => return Err(Error::unavailable(format!("instead of bytes: {other:?}"))),
            }
        }
    }

    /// The whole answer to `method` with `params`.
    async fn ask(&mut self, method: &str, params: Cbor) -> Result<Cbor> {
        self.last_id += 1;
        let request = request(self.last_id, method, params);
        self.send(Message::binary(bytes_of(&request))).await?;
        let answer = self.receive().await?;
        assert_eq!(json_of(&answer)["id"], self.last_id, "{answer:?}");
        Ok(answer)
    }
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::unavailable(error.to_string())
}

fn object(fields: impl IntoIterator<Item = (&'static str, Cbor)>) -> Cbor {
    Cbor::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

fn request(id: i64, method: &str, params: Cbor) -> Cbor {
    object([
        ("jsonrpc", "2.0".into()),
        ("id", id.into()),
        ("method", method.into()),
        ("params", params),
    ])
}

fn bytes_of(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("memory takes it");
    bytes
}

fn typed_array(tag: u64, numbers: &[f32]) -> Cbor {
    let bytes: Vec<u8> = match tag {
        F16_BIG => numbers.iter().flat_map(|n| half::f16::from_f32(*n).to_be_bytes()).collect(),
        F16_LITTLE => numbers.iter().flat_map(|n| half::f16::from_f32(*n).to_le_bytes()).collect(),
        F32_BIG => numbers.iter().flat_map(|n| n.to_be_bytes()).collect(),
        F32_LITTLE => numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
        F64_BIG => numbers.iter().flat_map(|n| f64::from(*n).to_be_bytes()).collect(),
        _ => numbers.iter().flat_map(|n| f64::from(*n).to_le_bytes()).collect(),
    };
    Cbor::Tag(tag, Box::new(Cbor::Bytes(bytes)))
}

/// What JSON says, as CBOR: arrays of floats as `vectors` says, and the bytes of photos as bytes.
fn cbor_of(json: &Json, vectors: Vectors) -> Cbor {
    match (json, vectors) {
        (Json::Array(numbers), Vectors::Typed)
            if !numbers.is_empty() && numbers.iter().all(Json::is_f64) =>
        {
            #[expect(clippy::cast_possible_truncation)]
            let numbers = numbers.iter().map(|n| n.as_f64().expect("a float") as f32);
            typed_array(F32_LITTLE, &numbers.collect::<Vec<_>>())
        }
        (Json::Array(elements), _) => {
            Cbor::Array(elements.iter().map(|element| cbor_of(element, vectors)).collect())
        }
        (Json::Object(fields), _) => {
            let field = |(name, value): (&String, &Json)| {
                let value = match value {
                    Json::Array(bytes) if name == "photo" => {
                        let byte = |byte: &Json| u8::try_from(byte.as_u64()?).ok();
                        Cbor::Bytes(bytes.iter().filter_map(byte).collect())
                    }
                    other => cbor_of(other, vectors),
                };
                (name.as_str().into(), value)
            };
            Cbor::Map(fields.iter().map(field).collect())
        }
        (single, _) => Cbor::serialized(single).expect("JSON can be said in CBOR"),
    }
}

/// What CBOR says, as JSON does: numbers of 32 bits, as both encodings can say those.
fn json_of(cbor: &Cbor) -> Json {
    match cbor {
        Cbor::Tag(F32_LITTLE, bytes) => {
            let bytes = bytes.as_bytes().expect("a typed array holds bytes");
            let (numbers, rest) = bytes.as_chunks::<4>();
            assert!(rest.is_empty());
            numbers.iter().map(|bytes| json!(f32::from_le_bytes(*bytes))).collect()
        }
        Cbor::Array(elements) => elements.iter().map(json_of).collect(),
        Cbor::Map(fields) => {
            let field = |(name, value): &(Cbor, Cbor)| {
                (name.as_text().expect("a name").to_string(), json_of(value))
            };
            Json::Object(fields.iter().map(field).collect::<Map<_, _>>())
        }
        Cbor::Bytes(bytes) => json!(bytes),
        Cbor::Integer(number) => match u64::try_from(*number) {
            Ok(number) => json!(number),
            Err(_) => json!(i64::try_from(*number).expect("64 bits")),
        },
        other => rounded(&other.deserialized().expect("CBOR can be said in JSON")),
    }
}

/// The same with its floats rounded to 32 bits.
fn rounded(json: &Json) -> Json {
    match json {
        #[expect(clippy::cast_possible_truncation)]
        Json::Number(number) if number.is_f64() => {
            json!(number.as_f64().unwrap_or_default() as f32)
        }
        Json::Array(elements) => elements.iter().map(rounded).collect(),
        Json::Object(fields) => {
            let field = |(name, value): (&String, &Json)| (name.clone(), rounded(value));
            Json::Object(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}

/// What an answer comes down to: its result, or the codes of its error.
fn outcome(answer: &Json) -> Json {
    let error = &answer["error"];
    if error.is_null() {
        let mut result = answer["result"].clone();
        if let Some(description) = result.as_object_mut() {
            description.remove("memory_bytes");
        }
        return result;
    }
    json!([error["code"], error["data"]])
}

const NAME: &str = "shop";

fn schema() -> Json {
    json!({
        "id": "string",
        "embedding": {"vector": 3, "metric": "cosine"},
        "price": {"type": "number", "filter": true},
        "stock": {"type": "u64", "filter": true},
        "debt": "i64",
        "tags": {"type": "string[]", "filter": true},
        "title": {"type": "string", "text": true},
        "photo": "bytes?",
        "since": {"type": "timestamp?", "filter": true},
        "place": {"type": "geo?", "filter": true},
        "more": "json?",
    })
}

fn doc(number: u32) -> Json {
    let turned = f64::from(number) / 20.0;
    json!({
        "id": format!("p{number}"),
        "embedding": [turned.cos(), turned.sin(), 0.5],
        "price": f64::from(number) + 0.25,
        "stock": u64::MAX - u64::from(number),
        "debt": i64::MIN + i64::from(number),
        "tags": [if number.is_multiple_of(2) { "even" } else { "odd" }, "any"],
        "title": format!("kettle number {number}"),
        "photo": [0, 127, 255],
        "since": "2026-01-31T12:00:00Z",
        "place": {"lat": 52.37, "lon": 4.9},
        "more": {"nested": [1, -2.5, null, true, {"deep": "ü"}], "empty": []},
    })
}

/// Every operation, and its mistakes.
fn script() -> Vec<(&'static str, Json)> {
    let vector = json!([0.9, 0.1, 0.2]);
    let docs: Vec<_> = (0..30).map(doc).collect();
    vec![
        ("db.create", json!({"schema": schema(), "shards": 2})),
        ("db.create", json!({"schema": {"id": "string"}})),
        ("db.create", json!({"schema": {"id": "strin"}})),
        ("db.get", json!({})),
        ("db.list", json!({})),
        ("doc.index", json!({"docs": docs})),
        ("doc.index", json!({"docs": [doc(30)]})),
        ("doc.index", json!({"docs": [doc(30)], "if_version": 0})),
        ("doc.index", json!({"docs": [{"id": "x", "embedding": [1.0, 0.5]}]})),
        ("doc.index", json!({"docs": [{"id": "x", "prise": 5}]})),
        ("doc.index", json!({"docs": [5]})),
        ("doc.index", json!({"docs": "all"})),
        ("doc.index", json!({"dosc": []})),
        ("doc.update", json!({"doc": doc(3)})),
        ("doc.update", json!({"docs": [doc(3), doc(4)]})),
        ("doc.update", json!({"doc": doc(99)})),
        ("doc.patch", json!({"id": "p5", "set": {"title": "pot", "embedding": [0.5, 0.5, 0.5]}})),
        ("doc.patch", json!({"id": "p5", "unset": ["photo"], "increment": {"price": -1.5}})),
        ("doc.patch", json!({"filter": {"tags": "odd"}, "increment": {"debt": 1}})),
        ("doc.patch", json!({"id": "p99", "set": {"price": 1}})),
        ("doc.patch", json!({"id": "p5"})),
        ("doc.get", json!({"ids": ["p5", "nobody", "p6"], "include": "*"})),
        ("doc.get", json!({"ids": ["p7"], "include": ["embedding", "stock"]})),
        ("doc.get", json!({"ids": [7]})),
        ("search", json!({"vector": vector, "limit": 5, "include": "*"})),
        ("search", json!({"vector": vector, "filter": {"price": {"$lt": 9.5}}, "explain": true})),
        ("search", json!({"vector": vector, "filter": {"stock": {"$gte": u64::MAX - 3}}})),
        ("search", json!({"vectors": [vector, [0.0, 0.5, 0.5]], "limit": 2, "include": []})),
        ("search", json!({"vector": vector, "text": "pot", "fusion": {"weighted": 0.5}})),
        ("search", json!({"text": "number", "limit": 3, "offset": 1, "min_score": 0.0})),
        ("search", json!({"like": ["p1"], "unlike": ["p20"], "except": ["p2"], "limit": 4})),
        ("search", json!({"vector": vector, "group_by": "price", "group_size": 2, "limit": 3})),
        ("search", json!({"vector": [0.5, 0.5]})),
        ("search", json!({"vector": [0.0, 0.0, 0.0]})),
        ("search", json!({"vector": "near"})),
        ("search", json!({"vector": vector, "limit": -1})),
        ("search", json!({"vector": vector, "limit": 10_001})),
        ("search", json!({"vector": vector, "filter": {"price": {"$near": 5}}})),
        ("search", json!({})),
        ("doc.count", json!({})),
        (
            "doc.count",
            json!({"filter": {"place": {"$geoRadius":
            {"center": {"lat": 52.0, "lon": 5.0}, "radius": 100_000}}}}),
        ),
        ("doc.count", json!({"filter": {"since": {"$lt": "2027-01-01T00:00:00Z"}}})),
        ("doc.facet", json!({"field": "tags"})),
        ("doc.facet", json!({"field": "stock", "limit": 2})),
        ("doc.facet", json!({"field": "tag"})),
        ("doc.scroll", json!({"limit": 7, "order_by": "price", "descending": true})),
        ("doc.scroll", json!({"limit": 7, "filter": {"tags": "even"}, "include": "*"})),
        ("doc.scroll", json!({"cursor": "nowhere"})),
        ("doc.delete", json!({"ids": ["p1", "nobody"]})),
        ("doc.delete", json!({"filter": {"tags": "even"}})),
        ("doc.delete", json!({})),
        ("db.get", json!({})),
        ("serch", json!({})),
        ("db.drop", json!({})),
        ("db.get", json!({})),
    ]
}

#[tokio::test]
async fn every_operation_answers_the_same_in_both_encodings() -> Result<()> {
    within_time(async {
        for vectors in [Vectors::Plain, Vectors::Typed] {
            let (text_server, binary_server) = (memory_server().await?, memory_server().await?);
            let mut text = Wire::open(&text_server).await?;
            let mut binary = BinaryWire::open(&binary_server).await?;
            let mut right = 0;
            for (method, mut params) in script() {
                if method != "db.list" {
                    params["db"] = json!(NAME);
                }
                let said = binary.ask(method, cbor_of(&params, vectors)).await?;
                let expected = outcome(&rounded(&text.ask(method, params.clone()).await?));
                assert_eq!(outcome(&json_of(&said)), expected, "{vectors:?} {method} {params}");
                right += usize::from(expected.is_object());
            }
            assert_eq!(right, 32, "operations that are no mistakes");
        }
        Ok(())
    })
    .await
}

/// A connection to a server with the database `shop`, which has one document.
async fn shop() -> Result<(Server, BinaryWire)> {
    let server = memory_server().await?;
    let mut wire = BinaryWire::open(&server).await?;
    for (method, params) in [
        ("db.create", json!({"db": NAME, "schema": schema()})),
        ("doc.index", json!({"db": NAME, "docs": [doc(1)]})),
    ] {
        let answer = wire.ask(method, cbor_of(&params, Vectors::Typed)).await?;
        assert!(json_of(&answer)["error"].is_null(), "{answer:?}");
    }
    Ok((server, wire))
}

/// The field `name` of the one document of the database.
async fn field(wire: &mut BinaryWire, name: &str) -> Result<Cbor> {
    let params = json!({"db": NAME, "ids": ["p1"], "include": "*"});
    let answer = wire.ask("doc.get", cbor_of(&params, Vectors::Plain)).await?;
    let member = |value: &Cbor, name: &str| {
        let fields = value.as_map().expect("an object");
        let found = fields.iter().find(|(key, _)| key.as_text() == Some(name));
        found.map(|(_, value)| value.clone()).expect("the field is there")
    };
    let docs = member(&member(&answer, "result"), "docs");
    Ok(member(&docs.as_array().expect("an array")[0], name))
}

#[tokio::test]
async fn vectors_are_typed_arrays_and_bytes_are_bytes() -> Result<()> {
    within_time(async {
        let (_server, mut wire) = shop().await?;
        let (tag, numbers) = field(&mut wire, "embedding").await?.into_tag().expect("a tag");
        assert_eq!((tag, numbers.as_bytes().map(Vec::len)), (F32_LITTLE, Some(3 * 4)));
        assert_eq!(field(&mut wire, "photo").await?, Cbor::Bytes(vec![0, 127, 255]));
        assert_eq!(field(&mut wire, "stock").await?, Cbor::Integer((u64::MAX - 1).into()));
        assert_eq!(field(&mut wire, "debt").await?, Cbor::Integer((i64::MIN + 1).into()));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn every_typed_array_of_floats_is_a_vector() -> Result<()> {
    within_time(async {
        let (_server, mut wire) = shop().await?;
        for tag in [F16_BIG, F32_BIG, F64_BIG, F16_LITTLE, F32_LITTLE, F64_LITTLE] {
            let vector = typed_array(tag, &[1.0, -0.5, 0.25]);
            let set = object([("embedding", vector)]);
            let params = object([("db", NAME.into()), ("id", "p1".into()), ("set", set)]);
            let answer = json_of(&wire.ask("doc.patch", params).await?);
            assert!(answer["error"].is_null(), "{tag} {answer}");
            let stored = json_of(&field(&mut wire, "embedding").await?);
            assert_eq!(stored, json!([1.0, -0.5, 0.25]), "{tag}");
        }
        Ok(())
    })
    .await
}

/// Asserts that `said` gets the error `number` with `code` that says `message`, of nobody, and that
/// life goes on.
async fn check_message(said: Message, number: i64, code: &str, message: &str) -> Result<()> {
    within_time(async {
        let (_server, mut wire) = shop().await?;
        wire.send(said).await?;
        let answer = json_of(&wire.receive().await?);
        assert_eq!(answer["id"], Json::Null, "{answer}");
        check_error(&answer, number, code, message);
        field(&mut wire, "embedding").await.map(drop)
    })
    .await
}

fn check_error(answer: &Json, number: i64, code: &str, message: &str) {
    assert_eq!(answer["error"]["code"], number, "{answer}");
    assert_eq!(answer["error"]["data"]["code"], code, "{answer}");
    let said = answer["error"]["message"].as_str().unwrap_or_default();
    assert!(said.contains(message), "{message:?} is not in {said:?}");
}

async fn check_malformed(bytes: impl Into<Vec<u8>>, message: &str) -> Result<()> {
    check_message(Message::binary(bytes.into()), MALFORMED, "invalid", message).await
}

#[tokio::test]
async fn bytes_that_are_no_cbor_are_answered() -> Result<()> {
    check_malformed([], "the message is not CBOR").await?;
    check_malformed([0xff], "break is no value").await?;
    check_malformed([0x1c], "is no value").await?;
    check_malformed([0xa1, 0x67, b'j'], "end of input").await?;
    check_malformed([0xa1, 0x62, 0xff, 0xfe, 0x01], "utf-8").await?;
    check_malformed([0xa0, 0x00], "1 bytes follow after the end").await?;
    check_malformed([0x7f, 0x61, b'a', 0xff], "in one piece").await?;
    check_malformed([0xc1, 0x01], "tag 1 stands before no bytes").await?;
    check_malformed([0xd8, 0x55, 0x43, 1, 2, 3], "no multiple of 4").await?;
    check_malformed([0xd8, 0x20, 0x41, b'a'], "tag 32 means nothing here").await
}

#[tokio::test]
async fn promises_of_gigabytes_cost_nothing() -> Result<()> {
    let huge = [0xff; 8];
    for first in [0x5b, 0x7b, 0x9b, 0xbb] {
        check_malformed([&[first][..], &huge].concat(), "the message is not CBOR").await?;
    }
    check_malformed([&[0x81, 0x9b][..], &huge].concat(), "the message is not CBOR").await?;
    check_malformed([&[0xd8, 0x55, 0x5b][..], &huge].concat(), "the message is not CBOR").await
}

#[tokio::test]
async fn the_number_of_values_has_a_bound() -> Result<()> {
    let zeros = vec![0; 4 * 1024 * 1024];
    let list = [&[0x81, 0x9a, 0x00, 0x40, 0x00, 0x00][..], &zeros].concat();
    check_malformed(list, "more than 2097152 values").await
}

#[tokio::test]
async fn nesting_has_a_bound() -> Result<()> {
    const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
    for first in [0x81, 0x9f] {
        check_malformed(vec![first; MESSAGE_BYTES_MAX], "deeper than 128 levels").await?;
    }
    check_malformed([&[0x81][..], &[0xc1; 1_000]].concat(), "deeper than 128 levels").await?;
    let maps = [&[0x81][..], &[0xa1, 0x61, b'a'].repeat(1_000)].concat();
    check_malformed(maps, "deeper than 128 levels").await
}

#[tokio::test]
async fn cbor_that_is_no_request_is_answered() -> Result<()> {
    let check = |bytes: &[u8], message| {
        check_message(Message::binary(bytes.to_vec()), NO_REQUEST, "invalid", message)
    };
    check(&[0x05], "no JSON-RPC request").await?;
    check(&[0x80], "at least one").await?;
    check(&[0xa1, 0x00, 0x63, b'2', b'.', b'0'], "a field is named by text").await?;
    check(&bytes_of(&object([("jsonrpc", "1.0".into())])), r#""jsonrpc": "2.0""#).await?;
    let id = object([("jsonrpc", "2.0".into()), ("id", Cbor::Bytes(vec![1]))]);
    check(&bytes_of(&id), "an id is a string, a number or null").await?;
    check_message(Message::text("{}"), NO_REQUEST, "invalid", "CBOR in binary frames").await
}

#[tokio::test]
async fn a_message_over_the_limit_is_answered() -> Result<()> {
    let message = Message::binary(vec![0; 9 * 1024 * 1024]);
    let says = "the message has 9437184 bytes, the limit is 8388608";
    check_message(message, LIMIT_EXCEEDED, "limit_exceeded", says).await
}

#[tokio::test]
async fn what_is_no_number_in_json_is_none_in_cbor() -> Result<()> {
    within_time(async {
        let (_server, mut wire) = shop().await?;
        for number in [f64::NAN, f64::INFINITY] {
            let price = object([("$lt", number.into())]);
            let filter = object([("price", price)]);
            let params = object([("db", NAME.into()), ("filter", filter)]);
            let answer = json_of(&wire.ask("doc.count", params).await?);
            check_error(&answer, INVALID, "invalid", "is no finite number");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_mistake_in_a_parameter_names_it() -> Result<()> {
    within_time(async {
        let (_server, mut wire) = shop().await?;
        let params = object([("db", NAME.into()), ("vector", vec![Cbor::Null; 3].into())]);
        let answer = json_of(&wire.ask("search", params).await?);
        check_error(&answer, INVALID, "invalid", "vector: invalid type");
        let params = object([("db", NAME.into()), ("db", NAME.into())]);
        let answer = json_of(&wire.ask("doc.count", params).await?);
        check_error(&answer, INVALID, "invalid", r#""db" is there twice"#);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_batch_is_answered_as_one_without_its_notifications() -> Result<()> {
    within_time(async {
        let (_server, mut wire) = shop().await?;
        let params = || object([("db", NAME.into())]);
        let notification = object([("jsonrpc", "2.0".into()), ("method", "db.list".into())]);
        let batch = vec![request(1, "doc.count", params()), notification, Cbor::from(5)];
        wire.send(Message::binary(bytes_of(&batch.into()))).await?;
        let answers = json_of(&wire.receive().await?);
        assert_eq!(answers.as_array().map(Vec::len), Some(2), "{answers}");
        assert_eq!(answers[0]["result"], json!({"count": 1}));
        check_error(&answers[1], NO_REQUEST, "invalid", "no JSON-RPC request");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_follows_is_told_the_same_in_both_encodings() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut writer = Wire::open(&server).await?;
        let (method, mut params) = script().swap_remove(0);
        params["db"] = json!(NAME);
        writer.result(method, params).await?;
        let mut text = Wire::open(&server).await?;
        let mut binary = BinaryWire::open(&server).await?;
        let search = json!({"db": NAME, "vector": [0.5, 0.25, 0.5], "include": "*"});
        for params in [json!({"db": NAME, "include": "*"}), json!({"search": search})] {
            let said = binary.ask("subscribe", cbor_of(&params, Vectors::Typed)).await?;
            let expected = outcome(&rounded(&text.ask("subscribe", params.clone()).await?));
            assert!(expected.is_object(), "{params}: {expected}");
            assert_eq!(outcome(&json_of(&said)), expected, "{params}");
            let index = json!({"db": NAME, "docs": [doc(3)]});
            writer.result("doc.index", index).await?;
            let told = text.receive().await?;
            assert_eq!(json_of(&binary.receive().await?), rounded(&told), "{params}");
            let params = json!({"subscription": told["params"]["subscription"]});
            let said = binary.ask("unsubscribe", cbor_of(&params, Vectors::Plain)).await?;
            assert_eq!(json_of(&said)["result"], text.result("unsubscribe", params).await?);
            writer.result("doc.delete", json!({"db": NAME, "filter": {}})).await?;
        }
        Ok(())
    })
    .await
}
