//! Promise: a serverless database leaves memory while nobody uses it and comes back with the next
//! request, whole; to be looked at does not wake it. A paused one refuses requests until it is
//! resumed, also over a restart.

mod cli_program;
mod grpc_fixture;
mod server_fixture;

use cli_program::Running;
use grpc_fixture::messages::ChangesRequest;
use serde_json::{Value as Json, json};
use server_fixture::{Wire, any_port, within_time};
use std::{fs, path::Path, time::Duration};
use vectordoc::{
    ErrorKind, Filter, Result, Schema,
    client::{Connection, Remote},
    native::DatabaseOptions,
};
use vectordoc_server::{Catalog, Server, Serverless};

/// The least a database may be idle.
const IDLE_MS: u64 = 100;

fn schema() -> Json {
    json!({"id": "u64", "embedding": {"vector": 2}, "n": {"type": "number", "filter": true}})
}

fn docs(ids: std::ops::Range<u64>) -> Json {
    ids.map(|id| json!({"id": id, "embedding": [id + 1, 1], "n": id})).collect()
}

/// A server of `data` with room for `awake_max` serverless databases.
async fn server_of(data: &Path, awake_max: usize) -> Result<Server> {
    let serverless = Serverless { awake_max, ..Serverless::default() };
    let catalog = Catalog::open_serverless(data, 1, DatabaseOptions::default(), serverless)?;
    Server::start(catalog, &any_port()).await
}

async fn create(wire: &mut Wire, db: &str) -> Result<Json> {
    let params = json!({"db": db, "schema": schema(), "serverless": true, "idle_ms": IDLE_MS});
    wire.result("db.create", params).await
}

async fn index(wire: &mut Wire, db: &str, ids: std::ops::Range<u64>) -> Result<Json> {
    let params = json!({"db": db, "docs": docs(ids), "durability": "memory"});
    wire.result("doc.index", params).await
}

async fn count(wire: &mut Wire, db: &str) -> Result<Json> {
    Ok(wire.result("doc.count", json!({"db": db})).await?["count"].take())
}

async fn state(wire: &mut Wire, db: &str) -> Result<Json> {
    Ok(wire.result("db.get", json!({"db": db})).await?["state"].take())
}

/// Looks at a database again and again until it is asleep; that does not keep it awake.
async fn wait_asleep(wire: &mut Wire, db: &str) -> Result<Json> {
    loop {
        let listed = wire.result("db.list", json!({})).await?;
        let all = listed["dbs"].as_array().expect("a list");
        let described = all.iter().find(|described| described["db"] == db).expect("it is listed");
        if described["state"] == "asleep" {
            assert_eq!(wire.result("db.get", json!({"db": db})).await?, *described);
            return Ok(described.clone());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Files of the database that this process has open.
fn open_files(data: &Path, db: &str) -> usize {
    let place = fs::canonicalize(data).expect("a directory").join(db);
    let open = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    open.filter_map(|file| fs::read_link(file.path()).ok())
        .filter(|file| file.starts_with(&place))
        .count()
}

fn code(answer: &Json) -> &str {
    answer["error"]["data"]["code"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_database_leaves_memory_and_the_next_request_finds_everything() -> Result<()> {
    within_time(async {
        let data = tempfile::tempdir().expect("a directory for the test");
        let server = server_of(data.path(), 8).await?;
        let mut wire = Wire::open(&server).await?;
        let described = create(&mut wire, "notes").await?;
        assert_eq!(
            (&described["state"], &described["serverless"], &described["idle_ms"]),
            (&json!("awake"), &json!(true), &json!(IDLE_MS))
        );
        for round in 0..3 {
            index(&mut wire, "notes", round * 50..(round + 1) * 50).await?;
            let described = wait_asleep(&mut wire, "notes").await?;
            assert_eq!(described["documents"], (round + 1) * 50, "what was only in memory too");
            assert_eq!(described["memory_bytes"], 0);
            assert_eq!(described["schema"], create(&mut wire, "notes").await?["schema"]);
            assert_eq!(state(&mut wire, "notes").await?, "asleep", "to be found does not wake it");
            if cfg!(target_os = "linux") {
                assert_eq!(open_files(data.path(), "notes"), 0);
            }
            let query = json!({"db": "notes", "vector": [1, 1], "limit": 1});
            let found = wire.result("search", query).await?;
            assert_eq!(found["hits"][0]["id"], 0, "{found}");
            assert_eq!(state(&mut wire, "notes").await?, "awake");
            assert_eq!(count(&mut wire, "notes").await?, (round + 1) * 50);
        }
        let other = json!({"db": "notes", "schema": schema(), "serverless": false});
        let refused = wire.ask("db.create", other).await?;
        assert_eq!(code(&refused), "conflict", "{refused}");
        for (idle_ms, kind) in [(99, "invalid"), (604_800_001, "limit_exceeded")] {
            let refused = wire.ask("db.configure", json!({"db": "notes", "idle_ms": idle_ms}));
            assert_eq!(code(&refused.await?), kind);
        }
        wait_asleep(&mut wire, "notes").await?;
        let steady = json!({"db": "notes", "serverless": false});
        let described = wire.result("db.configure", steady).await?;
        assert_eq!((&described["state"], &described["idle_ms"]), (&json!("awake"), &Json::Null));
        server.shutdown().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_that_take_each_others_place_lose_nothing_and_are_opened_once() -> Result<()> {
    const DATABASES: u64 = 4;
    const ROUNDS: u64 = 25;
    within_time(async {
        let data = tempfile::tempdir().expect("a directory for the test");
        // With room for two, almost every request wakes one and puts another to sleep.
        let server = server_of(data.path(), 2).await?;
        let mut writers = Vec::new();
        for number in 0..DATABASES {
            let mut wire = Wire::open(&server).await?;
            let db = format!("db{number}");
            create(&mut wire, &db).await?;
            writers.push(tokio::spawn(async move {
                for round in 0..ROUNDS {
                    loop {
                        let docs = docs(round..round + 1);
                        let params = json!({"db": db, "docs": docs, "durability": "memory"});
                        let answer = wire.ask("doc.index", params).await?;
                        if code(&answer) != "busy" {
                            assert!(answer["error"].is_null(), "{answer}");
                            break;
                        }
                    }
                }
                Ok::<_, vectordoc::Error>(())
            }));
        }
        for writer in writers {
            writer.await.expect("it ends")?;
        }
        let mut wire = Wire::open(&server).await?;
        for number in 0..DATABASES {
            assert_eq!(count(&mut wire, &format!("db{number}")).await?, ROUNDS);
        }
        // Many ask for one that is asleep at the same time.
        for _ in 0..5 {
            wait_asleep(&mut wire, "db0").await?;
            let mut asking = Vec::new();
            for _ in 0..16 {
                let mut wire = Wire::open(&server).await?;
                asking.push(tokio::spawn(async move { count(&mut wire, "db0").await }));
            }
            for asked in asking {
                assert_eq!(asked.await.expect("it ends")?, ROUNDS);
            }
        }
        server.shutdown().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_a_database_keeps_it_awake_and_hears_of_changes() -> Result<()> {
    within_time(async {
        let data = tempfile::tempdir().expect("a directory for the test");
        let server = server_of(data.path(), 8).await?;
        let mut wire = Wire::open(&server).await?;
        for db in ["followed", "streamed", "copied", "left"] {
            create(&mut wire, db).await?;
            index(&mut wire, db, 0..1).await?;
        }
        let mut following = Wire::open(&server).await?;
        following.result("subscribe", json!({"db": "followed"})).await?;
        let mut client = grpc_fixture::client_of(&server).await?;
        let request = ChangesRequest { db: "streamed".into(), ..ChangesRequest::default() };
        let mut stream = client.follow(request).await.expect("it is followed").into_inner();
        stream.message().await.expect("the first answer");
        let mut snapshot = wire.result("db.snapshot", json!({"db": "copied"})).await?;
        let snapshot = snapshot["snapshot"].take();
        // What was used last of all is asleep, and those before it are not.
        index(&mut wire, "left", 1..2).await?;
        wait_asleep(&mut wire, "left").await?;
        for db in ["followed", "streamed", "copied"] {
            assert_eq!(state(&mut wire, db).await?, "awake", "{db}");
        }
        index(&mut wire, "followed", 1..2).await?;
        let told = following.receive().await?;
        assert_eq!(told["method"], "changes", "{told}");
        index(&mut wire, "streamed", 1..2).await?;
        let told = stream.message().await.expect("it goes on").expect("a change");
        assert_eq!(told.changes.len(), 1);
        drop((following, stream, client));
        let params = json!({"db": "copied", "snapshot": snapshot});
        wire.result("db.snapshot.close", params).await?;
        for db in ["followed", "streamed", "copied"] {
            wait_asleep(&mut wire, db).await?;
        }
        server.shutdown().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn with_no_place_left_a_request_is_refused_and_names_the_limit() -> Result<()> {
    within_time(async {
        let data = tempfile::tempdir().expect("a directory for the test");
        let server = server_of(data.path(), 1).await?;
        let mut wire = Wire::open(&server).await?;
        create(&mut wire, "a").await?;
        create(&mut wire, "b").await?;
        let mut following = Wire::open(&server).await?;
        following.result("subscribe", json!({"db": "a"})).await?;
        let refused = wire.ask("doc.count", json!({"db": "b"})).await?;
        assert_eq!(code(&refused), "busy", "{refused}");
        let message = refused["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("serverless.awake_max"), "{message}");
        server.shutdown().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_database_refuses_requests_until_it_is_resumed_also_over_a_restart() -> Result<()>
{
    within_time(async {
        let data = tempfile::tempdir().expect("a directory for the test");
        let server = server_of(data.path(), 8).await?;
        let mut wire = Wire::open(&server).await?;
        wire.result("db.create", json!({"db": "steady", "schema": schema()})).await?;
        create(&mut wire, "idle").await?;
        for db in ["steady", "idle"] {
            index(&mut wire, db, 0..7).await?;
            let paused = wire.result("db.pause", json!({"db": db})).await?;
            assert_eq!((&paused["state"], &paused["documents"]), (&json!("paused"), &json!(7)));
            assert_eq!(wire.result("db.pause", json!({"db": db})).await?, paused, "once more");
        }
        server.shutdown().await?;
        let server = server_of(data.path(), 8).await?;
        let mut wire = Wire::open(&server).await?;
        for db in ["steady", "idle"] {
            let refused = wire.ask("doc.count", json!({"db": db})).await?;
            assert_eq!(code(&refused), "conflict", "{refused}");
            assert!(refused.to_string().contains("resume"), "{refused}");
            assert_eq!(state(&mut wire, db).await?, "paused");
            assert_eq!(open_files(data.path(), db), 0);
            let resumed = wire.result("db.resume", json!({"db": db})).await?;
            assert_eq!(resumed["state"], if db == "idle" { "asleep" } else { "awake" });
            assert_eq!(count(&mut wire, db).await?, 7);
            wire.result("db.resume", json!({"db": db})).await?;
        }
        wait_asleep(&mut wire, "idle").await?;
        wire.result("db.drop", json!({"db": "idle"})).await?;
        assert!(!data.path().join("idle").exists());
        let gone = wire.ask("db.get", json!({"db": "idle"})).await?;
        assert_eq!(code(&gone), "not_found", "{gone}");
        server.shutdown().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_rust_pauses_resumes_and_lets_sleep() -> Result<()> {
    within_time(async {
        let data = tempfile::tempdir().expect("a directory for the test");
        let server = server_of(data.path(), 8).await?;
        let connection = Connection::builder(server.url()).connect().await?;
        let schema = Schema::from_json(&schema())?;
        let remote = Remote::create(connection, "notes", schema, None).await?;
        let described = remote.describe().await?;
        assert_eq!((&*described.state, described.serverless), ("awake", false));
        let paused = remote.pause().await?;
        assert_eq!(paused.state, "paused");
        let refused = remote.count(&Filter::All).await.expect_err("it is paused");
        assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");
        assert_eq!(remote.resume().await?.state, "awake");
        let idle = Some(Duration::from_millis(IDLE_MS));
        assert!(remote.configure(true, idle).await?.serverless);
        let mut wire = Wire::open(&server).await?;
        wait_asleep(&mut wire, "notes").await?;
        assert_eq!(remote.count(&Filter::All).await?, 0);
        server.shutdown().await
    })
    .await
}

#[test]
fn a_server_that_was_killed_opens_only_what_is_asked_for_and_has_everything() {
    let data = tempfile::tempdir().expect("a directory for the test");
    let serve = || {
        let log = data.path().join("log");
        Running::serve_logged(data.path(), &["--serverless-all", "--serverless-idle=1h"], &log)
    };
    let ask = |url: &str, method: &str, params: Json| {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let mut wire = Wire::open_at(url, &[]).await.expect("it connects");
            wire.result(method, params).await.expect("an answer")
        })
    };
    let (server, url) = serve();
    for db in ["a", "b"] {
        let described = ask(&url, "db.create", json!({"db": db, "schema": schema()}));
        assert_eq!(described["serverless"], true, "the server says so");
        ask(&url, "doc.index", json!({"db": db, "docs": docs(0..30)}));
    }
    drop(server);
    let (server, url) = serve();
    let listed = ask(&url, "db.list", json!({}));
    for described in listed["dbs"].as_array().expect("a list") {
        assert_eq!(described["documents"], 30, "{described}");
        assert_eq!(described["state"], "asleep", "{described}");
    }
    assert_eq!(ask(&url, "doc.count", json!({"db": "b"}))["count"], 30);
    let listed = ask(&url, "db.list", json!({}));
    assert_eq!(
        (&listed["dbs"][0]["state"], &listed["dbs"][1]["state"]),
        (&json!("asleep"), &json!("awake"))
    );
    assert_eq!(server.terminate().1, Some(0));
}
