//! Promise: a database with three replicas goes on when one node is killed, loses nothing that was
//! acknowledged, and has equal replicas again once the node is back or another has taken its place;
//! and who has not the key is no node.

mod cli_program;
mod cluster_fixture;

use cluster_fixture::{Ground, Node, PATIENCE, are_equal, leader, replicas};
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

fn schema(dim: usize) -> Json {
    json!({"id": "u64", "embedding": {"vector": dim}, "n": {"type": "number", "filter": true}})
}

fn doc(id: u64) -> Json {
    json!({"id": id, "embedding": [1.0, id as f64], "n": id})
}

async fn three(ground: &Ground) -> [Node; 3] {
    three_with(ground, &[]).await
}

async fn three_with(ground: &Ground, more: &[&str]) -> [Node; 3] {
    let first = ground.start_with("1", &[], more);
    let second = ground.start_with("2", &[&first], more);
    let third = ground.start_with("3", &[&first, &second], more);
    let is_whole = |status: &Json| status["nodes"].as_array().is_some_and(|nodes| nodes.len() == 3);
    third.until(false, "three nodes", is_whole).await;
    let described =
        second.result("PUT", "/v1/dbs/p", &json!({"schema": schema(2), "replicas": 3})).await;
    assert_eq!(described["replicas"], 3);
    third.until(false, "three replicas", |status| leader(status, "p").is_some()).await;
    [first, second, third]
}

/// Writes document after document to `nodes` in turn; what was acknowledged, and the longest time in
/// which nothing was.
async fn write(nodes: &[&Node], ids: std::ops::Range<u64>) -> (BTreeSet<u64>, Duration) {
    let (mut acknowledged, mut longest, mut last) =
        (BTreeSet::new(), Duration::ZERO, Instant::now());
    for id in ids {
        let node = nodes[usize::try_from(id).expect("small") % nodes.len()];
        let (status, answer) =
            node.ask("POST", "/v1/dbs/p/docs", &json!({"docs": [doc(id)]})).await;
        if status == 200 {
            assert_eq!(answer["durability"], "quorum", "{answer}");
            acknowledged.insert(id);
            longest = longest.max(last.elapsed());
            last = Instant::now();
        } else {
            // What nobody knows the outcome of says so, and nothing else fails.
            assert!(status == 503 || status == 0, "{status}: {answer}");
        }
    }
    (acknowledged, longest)
}

/// Writes documents until each is acknowledged: a disk that is slower than an election has a leader
/// replaced, and then nobody knows of a write that was on its way.
async fn write_all(nodes: &[&Node], ids: std::ops::Range<u64>) -> BTreeSet<u64> {
    let end = Instant::now() + PATIENCE;
    let mut acknowledged = BTreeSet::new();
    for id in ids {
        while write(nodes, id..id + 1).await.0.is_empty() {
            assert!(Instant::now() < end, "document {id} is not acknowledged");
        }
        acknowledged.insert(id);
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_leader_stops_writes_shortly_and_loses_nothing_and_comes_back_equal() {
    let ground = Ground::new();
    let nodes = three(&ground).await;
    let all: Vec<&Node> = nodes.iter().collect();
    let mut acknowledged = write_all(&all, 0..60).await;
    // Everyone answers what was written anywhere.
    for node in &nodes {
        assert_eq!(node.result("POST", "/v1/dbs/p/count", &json!({})).await["count"], 60);
    }
    let refused = nodes[0].ask("PUT", "/v1/dbs/p/docs/777", &json!({"doc": doc(777)})).await;
    assert_eq!((refused.0, &refused.1["code"]), (404, &json!("not_found")), "{refused:?}");

    let (lead, _) = leader(&nodes[0].status(false).await, "p").expect("a leader");
    let [mut killed, mut rest] = [Vec::new(), Vec::new()];
    for (number, node) in (1..).zip(nodes) {
        if number == lead { killed.push(node) } else { rest.push(node) }
    }
    let place = killed.pop().expect("the leader").kill();
    let survivors: Vec<&Node> = rest.iter().collect();
    let (more, longest) = write(&survivors, 100..200).await;
    assert!(more.len() >= 50, "{} of 100 writes, longest pause {longest:?}", more.len());
    acknowledged.extend(more);
    for node in &survivors {
        for id in &acknowledged {
            let found = node.ask("GET", &format!("/v1/dbs/p/docs/{id}"), &Json::Null).await;
            assert_eq!(found.0, 200, "document {id}: {found:?}");
        }
    }
    let back = ground.restart(&lead.to_string(), &place);
    back.until(true, "equal", |status| are_equal(status, "p", 3)).await;
    let local = back.result("POST", "/v1/dbs/p/count", &json!({"read": "local"})).await;
    let all = back.result("POST", "/v1/dbs/p/count", &json!({})).await;
    assert_eq!(local, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minority_writes_nothing_and_reads_only_what_it_has_when_that_is_asked_for() {
    let ground = Ground::new();
    // What is refused is refused after that, whose default is longer than a test shall take.
    let [first, second, third] = three_with(&ground, &["--cluster-request-timeout", "3s"]).await;
    write_all(&[&first], 0..5).await;
    first.until(true, "equal", |status| are_equal(status, "p", 3)).await;
    drop((second, third));
    let (status, answer) = first.ask("POST", "/v1/dbs/p/docs", &json!({"docs": [doc(9)]})).await;
    assert_eq!((status, &answer["code"]), (503, &json!("unavailable")), "{answer}");
    let (status, answer) = first.ask("POST", "/v1/dbs/p/count", &json!({})).await;
    assert_eq!((status, &answer["code"]), (503, &json!("unavailable")), "{answer}");
    let answer = first.result("POST", "/v1/dbs/p/count", &json!({"read": "local"})).await;
    assert_eq!(answer["count"], 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_node_with_an_empty_disk_takes_the_place_of_one_that_is_gone() {
    const DIM: usize = 1_000;
    let ground = Ground::new();
    let [first, second, third] = three(&ground).await;
    let big = json!({"schema": schema(DIM)});
    first.result("PUT", "/v1/dbs/big", &big).await;
    // More than the log keeps, so that the new node needs the state and not only the log.
    let embedding = |id: usize| -> Vec<f64> {
        (0..DIM).map(|n| f64::from(u8::try_from((id * 7 + n * 3) % 251).expect("small"))).collect()
    };
    for batch in 0..110 {
        let ids = batch * 50..(batch + 1) * 50;
        let docs = ids.map(|id| json!({"id": id, "embedding": embedding(id), "n": id}));
        let docs = json!({"docs": docs.collect::<Vec<_>>()});
        first.result("POST", "/v1/dbs/big/docs", &docs).await;
    }
    first.result("POST", "/v1/dbs/big/delete", &json!({"filter": {"n": {"$lt": 100}}})).await;
    let status = first.status(false).await;
    let last = status["nodes"].as_array().and_then(|nodes| nodes.last()).expect("a node");
    assert_eq!(last["address"], third.address);
    let (gone, gone_client) = (last["node"].as_u64().expect("a number"), third.url());
    drop(third);
    let fourth = ground.start("4", &[&second]);
    let removed = cli_program::run([
        "cluster",
        "remove",
        &gone.to_string(),
        "--url",
        &second.url(),
        "--json",
    ]);
    assert_eq!(removed.json()["removed"], true, "{gone_client}");
    let status = fourth
        .until(true, "equal on the new node", |status| {
            let has_new = |db| replicas(status, db).iter().any(|replica| replica["node"] == 4);
            has_new("big")
                && has_new("p")
                && are_equal(status, "big", 3)
                && are_equal(status, "p", 3)
        })
        .await;
    let on_new = replicas(&status, "big").into_iter().find(|replica| replica["node"] == 4);
    assert_eq!(on_new.expect("it is there")["documents"], 5_400);
    let query = json!({"vector": embedding(3_000), "limit": 1, "read": "local"});
    let found = fourth.result("POST", "/v1/dbs/big/search", &query).await;
    assert_eq!(found["hits"].as_array().map(Vec::len), Some(1), "{found}");
    let shown = cli_program::run(["cluster", "status", "--hashes", "--url", &fourth.url()]);
    let shown = shown.succeeded();
    assert!(shown.contains("5,400") && shown.contains("leader"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_another_key_or_none_is_no_node() {
    let (ground, elsewhere) = (Ground::new(), Ground::new());
    let first = ground.start("1", &[]);
    let started = Instant::now();
    let run = cli_program::run([
        "serve",
        "--data",
        elsewhere.path("stranger").to_str().expect("a path"),
        "--listen",
        "127.0.0.1:0",
        "--cluster-key-file",
        elsewhere.key().to_str().expect("a path"),
        "--cluster-listen",
        "127.0.0.1:0",
        "--join",
        &first.address,
        "--cluster-join-timeout",
        "2s",
    ]);
    let said = run.failed(1);
    assert!(said.contains("no node lets this one in"), "{said}");
    assert!(started.elapsed() < 2 * PATIENCE);
    let status = first.status(false).await;
    assert_eq!(status["nodes"].as_array().map(Vec::len), Some(1), "{status}");
    // Without a certificate there is not even an answer.
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(&first.address).await.expect("it listens");
    stream.write_all(&[0, 0, 0, 1, 0xf6]).await.expect("it is sent");
    let mut said = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said)).await;
    assert!(read.is_ok(), "the connection is closed");
    let is_alert = said.first().is_none_or(|kind| *kind == 0x15);
    assert!(is_alert, "nothing but an alert of TLS: {said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_stops_and_starts_has_everything_and_databases_can_be_dropped() {
    let ground = Ground::new();
    let [first, second, third] = three(&ground).await;
    write_all(&[&first, &second], 0..10).await;
    let mut places = Vec::new();
    for node in [first, second, third] {
        let place = cluster_fixture::Place::of(&node);
        let (said, code) = node.terminate();
        assert_eq!(code, Some(0), "{said:?}");
        places.push(place);
    }
    let nodes: Vec<Node> = (1..)
        .zip(&places)
        .map(|(n, place): (u32, _)| ground.restart(&n.to_string(), place))
        .collect();
    nodes[2].until(true, "equal", |status| are_equal(status, "p", 3)).await;
    assert_eq!(nodes[1].result("POST", "/v1/dbs/p/count", &json!({})).await["count"], 10);
    nodes[1].result("DELETE", "/v1/dbs/p", &Json::Null).await;
    nodes[0].until(false, "dropped", |status| replicas(status, "p").is_empty()).await;
    // Of the same name, and nothing of the old one in it.
    nodes[2].result("PUT", "/v1/dbs/p", &json!({"schema": schema(2)})).await;
    for node in &nodes {
        let end = Instant::now() + PATIENCE;
        loop {
            let (status, answer) = node.ask("POST", "/v1/dbs/p/count", &json!({})).await;
            if status == 200 {
                assert_eq!(answer["count"], 0);
                break;
            }
            assert!(Instant::now() < end, "{status}: {answer}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_nodes_leaves_and_the_other_goes_on_alone() {
    let ground = Ground::new();
    let first = ground.start("1", &[]);
    let second = ground.start("2", &[&first]);
    second.until(false, "two nodes", |status| status["nodes"][1]["is_up"] == true).await;
    first.result("PUT", "/v1/dbs/p", &json!({"schema": schema(2), "replicas": 2})).await;
    write_all(&[&first, &second], 0..5).await;
    first.until(true, "equal", |status| are_equal(status, "p", 2)).await;
    first.result("POST", "/v1/cluster/remove", &json!({"node": 2})).await;
    first.until(true, "alone", |status| are_equal(status, "p", 1)).await;
    // Whichever of the two led: the one that left answers nothing as soon as it has heard of that,
    // and has no replica once the group needs its vote no more.
    let end = Instant::now() + PATIENCE;
    let directory = ground.path("2").join("p");
    loop {
        let (status, answer) =
            second.ask("POST", "/v1/dbs/p/count", &json!({"read": "local"})).await;
        if status != 200 && !directory.exists() {
            assert_eq!((status, &answer["code"]), (503, &json!("unavailable")), "{answer}");
            break;
        }
        assert!(Instant::now() < end, "the node that left has its replica: {status} {answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(second);
    write_all(&[&first], 10..15).await;
    assert_eq!(first.result("POST", "/v1/dbs/p/count", &json!({})).await["count"], 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_removed_while_it_was_down_answers_nothing_once_it_is_back() {
    let ground = Ground::new();
    let [first, second, third] = three(&ground).await;
    write_all(&[&first, &second], 0..5).await;
    first.until(true, "equal", |status| are_equal(status, "p", 3)).await;
    let place = third.kill();
    first.result("POST", "/v1/cluster/remove", &json!({"node": 3})).await;
    first.until(true, "two", |status| are_equal(status, "p", 2)).await;
    let third = ground.restart("3", &place);
    let end = Instant::now() + PATIENCE;
    let directory = ground.path("3").join("p");
    while third.ask("POST", "/v1/dbs/p/count", &json!({"read": "local"})).await.0 == 200
        || directory.exists()
    {
        assert!(Instant::now() < end, "the node that was removed has its replica");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_deployed_and_scaled_and_never_sleeps() {
    let ground = Ground::new();
    let first = ground.start("1", &[]);
    let second = ground.start("2", &[&first]);
    second.until(false, "two nodes", |status| status["nodes"][1]["is_up"] == true).await;
    let file = ground.path("schema.json");
    std::fs::write(&file, schema(2).to_string()).expect("it is written");
    let (file, url) = (file.to_str().expect("a path"), first.url());
    let deployed = cli_program::run([
        "deploy",
        file,
        "--name",
        "p",
        "--replicas",
        "1",
        "--url",
        &url,
        "--json",
    ]);
    assert_eq!(deployed.json()["replicas"], 1);
    write_all(&[&first], 0..5).await;
    let scaled = cli_program::run(["scale", "p", "--replicas", "2", "--url", &url, "--json"]);
    assert_eq!(scaled.json()["replicas"], 2);
    first.until(true, "two replicas", |status| are_equal(status, "p", 2)).await;
    let said =
        cli_program::run(["scale", "p", "--replicas", "3", "--url", &url, "--json"]).failed(1);
    assert!(said.contains("has 2 nodes"), "{said}");
    for params in [json!({"serverless": true}), json!({"idle_ms": 60_000})] {
        let (status, answer) = first.ask("PATCH", "/v1/dbs/p", &params).await;
        assert_eq!((status, &answer["code"]), (501, &json!("unsupported")), "{answer}");
    }
    let (status, answer) = first.ask("POST", "/v1/dbs/p/pause", &json!({})).await;
    assert_eq!((status, &answer["code"]), (501, &json!("unsupported")), "{answer}");
    let scaled = cli_program::run(["scale", "p", "--replicas", "1", "--url", &url, "--json"]);
    assert_eq!(scaled.json()["replicas"], 1);
    first.until(true, "one replica", |status| are_equal(status, "p", 1)).await;
    let directories = || ["1", "2"].map(|node| ground.path(node).join("p").exists());
    let end = Instant::now() + PATIENCE;
    while directories().into_iter().filter(|exists| *exists).count() != 1 {
        assert!(Instant::now() < end, "{:?}", directories());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_dropped_while_a_node_was_down_is_gone_once_it_is_back() {
    let ground = Ground::new();
    let [first, second, third] = three(&ground).await;
    write_all(&[&first, &second], 0..5).await;
    first.until(true, "equal", |status| are_equal(status, "p", 3)).await;
    let place = third.kill();
    first.result("DELETE", "/v1/dbs/p", &Json::Null).await;
    let directory = ground.path("3").join("p");
    assert!(directory.exists());
    let third = ground.restart("3", &place);
    let end = Instant::now() + PATIENCE;
    while directory.exists() {
        assert!(Instant::now() < end, "what was dropped is still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (status, answer) = third.ask("POST", "/v1/dbs/p/count", &json!({})).await;
    assert_eq!((status, &answer["code"]), (404, &json!("not_found")), "{answer}");
}
