//! Promise: a server killed under load has every acknowledged write when it starts again, whole, none
//! twice, whatever the protocol it came by. `KILLS` says how often it is killed over each of them.

mod cli_program;
mod grpc_fixture;
mod server_fixture;

use cli_program::Running;
use grpc_fixture::messages::{self, DeleteRequest, IndexRequest, value::Kind};
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::net::TcpStream;
use vectordoc::{Client, Error, Filter, Patch, Result, VectorDoc};
use vectordoc_tests::random;

/// Clients that write at the same time, each its own documents.
const WRITERS: u64 = 3;
/// Documents of one writer, written again and again.
const IDS: u64 = 100;
const BATCH_DOCUMENTS_MAX: u64 = 8;
const DIM: usize = 8;

#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Row {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 8))]
    embedding: Vec<f32>,
    #[vectordoc(filter)]
    batch: u64,
    text: String,
}

/// The row of this id as a batch writes it.
fn row_of(id: u64, batch: u64) -> Row {
    let mut rng = fastrand::Rng::with_seed(id ^ (batch << 32));
    let embedding = (0..DIM).map(|_| rng.f32() - 0.5).collect();
    Row { id, embedding, batch, text: format!("row {id}") }
}

fn row(id: u64) -> Row {
    row_of(id, 0)
}

#[derive(Clone, Copy, Debug)]
enum Protocol {
    WebSocket,
    Http,
    Grpc,
}

/// A client of one of them.
enum Writer {
    WebSocket(Client<Row>),
    Http(http1::SendRequest<Full<Bytes>>),
    Grpc(grpc_fixture::Client),
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::unavailable(error.to_string())
}

impl Writer {
    async fn connect(protocol: Protocol, url: &str) -> Result<Self> {
        match protocol {
            Protocol::WebSocket => {
                let builder = Client::<Row>::builder(url).shards(1).retry_for(Duration::ZERO);
                Ok(Self::WebSocket(builder.connect().await?))
            }
            Protocol::Http => {
                let address = url.trim_start_matches("ws://");
                let stream = TcpStream::connect(address).await.map_err(broken)?;
                let connected = http1::handshake(TokioIo::new(stream)).await;
                let (sender, connection) = connected.map_err(broken)?;
                tokio::spawn(connection);
                Ok(Self::Http(sender))
            }
            Protocol::Grpc => Ok(Self::Grpc(grpc_fixture::client_at(url, None).await?)),
        }
    }

    /// Writes a batch; returns once that is acknowledged.
    async fn index(&mut self, ids: Range<u64>, batch: u64) -> Result<()> {
        let count = ids.end - ids.start;
        let rows = ids.map(|id| row_of(id, batch));
        let indexed = match self {
            Self::WebSocket(client) => client.index(rows).await? as u64,
            Self::Http(sender) => {
                let rows: Vec<Json> = rows
                    .map(|Row { id, embedding, batch, text }| {
                        json!({"id": id, "embedding": embedding, "batch": batch, "text": text})
                    })
                    .collect();
                let answer = post(sender, "/v1/dbs/row/docs", &json!({"docs": rows})).await?;
                answer["indexed"].as_u64().expect("a number")
            }
            Self::Grpc(client) => {
                let docs = rows.map(message).collect();
                let request = IndexRequest { db: "row".into(), docs, ..IndexRequest::default() };
                client.index(request).await.map_err(broken)?.into_inner().indexed
            }
        };
        assert_eq!(indexed, count);
        Ok(())
    }

    /// Deletes documents; returns once that is acknowledged.
    async fn delete(&mut self, ids: Range<u64>) -> Result<()> {
        match self {
            Self::WebSocket(client) => drop(client.delete(ids.collect::<Vec<_>>()).await?),
            Self::Http(sender) => {
                let ids: Vec<u64> = ids.collect();
                post(sender, "/v1/dbs/row/delete", &json!({"ids": ids})).await?;
            }
            Self::Grpc(client) => {
                let id = |id| messages::Id { id: Some(messages::id::Id::Number(id)) };
                let ids = ids.map(id).collect();
                let request = DeleteRequest { db: "row".into(), ids, ..DeleteRequest::default() };
                client.delete(request).await.map_err(broken)?;
            }
        }
        Ok(())
    }
}

fn message(row: Row) -> messages::Document {
    let uint = |number| grpc_fixture::value(Kind::UintValue(number));
    grpc_fixture::document([
        ("id", uint(row.id)),
        ("embedding", grpc_fixture::vector(&row.embedding)),
        ("batch", uint(row.batch)),
        ("text", grpc_fixture::text(&row.text)),
    ])
}

async fn post(
    sender: &mut http1::SendRequest<Full<Bytes>>,
    path: &str,
    body: &Json,
) -> Result<Json> {
    let request = Request::post(path)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body.to_string())))
        .map_err(broken)?;
    let answer = sender.send_request(request).await.map_err(broken)?;
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(broken)?.to_bytes();
    if !status.is_success() {
        return Err(broken(String::from_utf8_lossy(&body)));
    }
    serde_json::from_slice(&body).map_err(broken)
}

/// What is known of the documents of one writer.
#[derive(Default)]
struct Known {
    /// The batch that was acknowledged last for each; those that are not there are deleted.
    batches: BTreeMap<u64, u64>,
    /// What was asked for and never answered: these ids are of that batch, or deleted.
    unknown: Option<(Range<u64>, Option<u64>)>,
    acknowledged: u64,
}

/// Writes and deletes until the server is gone.
async fn write_on(
    protocol: Protocol,
    url: String,
    ids: Range<u64>,
    mut known: Known,
    mut rng: fastrand::Rng,
    is_killed: Arc<AtomicBool>,
) -> Known {
    let mut writer = match Writer::connect(protocol, &url).await {
        Ok(writer) => writer,
        Err(error) => {
            assert!(is_killed.load(Ordering::SeqCst), "{error}");
            return known;
        }
    };
    let last = known.batches.values().max().copied().unwrap_or_default();
    for batch in last + 1.. {
        let first = rng.u64(ids.clone());
        let some = first..(first + rng.u64(1..=BATCH_DOCUMENTS_MAX)).min(ids.end);
        let is_deleted = rng.u8(..5) == 0;
        known.unknown = Some((some.clone(), (!is_deleted).then_some(batch)));
        let done = match is_deleted {
            true => writer.delete(some.clone()).await,
            false => writer.index(some.clone(), batch).await,
        };
        if let Err(error) = done {
            assert!(is_killed.load(Ordering::SeqCst), "{error}");
            break;
        }
        known.unknown = None;
        known.acknowledged += 1;
        for id in some {
            match is_deleted {
                true => known.batches.remove(&id),
                false => known.batches.insert(id, batch),
            };
        }
    }
    known
}

/// Everything there is, once and whole.
async fn found(client: &Client<Row>) -> Result<BTreeMap<u64, u64>> {
    let (mut found, mut cursor) = (BTreeMap::new(), None::<String>);
    loop {
        let page = client.scroll(Filter::All, cursor.as_deref(), 1_000).await?;
        for doc in page.docs {
            assert_eq!(doc, row_of(doc.id, doc.batch), "a document is half or wrong");
            assert_eq!(found.insert(doc.id, doc.batch), None, "document {} is there twice", doc.id);
        }
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(client.count(Filter::All).await?, found.len() as u64);
    if let Some((id, batch)) = found.first_key_value() {
        let query = row_of(*id, *batch);
        let hits = client.search(&query.embedding).limit(1).run().await?;
        assert_eq!(hits.first().map(|hit| &hit.doc), Some(&query));
    }
    Ok(found)
}

impl Known {
    /// Compares with what is there, which is what is known from here on.
    fn judge(&mut self, ids: Range<u64>, found: &BTreeMap<u64, u64>) {
        let found: BTreeMap<u64, u64> = found.range(ids).map(|(id, batch)| (*id, *batch)).collect();
        let mut expected = self.batches.clone();
        if found != expected
            && let Some((ids, batch)) = self.unknown.take()
        {
            // All of it was done, then, and nothing else.
            for id in ids {
                match batch {
                    Some(batch) => expected.insert(id, batch),
                    None => expected.remove(&id),
                };
            }
        }
        assert_eq!(found, expected, "an acknowledged write is lost, or one is half");
        (self.batches, self.unknown) = (found, None);
    }
}

fn kills() -> u64 {
    std::env::var("KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(4)
}

async fn acknowledged_writes_outlive_kills(protocol: Protocol) -> Result<()> {
    let mut rng = fastrand::Rng::with_seed(random::seed(1));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let ids = |writer: u64| writer * IDS..(writer + 1) * IDS;
    let mut all: Vec<Known> = (0..WRITERS).map(|_| Known::default()).collect();
    let (mut server, mut url) = Running::serve(directory.path());
    let mut unknown = 0;
    for _ in 0..kills() {
        drop(Client::<Row>::builder(&url).shards(1).connect().await?);
        let is_killed = Arc::new(AtomicBool::new(false));
        let writers = all.drain(..).zip(0..).map(|(known, writer)| {
            let (url, is_killed) = (url.clone(), Arc::clone(&is_killed));
            tokio::spawn(write_on(protocol, url, ids(writer), known, rng.fork(), is_killed))
        });
        let writers: Vec<_> = writers.collect();
        let until = Instant::now() + Duration::from_millis(rng.u64(20..300));
        tokio::time::sleep_until(until.into()).await;
        is_killed.store(true, Ordering::SeqCst);
        // Dropped, it is killed.
        drop(server);
        for writer in writers {
            all.push(writer.await.expect("it ends"));
        }
        (server, url) = Running::serve(directory.path());
        let found = found(&Client::<Row>::connect(&url).await?).await?;
        for (known, writer) in all.iter_mut().zip(0..) {
            unknown += u64::from(known.unknown.is_some());
            known.judge(ids(writer), &found);
        }
    }
    let acknowledged: u64 = all.iter().map(|known| known.acknowledged).sum();
    eprintln!(
        "{} kills over {protocol:?}: {acknowledged} acknowledged writes, 0 lost; {unknown} were \
         under way",
        kills()
    );
    let name = format!("server_kill/{protocol:?}");
    random::figure(&name, kills(), "kills, 0 acknowledged writes lost");
    assert!(acknowledged > 0 && unknown > 0, "it was killed under load");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_outlive_kills_over_websocket() -> Result<()> {
    acknowledged_writes_outlive_kills(Protocol::WebSocket).await
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_outlive_kills_over_http() -> Result<()> {
    acknowledged_writes_outlive_kills(Protocol::Http).await
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_outlive_kills_over_grpc() -> Result<()> {
    acknowledged_writes_outlive_kills(Protocol::Grpc).await
}

/// Adds one to a number again and again; returns how often that was acknowledged, and how often
/// nobody knows.
async fn count_up(client: Client<Row>, stop: tokio::sync::watch::Receiver<bool>) -> (u64, u64) {
    let (mut acknowledged, mut unknown) = (0, 0);
    while !*stop.borrow() {
        match client.patch(0, Patch::new().increment("batch", 1_u64)).await {
            Ok(_) => acknowledged += 1,
            Err(error) if error.message().contains("is not known") => unknown += 1,
            Err(error) => panic!("it would have been asked again: {error:?}"),
        }
    }
    (acknowledged, unknown)
}

/// Writes one row after the other; returns how many, each acknowledged.
async fn write(client: Client<Row>, stop: tokio::sync::watch::Receiver<bool>) -> Result<u64> {
    let mut id = 1;
    while !*stop.borrow() {
        client.index([row(id)]).await?;
        id += 1;
    }
    Ok(id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_goes_on_with_a_server_that_was_killed_and_started_again() -> Result<()> {
    const LONG: Duration = Duration::from_secs(120);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (mut server, url) = Running::serve(directory.path());
    let address = url.trim_start_matches("ws://").trim_end_matches('/').to_owned();
    let builder = Client::<Row>::builder(&url).shards(2).sockets(3);
    let client = builder.timeout(LONG).retry_for(LONG).connect().await?;
    client.index([row(0)]).await?;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let counting = tokio::spawn(count_up(client.clone(), stopped.clone()));
    let writing = tokio::spawn(write(client.clone(), stopped));
    for _ in 0..random::programs(4) {
        let seen = client.count(Filter::All).await?;
        while client.count(Filter::All).await? < seen + 10 {}
        // Dropped, it is killed.
        drop(server);
        let data = cli_program::text(directory.path());
        server = Running::start(["serve", "--data", data, "--listen", &address]);
        server.line_with("ws://");
    }
    stop.send_replace(true);
    let written = writing.await.expect("it settles")?;
    let (acknowledged, unknown) = counting.await.expect("it settles");
    assert_eq!(client.count(Filter::All).await?, written);
    let counted = client.get(0_u64).await?.expect("it is there").batch;
    let range = acknowledged..=acknowledged + unknown;
    assert!(range.contains(&counted) && acknowledged > 0, "{counted} of {range:?}");
    client.close().await
}
