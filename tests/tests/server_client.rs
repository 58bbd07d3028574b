//! Promise: a served database answers as a local one does, through the typed client, however many
//! shards it has.

mod server_fixture;

use server_fixture::{
    Product, any_port, client_of, direction, kind, memory_server, product, products, server_of,
    within_time,
};
use std::collections::BTreeSet;
use vectordoc::{Client, Db, ErrorKind, Filter, Hit, Result, VectorDoc};
use vectordoc_server::{Catalog, Limits, Server};

const SHARDS: usize = 4;

fn ids<T>(hits: &[Hit<T>]) -> Vec<String> {
    hits.iter().map(|hit| hit.id.to_string()).collect()
}

#[tokio::test]
async fn the_verbs_of_the_client_work_over_four_shards() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client = client_of(&server, SHARDS).await?;
        assert_eq!(client.index(products(500)).await?, 500);
        assert_eq!(client.describe().await?.shards, SHARDS);

        let hits = client.search(&direction(100)).limit(3).run().await?;
        assert_eq!(hits[0].doc, product(100));
        assert_eq!(ids(&hits)[0], "p100");

        let odd_and_cheap = Product::tags().contains("odd") & Product::price().lt(50.0);
        let hits = client.search(&direction(100)).filter(odd_and_cheap.clone()).run().await?;
        let expected: Vec<_> = (0..10).map(|place| format!("p{}", 49 - 2 * place)).collect();
        assert_eq!(ids(&hits), expected);

        assert_eq!(client.get("p7").await?, Some(product(7)));
        assert_eq!(client.get("nobody").await?, None);
        assert_eq!(client.count(Filter::All).await?, 500);
        assert_eq!(client.count(odd_and_cheap.clone()).await?, 25);
        assert_eq!(client.delete_where(odd_and_cheap).await?, 25);
        let deleted = client.delete(["p0", "nobody"]).await?;
        assert_eq!((deleted.deleted, deleted.missing), (1, vec!["nobody".into()]));
        assert_eq!(client.count(Filter::All).await?, 474);
        client.close().await?;
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn a_search_of_several_shards_returns_limit_hits_and_the_best_ones() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client = client_of(&server, SHARDS).await?;
        client.index(products(200)).await?;
        for limit in [0, 1, 5, 199, 200, 201] {
            let hits = client.search(&direction(0)).limit(limit).run().await?;
            let nearest: Vec<_> = (0..limit.min(200)).map(|number| format!("p{number}")).collect();
            assert_eq!(ids(&hits), nearest, "limit {limit}");
        }
        let hits = client.search(&direction(0)).offset(3).limit(2).run().await?;
        assert_eq!(ids(&hits), ["p3", "p4"]);
        Ok(())
    })
    .await
}

/// One vector under every metric.
#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Place {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 2, metric = "cosine"))]
    cosine: Vec<f32>,
    #[vectordoc(vector(dim = 2, metric = "l2"))]
    l2: Vec<f32>,
    #[vectordoc(vector(dim = 2, metric = "dot"))]
    dot: Vec<f32>,
}

#[tokio::test]
async fn the_best_hit_comes_first_for_every_metric() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client = Client::<Place>::builder(server.url()).shards(3).connect().await?;
        let vectors = [[3.0, 0.1], [1.0, 0.0], [0.9, 0.9], [-1.0, 0.0]];
        let place = |(id, vector): (u64, [f32; 2])| {
            let vector = vector.to_vec();
            Place { id, cosine: vector.clone(), l2: vector.clone(), dot: vector }
        };
        client.index((0..).zip(vectors).map(place)).await?;
        for (field, expected) in [
            ("cosine", ["1", "0", "2", "3"]),
            ("l2", ["1", "2", "3", "0"]),
            ("dot", ["0", "1", "2", "3"]),
        ] {
            let hits = client.search(&[1.0, 0.0]).field(field).run().await?;
            assert_eq!(ids(&hits), expected, "{field}");
            assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score), "{field}");
            assert!(hits.windows(2).all(|pair| pair[0].distance <= pair[1].distance), "{field}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn updates_and_deletes_find_their_shard_and_leave_no_second_copy() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client = client_of(&server, SHARDS).await?;
        client.index(products(100)).await?;
        client.index(products(100)).await?;
        for number in (0..100).step_by(3) {
            client.update(Product { price: 1000.0, ..product(number) }).await?;
        }
        assert_eq!(client.count(Filter::All).await?, 100);
        assert_eq!(client.count(Product::price().eq(1000.0)).await?, 34);
        let hits = client.search(&direction(0)).limit(100).run().await?;
        assert_eq!(hits.iter().map(|hit| &hit.id).collect::<BTreeSet<_>>().len(), 100);

        let all: Vec<String> = (0..100).map(|number| format!("p{number}")).collect();
        assert_eq!(client.delete(all).await?.deleted, 100);
        assert!(client.search(&direction(0)).run().await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_update_of_a_missing_document_changes_nothing() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client = client_of(&server, SHARDS).await?;
        client.index(products(10)).await?;
        let changed = |number| Product { title: "changed".into(), ..product(number) };
        let documents = [changed(3).to_document()?, changed(10).to_document()?];
        let refused = client.remote().update(&documents).await;
        assert_eq!(kind(refused), Some(ErrorKind::NotFound));
        assert_eq!(client.get("p3").await?, Some(product(3)));
        assert_eq!(client.count(Filter::All).await?, 10);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_scroll_visits_every_document_once() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client = client_of(&server, SHARDS).await?;
        client.index(products(95)).await?;
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let page = client.scroll(Filter::All, cursor.as_deref(), 10).await?;
            assert!(page.docs.len() <= 10);
            seen.extend(page.docs.into_iter().map(|document| document.id));
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        let mut expected: Vec<String> = (0..95).map(|number| format!("p{number}")).collect();
        expected.sort();
        assert_eq!(seen, expected);
        Ok(())
    })
    .await
}

/// The largest and most awkward values of their types.
#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Extreme {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 3, metric = "l2"))]
    vector: Vec<f32>,
    #[vectordoc(filter)]
    float: f64,
    #[vectordoc(filter)]
    unsigned: u64,
    #[vectordoc(filter)]
    signed: i64,
    bytes: Vec<u8>,
    text: Option<String>,
}

#[tokio::test]
async fn values_cross_the_wire_unchanged() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client = Client::<Extreme>::connect(server.url()).await?;
        let extreme = |id, float, text: Option<&str>| Extreme {
            id,
            vector: vec![0.1, f32::MIN_POSITIVE, -1.000_000_1],
            float,
            unsigned: u64::MAX,
            signed: i64::MIN,
            bytes: vec![0, 255, 127],
            text: text.map(Into::into),
        };
        let documents = [
            extreme(0, 0.1 + 0.2, Some("\u{0}\"\\ é 🦀")),
            extreme(u64::MAX, f64::MAX, None),
            extreme(1, 5e-324, Some("")),
            extreme(2, -0.123_456_789_012_345_68, Some("x")),
        ];
        client.index(documents.clone()).await?;
        for document in documents {
            assert_eq!(client.get(document.id).await?, Some(document));
        }
        assert_eq!(client.count(Extreme::unsigned().eq(u64::MAX)).await?, 4);
        assert_eq!(client.count(Extreme::float().eq(0.1 + 0.2)).await?, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn documents_go_in_as_many_messages_as_the_server_needs() -> Result<()> {
    within_time(async {
        let mut limits = Limits::default();
        limits.message_bytes_max = 4096;
        let server = Server::start(Catalog::in_memory(2), &any_port().limits(limits)).await?;
        let client = Client::<Product>::connect(server.url()).await?;
        assert_eq!(client.index(products(1000)).await?, 1000);
        assert_eq!(client.count(Filter::All).await?, 1000);
        let long = Product { title: "x".repeat(5000), ..product(1) };
        assert_eq!(kind(client.index([long]).await), Some(ErrorKind::LimitExceeded));
        assert_eq!(client.get("p1").await?, Some(product(1)));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn one_connection_carries_many_requests_at_the_same_time() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client = client_of(&server, 2).await?;
        let searches = (0..300).map(|number| {
            let client = client.clone();
            tokio::spawn(async move {
                client.index([product(number)]).await?;
                let hits = client.search(&direction(number)).limit(1).run().await?;
                Ok::<_, vectordoc::Error>(hits[0].doc == product(number))
            })
        });
        for search in searches.collect::<Vec<_>>() {
            assert!(search.await.expect("a search")?);
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_batch_of_queries_is_answered_in_their_order() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client = client_of(&server, 2).await?;
        client.index(products(50)).await?;
        let queries = [direction(40), direction(3)];
        let results = client.search_batch(&queries).with(|search| search.limit(1)).run().await?;
        let nearest: Vec<_> = results.iter().map(|hits| ids(hits)).collect();
        assert_eq!(nearest, [["p40"], ["p3"]]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_client_of_another_shape_is_refused() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        client_of(&server, 2).await?;
        let other = Client::<Place>::builder(server.url()).db("products").connect().await;
        assert_eq!(kind(other), Some(ErrorKind::Conflict));
        assert_eq!(kind(client_of(&server, 3).await), Some(ErrorKind::Conflict));
        client_of(&server, 2).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_was_indexed_locally_is_served() -> Result<()> {
    within_time(async {
        let data = tempfile::tempdir().expect("a directory");
        let db = Db::<Product>::builder().shards(2).open(data.path().join("products"))?;
        db.index(products(50))?;
        db.close()?;

        let server = server_of(data.path()).await?;
        let client = client_of(&server, 2).await?;
        assert_eq!(client.count(Filter::All).await?, 50);
        client.delete(["p0"]).await?;
        server.shutdown().await?;

        let server = server_of(&data.path().join("products")).await?;
        let client = client_of(&server, 2).await?;
        let hits = client.search(&direction(0)).limit(1).run().await?;
        assert_eq!(ids(&hits), ["p1"]);
        server.shutdown().await?;

        let db = Db::<Product>::open(data.path().join("products"))?;
        assert_eq!(db.count(Filter::All)?, 49);
        assert_eq!(db.get("p0")?, None);
        db.close()
    })
    .await
}
