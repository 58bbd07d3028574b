//! `vectordoc login`, `deploy`, `list`, `scale`, `pause`, `resume` and `delete`: a local database is
//! on a server with one command, and is looked after there.

mod cli_program;

use cli_program::{PROGRAM, Running, run, text};
use serde_json::{Value as Json, json};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use vectordoc::{Document, Id, Schema, Value, native::DatabaseOptions};

/// Somebody with a configuration folder of their own.
struct User {
    folder: PathBuf,
}

impl User {
    fn logins(&self) -> PathBuf {
        self.folder.join("logins.json")
    }

    /// Runs `vectordoc` with these arguments, and `input` to be read.
    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env("VECTORDOC_CONFIG_HOME", &self.folder);
        command.env_remove("VECTORDOC_KEY").stdin(Stdio::piped());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the binary runs");
        // Who does not read it may have ended.
        let _ = child.stdin.take().expect("it was piped").write_all(input.as_bytes());
        child.wait_with_output().expect("it ends")
    }

    #[track_caller]
    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments, "");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Json {
        let text = self.succeeds(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    #[track_caller]
    fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments, "");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    }
}

const SCHEMA: &str =
    r#"{"id": "u64", "embedding": {"vector": 2}, "price": {"type": "number", "filter": true}}"#;

/// A database of a program, with this many documents.
fn local(path: &Path, documents: u64) {
    let schema = Schema::from_json_str(SCHEMA).expect("a schema");
    let database = vectordoc::Database::create(path, &schema, &DatabaseOptions::default());
    let database = database.expect("a database");
    let document = |id| Document {
        id: Id::Int(id),
        vectors: vec![Some(vec![1.0, 2.0])],
        values: vec![Value::Float(0.5)],
    };
    database.index((0..documents).map(document).collect()).expect("they are indexed");
    database.close().expect("it is closed");
}

#[test]
fn a_local_database_goes_to_a_server_and_is_looked_after_there() {
    let folder = tempfile::tempdir().expect("a directory for the test");
    let user = User { folder: folder.path().join("config") };
    let (data, products) = (folder.path().join("data"), folder.path().join("products"));
    local(&products, 300);
    let schema = folder.path().join("notes.json");
    fs::write(&schema, SCHEMA).expect("it can be written");
    let key = run(["key", "create", "--role", "admin", "--data", text(&data), "--json"]).json();
    let key = key["key"].as_str().expect("a key").to_owned();
    let (server, url) = Running::serve(&data);

    let refused = user.run(&["login", &url], "");
    let refused = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.contains("vectordoc key create"), "{refused}");
    assert!(!user.logins().exists(), "nothing is kept of a login that failed");
    // As a browser has the address.
    let page = url.replace("ws://", "http://");
    assert!(user.run(&["login", &page], &format!("{key}\n")).status.success());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode();
        assert_eq!(mode(&user.logins()) & 0o777, 0o600);
        assert_eq!(mode(&user.folder) & 0o777, 0o700);
    }
    assert!(user.succeeds(&["list"]).contains("no database yet"));

    let from = text(&products);
    let told = user.succeeds(&["deploy", "--from", from, "--shards", "2", "--serverless"]);
    assert!(told.contains("products") && told.contains("300 documents, 2 shards"), "{told}");
    assert!(told.contains("after 5m"), "{told}");
    let found = user.json(&["search", "--db", "products", "--like", "7", "--limit", "1"]);
    assert_eq!(found["hits"].as_array().map(Vec::len), Some(1), "{found}");
    let again = user.fails(&["deploy", "--from", from]);
    assert!(again.contains("products already"), "{again}");
    let notes = user.json(&["deploy", text(&schema), "--idle", "100ms", "--serverless"]);
    assert_eq!((&notes["db"], &notes["idle_ms"]), (&json!("notes"), &json!(100)));
    let same = user.json(&["deploy", text(&schema)]);
    assert_eq!(same["schema"], notes["schema"], "once more is nothing to do");
    let refused = user.fails(&["deploy", text(&schema), "--name", "three", "--replicas", "3"]);
    assert!(refused.contains("replicas"), "{refused}");

    let scaled = user.json(&["scale", "products", "--shards", "3", "--idle", "1h"]);
    assert_eq!((&scaled["shards"], &scaled["idle_ms"]), (&json!(3), &json!(3_600_000)));
    assert!(user.succeeds(&["pause", "products"]).contains("products is paused"));
    let refused = user.fails(&["search", "--db", "products", "--like", "7"]);
    assert!(refused.contains("vectordoc resume"), "{refused}");
    let table = user.succeeds(&["list"]);
    let row = table.lines().find(|line| line.starts_with("products")).expect("a row");
    assert!(row.contains("paused") && row.contains("300"), "{table}");
    assert!(table.lines().next().is_some_and(|line| line.starts_with("NAME")), "{table}");
    assert_eq!(user.json(&["resume", "products"])["state"], "asleep");

    let logs = user.succeeds(&["logs", "products"]);
    for said in ["restored", "paused", "resumed"] {
        assert!(logs.lines().any(|line| line.contains(said)), "{said}: {logs}");
    }
    assert!(!logs.contains("notes"), "{logs}");
    let last = user.succeeds(&["logs", "products", "--limit", "1", "--json"]);
    let last: Json = serde_json::from_str(&last).expect("one line");
    assert_eq!(last["level"], "INFO", "{last}");
    let unknown = user.fails(&["logs", "product"]);
    assert!(unknown.contains("products"), "{unknown}");
    let refused = user.fails(&["delete", "products"]);
    assert!(refused.contains("--yes"), "{refused}");
    assert_eq!(user.json(&["delete", "products", "--yes"])["deleted"], true);
    let unknown = user.fails(&["pause", "note"]);
    assert!(unknown.contains("notes"), "{unknown}");
    let listed = user.json(&["list"]);
    assert_eq!(listed["dbs"].as_array().map(Vec::len), Some(1), "{listed}");

    user.succeeds(&["logout"]);
    assert!(!fs::read_to_string(user.logins()).expect("a file").contains(&key));
    let refused = user.fails(&["list", "--url", &url]);
    assert!(refused.contains("key"), "{refused}");
    assert_eq!(server.terminate().1, Some(0));
}

#[cfg(unix)]
#[test]
fn a_file_of_keys_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a directory for the test");
    let user = User { folder: folder.path().into() };
    fs::write(user.logins(), "{}").expect("it can be written");
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(user.logins(), open).expect("it can be changed");
    let refused = user.fails(&["list"]);
    assert!(refused.contains("644") && refused.contains("chmod 600"), "{refused}");
}

#[test]
fn what_the_unit_of_systemd_starts_serves_and_ends_as_it_is_asked_to() {
    let unit =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../node-server/deploy/vectordoc.service");
    let unit = fs::read_to_string(unit).expect("it is there");
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart="));
    let words: Vec<&str> = command.expect("a command").split_whitespace().collect();
    assert_eq!(words[0], "/usr/local/bin/vectordoc");
    let folder = tempfile::tempdir().expect("a directory for the test");
    let data = folder.path().join("vectordoc");
    let moved = |word: &&str| word.replace("/var/lib/vectordoc", text(&data));
    // At any port, as that of the unit may be taken.
    let listen = ["--listen", "127.0.0.1:0"].map(String::from);
    let arguments: Vec<String> = words[1..].iter().map(moved).chain(listen).collect();
    let mut server = Running::start(&arguments);
    server.line_with("ws://");
    assert!(data.is_dir(), "the directory that StateDirectory makes is the one that is served");
    assert!(unit.contains("StateDirectory=vectordoc\n") && unit.contains("KillSignal=SIGTERM\n"));
    assert_eq!(server.terminate().1, Some(0));
}
