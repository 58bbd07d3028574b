//! Promise: a stream of batches is acknowledged batch by batch, in order, and what is acknowledged
//! stays, whatever ends the stream; changes are told as they happen.

mod cli_program;
mod grpc_fixture;
mod server_fixture;

use cli_program::Running;
use futures_util::{Stream, StreamExt};
use grpc_fixture::{
    Client, VectorDocClient, ask, channel, client_of, document, error_of,
    json::changes,
    messages::{self as proto, value::Kind},
    text, value, vector,
};
use serde_json::{Value as Json, json};
use server_fixture::{any_port, memory_server, server_of, within_time};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tonic::{Status, Streaming};
use vectordoc::{ErrorKind, Result};
use vectordoc_server::{Catalog, Limits, Server};
use vectordoc_tests::random;

fn schema() -> Json {
    json!({"id": "string", "embedding": {"vector": 2},
           "price": {"type": "number", "filter": true}})
}

fn doc(id: &str, price: f64) -> proto::Document {
    document([
        ("id", text(id)),
        ("embedding", vector(&[1.0, 0.5])),
        ("price", value(Kind::DoubleValue(price))),
    ])
}

fn batch(db: &str, docs: Vec<proto::Document>) -> proto::IndexStreamRequest {
    proto::IndexStreamRequest { db: db.into(), docs, durability: 0 }
}

async fn create(client: &mut Client) {
    let params = json!({"db": "d", "schema": schema()});
    ask(client, "db.create", &params).await.expect("it is created");
}

async fn count(client: &mut Client) -> Json {
    ask(client, "doc.count", &json!({"db": "d"})).await.expect("counted")["count"].take()
}

/// A stream of requests that is sent as it is filled.
fn requests<T: Send + 'static>() -> (mpsc::Sender<T>, impl Stream<Item = T> + Send + 'static) {
    let (send, receive) = mpsc::channel(1);
    let requests = futures_util::stream::unfold(receive, |mut receive| async move {
        receive.recv().await.map(|request| (request, receive))
    });
    (send, requests)
}

async fn next<T>(answers: &mut Streaming<T>) -> T {
    answers.message().await.expect("no error").expect("one more")
}

async fn ended<T: std::fmt::Debug>(answers: &mut Streaming<T>) -> Status {
    answers.message().await.expect_err("the stream ends with an error")
}

#[tokio::test]
async fn batches_are_acknowledged_in_order_and_need_not_repeat_what_they_are_for() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut client = client_of(&server).await?;
        create(&mut client).await;
        let (send, batches) = requests();
        let mut acknowledged = client.index_stream(batches).await.expect("it begins").into_inner();
        let mut first = batch("d", vec![doc("a", 1.0), doc("b", 2.0)]);
        first.durability = proto::Durability::Memory.into();
        send.send(first).await.expect("open");
        let memory = i32::from(proto::Durability::Memory);
        let expected = |batch, indexed, total, durability| proto::IndexStreamResponse {
            batch,
            indexed,
            total,
            durability,
        };
        assert_eq!(next(&mut acknowledged).await, expected(0, 2, 2, memory));
        assert_eq!(count(&mut client).await, 2, "what is acknowledged is there");
        send.send(batch("", vec![doc("c", 1.0)])).await.expect("open");
        assert_eq!(next(&mut acknowledged).await, expected(1, 1, 3, memory));
        let mut last = batch("", vec![]);
        last.durability = proto::Durability::Fsync.into();
        send.send(last).await.expect("open");
        let fsync = i32::from(proto::Durability::Fsync);
        assert_eq!(next(&mut acknowledged).await, expected(2, 0, 3, fsync));
        drop(send);
        assert_eq!(acknowledged.message().await.expect("it ends well"), None);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_batch_that_is_wrong_is_named_and_none_after_it_is_written() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut client = client_of(&server).await?;
        create(&mut client).await;
        let wrong = document([("id", text("x")), ("embedding", vector(&[1.0]))]);
        let batches = futures_util::stream::iter([
            batch("d", vec![doc("a", 1.0)]),
            batch("", vec![doc("b", 1.0), wrong]),
            batch("", vec![doc("c", 1.0)]),
        ]);
        let mut acknowledged = client.index_stream(batches).await.expect("it begins").into_inner();
        assert_eq!(next(&mut acknowledged).await.batch, 0);
        let status = ended(&mut acknowledged).await;
        let error = error_of(&status);
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().starts_with("batch 1: document \"x\": "), "{error}");
        assert_eq!(status.metadata().get("vectordoc-batch").expect("a number"), "1");
        assert_eq!(count(&mut client).await, 1);
        let nameless = futures_util::stream::iter([batch("", vec![doc("a", 1.0)])]);
        let mut refused = client.index_stream(nameless).await.expect("it begins").into_inner();
        assert_eq!(error_of(&ended(&mut refused).await).kind(), ErrorKind::Invalid);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_acknowledged_stays_when_the_client_hangs_up() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut client = client_of(&server).await?;
        create(&mut client).await;
        let (send, batches) = requests();
        let mut acknowledged = client.index_stream(batches).await.expect("it begins").into_inner();
        send.send(batch("d", vec![doc("a", 1.0)])).await.expect("open");
        assert_eq!(next(&mut acknowledged).await.total, 1);
        send.send(batch("d", vec![doc("b", 1.0)])).await.expect("open");
        drop((acknowledged, send));
        let there = count(&mut client).await;
        assert!(there == 1 || there == 2, "{there}: the second is written or not");
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn streams_end_when_the_server_stops_and_say_how_to_go_on() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut client = client_of(&server).await?;
        create(&mut client).await;
        let (send, batches) = requests();
        let mut acknowledged = client.index_stream(batches).await.expect("it begins").into_inner();
        send.send(batch("d", vec![doc("a", 1.0)])).await.expect("open");
        assert_eq!(next(&mut acknowledged).await.batch, 0);
        let follow = proto::ChangesRequest { db: "d".into(), ..Default::default() };
        let mut told = client.follow(follow).await.expect("it begins").into_inner();
        next(&mut told).await;
        let stopping = tokio::spawn(server.shutdown());
        let status = ended(&mut acknowledged).await;
        assert_eq!(error_of(&status).kind(), ErrorKind::Unavailable);
        assert_eq!(status.metadata().get("vectordoc-batch").expect("a number"), "1");
        assert_eq!(error_of(&ended(&mut told).await).kind(), ErrorKind::Unavailable);
        stopping.await.expect("no panic")
    })
    .await
}

#[tokio::test]
async fn changes_are_told_as_they_happen_until_the_database_goes() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut client = client_of(&server).await?;
        create(&mut client).await;
        let filter = r#"{"price": {"$lt": 5}}"#.to_owned();
        let request = proto::ChangesRequest { db: "d".into(), filter, ..Default::default() };
        let mut told = client.follow(request.clone()).await.expect("it begins").into_inner();
        let begin = next(&mut told).await;
        assert!(begin.changes.is_empty() && !begin.cursor.is_empty());
        let index = |id, price| proto::IndexRequest {
            db: "d".into(),
            docs: vec![doc(id, price)],
            ..Default::default()
        };
        client.index(index("a", 1.0)).await.expect("indexed");
        let first = next(&mut told).await;
        let expected = json!([{"op": "index", "doc": {"id": "a", "price": 1.0}, "version": 1}]);
        assert_eq!(changes(&first)["changes"], expected);
        client.index(index("a", 9.0)).await.expect("indexed");
        let second = changes(&next(&mut told).await)["changes"].take();
        assert_eq!(second, json!([{"op": "leave", "id": "a", "version": 2}]));

        let again = proto::ChangesRequest { since: begin.cursor, limit: 1, ..request.clone() };
        let mut late = client.follow(again).await.expect("it begins").into_inner();
        assert_eq!(next(&mut late).await.changes, first.changes);
        assert_eq!(changes(&next(&mut late).await)["changes"], second);

        let nonsense = proto::ChangesRequest { since: "nonsense".into(), ..request };
        let refused = client.follow(nonsense).await.expect_err("it is refused at once");
        assert_eq!(error_of(&refused).kind(), ErrorKind::Invalid);
        ask(&mut client, "db.drop", &json!({"db": "d"})).await.expect("dropped");
        let end = error_of(&ended(&mut told).await).kind();
        assert!(matches!(end, ErrorKind::NotFound | ErrorKind::Closed), "{end}");
        Ok(())
    })
    .await
}

/// The archive of database `d`, whose pieces come with how far they are.
async fn archive(client: &mut Client) -> Vec<u8> {
    let request = proto::SnapshotRequest { db: "d".into() };
    let mut pieces = client.snapshot(request).await.expect("it begins").into_inner();
    let (mut archive, mut progress) = (Vec::new(), (0, 0));
    while let Some(piece) = pieces.message().await.expect("no error") {
        assert!(piece.done >= progress.0, "{piece:?}");
        progress = (piece.done, piece.total);
        archive.extend(piece.bytes);
    }
    assert_eq!(progress.0, progress.1);
    archive
}

/// Pieces of an archive for `db`, which the first one names.
fn pieces(db: &str, archive: &[u8], bytes: usize) -> Vec<proto::RestoreRequest> {
    let piece = |(number, bytes): (usize, &[u8])| {
        let db = if number == 0 { db } else { "" };
        proto::RestoreRequest { db: db.into(), bytes: bytes.into() }
    };
    archive.chunks(bytes).enumerate().map(piece).collect()
}

#[tokio::test]
async fn a_database_goes_out_by_one_call_and_comes_in_by_another() -> Result<()> {
    within_time(async {
        let data = tempfile::tempdir().expect("a temporary directory");
        let server = server_of(data.path()).await?;
        let mut client = client_of(&server).await?;
        create(&mut client).await;
        let docs = (0..500).map(|number| doc(&format!("p{number}"), 1.0)).collect();
        let request = proto::IndexRequest { db: "d".into(), docs, ..Default::default() };
        client.index(request).await.expect("indexed");
        let archive = archive(&mut client).await;
        let restore = async |client: &mut Client, pieces: Vec<proto::RestoreRequest>| {
            client.restore(futures_util::stream::iter(pieces)).await
        };
        let restored = restore(&mut client, pieces("copy", &archive, 1_000)).await;
        let restored = restored.expect("it is whole").into_inner();
        assert_eq!((&*restored.db, restored.documents), ("copy", 500));
        let scroll = async |client: &mut Client, db: &str| {
            let params = json!({"db": db, "limit": 500, "include": "*"});
            ask(client, "doc.scroll", &params).await.expect("it is there")
        };
        assert_eq!(scroll(&mut client, "copy").await, scroll(&mut client, "d").await);

        let code = |refused: std::result::Result<_, Status>| {
            error_of(&refused.map(drop).expect_err("refused")).kind()
        };
        let again = restore(&mut client, pieces("copy", &archive, 1_000)).await;
        assert_eq!(code(again), ErrorKind::Conflict);
        let mut damaged = archive.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        let mut mixed = pieces("other", &archive, 1_000);
        mixed[1].db = "another".into();
        let half = pieces("other", &archive[..middle], 1_000);
        for pieces in [pieces("other", &damaged, 1_000), half, mixed, vec![]] {
            let refused = restore(&mut client, pieces).await.map(drop).expect_err("refused");
            let kind = error_of(&refused).kind();
            assert!(matches!(kind, ErrorKind::Corrupt | ErrorKind::Invalid), "{refused:?}");
            let get = json!({"db": "other"});
            let gone = ask(&mut client, "db.get", &get).await.expect_err("nothing is left");
            assert!(
                matches!(error_of(&gone).kind(), ErrorKind::NotFound | ErrorKind::Unavailable),
                "{gone:?}"
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn snapshots_and_restores_whose_client_hangs_up_leave_their_places() -> Result<()> {
    within_time(async {
        let data = tempfile::tempdir().expect("a temporary directory");
        let server = server_of(data.path()).await?;
        let mut client = client_of(&server).await?;
        create(&mut client).await;
        let archive = archive(&mut client).await;
        // More often than there are places.
        for _ in 0..20 {
            let (send, requests) = requests();
            let mut other = client.clone();
            let restoring = tokio::spawn(async move { other.restore(requests).await.map(drop) });
            let first = pieces("copy", &archive, archive.len() / 2)[0].clone();
            send.send(first).await.expect("open");
            // Its name is taken once it has begun, and free once it has ended.
            let taken = async |client: &mut Client| {
                let got = ask(client, "db.get", &json!({"db": "copy"})).await;
                error_of(&got.expect_err("not there yet")).kind()
            };
            while taken(&mut client).await != ErrorKind::Unavailable {}
            restoring.abort();
            while taken(&mut client).await != ErrorKind::NotFound {}
        }
        let request = proto::SnapshotRequest { db: "d".into() };
        for _ in 0..20 {
            // A place may be given back a moment after its client has gone.
            while let Err(status) = client.snapshot(request.clone()).await {
                assert_eq!(error_of(&status).kind(), ErrorKind::Busy);
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn every_call_is_counted_by_what_it_asked_and_how_it_ended() -> Result<()> {
    within_time(async {
        let data = tempfile::tempdir().expect("a temporary directory");
        let server = server_of(data.path()).await?;
        let mut client = client_of(&server).await?;
        create(&mut client).await;
        count(&mut client).await;
        ask(&mut client, "db.get", &json!({"db": "none"})).await.expect_err("none");
        let batches = [batch("d", vec![doc("a", 1.0)]), batch("", vec![doc("b", 1.0)])];
        let batches = futures_util::stream::iter(batches);
        let mut acknowledged = client.index_stream(batches).await.expect("it begins").into_inner();
        while acknowledged.message().await.expect("no error").is_some() {}
        archive(&mut client).await;
        let metrics = server_fixture::http_get(server.addr(), "/metrics", &[]).await?;
        for (method, code, times) in [
            ("db.create", "ok", 1),
            ("doc.count", "ok", 1),
            ("db.get", "not_found", 1),
            ("doc.index", "ok", 2),
            ("db.snapshot", "ok", 1),
            ("db.snapshot.read", "ok", 1),
        ] {
            let labels = format!("method=\"{method}\",transport=\"grpc\",code=\"{code}\"");
            let line = format!("vectordoc_requests_total{{{labels}}} {times}\n");
            assert!(metrics.replace('\r', "").contains(&line), "no {line} in {metrics}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stream_that_is_silent_between_its_messages_goes_on() -> Result<()> {
    within_time(async {
        let mut limits = Limits::default();
        limits.body_timeout = Duration::from_millis(500);
        let server = Server::start(Catalog::in_memory(1), &any_port().limits(limits)).await?;
        let mut client = client_of(&server).await?;
        create(&mut client).await;
        let (send, batches) = requests();
        let mut acknowledged = client.index_stream(batches).await.expect("it begins").into_inner();
        for number in 0..2 {
            send.send(batch("d", vec![doc("a", 1.0)])).await.expect("open");
            assert_eq!(next(&mut acknowledged).await.batch, number);
            // What is judged is that time passes, so it has to.
            tokio::time::sleep(Duration::from_millis(800)).await;
        }
        drop(send);
        assert_eq!(acknowledged.message().await.expect("it ends well"), None);
        Ok(())
    })
    .await
}

/// Streams batches of ten from number `first` on until the connection breaks; returns how many
/// batches are acknowledged, which `news` hears of each time.
async fn import(
    url: String,
    first: u64,
    news: watch::Sender<u64>,
) -> std::result::Result<u64, Status> {
    let channel = channel(&url).await.map_err(|error| Status::unavailable(error.to_string()))?;
    let mut client = VectorDocClient::new(channel);
    let schema = schema().to_string();
    let request = proto::CreateDatabaseRequest {
        db: "d".into(),
        schema,
        shards: 2,
        ..proto::CreateDatabaseRequest::default()
    };
    client.create_database(request).await?;
    let batches = futures_util::stream::iter(first..).map(|number| {
        let docs = (0..10).map(|part| doc(&format!("{number}-{part}"), 1.0));
        batch("d", docs.collect())
    });
    let mut acknowledged = client.index_stream(batches).await?.into_inner();
    let mut batches = 0;
    while let Ok(Some(acknowledgement)) = acknowledged.message().await {
        assert_eq!((acknowledgement.batch, acknowledgement.indexed), (batches, 10));
        batches += 1;
        news.send_replace(batches);
    }
    Ok(batches)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_batch_is_there_after_each_kill() -> Result<()> {
    let mut rng = fastrand::Rng::with_seed(random::seed(2));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (mut first, mut expected) = (0, Vec::new());
    for program in 0..random::programs(4) {
        let (server, url) = Running::serve(directory.path());
        let (news, mut acknowledged) = watch::channel(0);
        let importing = tokio::spawn(import(url, first, news));
        if program == 0 {
            // However slow the machine is, something is acknowledged.
            acknowledged.wait_for(|batches| *batches > 0).await.expect("the importer goes on");
        }
        let until = Instant::now() + Duration::from_millis(rng.u64(150..700));
        tokio::time::sleep_until(until.into()).await;
        // Dropped, it is killed.
        drop(server);
        let acknowledged = importing.await.expect("the importer ends").unwrap_or(0);
        expected.extend(first..first + acknowledged);
        // The one after the last acknowledged may have been written.
        first += acknowledged + 1;
        let (_server, url) = Running::serve(directory.path());
        let mut client = VectorDocClient::new(channel(&url).await?);
        for numbers in expected.chunks(50) {
            let parts = numbers.iter().flat_map(|number| (0..10).map(move |part| (number, part)));
            let ids = parts.map(|(number, part)| grpc_fixture::id(&format!("{number}-{part}")));
            let request =
                proto::GetRequest { db: "d".into(), ids: ids.collect(), ..Default::default() };
            let found = client.get(request).await.expect("an answer").into_inner().docs;
            assert!(found.iter().all(|found| found.doc.is_some()), "an acknowledged one is gone");
        }
    }
    assert!(!expected.is_empty(), "something was acknowledged");
    Ok(())
}
