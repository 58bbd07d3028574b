//! The operations over HTTP: paths, conditions by etag, encodings, lines, and every way to ask
//! wrongly. That they answer as over the other transports is `server_transports`.

mod server_fixture;

use serde_json::{Value as Json, json};
use server_fixture::{
    Product, any_port,
    http::{Answer, Http},
    memory_server, within_time,
};
use std::io::{Read, Write};
use vectordoc::{Result, VectorDoc};
use vectordoc_server::{Catalog, Server};

const DOCS: &str = "/v1/dbs/products/docs";

fn doc(number: u32) -> Json {
    json!({
        "id": format!("p{number}"),
        "embedding": server_fixture::direction(number),
        "price": number,
        "tags": ["a"],
        "title": "A product",
    })
}

/// A server with a database of `count` products.
async fn shop(count: u32) -> Result<(Server, Http)> {
    let server = memory_server().await?;
    let http = Http::to(&server);
    let schema = json!({"schema": Product::schema().to_json()});
    http.ask("PUT", "/v1/dbs/products", schema).await?.result();
    let docs: Vec<_> = (0..count).map(doc).collect();
    http.ask("POST", DOCS, json!({"docs": docs})).await?.result();
    Ok((server, http))
}

/// What is wrong: the status, the code, and the words.
fn refused(answer: &Answer) -> (u16, String, String) {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
    let problem = answer.json();
    assert_eq!(problem["status"], answer.status);
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    (answer.status, text("code"), text("detail"))
}

#[tokio::test]
async fn documents_have_addresses() -> Result<()> {
    within_time(async {
        let (server, http) = shop(2).await?;
        let odd =
            json!({"id": "c/d é?", "embedding": [1, 0, 0], "price": 1, "tags": [], "title": ""});
        http.ask("POST", DOCS, json!({"docs": [odd]})).await?.result();
        let path = format!("{DOCS}/c%2Fd%20%C3%A9%3F");
        let one = http.ask("GET", &format!("{path}?include=price"), Json::Null).await?;
        assert_eq!(one.result()["doc"], json!({"id": "c/d é?", "price": 1.0}));
        assert_eq!(one.header("etag"), format!("\"{}\"", one.result()["version"]));
        let deleted = http.ask("DELETE", &path, Json::Null).await?.result();
        assert_eq!(deleted["deleted"], 1);
        let gone = http.ask("GET", &path, Json::Null).await?;
        assert_eq!(refused(&gone).0, 404);
        let other = http.ask("PUT", &format!("{DOCS}/p1"), json!({"doc": doc(0)})).await?;
        assert!(refused(&other).2.contains("p0") && refused(&other).2.contains("p1"));
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn a_write_holds_for_the_version_its_client_has_seen() -> Result<()> {
    within_time(async {
        let (server, http) = shop(1).await?;
        let path = format!("{DOCS}/p0");
        let read = http.ask("GET", &path, Json::Null).await?;
        let tag = read.header("etag").to_owned();
        let known = http.with("if-none-match", &tag).ask("GET", &path, Json::Null).await?;
        assert_eq!((known.status, known.header("etag"), known.body.len()), (304, &*tag, 0));
        let set = json!({"set": {"price": 5}});
        let patched = http.with("if-match", &tag).ask("PATCH", &path, set.clone()).await?;
        let new_tag = patched.header("etag").to_owned();
        assert_ne!(new_tag, tag, "{}", patched.result());
        let late = http.with("if-match", &tag).ask("PATCH", &path, set.clone()).await?;
        assert_eq!((refused(&late).0, &*refused(&late).1), (412, "conflict"));
        let late = http.with("if-match", &tag).ask("DELETE", &path, Json::Null).await?;
        assert_eq!(refused(&late).0, 412);
        // The same condition in the body is a parameter, and has the status of its error.
        let late = http.ask("PATCH", &path, json!({"set": {"price": 6}, "if_version": 1})).await?;
        assert_eq!(refused(&late).0, 409);
        let fresh = http.with("if-none-match", &tag).ask("GET", &path, Json::Null).await?;
        assert_eq!(fresh.result()["doc"]["price"], 5.0);
        let once = http.with("if-none-match", "*");
        assert_eq!(once.ask("POST", DOCS, json!({"docs": [doc(7)]})).await?.status, 200);
        assert_eq!(once.ask("POST", DOCS, json!({"docs": [doc(7)]})).await?.status, 412);
        let wrong = http.with("if-match", "*").ask("PATCH", &path, set.clone()).await?;
        assert_eq!(refused(&wrong).0, 400);
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn cbor_is_answered_to_who_accepts_it() -> Result<()> {
    within_time(async {
        let (server, http) = shop(3).await?;
        let mut body = Vec::new();
        ciborium::into_writer(&json!({"vector": [1.0, 0.0, 0.0], "limit": 2}), &mut body)
            .expect("memory");
        let http = http.with("content-type", "application/cbor").with("accept", "application/cbor");
        let answer = http.send("POST", "/v1/dbs/products/search", body).await?;
        assert_eq!(answer.header("content-type"), "application/cbor");
        let found: Json = ciborium::from_reader(&answer.body[..]).expect("CBOR");
        assert_eq!(found["hits"][0]["id"], "p0");
        assert_eq!(found["hits"].as_array().map(Vec::len), Some(2));
        server.shutdown().await
    })
    .await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).and_then(|()| gzip.finish()).expect("memory")
}

#[tokio::test]
async fn bodies_are_compressed_both_ways_and_bounded_by_what_they_become() -> Result<()> {
    within_time(async {
        let (server, http) = shop(0).await?;
        let docs: Vec<_> = (0..200).map(doc).collect();
        let packed = http.with("content-type", "application/json").with("content-encoding", "gzip");
        let body = gzip(json!({"docs": docs}).to_string().as_bytes());
        assert_eq!(packed.send("POST", DOCS, body).await?.result()["indexed"], 200);
        let scroll = http
            .with("accept-encoding", "gzip")
            .ask("POST", "/v1/dbs/products/scroll", json!({"limit": 200}))
            .await?;
        assert_eq!(scroll.header("content-encoding"), "gzip");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&scroll.body[..]).read_to_string(&mut text).expect("gzip");
        let page: Json = serde_json::from_str(&text).expect("JSON");
        assert_eq!(page["docs"].as_array().map(Vec::len), Some(200));
        let bomb = gzip(&vec![b' '; 100 * 1024 * 1024]);
        assert!(bomb.len() < 1024 * 1024);
        assert_eq!(refused(&packed.send("POST", DOCS, bomb).await?).1, "limit_exceeded");
        let broken = packed.send("POST", DOCS, &b"no gzip"[..]).await?;
        assert_eq!(refused(&broken).0, 400);
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn lines_are_written_as_they_come_and_say_how_far_they_are() -> Result<()> {
    within_time(async {
        let (server, http) = shop(0).await?;
        let lines: Vec<_> = (0..2_500).map(|number| doc(number).to_string()).collect();
        let as_lines = http.with("content-type", "application/x-ndjson");
        let done = as_lines.send("POST", DOCS, lines.join("\n") + "\n\n").await?;
        assert_eq!(done.result(), json!({"indexed": 2500, "durability": "fsync"}));
        let heard = as_lines
            .with("accept", "application/x-ndjson")
            .send("POST", &format!("{DOCS}?durability=memory"), lines.join("\r\n"))
            .await?;
        let said: Vec<Json> = String::from_utf8_lossy(&heard.body)
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        let expected = json!([
            {"indexed": 1000, "lines": 1000},
            {"indexed": 2000, "lines": 2000},
            {"indexed": 2500, "lines": 2500},
            {"indexed": 2500, "durability": "memory"},
        ]);
        assert_eq!(json!(said), expected);
        let count = http.ask("POST", "/v1/dbs/products/count", json!({})).await?.result();
        assert_eq!(count["count"], 2500);
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn a_wrong_line_is_named_with_what_is_written_before_it() -> Result<()> {
    within_time(async {
        let (server, http) = shop(0).await?;
        let mut lines: Vec<_> = (0..1_500).map(|number| doc(number).to_string()).collect();
        lines[1_201] = "{\"id\": ".into();
        let as_lines = http.with("content-type", "application/x-ndjson");
        let stopped = as_lines.send("POST", DOCS, lines.join("\n")).await?;
        let (status, code, detail) = refused(&stopped);
        assert_eq!((status, &*code), (400, "invalid"));
        assert!(detail.starts_with("line 1202: "), "{detail}");
        assert_eq!(stopped.json()["indexed"], 1_000);
        let count = http.ask("POST", "/v1/dbs/products/count", json!({})).await?.result();
        assert_eq!(count["count"], 1_000);
        let long = vec![b'x'; 9 * 1024 * 1024];
        assert_eq!(refused(&as_lines.send("POST", DOCS, long).await?).1, "limit_exceeded");
        let conditional = as_lines.with("if-match", "\"1\"").send("POST", DOCS, "{}").await?;
        assert!(refused(&conditional).2.contains("one document"));
        let nowhere = as_lines.send("POST", "/v1/dbs/nothing/docs", "{}").await?;
        assert_eq!(refused(&nowhere).0, 404);
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn a_request_that_is_wrong_is_told_what_would_be_right() -> Result<()> {
    within_time(async {
        let (server, http) = shop(1).await?;
        let search = "/v1/dbs/products/search";
        let cases = [
            ("POST", search, json!({"vectr": [1, 0, 0]}), 400, "did you mean \"vector\""),
            ("POST", search, json!({"vector": [1, 0]}), 400, "needs 3"),
            ("POST", search, json!({"db": "other", "vector": [1, 0, 0]}), 400, "\"db\""),
            ("POST", search, json!([1]), 400, "object"),
            ("POST", search, Json::Null, 400, "vector"),
            ("POST", "/v1/dbs/prodcts/search", json!({}), 404, "products"),
            ("POST", "/v1/dbs/No Name/search", json!({}), 400, "a-z"),
            ("GET", "/v1/dbs/products/serch", Json::Null, 404, "/v1/dbs/products/serch"),
            ("GET", search, Json::Null, 405, "GET"),
            ("GET", "/v1/dbs/products?limit=3", Json::Null, 400, "limit"),
            ("GET", "/v1/dbs/products/changes?limit=many", Json::Null, 400, "limit"),
            ("GET", "/v1/dbs/products/changes?limit=1&limit=2", Json::Null, 400, "twice"),
            ("DELETE", "/v1/dbs/nothing", Json::Null, 404, "nothing"),
        ];
        for (verb, path, body, status, words) in cases {
            let path = path.replace(' ', "%20");
            let answer = http.ask(verb, &path, body).await?;
            let (got, _, detail) = refused(&answer);
            assert!(got == status && detail.contains(words), "{verb} {path}: {got} {detail}");
        }
        let form = http.with("content-type", "text/plain").send("POST", search, "{}").await?;
        assert_eq!(refused(&form).0, 415);
        let lines = http.with("content-type", "application/x-ndjson");
        assert_eq!(refused(&lines.send("POST", search, "{}").await?).0, 415);
        let long = vec![b' '; 9 * 1024 * 1024];
        assert_eq!(refused(&http.send("POST", search, long).await?).0, 413);
        assert_eq!(refused(&http.send("POST", search, vec![b'"', 0xff, b'"']).await?).0, 400);
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn pages_of_allowed_origins_may_read_answers() -> Result<()> {
    within_time(async {
        let options = any_port().allow_origin("https://example.org");
        let server = Server::start(Catalog::in_memory(1), &options).await?;
        let http = Http::to(&server);
        let page = http.with("origin", "https://example.org");
        let asked = page
            .with("access-control-request-method", "PUT")
            .with("access-control-request-headers", "content-type,authorization")
            .ask("OPTIONS", "/v1/dbs/products", Json::Null)
            .await?;
        assert_eq!(asked.header("access-control-allow-origin"), "https://example.org");
        assert!(asked.header("access-control-allow-methods").contains("PUT"));
        let listed = page.ask("GET", "/v1/dbs", Json::Null).await?;
        assert_eq!(listed.header("access-control-allow-origin"), "https://example.org");
        let stranger = http.with("origin", "https://example.com");
        let denied = stranger.ask("GET", "/v1/dbs", Json::Null).await?;
        assert_eq!(refused(&denied).0, 403);
        assert_eq!(denied.header("access-control-allow-origin"), "");
        server.shutdown().await
    })
    .await
}
