//! `vectordoc reshard` changes the number of shards of a database, served or not.

mod cli_program;

use cli_program::{Running, run, text};
use std::fs;

#[test]
fn a_database_gets_other_shards_where_it_is() {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let (docs, data) = (directory.path().join("docs.jsonl"), directory.path().join("data"));
    let lines: Vec<String> =
        (0..300).map(|id| format!("{{\"id\": {id}, \"embedding\": [{id}, 1]}}\n")).collect();
    fs::write(&docs, lines.concat()).expect("it can be written");
    let files = || fs::read_dir(data.join("products")).expect("a directory").count();
    let of = ["--db", "products"];
    let local = ["--data", text(&data)];
    run([&["import", text(&docs)][..], &of, &local].concat()).succeeded();
    let told = run([&["reshard", "3"][..], &of, &local].concat()).succeeded();
    assert!(told.contains("products has 3 shards"), "{told}");
    assert_eq!(files(), 4, "three shards and the lock");

    let (server, url) = Running::serve(&data);
    let served = ["--url", &url];
    let outcome = run([&["reshard", "2", "--json"][..], &of, &served].concat()).json();
    assert_eq!((&outcome["db"], &outcome["shards"]), (&"products".into(), &2.into()));
    run([&["reshard", "2"][..], &of, &served].concat()).succeeded();
    let refused = run([&["reshard", "257"][..], &of, &served].concat()).failed(1);
    assert!(refused.contains("256"), "{refused}");
    let unknown = run([&["reshard", "2", "--db", "product"][..], &served].concat()).failed(1);
    assert!(unknown.contains("products"), "{unknown}");
    assert_eq!(server.terminate().1, Some(0));
    assert_eq!(files(), 3, "two shards and the lock");
    let archive = directory.path().join("a");
    let outcome = run([&["backup", text(&archive), "--json"][..], &local].concat()).json();
    assert_eq!((&outcome["documents"], &outcome["shards"]), (&300.into(), &2.into()));
}
