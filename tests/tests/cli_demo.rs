//! `vectordoc demo`: the first thing anyone sees.

mod cli_program;

use cli_program::{Running, address, paste, run, text};
use std::net::TcpListener;

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
