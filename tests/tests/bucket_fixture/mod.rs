//! A bucket of an S3 in this process, and nodes whose serverless databases rest in it.
//!
//! `s3s-fs` looks at the conditions of a write before it writes, so that two writes at the same time
//! could both find theirs fulfilled. Here one write comes after the other, as each is one step in S3.

#![allow(dead_code, reason = "every test file uses a part")]

use crate::{cli_program::Running, server_fixture::Wire};
use futures_util::{StreamExt, TryStreamExt, stream};
use hyper::{Method, Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use object_store::{ObjectStore, ObjectStoreExt, aws::AmazonS3Builder, path::Path as StorePath};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use serde_json::{Value as Json, json};
use std::{
    fs,
    io::{Error as IoError, ErrorKind},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    runtime::{Builder as RuntimeBuilder, Runtime},
    sync::Mutex,
};
use vectordoc::Result;

const ACCESS_KEY: &str = "vectordoc-tests";
const SECRET_KEY: &str = "a secret that is in no log";
/// What every key begins with.
const PREFIX: &str = "some/where";
/// How long a database is idle before it sleeps.
pub(crate) const IDLE_MS: u64 = 100;

/// A bucket. Dropped, it is gone.
pub(crate) struct Bucket {
    folder: TempDir,
    address: SocketAddr,
    state: Arc<State>,
    /// Serves it.
    runtime: Option<Runtime>,
}

struct State {
    service: S3Service,
    /// Connections break.
    is_down: AtomicBool,
    /// Heads are not written, and whoever writes one hears nothing.
    holds_heads: AtomicBool,
    writing: Mutex<()>,
}

impl Bucket {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory for the test");
        fs::create_dir(folder.path().join("vectors")).expect("it can be created");
        let files = FileSystem::new(folder.path()).expect("it is there");
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let state = Arc::new(State {
            service: service.build(),
            is_down: AtomicBool::new(false),
            holds_heads: AtomicBool::new(false),
            writing: Mutex::default(),
        });
        let runtime = RuntimeBuilder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("it listens");
        let address = listener.local_addr().expect("an address");
        listener.set_nonblocking(true).expect("it can be");
        runtime.spawn(serve(listener, Arc::clone(&state)));
        Self { folder, address, state, runtime: Some(runtime) }
    }

    /// Breaks every request from now on, or none.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.state.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Lets writes of heads hang from now on, or none.
    pub(crate) fn hold_heads(&self, holds: bool) {
        self.state.holds_heads.store(holds, Ordering::SeqCst);
    }

    /// The files of the objects in a folder of the prefix, and below.
    pub(crate) fn objects(&self, folder: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().join("vectors").join(PREFIX).join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let name = entry.file_name().to_string_lossy().into_owned();
                match path.is_dir() {
                    true => folders.push(path),
                    // What s3s-fs notes about objects, and writes in progress.
                    false if name.starts_with('.') => {}
                    false => found.push(path),
                }
            }
        }
        found.sort();
        found
    }

    /// The head of a database.
    pub(crate) fn head(&self, db: &str) -> Json {
        let path = self.folder.path().join("vectors").join(PREFIX).join("heads").join(db);
        serde_json::from_slice(&fs::read(path).expect("a head")).expect("JSON")
    }

    /// How long it takes to read every object in a folder by the protocol, six at a time.
    pub(crate) async fn read_all(&self, folder: &str) -> Duration {
        const AT_ONCE: usize = 6;
        // It may be there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = AmazonS3Builder::new()
            .with_endpoint(format!("http://{}", self.address))
            .with_allow_http(true)
            .with_bucket_name("vectors")
            .with_region("us-east-1")
            .with_access_key_id(ACCESS_KEY)
            .with_secret_access_key(SECRET_KEY)
            .build()
            .expect("it can be reached");
        let folder = StorePath::from(format!("{PREFIX}/{folder}"));
        let began = Instant::now();
        let listed: Vec<_> = store.list(Some(&folder)).try_collect().await.expect("a list");
        let read = listed.into_iter().map(|object| {
            let store = store.clone();
            async move {
                let got = store.get(&object.location).await.expect("an object");
                got.bytes().await.expect("its bytes").len()
            }
        });
        let read: Vec<_> = read.collect();
        let bytes: Vec<_> = stream::iter(read).buffer_unordered(AT_ONCE).collect().await;
        assert!(bytes.iter().sum::<usize>() > 0, "there is something");
        began.elapsed()
    }

    /// Starts a node called `name` with these settings besides.
    pub(crate) fn node(&self, name: &str, data: &Path, settings: &[&str]) -> Node {
        let mut arguments = vec![
            "--serverless-all".to_owned(),
            format!("--serverless-idle={IDLE_MS}ms"),
            format!("--serverless-storage=s3://vectors/{PREFIX}"),
            format!("--serverless-endpoint=http://{}", self.address),
            format!("--serverless-node={name}"),
        ];
        arguments.extend(settings.iter().map(|setting| (*setting).to_owned()));
        let variables = [("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)];
        let (server, url) = Running::serve_with(data, &arguments, &variables);
        Node { server, url }
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(listener: std::net::TcpListener, state: Arc<State>) {
    let listener = TcpListener::from_std(listener).expect("it is a listener");
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&state), request));
            // A connection that breaks is what some tests are about.
            let _ = Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
) -> std::result::Result<hyper::Response<s3s::Body>, IoError> {
    let broken = || IoError::new(ErrorKind::ConnectionReset, "it is down");
    if state.is_down.load(Ordering::SeqCst) {
        return Err(broken());
    }
    let is_write = request.method() == Method::PUT;
    if is_write
        && request.uri().path().contains("/heads/")
        && state.holds_heads.load(Ordering::SeqCst)
    {
        std::future::pending::<()>().await;
    }
    let _turn = match is_write {
        true => Some(state.writing.lock().await),
        false => None,
    };
    let request = request.map(s3s::Body::from);
    state.service.call(request).await.map_err(|_| broken())
}

/// A node whose serverless databases rest in a bucket. Dropped, it is killed.
pub(crate) struct Node {
    pub(crate) server: Running,
    pub(crate) url: String,
}

impl Node {
    pub(crate) async fn wire(&self) -> Wire {
        Wire::open_at(&self.url, &[]).await.expect("it connects")
    }

    /// What one request is answered, whole.
    pub(crate) async fn ask(&self, method: &str, params: Json) -> Result<Json> {
        self.wire().await.ask(method, params).await
    }

    /// The result of one request.
    pub(crate) async fn result(&self, method: &str, params: Json) -> Result<Json> {
        self.wire().await.result(method, params).await
    }

    /// The code of the error that a request is answered, and what it says.
    pub(crate) async fn refusal(&self, method: &str, params: Json) -> Result<(String, String)> {
        let answer = self.ask(method, params).await?;
        let error = &answer["error"];
        assert!(!error.is_null(), "{answer}");
        let text = |text: &Json| text.as_str().unwrap_or_default().to_owned();
        Ok((text(&error["data"]["code"]), text(&error["message"])))
    }

    /// Creates a database that sleeps when it is idle.
    pub(crate) async fn create(&self, db: &str) -> Result<Json> {
        let schema = json!({"id": "u64", "embedding": {"vector": 2}, "n": {"type": "number", "filter": true}});
        self.result("db.create", json!({"db": db, "schema": schema})).await
    }

    /// Writes documents of these numbers.
    pub(crate) async fn index(&self, db: &str, ids: std::ops::Range<u64>) -> Result<Json> {
        self.result("doc.index", json!({"db": db, "docs": docs(ids)})).await
    }

    /// All documents in order of their ids.
    pub(crate) async fn all(&self, db: &str) -> Result<Vec<Json>> {
        let page = self.result("doc.scroll", json!({"db": db, "limit": 10_000})).await?;
        let mut docs = page["docs"].as_array().expect("documents").clone();
        docs.sort_by_key(|doc| doc["id"].as_u64());
        Ok(docs)
    }

    /// What the list says of a database; null if it is not in it.
    pub(crate) async fn listed(&self, db: &str) -> Result<Json> {
        let listed = self.result("db.list", json!({})).await?;
        let dbs = listed["dbs"].as_array().expect("a list");
        Ok(dbs.iter().find(|listed| listed["db"] == db).cloned().unwrap_or_default())
    }

    /// Looks at the list again and again until the newest of a database is where it shall be.
    pub(crate) async fn wait_rests(&self, db: &str, place: &str) -> Result<Json> {
        loop {
            let listed = self.listed(db).await?;
            if listed["rests"] == place {
                return Ok(listed);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Documents of these numbers.
pub(crate) fn docs(ids: std::ops::Range<u64>) -> Json {
    ids.map(|id| json!({"id": id, "embedding": [id + 1, 1], "n": id})).collect()
}
