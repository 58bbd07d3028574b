//! Promise: a database of a cluster has shards on several nodes, and every node answers every request
//! about it as a server alone would; a killed node stops nothing, and a node that joins gets its share
//! while the database is written to.

mod cli_program;
mod cluster_fixture;
mod grpc_fixture;

use cluster_fixture::{Ground, Node, PATIENCE, are_equal, replicas};
use grpc_fixture::{
    document,
    messages::{IndexStreamRequest, value::Kind},
    value, vector,
};
use serde_json::{Value as Json, json};
use std::time::{Duration, Instant};
use tokio::time::timeout;
use vectordoc::{ChangeQuery, Client, ErrorKind, Filter, VectorDoc};

const WORDS: [&str; 6] = ["red", "quick", "fox", "lazy", "dog", "owl"];

fn schema() -> Json {
    json!({
        "id": "u64",
        "embedding": {"vector": 3},
        "n": {"type": "number", "filter": true},
        "tags": {"type": "string[]", "filter": true},
        "text": {"type": "string", "text": true},
    })
}

fn doc(id: u64) -> Json {
    let word = |number: u64| WORDS[usize::try_from(number % 6).expect("small")];
    json!({
        "id": id,
        "embedding": [1.0, (id % 17) as f64, (id % 5) as f64],
        "n": id % 10,
        "tags": [word(id), word(id / 6)],
        "text": format!("{} {} {}", word(id), word(id * 5 + 1), word(id / 7)),
    })
}

fn docs(ids: std::ops::Range<u64>) -> Json {
    json!({"docs": ids.map(doc).collect::<Vec<_>>()})
}

/// Requests that read, with their answers of a database that has documents of [`doc`].
fn questions() -> Vec<(&'static str, &'static str, Json)> {
    let vector = json!([1.0, 3.0, 2.0]);
    let post = |path, body| ("POST", path, body);
    vec![
        post("/v1/dbs/p/search", json!({"vector": vector, "limit": 20, "exact": true})),
        post("/v1/dbs/p/search", json!({"vector": vector, "filter": {"n": {"$lt": 4}}})),
        post("/v1/dbs/p/search", json!({"text": "quick fox", "limit": 15})),
        post("/v1/dbs/p/search", json!({"vector": vector, "text": "owl", "explain": true})),
        post("/v1/dbs/p/search", json!({"vectors": [vector, [0.5, 1.0, 1.0]], "limit": 3})),
        post("/v1/dbs/p/search", json!({"like": [7, 11], "unlike": [3]})),
        post("/v1/dbs/p/search", json!({"vector": vector, "group_by": "n", "group_size": 2})),
        post("/v1/dbs/p/count", json!({})),
        post("/v1/dbs/p/count", json!({"filter": {"tags": {"$contains": "dog"}}})),
        post("/v1/dbs/p/facet", json!({"field": "tags"})),
        post("/v1/dbs/p/scroll", json!({"order_by": "n", "descending": true, "limit": 30})),
        ("GET", "/v1/dbs/p/docs/42", Json::Null),
        ("GET", "/v1/dbs/p/docs/4242", Json::Null),
        post("/v1/dbs/p/search", json!({"vector": [1.0]})),
        post("/v1/dbs/p/count", json!({"filter": {"m": 1}})),
    ]
}

/// The answers of `node`. Versions differ where batches came in other parts.
async fn answers(node: &Node) -> Vec<(u16, Json)> {
    let mut answers = Vec::new();
    for (verb, path, body) in questions() {
        let (status, mut answer) = node.ask(verb, path, &body).await;
        if let Some(answer) = answer.as_object_mut() {
            answer.remove("version");
            answer.remove("request_id");
            answer.remove("instance");
        }
        answers.push((status, answer));
    }
    answers
}

async fn compare(node: &Node, expected: &[(u16, Json)]) {
    let found = answers(node).await;
    for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found, expected, "{:?}", questions()[number]);
    }
}

async fn nodes_of<const N: usize>(ground: &Ground, more: &[&str]) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for number in 1..=N {
        let others: Vec<&Node> = nodes.iter().take(1).collect();
        let node = ground.start_with(&number.to_string(), &others, more);
        nodes.push(node);
    }
    let has_all = |status: &Json| status["nodes"].as_array().is_some_and(|all| all.len() == N);
    for node in &nodes {
        node.until(false, "all nodes", has_all).await;
    }
    nodes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_answers_as_a_server_alone_and_goes_on_without_one_of_them() {
    let ground = Ground::new();
    let nodes = nodes_of::<4>(&ground, &["--cluster-gone-after", "0ms"]).await;
    let alone = ground.start_alone("alone");
    let create = json!({"schema": schema(), "shards": 4});
    alone.result("PUT", "/v1/dbs/p", &create).await;
    let create = json!({"schema": schema(), "shards": 4, "replicas": 3});
    let described = nodes[1].result("PUT", "/v1/dbs/p", &create).await;
    assert_eq!((&described["shards"], &described["replicas"]), (&json!(4), &json!(3)));
    let status = nodes[0].status(false).await;
    let loads = (0..4).filter_map(|node| status["nodes"][node]["replicas"].as_u64());
    assert_eq!(loads.collect::<Vec<_>>(), [3, 3, 3, 3]);

    alone.result("POST", "/v1/dbs/p/docs", &docs(0..300)).await;
    for (number, node) in (0..3).zip(&nodes) {
        let part = docs(100 * number..100 * (number + 1));
        let indexed = node.result("POST", "/v1/dbs/p/docs", &part).await;
        assert_eq!((&indexed["indexed"], &indexed["durability"]), (&json!(100), &json!("quorum")));
    }
    // What changes documents, of one shard and of all.
    for node in [&alone, &nodes[2]] {
        let set = json!({"filter": {"n": 3}, "set": {"tags": ["third"]}});
        assert_eq!(node.result("PATCH", "/v1/dbs/p/docs", &set).await["patched"], 30);
        let deleted = json!({"ids": [10, 20, 999]});
        let deleted = node.result("POST", "/v1/dbs/p/delete", &deleted).await;
        assert_eq!((&deleted["deleted"], &deleted["missing"]), (&json!(2), &json!([999])));
        let filter = json!({"filter": {"n": {"$eq": 7}}});
        assert_eq!(node.result("POST", "/v1/dbs/p/delete", &filter).await["deleted"], 30);
        let body = json!({"doc": doc(555)});
        let (status, answer) = node.ask("PUT", "/v1/dbs/p/docs/555", &body).await;
        assert_eq!((status, &answer["code"]), (404, &json!("not_found")));
        let several = json!({"docs": [doc(1), doc(555)]});
        assert_eq!(node.ask("PUT", "/v1/dbs/p/docs", &several).await.0, 404);
        let condition = json!({"docs": [doc(5)], "if_version": 987_654});
        assert_eq!(node.ask("POST", "/v1/dbs/p/docs", &condition).await.0, 409);
    }
    let expected = answers(&alone).await;
    for node in &nodes {
        compare(node, &expected).await;
    }
    // A snapshot of the cluster is a database of a server alone.
    let (archive, copy) = (ground.path("p.archive"), ground.path("copy"));
    let [archive, copy] = [&archive, &copy].map(|path| path.to_str().expect("a path"));
    let url = nodes[0].url();
    cli_program::run(["backup", archive, "--db", "p", "--url", &url]).succeeded();
    let restored = ["restore", archive, "--data", copy, "--db", "q", "--json"];
    let restored = cli_program::run(restored).json();
    let documents = expected[7].1["count"].as_u64();
    assert_eq!((restored["documents"].as_u64(), &restored["shards"]), (documents, &json!(4)));

    let mut nodes = nodes;
    nodes.remove(1).kill();
    for node in &nodes {
        let end = Instant::now() + PATIENCE;
        while node.ask("POST", "/v1/dbs/p/count", &json!({})).await.0 != 200 {
            assert!(Instant::now() < end, "a node of three does not answer");
        }
        compare(node, &expected).await;
    }
    for node in &nodes {
        let body = docs(1_000..1_040);
        let indexed = node.result("POST", "/v1/dbs/p/docs", &body).await;
        assert_eq!(indexed["indexed"], 40);
    }
    let (status, answer) = nodes[0].ask("POST", "/v1/dbs/p/reshard", &json!({"shards": 2})).await;
    assert_eq!((status, &answer["code"]), (501, &json!("unsupported")), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_a_replica_answers_and_says_which_shard_is_missing() {
    let ground = Ground::new();
    let nodes = nodes_of::<2>(&ground, &["--cluster-request-timeout", "2s"]).await;
    let create = json!({"schema": schema(), "shards": 1, "replicas": 1});
    nodes[0].result("PUT", "/v1/dbs/p", &create).await;
    let status = nodes[0].status(false).await;
    let has = replicas(&status, "p")[0]["node"].as_u64().expect("a node");
    let [with, without] = if has == 1 { [0, 1] } else { [1, 0] };
    nodes[without].result("POST", "/v1/dbs/p/docs", &docs(0..50)).await;
    let expected = answers(&nodes[with]).await;
    compare(&nodes[without], &expected).await;
    let described = nodes[without].result("GET", "/v1/dbs/p", &Json::Null).await;
    assert_eq!((&described["documents"], &described["shards"]), (&json!(50), &json!(1)));
    let listed = nodes[without].result("GET", "/v1/dbs", &Json::Null).await;
    assert_eq!(listed["dbs"][0]["documents"], 50, "{listed}");
    // Changes are told wherever they are asked for, from positions that any replica gives.
    let path = "/v1/dbs/p/changes";
    let now = nodes[with].result("GET", path, &Json::Null).await;
    nodes[with].result("POST", "/v1/dbs/p/docs", &docs(50..53)).await;
    let since = format!("{path}?since={}", now["cursor"].as_str().expect("a cursor"));
    let end = Instant::now() + PATIENCE;
    loop {
        let page = nodes[without].result("GET", &since, &Json::Null).await;
        if page["changes"].as_array().is_some_and(|changes| changes.len() == 3) {
            break;
        }
        assert!(Instant::now() < end, "{page}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (status, answer) = nodes[without].ask("GET", "/v1/dbs/q", &Json::Null).await;
    assert_eq!((status, &answer["code"]), (404, &json!("not_found")));

    let mut nodes = nodes;
    let survivor = nodes.remove(without);
    drop(nodes);
    let (status, answer) = survivor.ask("POST", "/v1/dbs/p/count", &json!({})).await;
    assert_eq!((status, &answer["code"]), (503, &json!("unavailable")), "{answer}");
    let said = answer["detail"].as_str().expect("a reason");
    assert!(said.contains(&format!("database p is on node {has} alone")), "{said}");
}

#[derive(Clone, Debug, VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 2))]
    embedding: [f32; 2],
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_all_three_protocols_work_over_shards_of_other_nodes() {
    let ground = Ground::new();
    let nodes = nodes_of::<3>(&ground, &[]).await;
    let product = Client::<Product>::builder(nodes[0].url()).db("p").shards(3);
    let on_first = product.connect().await.expect("it is created");
    let on_second = Client::<Product>::builder(nodes[1].url()).db("p").connect().await;
    let on_second = on_second.expect("it is there");
    let now = on_first.changes(ChangeQuery::from_now()).await.expect("a position");
    // A subscription over WebSocket, from a position that another node told.
    let query = ChangeQuery::since(&now.cursor);
    let mut feed = on_second.subscribe(query).await.expect("it follows");
    let products = (0..30).map(|id| Product { id, embedding: [1.0, 0.5] });
    assert_eq!(on_first.index(products).await, Ok(30));
    let mut told = 0;
    while told < 30 {
        let page = timeout(PATIENCE, feed.next()).await.expect("in time");
        told += page.expect("changes").changes.len();
    }
    assert_eq!(told, 30);

    let mut by_grpc = grpc_fixture::client_at(&nodes[2].url(), None).await.expect("it answers");
    let batch = |id| {
        let fields = [("id", value(Kind::IntValue(id))), ("embedding", vector(&[1.0, 0.5]))];
        let (db, docs) = ("p".into(), vec![document(fields)]);
        IndexStreamRequest { db, docs, durability: 0 }
    };
    let batches = futures_util::stream::iter((100..110).map(batch));
    let mut acknowledged = by_grpc.index_stream(batches).await.expect("a stream").into_inner();
    let mut count = 0;
    while acknowledged.message().await.expect("an acknowledgement").is_some() {
        count += 1;
    }
    assert_eq!(count, 10);
    assert_eq!(on_second.count(Filter::All).await, Ok(40));
    let seen = grpc_fixture::ask(&mut by_grpc, "cluster.status", &json!({})).await;
    let (seen, by_http) = (seen.expect("a cluster"), nodes[2].status(false).await);
    assert_eq!((&seen["cluster"], &seen["nodes"]), (&by_http["cluster"], &by_http["nodes"]));
    assert_eq!(seen["databases"][0]["shards"], 3);
    let refused = grpc_fixture::ask(&mut by_grpc, "cluster.remove", &json!({"node": 9})).await;
    let refused = refused.map_err(|status| grpc_fixture::error_of(&status).kind());
    assert_eq!(refused, Err(ErrorKind::NotFound));

    let lines = (200..250).map(|id| json!({"id": id, "embedding": [1.0, 2.0]}).to_string() + "\n");
    let said = nodes[2].send_lines("/v1/dbs/p/docs", lines.collect()).await;
    assert!(said.contains("50"), "{said}");
    assert_eq!(on_first.count(Filter::All).await, Ok(90));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_joins_gets_its_share_while_documents_come_and_searches_go_on() {
    let ground = Ground::new();
    let mut nodes = nodes_of::<3>(&ground, &[]).await;
    let create = json!({"schema": schema(), "shards": 8, "replicas": 2});
    nodes[0].result("PUT", "/v1/dbs/p", &create).await;
    nodes[0].result("POST", "/v1/dbs/p/docs", &docs(0..200)).await;
    let fourth = ground.start("4", &[&nodes[0]]);
    nodes.push(fourth);
    let end = Instant::now() + PATIENCE;
    let mut next = 200;
    let mut was_moving = false;
    loop {
        let node = &nodes[usize::try_from(next % 4).expect("small")];
        let (status, answer) = node.ask("POST", "/v1/dbs/p/docs", &docs(next..next + 1)).await;
        if status == 200 {
            next += 1;
        } else {
            assert_eq!(status, 503, "{answer}");
        }
        let (status, found) = node.ask("POST", "/v1/dbs/p/count", &json!({})).await;
        if status == 200 {
            assert_eq!(found["count"], next, "{found}");
        }
        let status = nodes[3].status(false).await;
        let moves = status["moves"].as_array().expect("moves");
        assert!(moves.len() <= 1, "{moves:?}");
        was_moving |= !moves.is_empty();
        let loads: Vec<u64> =
            (0..4).filter_map(|node| status["nodes"][node]["replicas"].as_u64()).collect();
        if moves.is_empty() && loads == [4, 4, 4, 4] {
            break;
        }
        assert!(Instant::now() < end, "replicas are not spread: {status:#}");
    }
    assert!(was_moving);
    let status = nodes[3].until(true, "equal", |status| are_equal(status, "p", 2)).await;
    let documents: u64 =
        replicas(&status, "p").iter().filter_map(|r| r["documents"].as_u64()).sum();
    assert_eq!(documents, 2 * next, "{status:#}");
    for node in &nodes {
        assert_eq!(node.result("POST", "/v1/dbs/p/count", &json!({})).await["count"], next);
    }
    // What moved is not left behind.
    let shards = || {
        let names = (1..=4).flat_map(|node: u64| {
            let entries = std::fs::read_dir(ground.path(&node.to_string())).expect("a directory");
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        });
        names.filter(|name| name.starts_with("p.")).count()
    };
    while shards() != 16 {
        assert!(Instant::now() < end, "{} replicas rest on disks", shards());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // One replica of two is no majority, and still reads what it has.
    nodes.remove(0).kill();
    for node in &nodes {
        let local = node.result("POST", "/v1/dbs/p/count", &json!({"read": "local"})).await;
        assert_eq!(local["count"], next);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_of_a_node_that_is_gone_for_long_are_made_anew_on_others() {
    let ground = Ground::new();
    let mut nodes = nodes_of::<4>(&ground, &["--cluster-gone-after", "1s"]).await;
    let create = json!({"schema": schema(), "shards": 2, "replicas": 3});
    nodes[0].result("PUT", "/v1/dbs/p", &create).await;
    nodes[0].result("POST", "/v1/dbs/p/docs", &docs(0..100)).await;
    let place = nodes.remove(3).kill();
    let is_whole = |status: &Json| {
        are_equal(status, "p", 3) && replicas(status, "p").iter().all(|r| r["node"] != 4)
    };
    nodes[0].until(true, "three replicas without node 4", is_whole).await;
    assert_eq!(nodes[2].result("POST", "/v1/dbs/p/count", &json!({})).await["count"], 100);
    // One that comes back is a node as any other.
    let back = ground.restart("4", &place);
    let is_back = |status: &Json| status["nodes"][3]["is_up"] == true;
    back.until(false, "back", is_back).await;
    assert_eq!(back.result("POST", "/v1/dbs/p/count", &json!({})).await["count"], 100);
}
