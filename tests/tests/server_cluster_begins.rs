//! Promise: new nodes with one list begin one cluster, whoever is started first, and never two: a node
//! that has lost its disk is let into the cluster that is there, or waits for it.

mod cli_program;
mod cluster_fixture;

use cluster_fixture::{Ground, Node, Place, are_equal};
use serde_json::{Value as Json, json};
use std::fs;

fn addresses(status: &Json) -> Vec<&str> {
    let nodes = status["nodes"].as_array().expect("nodes");
    nodes.iter().filter_map(|node| node["address"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_nodes_with_one_list_begin_a_cluster_which_a_first_node_without_its_disk_joins() {
    let ground = Ground::new();
    let mut nodes = ground.start_together(&["1", "2", "3"]);
    let list = nodes.iter().map(|node| node.address.clone()).collect::<Vec<_>>().join(",");
    let is_whole = |status: &Json| addresses(status).len() == 3;
    let status = nodes[2].until(false, "three nodes", is_whole).await;
    assert_eq!(addresses(&status)[0], nodes[0].address, "the first of the list began: {status:#}");
    let schema = json!({"schema": {"id": "u64", "embedding": {"vector": 2}}, "replicas": 3});
    nodes[1].result("PUT", "/v1/dbs/p", &schema).await;
    let docs: Vec<Json> = (0..5).map(|id| json!({"id": id, "embedding": [1, id]})).collect();
    nodes[1].result("POST", "/v1/dbs/p/docs", &json!({"docs": docs})).await;
    nodes[1].until(true, "equal", |status| are_equal(status, "p", 3)).await;

    let first = nodes.remove(0);
    let (place, address) = (Place::of(&first), first.address.clone());
    drop(first);
    fs::remove_dir_all(ground.path("1")).expect("its disk is lost");
    let again: Node = ground.start_at("1", &place, &list);
    // It is a node of that cluster, under another number, as whoever asks it hears.
    let is_in = |status: &Json| addresses(status).iter().filter(|it| **it == address).count() == 2;
    let status = again.until(false, "let in", is_in).await;
    assert_eq!(addresses(&status).len(), 4, "{status:#}");
    nodes[0].result("POST", "/v1/cluster/remove", &json!({"node": 1})).await;
    again.until(true, "equal", |status| are_equal(status, "p", 3)).await;
    assert_eq!(again.result("POST", "/v1/dbs/p/count", &json!({})).await["count"], 5);
}

#[test]
fn the_first_of_a_list_begins_nothing_while_it_does_not_hear_of_the_others() {
    let ground = Ground::new();
    let data = ground.path("1");
    let key = ground.key();
    let told = cli_program::run([
        "serve",
        "--data",
        cli_program::text(&data),
        "--listen",
        "127.0.0.1:0",
        "--cluster-key-file",
        cli_program::text(&key),
        "--cluster-listen",
        "127.0.0.1:0",
        "--cluster-advertise",
        "127.0.0.1:9",
        "--join",
        // Port 11 is "systat": nobody answers there.
        "127.0.0.1:9,127.0.0.1:11",
        "--cluster-join-timeout",
        "300ms",
    ]);
    let told = told.failed(1);
    assert!(told.contains("127.0.0.1:11") && told.contains("same list"), "{told}");
}
