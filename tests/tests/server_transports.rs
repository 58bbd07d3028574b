//! Every operation, asked for over every transport, has the same answer and the same error; and
//! what HTTP answers is what `/openapi.json` says.
//!
//! Each transport has a server of its own, and the same requests in the same order. CBOR over
//! WebSocket is in `server_cbor`.

mod server_fixture;

use serde_json::{Value as Json, json};
use server_fixture::{Product, Wire, direction, http::Http, memory_server, within_time};
use std::collections::BTreeSet;
use vectordoc::{Result, VectorDoc};
use vectordoc_server::Server;

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
        ("changes", json!({"db": db})),
        ("changes", json!({"db": db, "since": "nowhere"})),
        ("doc.delete", json!({"db": db, "ids": ["p1", "nobody"]})),
        ("doc.delete", json!({"db": db, "ids": ["p2"], "if_version": 77})),
        ("doc.delete", json!({"db": db, "filter": {"price": {"$gte": 15}}})),
        ("doc.delete", json!({"db": db})),
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
                        "memory_bytes" => *member = json!("measured"),
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

/// HTTP as its description says.
struct Described {
    http: Http,
    description: Json,
}

impl Described {
    async fn of(server: &Server) -> Result<Self> {
        let http = Http::to(server);
        let description = http.ask("GET", "/openapi.json", Json::Null).await?.result();
        Ok(Self { http, description })
    }

    /// Every route: verb, path, and the operation there.
    fn routes(&self) -> impl Iterator<Item = (String, &str, &Json)> {
        let paths = self.description["paths"].as_object().expect("paths").iter();
        paths.flat_map(|(path, verbs)| {
            let verbs = verbs.as_object().expect("verbs").iter();
            verbs.map(move |(verb, operation)| (verb.to_uppercase(), path.as_str(), operation))
        })
    }

    fn methods(&self) -> BTreeSet<&str> {
        self.routes().filter_map(|(_, _, operation)| operation["x-method"].as_str()).collect()
    }

    /// Asks for `method` by every route that `params` can go, of which the first must be safe to
    /// follow by the others; returns what it said at the first.
    async fn ask(&self, method: &str, params: &Json) -> Result<Said> {
        let id = &params["id"];
        let fits = |path: &str| path.contains("{id}") == id.is_string();
        let (verb, path, operation) = self
            .routes()
            .find(|(_, path, operation)| operation["x-method"] == method && fits(path))
            .unwrap_or_else(|| panic!("{method} has no route"));
        let mut free = params.as_object().expect("params").clone();
        let mut path = path.to_owned();
        for name in ["db", "id"] {
            if path.contains(&format!("{{{name}}}")) {
                let value = free.remove(name).unwrap_or_default();
                path = path.replace(&format!("{{{name}}}"), value.as_str().expect("text"));
            }
        }
        let has_body = !operation["requestBody"].is_null();
        let body = if has_body {
            json!(free)
        } else {
            let text = |value: &Json| value.as_str().map_or(value.to_string(), str::to_owned);
            let query: Vec<_> =
                free.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
            path = format!("{path}?{}", query.join("&"));
            Json::Null
        };
        let answer = self.http.ask(&verb, &path, body).await?;
        let status = answer.status.to_string();
        let described = match &operation["responses"][&status] {
            Json::Null => &self.description["components"]["responses"]["Problem"],
            described => described,
        };
        self.check(described, &answer, &format!("{method} {params}"));
        let said = answer.json();
        let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
        Ok(if answer.status == 200 { Ok(said) } else { Err((text("code"), text("detail"))) })
    }

    /// Checks that an answer is what is `described`.
    fn check(&self, described: &Json, answer: &server_fixture::http::Answer, asked: &str) {
        let content_type = answer.header("content-type");
        let schema = &described["content"][content_type]["schema"];
        assert!(!schema.is_null(), "{asked}: {content_type} is not described in {described}");
        let mut schema = schema.clone();
        schema["components"] = self.description["components"].clone();
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let wrong: Vec<_> =
            validator.iter_errors(&answer.json()).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{asked}: {wrong:?} in {}", answer.json());
    }
}

#[tokio::test]
async fn every_operation_answers_the_same_over_every_transport() -> Result<()> {
    within_time(async {
        let (by_wire, by_http) = (memory_server().await?, memory_server().await?);
        let mut wire = Wire::open(&by_wire).await?;
        let described = Described::of(&by_http).await?;
        let mut asked = BTreeSet::new();
        for (method, params) in program() {
            asked.insert(method);
            let expected = comparable(of_message(wire.ask(method, params.clone()).await?));
            let http = comparable(described.ask(method, &params).await?);
            assert_eq!(http, expected, "{method} {params} over HTTP");
        }
        assert_eq!(asked, described.methods(), "some operation is not in the program");
        drop(wire);
        by_wire.shutdown().await?;
        by_http.shutdown().await
    })
    .await
}
