//! The command line explains itself: help with examples, and mistakes with the way out.

mod cli_program;

use cli_program::{run, text};

const COMMANDS: [&str; 21] = [
    "demo", "serve", "import", "export", "search", "backup", "restore", "reshard", "bench", "key",
    "config", "health", "login", "logout", "deploy", "list", "pause", "resume", "scale", "delete",
    "logs",
];

#[test]
fn every_command_has_help_with_examples() {
    for command in COMMANDS {
        let help = run([command, "--help"]).succeeded();
        assert!(help.contains("Examples:"), "{help}");
        assert!(help.contains(&format!("vectordoc {command} ")), "{help}");
    }
    let help = run(["--help"]).succeeded();
    assert!(COMMANDS.iter().all(|command| help.contains(command)), "{help}");
}

#[test]
fn a_mistyped_command_or_option_gets_the_right_word() {
    let told = run(["serch"]).failed(2);
    assert!(told.contains("'search'"), "{told}");
    let told = run(["demo", "--onec"]).failed(2);
    assert!(told.contains("'--once'"), "{told}");
    let told = run(["bench", "folder", "--index", "hnws"]).failed(2);
    assert!(told.contains("'hnsw'"), "{told}");
}

#[test]
fn a_filter_that_is_no_json_is_refused_before_anything_happens() {
    let told = run(["search", "--db", "x", "--like", "1", "--filter", "{price < 3}"]).failed(2);
    assert!(told.contains("the filter is not JSON"), "{told}");
}

#[test]
fn a_server_that_is_not_there_is_explained() {
    // Port 9 is "discard": nothing answers there.
    let url = "ws://127.0.0.1:9";
    let told = run(["search", "--db", "x", "--like", "1", "--url", url]).failed(1);
    assert!(told.contains(url) && told.contains("vectordoc serve"), "{told}");
}

#[test]
fn a_mistyped_database_gets_the_nearest_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = folder.path().join("rows.jsonl");
    std::fs::write(&rows, "{\"id\": \"a\", \"embedding\": [1, 2]}\n").expect("written");
    let data = folder.path().join("data");
    let at = ["--data", text(&data)];
    run([["import", text(&rows)], ["--db", "products"], at].concat()).succeeded();
    let search = [["search", "--like"], ["a", "--db"], ["product", at[0]]].concat();
    let told = run([&search[..], &at[1..]].concat()).failed(1);
    assert!(told.contains("products"), "{told}");
}
