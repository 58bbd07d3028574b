//! A running server says how it is: probes, metrics, request ids, and a log that finds a request and
//! holds nobody's secrets.

mod cli_program;
mod server_fixture;

use cli_program::Running;
use serde_json::{Value as Json, json};
use server_fixture::{
    Product, Wire, any_port, http_get, memory_server, product, server_of, within_time,
};
use std::fs;
use vectordoc::{Result, VectorDoc};
use vectordoc_server::{
    Catalog, Server,
    keys::{KeyFile, Role, Scope},
};

/// The status and the body of an answer, and its headers in lower case.
fn parts(answer: &str) -> (u16, String, String) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), head.to_lowercase(), body.to_owned())
}

async fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> Result<(u16, String)> {
    let (status, _, body) = parts(&http_get(server.addr(), path, headers).await?);
    Ok((status, body))
}

/// The value of the sample whose line begins with `name`.
fn sample(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find(|line| line.starts_with(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {metrics}"));
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a number")
}

async fn create(wire: &mut Wire, db: &str) -> Result<()> {
    let schema = Product::schema().to_json();
    wire.result("db.create", json!({"db": db, "schema": schema})).await.map(drop)
}

fn docs(count: u32) -> Json {
    let doc = |number| {
        let product = product(number);
        json!({
            "id": product.id, "embedding": product.embedding, "price": product.price,
            "tags": product.tags, "title": "what-nobody-may-read",
        })
    };
    (0..count).map(doc).collect()
}

#[tokio::test]
async fn probes_are_answered_under_any_name_and_metrics_are_not() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let host = [("host", "pod-7.example:7700")];
        assert_eq!(get(&server, "/healthz", &host).await?, (200, "ok\n".into()));
        let (status, ready) = get(&server, "/readyz", &host).await?;
        let ready: Json = serde_json::from_str(&ready).expect("JSON");
        let databases = json!({"usable": 0, "asleep": 0, "paused": 0, "changing": 0, "broken": 0});
        assert_eq!((status, ready), (200, json!({"status": "ready", "databases": databases})));
        assert_eq!(get(&server, "/metrics", &host).await?.0, 403);
        assert_eq!(get(&server, "/metrics", &[]).await?.0, 200);
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn a_damaged_database_is_counted_and_stops_the_server_only_when_none_is_left() -> Result<()> {
    within_time(async {
        let folder = tempfile::tempdir().expect("a folder");
        let broken = folder.path().join("broken");
        fs::create_dir(&broken).expect("created");
        fs::write(broken.join("shard-0-of-1.redb"), vec![7; 4096]).expect("written");
        let server = server_of(folder.path()).await?;
        let (status, problem) = get(&server, "/readyz", &[]).await?;
        assert_eq!(status, 503, "{problem}");
        assert!(problem.contains("\"code\":\"unavailable\""), "{problem}");
        create(&mut Wire::open(&server).await?, "products").await?;
        let (status, ready) = get(&server, "/readyz", &[]).await?;
        assert!(status == 200 && ready.contains("\"broken\":1"), "{ready}");
        let (_, metrics) = get(&server, "/metrics", &[]).await?;
        assert_eq!(sample(&metrics, "vectordoc_databases{state=\"broken\"}"), 1.0);
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn metrics_count_requests_by_what_they_asked_and_how_they_ended() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut wire = Wire::open(&server).await?;
        create(&mut wire, "products").await?;
        wire.result("doc.index", json!({"db": "products", "docs": docs(10)})).await?;
        for _ in 0..3 {
            wire.result("search", json!({"db": "products", "vector": [1, 0, 0]})).await?;
        }
        wire.ask("search", json!({"db": "products", "vector": [1, 0]})).await?;
        wire.ask("doc.count", json!({"db": "no-such"})).await?;
        for number in 0..5 {
            wire.ask(&format!("nothing-{number}"), json!({})).await?;
        }
        let (_, metrics) = get(&server, "/metrics", &[]).await?;
        let requests = |method: &str, code: &str| {
            let labels = format!("method=\"{method}\",transport=\"websocket\",code=\"{code}\"");
            sample(&metrics, &format!("vectordoc_requests_total{{{labels}}}"))
        };
        assert_eq!(requests("search", "ok"), 3.0);
        assert_eq!(requests("search", "invalid"), 1.0);
        assert_eq!(requests("doc.count", "not_found"), 1.0);
        assert_eq!(requests("unknown", "unsupported"), 5.0);
        assert!(!metrics.contains("nothing-"), "{metrics}");
        let search = "vectordoc_request_duration_seconds_count{method=\"search\"}";
        assert_eq!(sample(&metrics, search), 4.0);
        assert_eq!(sample(&metrics, "vectordoc_database_documents{db=\"products\"}"), 10.0);
        assert_eq!(sample(&metrics, "vectordoc_database_shards{db=\"products\"}"), 1.0);
        assert_eq!(sample(&metrics, "vectordoc_requests_in_flight{transport=\"websocket\"}"), 0.0);
        assert_eq!(sample(&metrics, "vectordoc_connections "), 2.0);
        assert_eq!(sample(&metrics, "vectordoc_build_info{version="), 1.0);
        let open = [("accept", "application/openmetrics-text; version=1.0.0")];
        let (_, head, body) = parts(&http_get(server.addr(), "/metrics", &open).await?);
        assert!(head.contains("content-type: application/openmetrics-text"), "{head}");
        assert!(body.ends_with("# EOF\n") && body.matches("# EOF").count() == 1, "{body}");
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn where_there_are_keys_metrics_take_one_and_show_what_it_may_see() -> Result<()> {
    within_time(async {
        let folder = tempfile::tempdir().expect("a folder");
        let file = KeyFile::of(folder.path());
        let key = |dbs: &[&str], role| -> Result<String> {
            let (token, _) = file.create("", role, Scope::of(dbs.iter().copied())?)?;
            Ok(format!("Bearer {}", token.reveal()))
        };
        let (admin, reader) = (key(&[], Role::Admin)?, key(&["mine"], Role::Read)?);
        let server = server_of(folder.path()).await?;
        let mut wire = Wire::open_with(&server, Some(&admin)).await?;
        create(&mut wire, "mine").await?;
        create(&mut wire, "theirs").await?;
        assert_eq!(get(&server, "/metrics", &[]).await?.0, 401);
        assert_eq!(get(&server, "/metrics", &[("authorization", "Bearer vd_x_y")]).await?.0, 401);
        let (status, seen) = get(&server, "/metrics", &[("authorization", &reader)]).await?;
        assert_eq!(status, 200);
        assert!(seen.contains("db=\"mine\"") && !seen.contains("theirs"), "{seen}");
        let (_, seen) = get(&server, "/metrics", &[("authorization", &admin)]).await?;
        assert!(seen.contains("db=\"mine\"") && seen.contains("db=\"theirs\""), "{seen}");
        for open in ["/healthz", "/readyz"] {
            let (status, body) = get(&server, open, &[]).await?;
            assert!(status == 200 && !body.contains("mine"), "{body}");
        }
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn a_request_keeps_its_id_or_gets_one() -> Result<()> {
    within_time(async {
        let server = Server::start(Catalog::in_memory(1), &any_port()).await?;
        let id = |answer: String| {
            let (_, head, _) = parts(&answer);
            let line = head.lines().find_map(|line| line.strip_prefix("x-request-id: "));
            line.expect("an id").to_owned()
        };
        for path in ["/healthz", "/nowhere"] {
            let asked = http_get(server.addr(), path, &[("x-request-id", "mine-7")]).await?;
            assert_eq!(id(asked), "mine-7", "{path}");
        }
        let long = "x".repeat(129);
        let mut made = Vec::new();
        for bad in ["a b", "\"x\"", &long] {
            made.push(id(http_get(server.addr(), "/healthz", &[("x-request-id", bad)]).await?));
        }
        made.sort_unstable();
        made.dedup();
        assert!(made.len() == 3 && made.iter().all(|id| !id.contains(['"', ' '])), "{made:?}");
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn the_log_of_a_process_finds_a_request_and_holds_no_key_vector_or_document() -> Result<()> {
    within_time(async {
        let folder = tempfile::tempdir().expect("a folder");
        let (data, log) = (folder.path().join("data"), folder.path().join("log"));
        let create_key = |role| KeyFile::of(&data).create("", role, Scope::of([])?);
        fs::create_dir(&data).expect("created");
        let (admin, known) = create_key(Role::Admin)?;
        let (other, _) = create_key(Role::Read)?;
        let arguments =
            ["--log-format", "json", "--log-filter", "trace", "--log-slow-query", "1ms"];
        let (server, url) = Running::serve_logged(&data, &arguments, &log);
        let key = format!("Bearer {}", admin.reveal());
        let headers = [("authorization", key.as_str()), ("x-request-id", "check-7")];
        let mut wire = Wire::open_at(&url, &headers).await?;
        create(&mut wire, "products").await?;
        wire.result("doc.index", json!({"db": "products", "docs": docs(5_000)})).await?;
        let search = json!({
            "db": "products", "vector": [0.123_456_7, 0.5, 0.25], "limit": 7,
            "filter": {"price": {"$lt": 20}},
        });
        wire.result("search", search).await?;
        wire.ask("auth", json!({"key": other.reveal()})).await?;
        wire.ask("auth", json!({"key": "vd_wrong_secretsecretsecret"})).await?;
        wire.ask("doc.index", json!({"db": "products", "docs": [{"id": "what-nobody-may-read"}]}))
            .await?;
        let (_, code) = server.terminate();
        assert_eq!(code, Some(0));
        let text = fs::read_to_string(&log).expect("a log");
        for token in [&admin, &other] {
            let secret = token.reveal().rsplit('_').next().expect("a secret");
            assert!(!text.contains(secret), "a key is in the log");
        }
        for secret in ["secretsecret", "what-nobody-may-read", "0.1234567", "0.123456"] {
            assert!(!text.contains(secret), "{secret} is in the log");
        }
        let lines: Vec<Json> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let about = |method: &str, message: &str| {
            let found = lines.iter().find(|line| {
                line["message"] == json!(message) && line["span"]["method"] == json!(method)
            });
            found.unwrap_or_else(|| panic!("no {message:?} about {method} in {text}"))
        };
        let answered = about("search", "answered");
        assert_eq!(answered["outcome"], "ok");
        assert!(answered["duration_ms"].is_number(), "{answered}");
        let span = &answered["span"];
        assert_eq!(span["request_id"], "check-7");
        assert_eq!(span["db"], "products");
        assert_eq!(span["transport"], "websocket");
        assert_eq!(span["caller"], known.id());
        assert!(span["rpc_id"].is_string(), "{span}");
        let slow = about("doc.index", "a slow request");
        assert_eq!((&slow["level"], &slow["shape"]), (&json!("WARN"), &json!("docs=5000")));
        Ok(())
    })
    .await
}
