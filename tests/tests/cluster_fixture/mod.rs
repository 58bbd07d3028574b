//! Nodes of a cluster as processes of this machine, and requests to them.

#![allow(dead_code, reason = "every test file uses a part")]

use crate::cli_program::{self, Running, address, text};
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::{Value as Json, json};
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{net::TcpStream, time::timeout};

/// How long anything may take that a cluster does by itself.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Where the nodes of a test have their data, and the key they share.
pub(crate) struct Ground {
    directory: TempDir,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let ground = Self { directory: tempfile::tempdir().expect("a temporary directory") };
        cli_program::run(["cluster", "key", text(&ground.key())]).succeeded();
        ground
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.directory.path().join("key")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts a new node that joins those of `others`, or begins a cluster.
    pub(crate) fn start(&self, name: &str, others: &[&Node]) -> Node {
        self.start_with(name, others, &[])
    }

    /// The same with more arguments.
    pub(crate) fn start_with(&self, name: &str, others: &[&Node], more: &[&str]) -> Node {
        let join: Vec<&str> = others.iter().map(|node| node.address.as_str()).collect();
        Node::start(&self.path(name), &self.key(), free_port(), &join.join(","), more)
    }

    /// Starts a server that is in no cluster.
    pub(crate) fn start_alone(&self, name: &str) -> Node {
        let data = self.path(name);
        let arguments = ["serve", "--data", text(&data), "--listen", "127.0.0.1:0"];
        Node::run(arguments.into(), String::new(), 0)
    }

    /// Starts a node again that was there before, at the same place.
    pub(crate) fn restart(&self, name: &str, before: &Place) -> Node {
        Node::start(&self.path(name), &self.key(), before.port, "", &[])
    }
}

/// A port that nobody listens at.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Where a node was.
pub(crate) struct Place {
    port: u16,
}

impl Place {
    /// Where `node` is.
    pub(crate) fn of(node: &Node) -> Self {
        Self { port: node.port }
    }
}

/// A node that runs. Dropped, it is killed.
pub(crate) struct Node {
    running: Running,
    /// Where clients reach it: `127.0.0.1:7700`.
    pub(crate) client: String,
    /// Where nodes reach it.
    pub(crate) address: String,
    port: u16,
}

impl Node {
    fn start(data: &Path, key: &Path, port: u16, join: &str, more: &[&str]) -> Self {
        let listen = format!("127.0.0.1:{port}");
        let mut arguments = vec!["serve", "--data", text(data), "--listen", "127.0.0.1:0"];
        arguments.extend(["--cluster-key-file", text(key), "--cluster-listen", &listen]);
        // Whatever else the machine has to do, a disk is synced within that.
        arguments.extend(["--cluster-election-timeout", "2s"]);
        if !join.is_empty() {
            arguments.extend(["--join", join]);
        }
        arguments.extend(more);
        Self::run(arguments, listen.clone(), port)
    }

    fn run(arguments: Vec<&str>, address: String, port: u16) -> Self {
        let mut running = Running::start(arguments);
        let line = running.line_with("ws://");
        let client = self::address(&line).trim_start_matches("ws://").to_owned();
        Self { running, client, address, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.client)
    }

    /// The id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.running.id()
    }

    /// Kills it, and says where it was.
    pub(crate) fn kill(self) -> Place {
        Place { port: self.port }
    }

    /// Asks it to stop.
    pub(crate) fn terminate(self) -> (Vec<String>, Option<i32>) {
        self.running.terminate()
    }

    /// What it answers: a status and a body.
    pub(crate) async fn ask(&self, verb: &str, path: &str, body: &Json) -> (u16, Json) {
        let asked = timeout(PATIENCE, ask(&self.client, verb, path, body)).await;
        match asked.expect("an answer in time") {
            Ok(answer) => answer,
            Err(error) => (0, json!(error)),
        }
    }

    /// What it answers to documents that come line by line.
    pub(crate) async fn send_lines(&self, path: &str, lines: String) -> String {
        let sent = send(&self.client, "POST", path, "application/x-ndjson", lines);
        let sent = timeout(PATIENCE, sent).await.expect("an answer in time");
        let (status, said) = sent.expect("an answer");
        String::from_utf8(said.to_vec()).map(|said| format!("{status}: {said}")).expect("text")
    }

    /// The result of a request that succeeds.
    #[track_caller]
    pub(crate) fn result(&self, verb: &str, path: &str, body: &Json) -> impl Future<Output = Json> {
        let caller = std::panic::Location::caller();
        async move {
            let (status, answer) = self.ask(verb, path, body).await;
            assert_eq!(status, 200, "{verb} {path} at {caller}: {answer}");
            answer
        }
    }

    /// How the cluster is.
    pub(crate) async fn status(&self, hashes: bool) -> Json {
        self.result("GET", &format!("/v1/cluster?hashes={hashes}"), &Json::Null).await
    }

    /// Waits until `holds` of what [`status`](Self::status) says.
    pub(crate) async fn until(
        &self,
        hashes: bool,
        what: &str,
        holds: impl Fn(&Json) -> bool,
    ) -> Json {
        let end = Instant::now() + PATIENCE;
        loop {
            let status = self.status(hashes).await;
            if holds(&status) {
                return status;
            }
            assert!(Instant::now() < end, "not {what}: {status:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn ask(address: &str, verb: &str, path: &str, body: &Json) -> Result<(u16, Json), String> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, said) = send(address, verb, path, "application/json", body).await?;
    Ok((status, serde_json::from_slice(&said).map_err(|error| error.to_string())?))
}

async fn send(
    address: &str,
    verb: &str,
    path: &str,
    content: &str,
    body: String,
) -> Result<(u16, Bytes), String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let stream = TcpStream::connect(address).await.map_err(|error| said(&error))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| said(&error))?;
    let connection = tokio::spawn(connection);
    let request = Request::builder()
        .method(verb)
        .uri(path)
        .header("host", address)
        .header("content-type", content)
        .body(Full::new(Bytes::from(body)))
        .expect("a request");
    let response = sender.send_request(request).await.map_err(|error| said(&error))?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(|error| said(&error))?.to_bytes();
    connection.abort();
    Ok((status, body))
}

/// The replicas of the database `db`.
pub(crate) fn replicas(status: &Json, db: &str) -> Vec<Json> {
    let databases = status["databases"].as_array().expect("databases");
    let found = databases.iter().find(|database| database["db"] == db);
    found.and_then(|found| found["replicas"].as_array()).cloned().unwrap_or_default()
}

/// The node that leads the database `db`, and the term in which it does.
pub(crate) fn leader(status: &Json, db: &str) -> Option<(u64, u64)> {
    let replicas = replicas(status, db);
    let leads = |replica: &&Json| replica["role"] == "leader";
    let newest = replicas.iter().filter(leads).max_by_key(|replica| replica["term"].as_u64());
    newest.map(|replica| {
        (replica["node"].as_u64().expect("a node"), replica["term"].as_u64().expect("a term"))
    })
}

/// Whether each shard of `db` has `count` replicas, and all of one have the same documents.
pub(crate) fn are_equal(status: &Json, db: &str, count: usize) -> bool {
    let replicas = replicas(status, db);
    let shards: std::collections::BTreeSet<u64> =
        replicas.iter().filter_map(|replica| replica["shard"].as_u64()).collect();
    let of = |shard| -> Vec<Json> {
        replicas.iter().filter(|replica| replica["shard"] == shard).cloned().collect()
    };
    !shards.is_empty() && shards.into_iter().all(|shard| are_same(&of(shard), count))
}

fn are_same(replicas: &[Json], count: usize) -> bool {
    let of = |name: &'static str| {
        let mut values: Vec<String> = replicas.iter().map(|r| r[name].to_string()).collect();
        values.dedup();
        values
    };
    let voters = replicas.iter().filter(|r| r["role"] == "leader" || r["role"] == "follower");
    voters.count() == count
        && of("hash").len() == 1
        && of("record").len() == 1
        && of("hash") != ["null"]
}
