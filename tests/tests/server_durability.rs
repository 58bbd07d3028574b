//! Promise: every write over the wire takes a durability, keeps to it and repeats it.

mod server_fixture;

use serde_json::{Value as Json, json};
use server_fixture::{Wire, memory_server, server_of, within_time};
use vectordoc::Result;

fn doc(id: &str) -> Json {
    json!({"id": id, "embedding": [1, 0, 0]})
}

/// Every write of one document and of several, without a durability.
fn writes() -> [(&'static str, Json); 7] {
    [
        ("doc.index", json!({"db": "d", "docs": [doc("a")]})),
        ("doc.index", json!({"db": "d", "docs": [doc("b"), doc("c")]})),
        ("doc.update", json!({"db": "d", "doc": doc("a")})),
        ("doc.patch", json!({"db": "d", "id": "a", "set": {"price": 3}})),
        ("doc.patch", json!({"db": "d", "filter": {}, "set": {"price": 4}})),
        ("doc.delete", json!({"db": "d", "ids": ["b"]})),
        ("doc.delete", json!({"db": "d", "filter": {"price": 99}})),
    ]
}

async fn create(wire: &mut Wire) -> Result<Json> {
    let schema = json!({"id": "string", "embedding": {"vector": 3},
                        "price": {"type": "number", "filter": true, "optional": true}});
    wire.result("db.create", json!({"db": "d", "schema": schema})).await
}

#[tokio::test]
async fn a_write_repeats_the_durability_it_has() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut wire = Wire::open(&server).await?;
        create(&mut wire).await?;
        for (method, params) in writes() {
            let answer = wire.result(method, params.clone()).await?;
            assert_eq!(answer["durability"], "fsync", "{method} {params}");
            for durability in ["fsync", "memory"] {
                let mut params = params.clone();
                params["durability"] = durability.into();
                let answer = wire.result(method, params).await?;
                assert_eq!(answer["durability"], durability, "{method}");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_durability_there_is_not_is_refused_by_name_and_nothing_is_written() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut wire = Wire::open(&server).await?;
        create(&mut wire).await?;
        for (durability, code) in [("quorum", "unsupported"), ("fast", "invalid")] {
            for (method, mut params) in writes() {
                params["durability"] = durability.into();
                let answer = wire.ask(method, params).await?;
                assert_eq!(answer["error"]["data"]["code"], code, "{answer}");
                let message = answer["error"]["message"].to_string();
                assert!(message.contains(durability) && message.contains("memory"), "{message}");
            }
        }
        let count = wire.result("doc.count", json!({"db": "d"})).await?;
        assert_eq!(count["count"], 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_was_written_in_memory_is_there_after_a_clean_stop() -> Result<()> {
    within_time(async {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let server = server_of(directory.path()).await?;
        let mut wire = Wire::open(&server).await?;
        create(&mut wire).await?;
        let params = json!({"db": "d", "docs": [doc("a"), doc("b")], "durability": "memory"});
        wire.result("doc.index", params).await?;
        drop(wire);
        server.shutdown().await?;
        let server = server_of(directory.path()).await?;
        let mut wire = Wire::open(&server).await?;
        let count = wire.result("doc.count", json!({"db": "d"})).await?;
        assert_eq!(count["count"], 2);
        Ok(())
    })
    .await
}
