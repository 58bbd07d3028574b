//! `vectordoc backup` and `restore` do with a server that runs what they do with a data directory.

mod cli_program;

use cli_program::{PROGRAM, Running, paste, run, text};
use std::fs;

#[test]
fn a_database_goes_out_of_a_running_server_and_into_another() {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let at = |name: &str| directory.path().join(name);
    let docs: Vec<String> =
        (0..500).map(|id| format!("{{\"id\": {id}, \"embedding\": [{id}, 1]}}\n")).collect();
    fs::write(at("docs.jsonl"), docs.concat()).expect("it can be written");
    let (server, url) = Running::serve(&at("one"));
    let (docs, file) = (at("docs.jsonl"), at("products.vectordoc"));
    run(["import", text(&docs), "--db", "products", "--url", &url, "--shards", "3"]).succeeded();

    let outcome = run(["backup", text(&file), "--url", &url, "--json"]).json();
    assert_eq!((&outcome["documents"], &outcome["shards"]), (&500.into(), &3.into()));
    assert_eq!(outcome["db"], "products", "the only one there is");
    assert_eq!(outcome["bytes"], fs::metadata(&file).expect("it is there").len());
    let again = run(["backup", text(&file), "--url", &url]).failed(1);
    assert!(again.contains("is there already"), "{again}");

    let taken = run(["restore", text(&file), "--url", &url]).failed(1);
    assert!(taken.contains("another name"), "{taken}");
    let told = run(["restore", text(&file), "--url", &url, "--db", "copy"]).succeeded();
    assert!(told.contains("restored 500 documents as copy"), "{told}");
    let several = run(["backup", text(&at("x")), "--url", &url]).failed(1);
    assert!(several.contains("copy, products"), "{several}");

    let (other, other_url) = Running::serve(&at("two"));
    let piped = format!(
        "'{PROGRAM}' backup - --url {url} --db copy | \
         '{PROGRAM}' restore - --url {other_url} --db piped --json"
    );
    let outcome = paste(&piped).json();
    assert_eq!(outcome["documents"], 500);
    let found = run(["search", "--db", "piped", "--url", &other_url, "--like", "42", "--json"]);
    assert!(found.succeeded().contains("\"id\""), "there are hits");
    let other_server = other.terminate();
    assert_eq!(other_server.1, Some(0));

    // What one makes of a server, the other makes of a directory.
    let told = run(["restore", text(&file), "--data", text(&at("two")), "--db", "own"]).succeeded();
    assert!(told.contains("500 documents as own"), "{told}");

    let bytes = fs::read(&file).expect("it is there");
    fs::write(&file, &bytes[..bytes.len() / 2]).expect("it can be written");
    let cut = run(["restore", text(&file), "--url", &url, "--db", "cut"]).failed(1);
    assert!(cut.contains("ends early"), "{cut}");
    let absent = run(["backup", "-", "--url", &url, "--db", "cut"]).failed(1);
    assert!(absent.contains("copy"), "it is not there, and what is: {absent}");
    assert_eq!(server.terminate().1, Some(0));
    let nobody = run(["backup", "-", "--url", &url, "--db", "copy"]).failed(1);
    assert!(nobody.contains("--data DIR"), "{nobody}");
}
