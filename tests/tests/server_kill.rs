//! Promise: a server killed in the middle of an import has every acknowledged document when it
//! starts again, none twice, none half.

mod cli_program;

use cli_program::Running;
use std::time::{Duration, Instant};
use vectordoc::{Client, Filter, Patch, Result, VectorDoc};
use vectordoc_tests::random;

const BATCH_DOCUMENTS: u64 = 100;

#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Row {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 32))]
    embedding: Vec<f32>,
    #[vectordoc(filter)]
    batch: u64,
    text: String,
}

fn row(id: u64) -> Row {
    let mut rng = fastrand::Rng::with_seed(id);
    let embedding = (0..32).map(|_| rng.f32() - 0.5).collect();
    Row { id, embedding, batch: id / BATCH_DOCUMENTS, text: format!("row {id}") }
}

/// Sends batches from `first` on until the connection breaks; returns those acknowledged.
async fn import(url: String, first: u64) -> Vec<u64> {
    let mut acknowledged = Vec::new();
    let Ok(client) =
        Client::<Row>::builder(url).shards(4).retry_for(Duration::ZERO).connect().await
    else {
        return acknowledged;
    };
    for batch in first.. {
        let ids = batch * BATCH_DOCUMENTS..(batch + 1) * BATCH_DOCUMENTS;
        match client.index(ids.map(row)).await {
            Ok(indexed) => assert_eq!(indexed as u64, BATCH_DOCUMENTS),
            Err(_) => break,
        }
        acknowledged.push(batch);
    }
    acknowledged
}

async fn judge(url: &str, acknowledged: &[u64]) -> Result<()> {
    let client = Client::<Row>::connect(url).await?;
    let (mut seen, mut cursor) = (0, None::<String>);
    let mut last = None;
    loop {
        let page = client.scroll(Filter::All, cursor.as_deref(), 1_000).await?;
        for found in &page.docs {
            assert_eq!(*found, row(found.id), "a document is half or wrong");
            assert!(last < Some(found.id), "document {} is there twice", found.id);
            last = Some(found.id);
        }
        seen += page.docs.len() as u64;
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, client.count(Filter::All).await?);
    for batch in acknowledged {
        let count = client.count(Row::batch().eq(*batch)).await?;
        assert_eq!(count, BATCH_DOCUMENTS, "documents of acknowledged batch {batch}");
    }
    let query = row(BATCH_DOCUMENTS / 2);
    let hits = client.search(&query.embedding).limit(1).run().await?;
    assert_eq!(hits.first().map(|hit| &hit.doc), Some(&query));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_document_is_there_after_each_kill() -> Result<()> {
    let mut rng = fastrand::Rng::with_seed(random::seed(1));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut acknowledged: Vec<u64> = Vec::new();
    for _ in 0..random::programs(5) {
        let (server, url) = Running::serve(directory.path());
        let first = acknowledged.last().map_or(0, |last| last + 2);
        let importing = tokio::spawn(import(url, first));
        let until = Instant::now() + Duration::from_millis(rng.u64(150..900));
        tokio::time::sleep_until(until.into()).await;
        // Dropped, it is killed.
        drop(server);
        acknowledged.extend(importing.await.expect("the importer ends"));
        let (_server, url) = Running::serve(directory.path());
        judge(&url, &acknowledged).await?;
    }
    assert!(!acknowledged.is_empty(), "something was acknowledged");
    Ok(())
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
