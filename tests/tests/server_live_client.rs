//! Promise: a client that follows is told everything in order, or that something was missed, however
//! slowly it takes it and whatever it asks meanwhile; and it can go on where a connection ended.

mod server_fixture;

use futures_util::StreamExt;
use server_fixture::{
    Product, any_port, client_of, direction, kind, memory_server, product, products, server_of,
    within_time,
};
use std::collections::BTreeSet;
use vectordoc::{
    Client, Database, Document, ErrorKind, Filter, Id, Include, Query, Result, Schema, Value,
    client::{Change, ChangePage, ChangeQuery, Connection, Remote},
    native::DatabaseOptions,
};
use vectordoc_server::{Catalog, Limits, Name, Server};

/// The numbers of the products that were indexed.
fn indexed(page: &ChangePage<Product>) -> Vec<Product> {
    let indexed = |change: &Change<Product>| match change {
        Change::Index { doc, .. } => Some(doc.clone()),
        Change::Delete { .. } | Change::Leave { .. } => None,
    };
    page.changes.iter().filter_map(indexed).collect()
}

#[tokio::test]
async fn changes_that_are_taken_late_are_all_there_and_requests_go_on_meanwhile() -> Result<()> {
    const COUNT: u32 = 100;
    within_time(async {
        let server = memory_server().await?;
        let client = client_of(&server, 1).await?;
        let from = ChangeQuery { limit: 1, ..ChangeQuery::from_now() };
        let mut feed = client.subscribe(from).await?;
        for number in 0..COUNT {
            client.index([product(number)]).await?;
        }
        let mut told = Vec::new();
        while told.len() < 100 {
            told.extend(indexed(&feed.next().await?));
            client.count(Filter::All).await?;
        }
        assert_eq!(told, products(COUNT));
        let now = client.changes(ChangeQuery::from_now()).await?;
        assert_eq!(feed.cursor(), now.cursor);
        client.delete(["p7"]).await?;
        let page = feed.next().await?;
        assert!(matches!(&page.changes[..], [Change::Delete { id, .. }] if *id == "p7".into()));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_filter_says_what_leaves_and_a_question_says_what_changed() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client = client_of(&server, 2).await?;
        let since = client.changes(ChangeQuery::from_now()).await?.cursor;
        let cheap = ChangeQuery { filter: Product::price().lt(5.0), ..ChangeQuery::since(since) };
        let mut feed = client.subscribe(cheap.clone()).await?;
        client.index([product(3)]).await?;
        assert_eq!(indexed(&feed.next().await?), [product(3)]);
        client.index([Product { price: 9.0, ..product(3) }]).await?;
        let page = feed.next().await?;
        assert!(matches!(&page.changes[..], [Change::Leave { id, .. }] if *id == "p3".into()));
        let all = client.changes(cheap).await?;
        assert_eq!((all.changes.len(), all.has_more), (2, false));
        let refused = client.subscribe(ChangeQuery::since("nonsense")).await;
        assert_eq!(kind(refused.map(drop)), Some(ErrorKind::Invalid));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_live_search_has_the_hits_of_a_new_one() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client = client_of(&server, 2).await?;
        client.index(products(20)).await?;
        let search =
            || client.search(&direction(50)).limit(4).filter(Product::tags().contains("odd"));
        let mut live = search().live().await?;
        assert_eq!(live.next().await?, search().run().await?);
        for number in (21..60).rev() {
            client.index([product(number)]).await?;
        }
        client.delete(["p49"]).await?;
        let found = search().run().await?;
        while live.next().await? != found {}
        let mut stream = std::pin::pin!(live.into_stream());
        client.delete(["p51"]).await?;
        let next = stream.next().await.expect("there is more")?;
        assert_eq!(next, search().run().await?);
        let refused = client.search(&[1.0]).live().await;
        assert_eq!(kind(refused.map(drop)), Some(ErrorKind::Invalid));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_dropped_makes_room_for_the_next() -> Result<()> {
    within_time(async {
        let mut limits = Limits::default();
        limits.subscriptions_max = 1;
        let server = Server::start(Catalog::in_memory(1), &any_port().limits(limits)).await?;
        let client = client_of(&server, 1).await?;
        let feed = client.subscribe(ChangeQuery::from_now()).await?;
        let second = client.subscribe(ChangeQuery::from_now()).await;
        assert_eq!(kind(second.map(drop)), Some(ErrorKind::LimitExceeded));
        drop(feed);
        // The server hears of it in a moment.
        let mut feed = loop {
            match client.subscribe(ChangeQuery { limit: 1, ..ChangeQuery::from_now() }).await {
                Err(error) if error.kind() == ErrorKind::LimitExceeded => {}
                feed => break feed?,
            }
        };
        // Also where it has to ask again for what there was no room for.
        client.index(products(50)).await?;
        let mut told = 0;
        while told < 50 {
            told += feed.next().await?.changes.len();
        }
        Ok(())
    })
    .await
}

/// A database of its own, which keeps a megabyte of changes.
async fn short_of_memory() -> Result<Server> {
    let schema = r#"{"id": "u64", "embedding": {"vector": 2}, "payload": "string"}"#;
    let options = DatabaseOptions { history_bytes: Some(1_000_000), ..DatabaseOptions::default() };
    let database = Database::in_memory(&Schema::from_json_str(schema)?, &options)?;
    Server::start(Catalog::lent(Name::parse("d")?, database), &any_port()).await
}

#[tokio::test]
async fn who_missed_something_is_told_and_has_all_by_scrolling() -> Result<()> {
    const COUNT: u64 = 60;
    within_time(async {
        let server = short_of_memory().await?;
        let remote = Remote::open(Connection::open(&server.url()).await?, "d").await?;
        let from = ChangeQuery { limit: 1, include: Include::Nothing, ..ChangeQuery::from_now() };
        let mut feed = remote.subscribe(&from).await?;
        for number in 0..COUNT {
            let values = vec![Value::Text("x".repeat(100_000))];
            let vectors = vec![Some(vec![1.0, 0.0])];
            remote.index(&[Document { id: Id::Int(number), vectors, values }]).await?;
        }
        let (mut known, mut missed) = (BTreeSet::new(), 0);
        while known.len() < 60 {
            match feed.next().await {
                Ok(page) => known.extend(page.changes.iter().map(|change| match change {
                    Change::Index { doc, .. } => doc.id.clone(),
                    Change::Delete { id, .. } | Change::Leave { id, .. } => id.clone(),
                })),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
                    assert!(known.len() < 60, "nothing was missed");
                    let ids: Vec<Id> = (0..COUNT).map(Id::Int).collect();
                    let found = remote.get(&ids, &Include::Nothing).await?;
                    known.extend(found.into_iter().flatten().map(|document| document.id));
                    missed += 1;
                }
            }
        }
        assert!(missed > 0, "four notifications are kept, and little of the changes");
        remote.delete(&[Id::Int(5)]).await?;
        loop {
            let page = feed.next().await?;
            if page.changes.iter().any(|change| matches!(change, Change::Delete { .. })) {
                return Ok(());
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_dropped_database_and_a_closed_connection_end_who_follows() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client = client_of(&server, 1).await?;
        let mut feed = client.subscribe(ChangeQuery::from_now()).await?;
        let mut live = client.search(&direction(1)).live().await?;
        assert_eq!(live.next().await?, []);
        let connection = client.remote().connection();
        connection.request("db.drop", &serde_json::json!({"db": "products"})).await?;
        assert_eq!(kind(feed.next().await), Some(ErrorKind::NotFound));
        assert_eq!(kind(live.next().await), Some(ErrorKind::NotFound));

        let client = client_of(&server, 1).await?;
        let feed = client.subscribe(ChangeQuery::from_now()).await?;
        client.close().await?;
        let rest: Vec<_> = feed.into_stream().collect().await;
        assert_eq!(rest.len(), 1);
        let end = rest.into_iter().next().expect("the end is told");
        assert_eq!(kind(end), Some(ErrorKind::Closed));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_connects_again_goes_on_where_the_connection_ended() -> Result<()> {
    within_time(async {
        let data = tempfile::tempdir().expect("a folder");
        let server = server_of(data.path()).await?;
        let client = client_of(&server, 2).await?;
        let mut feed = client.subscribe(ChangeQuery::from_now()).await?;
        client.index(products(10)).await?;
        let mut told = indexed(&feed.next().await?);
        client.index([product(10)]).await?;
        server.shutdown().await?;
        let cursor = loop {
            match feed.next().await {
                Ok(page) => told.extend(indexed(&page)),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
                    break feed.cursor().to_owned();
                }
            }
        };
        let server = server_of(data.path()).await?;
        let client: Client<Product> = client_of(&server, 2).await?;
        client.index([product(11)]).await?;
        let mut feed = client.subscribe(ChangeQuery::since(cursor)).await?;
        while told.len() < 12 {
            told.extend(indexed(&feed.next().await?));
        }
        told.sort_by(|a, b| a.price.total_cmp(&b.price));
        assert_eq!(told, products(12));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_untyped_live_search_includes_what_is_asked_for() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client = client_of(&server, 1).await?;
        client.index(products(3)).await?;
        let query = Query { include: Include::Nothing, ..Query::new(direction(0)) };
        let mut live = client.remote().live(&query).await?;
        let hits = live.next().await?;
        assert_eq!(hits.len(), 3);
        assert!(hits.iter().all(|hit| hit.doc.vectors.iter().all(Option::is_none)));
        Ok(())
    })
    .await
}
