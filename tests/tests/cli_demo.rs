//! `vectordoc demo`: the first thing anyone sees.

mod cli_program;

use cli_program::{Running, address, paste, run, text};
use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
};

/// The blocks of the tour: a question, its filter if it has one, and its answers.
fn blocks(told: &str) -> Vec<&str> {
    told.split("▸ ").skip(1).collect()
}

#[test]
fn the_demo_answers_plain_and_filtered_questions() {
    let told = run(["demo", "--once"]).succeeded();
    assert!(told.contains("Indexed 3,000 WordNet documents of 384 dimensions"), "{told}");
    let blocks = blocks(&told);
    assert_eq!(blocks.len(), 8);
    let (filtered, plain): (Vec<&str>, Vec<&str>) =
        blocks.into_iter().partition(|block| block.contains("where {"));
    assert!(filtered.len() >= 3 && plain.len() >= 2, "{told}");
    assert!(plain.iter().any(|block| block.contains("toilet water")), "{told}");
}

#[test]
fn a_filtered_question_of_the_demo_finds_only_what_matches() {
    let told = run(["demo", "--once"]).succeeded();
    let script = blocks(&told).into_iter().find(|block| block.starts_with("script"));
    let script = script.expect("the question is asked");
    assert!(script.contains(r#"where {"lexname":"noun.person"}"#), "{script}");
    assert!(script.contains("scriptwriter"), "{script}");
    assert_eq!(script.matches("noun.person").count(), 4, "the filter and three hits: {script}");
}

#[test]
fn a_demo_that_keeps_its_data_opens_it_the_second_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = ["demo", "--once", "--data", text(folder.path())];
    let first = run(arguments).succeeded();
    let second = run(arguments).succeeded();
    assert!(first.starts_with("Indexed 3,000") && second.starts_with("Opened 3,000"), "{second}");
    assert!(second.contains("toilet water"), "{second}");
}

#[test]
fn a_demo_whose_port_is_taken_says_so_and_the_commands_it_prints_work() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").to_string();
    let mut demo = Running::start(["demo", "--listen", &port]);
    demo.line_with(&format!("{port} is taken"));
    assert!(!address(&demo.line_with("Serving at")).ends_with(&port));
    for _ in 0..3 {
        let command = demo.line_with(" search ");
        let found = paste(&command).succeeded();
        assert!(found.contains("score"), "{command}: {found}");
    }
    let (said, code) = demo.terminate();
    assert_eq!((said.last().map(String::as_str), code), (Some("stopped"), Some(0)));
}

/// What the server at `address` answers to a request for `path`.
fn request(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address.trim_start_matches("ws://")).expect("it listens");
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

/// A built page in a folder.
fn page(folder: &Path) {
    fs::create_dir(folder.join("assets")).expect("a folder");
    fs::write(folder.join("index.html"), "<!doctype html><title>the page</title>").expect("a file");
    fs::write(folder.join("assets/main-1.js"), "hello()").expect("a file");
}

#[test]
fn the_demo_serves_its_page_and_the_data_set_beside_the_databases() {
    let (folder, data) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("one"));
    page(folder.path());
    fs::write(data.path().join("dataset.json"), "{\"dim\": 384}").expect("a file");
    let (page, dataset) = (text(folder.path()), text(data.path()));
    let listen = "127.0.0.1:0";
    let mut demo =
        Running::start(["demo", "--listen", listen, "--page", page, "--dataset", dataset]);
    assert!(demo.line_with("See it in a browser").contains("/demo/"));
    let at = address(&demo.line_with("Serving at"));
    let found = request(&at, "/demo/");
    assert!(found.starts_with("HTTP/1.1 200") && found.contains("the page"), "{found}");
    for header in ["frame-ancestors 'none'", "nosniff", "no-cache", "text/html"] {
        assert!(found.contains(header), "{header}: {found}");
    }
    let entered = request(&at, "/demo");
    assert!(
        entered.starts_with("HTTP/1.1 308") && entered.contains("location: /demo/"),
        "{entered}"
    );
    let script = request(&at, "/demo/assets/main-1.js");
    assert!(script.contains("immutable") && script.ends_with("hello()"), "{script}");
    assert!(script.contains("content-type: text/javascript"), "{script}");
    assert!(request(&at, "/demo/wordnet50k/dataset.json").ends_with("{\"dim\": 384}"));
    assert!(request(&at, "/v1/dbs").contains("wordnet"), "the databases are there too");
    for outside in ["/demo/../Cargo.toml", "/demo/%2e%2e/Cargo.toml", "/demo/assets/none.js"] {
        let refused = request(&at, outside);
        assert!(refused.starts_with("HTTP/1.1 404"), "{outside}: {refused}");
    }
    assert_eq!(demo.terminate().1, Some(0));
}

#[test]
fn a_page_that_is_not_there_is_refused_with_the_way_to_make_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = run(["demo", "--page", text(folder.path())]).failed(1);
    assert!(said.contains("no index.html") && said.contains("npm run build"), "{said}");
    page(folder.path());
    let arguments = ["demo", "--page", text(folder.path()), "--dataset", "/nowhere"];
    assert!(run(arguments).failed(1).contains("there is no folder /nowhere"));
}
