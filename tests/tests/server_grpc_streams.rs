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
use server_fixture::{memory_server, within_time};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tonic::{Status, Streaming};
use vectordoc::{ErrorKind, Result};
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

/// Streams batches of ten from number `first` on until the connection breaks; returns how many
/// batches are acknowledged.
async fn import(url: String, first: u64) -> std::result::Result<u64, Status> {
    let channel = channel(&url).await.map_err(|error| Status::unavailable(error.to_string()))?;
    let mut client = VectorDocClient::new(channel);
    let schema = schema().to_string();
    let request = proto::CreateDatabaseRequest { db: "d".into(), schema, shards: 2, replicas: 0 };
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
    }
    Ok(batches)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_batch_is_there_after_each_kill() -> Result<()> {
    let mut rng = fastrand::Rng::with_seed(random::seed(2));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (mut first, mut expected) = (0, Vec::new());
    for _ in 0..random::programs(4) {
        let (server, url) = Running::serve(directory.path());
        let importing = tokio::spawn(import(url, first));
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
