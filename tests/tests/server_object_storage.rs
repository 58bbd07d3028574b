//! Promise: a serverless database that rests in a bucket is woken by any node, by one at a time, and
//! nothing of it is lost or taken back in silence, whatever happens to nodes and to the bucket.
//!
//! The bucket is one of an S3 that checks signatures and the conditions of writes; the nodes are
//! processes.

mod bucket_fixture;
mod cli_program;
mod server_fixture;

use bucket_fixture::{Bucket, IDLE_MS, docs};
use serde_json::{Value as Json, json};
use server_fixture::within_time;
use std::{fs, path::Path, time::Duration};
use tempfile::TempDir;
use vectordoc::Result;

/// A lease that is over soon.
const BRIEF: &str = "--serverless-lease=3s";

fn folder() -> TempDir {
    tempfile::tempdir().expect("a directory for the test")
}

/// Asks again and again until the answer is no error.
async fn until_served(node: &bucket_fixture::Node, method: &str, params: Json) -> Result<Json> {
    loop {
        let mut answer = node.ask(method, params.clone()).await?;
        if answer["error"].is_null() {
            return Ok(answer["result"].take());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a directory").flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sleeps_at_a_killed_node_is_woken_by_another_whole() -> Result<()> {
    within_time(async {
        let bucket = Bucket::new();
        let (one, other) = (folder(), folder());
        let a = bucket.node("a", one.path(), &[]);
        for db in ["notes", "plans"] {
            assert_eq!(a.create(db).await?["rests"], "here");
        }
        a.index("notes", 0..200).await?;
        a.index("plans", 0..3).await?;
        a.wait_rests("notes", "bucket").await?;
        // Again, so that parts of two uploads count.
        a.index("notes", 200..250).await?;
        a.result("doc.delete", json!({"db": "notes", "ids": [7]})).await?;
        let all = a.all("notes").await?;
        assert_eq!(all.len(), 249);
        a.wait_rests("plans", "bucket").await?;
        let described = a.wait_rests("notes", "bucket").await?;
        assert_eq!((&described["state"], &described["documents"]), (&json!("asleep"), &json!(249)));
        assert!(bucket.head("notes")["lease"].is_null());
        drop(a);
        let b = bucket.node("b", other.path(), &[]);
        for (db, documents) in [("notes", 249), ("plans", 3)] {
            let listed = b.listed(db).await?;
            assert_eq!(listed["documents"], documents, "{listed}");
            assert_eq!((&listed["state"], &listed["rests"]), (&json!("asleep"), &json!("bucket")));
            assert_eq!(b.result("db.get", json!({"db": db})).await?, listed);
        }
        assert!(!other.path().join("notes").exists(), "to be listed does not fetch it");
        assert_eq!(b.all("notes").await?, all);
        b.index("notes", 250..260).await?;
        b.wait_rests("notes", "bucket").await?;
        // The first one is back, and knows that what it has is not the newest any more.
        let a = bucket.node("a", one.path(), &[]);
        assert_eq!(a.listed("notes").await?["documents"], 259);
        assert_eq!(a.all("notes").await?.len(), 259);
        let unknown = a.refusal("doc.count", json!({"db": "note"})).await?;
        assert_eq!(unknown.0, "not_found", "{unknown:?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_that_wake_one_at_the_same_moment_one_has_it() -> Result<()> {
    within_time(async {
        let bucket = Bucket::new();
        let (one, other) = (folder(), folder());
        let a = bucket.node("a", one.path(), &[]);
        let b = bucket.node("b", other.path(), &[]);
        a.create("notes").await?;
        for round in 0..5 {
            let ids = round * 10..(round + 1) * 10;
            let params = json!({"db": "notes", "docs": docs(ids)});
            a.wait_rests("notes", "bucket").await?;
            let (at_a, at_b) =
                tokio::join!(a.ask("doc.index", params.clone()), b.ask("doc.index", params));
            let answers = [at_a?, at_b?];
            let served = answers.iter().filter(|answer| answer["error"].is_null()).count();
            assert_eq!(served, 1, "{answers:?}");
            let (holder, refused) = match answers[0]["error"].is_null() {
                true => ("node a", &answers[1]),
                false => ("node b", &answers[0]),
            };
            assert_eq!(refused["error"]["data"]["code"], "busy", "{refused}");
            let message = refused["error"]["message"].as_str().unwrap_or_default();
            assert!(message.contains(holder) && message.contains("again"), "{message}");
        }
        a.wait_rests("notes", "bucket").await?;
        assert_eq!(a.all("notes").await?.len(), 50);
        let elsewhere = b.listed("notes").await?;
        assert_eq!(
            (&elsewhere["state"], &elsewhere["rests"], &elsewhere["rests_why"]),
            (&json!("awake"), &json!("elsewhere"), &json!("a"))
        );
        let (code, message) = b.refusal("db.drop", json!({"db": "notes"})).await?;
        assert_eq!(code, "busy", "{message}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_its_lease_refuses_and_one_that_hung_finds_another_in_its_place()
-> Result<()> {
    within_time(async {
        let bucket = Bucket::new();
        let (one, other) = (folder(), folder());
        let a = bucket.node("a", one.path(), &[BRIEF]);
        a.create("notes").await?;
        a.index("notes", 0..10).await?;
        a.wait_rests("notes", "bucket").await?;
        // It is read, and so awake, and nothing is written: the lease is all there is to wait for.
        let steady = json!({"db": "notes", "idle_ms": 600_000});
        a.result("db.configure", steady).await?;
        assert_eq!(a.all("notes").await?.len(), 10);
        a.server.signal("STOP");
        let b = bucket.node("b", other.path(), &[BRIEF]);
        let (code, message) = b.refusal("doc.count", json!({"db": "notes"})).await?;
        assert!(code == "busy" && message.contains("node a"), "{code}: {message}");
        let params = json!({"db": "notes", "docs": docs(10..20)});
        until_served(&b, "doc.index", params).await?;
        a.server.signal("CONT");
        let params = json!({"db": "notes", "docs": docs(90..95)});
        let (code, message) = a.refusal("doc.index", params).await?;
        assert!(code == "unavailable" || code == "busy", "{code}: {message}");
        assert_eq!(b.all("notes").await?.len(), 20);
        assert_eq!(bucket.head("notes")["lease"]["node_name"], "b");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_killed_node_has_is_given_up_by_nobody_but_who_says_so() -> Result<()> {
    within_time(async {
        let bucket = Bucket::new();
        let (one, other) = (folder(), folder());
        let a = bucket.node("a", one.path(), &[BRIEF]);
        for db in ["kept", "given-up"] {
            a.create(db).await?;
            a.index(db, 0..10).await?;
            a.wait_rests(db, "bucket").await?;
        }
        // In the middle of the next upload, all parts of it are there, and nobody names them.
        for db in ["kept", "given-up"] {
            a.result("db.configure", json!({"db": db, "idle_ms": 600_000})).await?;
            a.index(db, 10..20).await?;
        }
        bucket.hold_heads(true);
        for db in ["kept", "given-up"] {
            a.result("db.configure", json!({"db": db, "idle_ms": IDLE_MS})).await?;
        }
        for db in ["kept", "given-up"] {
            a.wait_rests(db, "waiting").await?;
        }
        drop(a);
        bucket.hold_heads(false);
        let b = bucket.node("b", other.path(), &[BRIEF]);
        let (code, message) = loop {
            let refused = b.refusal("doc.count", json!({"db": "kept"})).await?;
            if refused.0 != "busy" {
                break refused;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert_eq!(code, "unavailable", "{message}");
        assert!(message.contains("node a") && message.contains("--force"), "{message}");
        let forced =
            until_served(&b, "db.resume", json!({"db": "given-up", "force": true})).await?;
        assert_eq!(forced["documents"], 10, "the last upload that was whole");
        b.index("given-up", 100..101).await?;
        b.wait_rests("given-up", "bucket").await?;
        // The node is back, and brings what it has.
        let a = bucket.node("a", one.path(), &[BRIEF]);
        a.wait_rests("kept", "bucket").await?;
        until_served(&b, "doc.count", json!({"db": "kept"})).await?;
        assert_eq!(b.all("kept").await?.len(), 20);
        assert_eq!(a.all("given-up").await?.len(), 11);
        let aside = names_in(one.path());
        assert!(aside.iter().any(|name| name.starts_with(".set-aside-given-up")), "{aside:?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_bucket_is_down_what_sleeps_rests_here_and_nothing_unproven_is_served()
-> Result<()> {
    within_time(async {
        let bucket = Bucket::new();
        let (one, other) = (folder(), folder());
        let a = bucket.node("a", one.path(), &[]);
        let b = bucket.node("b", other.path(), &[BRIEF]);
        a.create("notes").await?;
        a.index("notes", 0..10).await?;
        a.create("uploaded").await?;
        a.wait_rests("uploaded", "bucket").await?;
        let all = a.all("notes").await?;
        bucket.set_down(true);
        let waiting = loop {
            let waiting = a.wait_rests("notes", "waiting").await?;
            if waiting["rests_why"].is_string() {
                break waiting;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert_eq!((&waiting["state"], &waiting["documents"]), (&json!("asleep"), &json!(10)));
        // Its lease is this node's.
        assert_eq!(a.all("notes").await?, all);
        // The lease of this one was given back: another node may have it.
        let (code, message) = a.refusal("doc.count", json!({"db": "uploaded"})).await?;
        assert!(code == "unavailable" && message.contains("s3://vectors"), "{code}: {message}");
        let (code, message) = b.refusal("doc.count", json!({"db": "notes"})).await?;
        assert_eq!(code, "unavailable", "{message}");
        bucket.set_down(false);
        a.wait_rests("notes", "bucket").await?;
        assert_eq!(until_served(&a, "doc.count", json!({"db": "uploaded"})).await?["count"], 0);
        assert_eq!(b.all("notes").await?, all);
        // Awake, and the bucket goes away for longer than the lease: it stops by itself.
        b.result("db.configure", json!({"db": "notes", "idle_ms": 600_000})).await?;
        assert_eq!(b.all("notes").await?, all);
        bucket.set_down(true);
        let (code, message) = loop {
            let answer = b.ask("doc.count", json!({"db": "notes"})).await?;
            if let Some(code) = answer["error"]["data"]["code"].as_str() {
                break (code.to_owned(), answer["error"]["message"].to_string());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert_eq!(code, "unavailable", "{message}");
        let refused = b.refusal("doc.index", json!({"db": "notes", "docs": docs(50..51)})).await?;
        assert_eq!(refused.0, "unavailable", "{refused:?}");
        bucket.set_down(false);
        until_served(&b, "doc.count", json!({"db": "notes"})).await?;
        assert_eq!(b.all("notes").await?, all);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_object_is_corrupt_and_never_served() -> Result<()> {
    within_time(async {
        let bucket = Bucket::new();
        let (one, other) = (folder(), folder());
        // What is uploaded does not stay, so that the bucket has the only copy.
        let a = bucket.node("a", one.path(), &["--serverless-keep=false"]);
        a.create("notes").await?;
        a.index("notes", 0..100).await?;
        let all = a.all("notes").await?;
        a.wait_rests("notes", "bucket").await?;
        assert!(!one.path().join("notes").exists());
        let b = bucket.node("b", other.path(), &[]);
        for path in bucket.objects("dbs/notes") {
            let whole = fs::read(&path).expect("an object");
            for place in [0, whole.len() / 2, whole.len() - 1] {
                let mut damaged = whole.clone();
                damaged[place] ^= 1;
                fs::write(&path, &damaged).expect("it can be written");
                let (code, message) = b.refusal("doc.count", json!({"db": "notes"})).await?;
                assert_eq!(code, "corrupt", "{message}");
            }
            fs::write(&path, &whole[..whole.len() - 1]).expect("it can be written");
            assert_eq!(b.refusal("doc.count", json!({"db": "notes"})).await?.0, "corrupt");
            fs::remove_file(&path).expect("it can be removed");
            assert_eq!(b.refusal("doc.count", json!({"db": "notes"})).await?.0, "corrupt");
            fs::write(&path, &whole).expect("it can be written");
        }
        assert_eq!(b.all("notes").await?, all, "put right, it is served again");
        // What stays on a disk is a copy.
        b.wait_rests("notes", "bucket").await?;
        let file = other.path().join("notes").join("shard-0-of-1.redb");
        fs::write(file, [7; 65_536]).expect("it can be written");
        assert_eq!(b.all("notes").await?, all, "it is fetched again");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_database_leaves_no_part_and_its_name_is_free_everywhere() -> Result<()> {
    within_time(async {
        let bucket = Bucket::new();
        let (one, other) = (folder(), folder());
        let a = bucket.node("a", one.path(), &[]);
        let b = bucket.node("b", other.path(), &[]);
        a.create("notes").await?;
        a.index("notes", 0..10).await?;
        a.wait_rests("notes", "bucket").await?;
        assert!(!bucket.objects("dbs/notes").is_empty());
        // A name is one database's, whichever node is asked.
        assert_eq!(b.create("notes").await?["documents"], 10);
        let schema = json!({"id": "string", "embedding": {"vector": 3}});
        let (code, _) = b.refusal("db.create", json!({"db": "notes", "schema": schema})).await?;
        assert_eq!(code, "conflict");
        b.result("db.drop", json!({"db": "notes"})).await?;
        assert_eq!(bucket.objects("dbs/notes"), Vec::<std::path::PathBuf>::new());
        for node in [&a, &b] {
            assert_eq!(node.listed("notes").await?, Json::Null);
            assert_eq!(node.refusal("doc.count", json!({"db": "notes"})).await?.0, "not_found");
        }
        assert!(!one.path().join("notes").exists(), "what the other node had goes, too");
        a.create("notes").await?;
        a.index("notes", 0..3).await?;
        a.wait_rests("notes", "bucket").await?;
        assert_eq!(b.all("notes").await?.len(), 3);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_database_is_paused_at_every_node_and_a_stopped_one_hands_over_what_is_awake()
-> Result<()> {
    within_time(async {
        let bucket = Bucket::new();
        let (one, other) = (folder(), folder());
        let a = bucket.node("a", one.path(), &[]);
        let b = bucket.node("b", other.path(), &[]);
        for db in ["paused", "awake"] {
            a.create(db).await?;
            a.index(db, 0..10).await?;
        }
        a.result("db.configure", json!({"db": "awake", "idle_ms": 600_000})).await?;
        a.index("awake", 10..20).await?;
        a.result("db.pause", json!({"db": "paused"})).await?;
        a.wait_rests("paused", "bucket").await?;
        let (code, message) = b.refusal("doc.count", json!({"db": "paused"})).await?;
        assert!(code == "conflict" && message.contains("resume"), "{code}: {message}");
        assert_eq!(b.listed("paused").await?["state"], "paused");
        b.result("db.resume", json!({"db": "paused"})).await?;
        assert_eq!(b.all("paused").await?.len(), 10);
        b.wait_rests("paused", "bucket").await?;
        assert_eq!(a.all("paused").await?.len(), 10, "also where it was paused");
        // Nobody waits for idle databases of a server that is asked to stop.
        let (_, ended) = a.server.terminate();
        assert_eq!(ended, Some(0));
        assert_eq!(b.all("awake").await?.len(), 20);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_from_before_there_was_a_bucket_go_there() -> Result<()> {
    within_time(async {
        let (one, other) = (folder(), folder());
        let (server, url) = cli_program::Running::serve_with(
            one.path(),
            &["--serverless-all".into(), format!("--serverless-idle={IDLE_MS}ms")],
            &[],
        );
        let before = bucket_fixture::Node { server, url };
        before.create("notes").await?;
        before.index("notes", 0..10).await?;
        drop(before);
        let bucket = Bucket::new();
        let a = bucket.node("a", one.path(), &[]);
        let b = bucket.node("b", other.path(), &[]);
        a.wait_rests("notes", "bucket").await?;
        assert_eq!(b.all("notes").await?.len(), 10);
        Ok(())
    })
    .await
}
