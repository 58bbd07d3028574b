//! Promise: a served database gets another number of shards while clients read and write it, and
//! says how far it is.

mod server_fixture;

use serde_json::{Value as Json, json};
use server_fixture::{Wire, any_port, server_of, within_time};
use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};
use vectordoc::{Database, Filter, Result, native::DatabaseOptions};
use vectordoc_server::{Catalog, Server};

const DOCUMENTS: u64 = 3_000;

fn code(answer: &Json) -> Option<&str> {
    answer["error"]["data"]["code"].as_str()
}

/// Documents whose graph takes a while to build.
fn docs(ids: std::ops::Range<u64>) -> Json {
    let doc = |id: u64| {
        let mut rng = fastrand::Rng::with_seed(id);
        let embedding: Vec<f32> = (0..16).map(|_| rng.f32() - 0.5).collect();
        json!({"id": id, "embedding": embedding})
    };
    ids.map(doc).collect()
}

async fn filled(wire: &mut Wire) -> Result<()> {
    let schema = json!({"id": "u64", "embedding": {"vector": 16, "index": "hnsw"}});
    wire.result("db.create", json!({"db": "d", "schema": schema, "shards": 2})).await?;
    wire.result("doc.index", json!({"db": "d", "docs": docs(0..DOCUMENTS)})).await?;
    Ok(())
}

/// Asks until resharding is under way.
async fn wait_begun(wire: &mut Wire) -> Result<Json> {
    loop {
        let described = wire.result("db.get", json!({"db": "d"})).await?;
        if !described["resharding"].is_null() {
            return Ok(described);
        }
        assert_eq!(described["shards"], 2, "it was over before it was seen");
        tokio::task::yield_now().await;
    }
}

fn files(path: &Path) -> usize {
    std::fs::read_dir(path).expect("a directory").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_read_and_write_while_shards_change_and_versions_stay() -> Result<()> {
    within_time(async {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let server = server_of(directory.path()).await?;
        let mut wire = Wire::open(&server).await?;
        filled(&mut wire).await?;
        let behind = wire.result("changes", json!({"db": "d"})).await?;
        let one = wire.result("doc.index", json!({"db": "d", "docs": docs(7..8)})).await?;

        let is_done = AtomicBool::new(false);
        let (mut asking, mut watching) = (Wire::open(&server).await?, Wire::open(&server).await?);
        let resharding = async {
            let answer = asking.result("db.reshard", json!({"db": "d", "shards": 5})).await;
            is_done.store(true, Ordering::Release);
            answer
        };
        let writing = async {
            let mut written = 0;
            while !is_done.load(Ordering::Acquire) {
                let next = DOCUMENTS + written;
                let docs = docs(next..next + 1);
                wire.result("doc.index", json!({"db": "d", "docs": docs})).await?;
                written += 1;
                let query = json!({"db": "d", "vector": vec![0.1; 16], "limit": 10});
                let found = wire.result("search", query).await?;
                assert_eq!(found["hits"].as_array().map(Vec::len), Some(10));
            }
            Ok::<_, vectordoc::Error>(written)
        };
        let watching = async {
            let described = wait_begun(&mut watching).await?;
            let seen = &described["resharding"];
            assert_eq!((&seen["from"], &seen["to"]), (&json!(2), &json!(5)), "{seen}");
            assert!(seen["done"].as_u64() <= seen["total"].as_u64(), "{seen}");
            watching.ask("db.reshard", json!({"db": "d", "shards": 3})).await
        };
        let (described, written, refused) = tokio::join!(resharding, writing, watching);
        let (described, written, refused) = (described?, written?, refused?);
        assert_eq!(code(&refused), Some("busy"), "{refused}");
        assert!(written > 0, "documents were written meanwhile");
        assert_eq!((&described["shards"], &described["resharding"]), (&json!(5), &Json::Null));
        let count = wire.result("doc.count", json!({"db": "d"})).await?;
        assert_eq!(count["count"], DOCUMENTS + written);

        let again = wire.result("db.reshard", json!({"db": "d", "shards": 5})).await?;
        assert_eq!(again["shards"], 5, "nothing to do");
        let change = json!({"db": "d", "docs": docs(7..8), "if_version": one["version"]});
        let changed = wire.result("doc.index", change.clone()).await?;
        assert!(changed["version"].as_u64() > one["version"].as_u64(), "{changed}");
        assert_eq!(code(&wire.ask("doc.index", change).await?), Some("conflict"));
        let since = json!({"db": "d", "since": behind["cursor"]});
        let told = wire.ask("changes", since).await?;
        assert_eq!(code(&told), Some("conflict"), "it has not read everything: {told}");
        for (shards, kind) in [(json!(0), "invalid"), (json!(257), "limit_exceeded")] {
            let answer = wire.ask("db.reshard", json!({"db": "d", "shards": shards})).await?;
            assert_eq!(code(&answer), Some(kind), "{answer}");
        }
        server.shutdown().await?;
        assert_eq!(files(&directory.path().join("d")), 6, "five shards and the lock");
        let db = Database::open(directory.path().join("d"), &DatabaseOptions::default())?;
        assert_eq!(db.count(&Filter::All)?, DOCUMENTS + written);
        db.check()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_does_not_wait_for_it_and_leaves_nothing_of_it() -> Result<()> {
    within_time(async {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let server = Server::start(Catalog::open(directory.path(), 1)?, &any_port()).await?;
        let (mut wire, mut asking) = (Wire::open(&server).await?, Wire::open(&server).await?);
        filled(&mut wire).await?;
        let resharding =
            tokio::spawn(
                async move { asking.ask("db.reshard", json!({"db": "d", "shards": 4})).await },
            );
        wait_begun(&mut wire).await?;
        server.shutdown().await?;
        // What it hears first is that the server goes away, or the answer.
        drop(resharding.await);
        assert_eq!(files(&directory.path().join("d")), 3, "two shards and the lock");
        let db = Database::open(directory.path().join("d"), &DatabaseOptions::default())?;
        assert_eq!((db.shards(), db.count(&Filter::All)?), (2, DOCUMENTS));
        Ok(())
    })
    .await
}
