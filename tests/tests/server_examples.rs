//! Promise: a client in another language needs a WebSocket library and a JSON-RPC library, and the
//! examples that say so run as they are, also against a server with keys.

mod cli_program;

use cli_program::{PROGRAM, Running, run, text};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

const EXPECTED: &str = "\
indexed 3 documents
0.995 An apple
0.949 A pear
cheap now: 1
invalid: vector has 2 dimensions, field \"embedding\" needs 3
";

/// A server that knows the key it comes with.
struct Guarded {
    _server: Running,
    url: String,
    key: String,
    folder: TempDir,
}

impl Guarded {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let arguments = ["key", "create", "--role", "admin", "--data", text(&data)];
        let said = run(arguments).succeeded();
        let key = said.split_whitespace().find(|word| word.starts_with("vd_")).expect("a key");
        let (server, url) = Running::serve(&data);
        let url = format!("{}/v1/ws", url.trim_end_matches('/'));
        Self { _server: server, url, key: key.to_owned(), folder }
    }

    /// What the program says to the end, the address its last argument.
    #[track_caller]
    fn said_by(&self, program: &mut Command) -> String {
        succeeded(program.arg(&self.url).env("VECTORDOC_KEY", &self.key))
    }
}

#[track_caller]
fn succeeded(program: &mut Command) -> String {
    let Output { status, stdout, stderr } = program.output().expect("it is installed");
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{program:?}\n{stdout}{stderr}");
    stdout.into_owned()
}

fn example(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../node-server/examples").join(language)
}

#[test]
fn the_example_in_python_runs() {
    assert!(Path::new(PROGRAM).exists());
    let server = Guarded::start();
    let environment = server.folder.path().join("python");
    succeeded(Command::new("python3").args(["-m", "venv", text(&environment)]));
    let python = environment.join("bin/python");
    let requirements = example("python").join("requirements.txt");
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    succeeded(Command::new(&python).args(install).arg(requirements));
    let said = server.said_by(Command::new(&python).arg(example("python").join("example.py")));
    assert_eq!(said, EXPECTED);
}

#[test]
fn the_example_in_javascript_runs() {
    let server = Guarded::start();
    let folder = server.folder.path().join("javascript");
    fs::create_dir(&folder).expect("a folder");
    for name in ["package.json", "example.mjs"] {
        fs::copy(example("javascript").join(name), folder.join(name)).expect("copied");
    }
    let install = ["install", "--silent", "--no-audit", "--no-fund"];
    succeeded(Command::new("npm").args(install).current_dir(&folder));
    let flags = ["--no-warnings", "--experimental-websocket", "example.mjs"];
    let said = server.said_by(Command::new("node").args(flags).current_dir(&folder));
    assert_eq!(said, EXPECTED);
}
