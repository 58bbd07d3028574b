//! Promise: a server starts safely, stops without losing anything, and one bad database does not
//! stop the others.

mod server_fixture;

use serde_json::json;
use server_fixture::{
    Product, Wire, any_port, client_of, direction, impatient_client_of, kind, memory_server,
    product, products, server_of, within_time,
};
use std::fs;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use vectordoc::{Client, Db, ErrorKind, Filter, Result};
use vectordoc_server::{Catalog, Serve, ServeOptions, Server};

/// Requests that are under way when the server is told to stop.
const REQUESTS: u32 = 200;

#[tokio::test]
async fn a_shutdown_answers_what_was_accepted_and_keeps_what_was_acknowledged() -> Result<()> {
    within_time(async {
        let data = tempfile::tempdir().expect("a directory");
        let server = server_of(data.path()).await?;
        let client = impatient_client_of(&server, 2).await?;
        let write = |number| {
            let client = client.clone();
            tokio::spawn(async move { (number, client.index([product(number)]).await) })
        };
        let writes: Vec<_> = (0..REQUESTS).map(write).collect();
        // Once one is answered, others are under way.
        client.index([product(REQUESTS)]).await?;
        server.shutdown().await?;

        let mut acknowledged = vec![REQUESTS];
        for write in writes {
            match write.await.expect("a write") {
                (number, Ok(written)) => {
                    assert_eq!(written, 1);
                    acknowledged.push(number);
                }
                (_, Err(error)) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}"),
            }
        }
        let db = Db::<Product>::open(data.path().join("products"))?;
        for number in acknowledged {
            assert_eq!(db.get(format!("p{number}"))?, Some(product(number)));
        }
        db.close()
    })
    .await
}

#[tokio::test]
async fn a_shutdown_says_goaway_and_then_closes() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut wire = Wire::open(&server).await?;
        let (stopped, heard) = tokio::join!(server.shutdown(), async {
            let goaway = wire.receive().await?;
            Ok::<_, vectordoc::Error>((goaway, wire.hear_close().await))
        });
        stopped?;
        let (goaway, end) = heard?;
        assert_eq!(goaway["method"], "goaway");
        assert_eq!(end.map(|frame| frame.code), Some(CloseCode::Away));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn requests_of_a_connection_that_ended_are_unavailable() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client = impatient_client_of(&server, 1).await?;
        server.shutdown().await?;
        assert_eq!(kind(client.count(Filter::All).await), Some(ErrorKind::Unavailable));
        client.close().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_closed_client_says_so() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client = client_of(&server, 1).await?;
        client.close().await?;
        assert_eq!(kind(client.count(Filter::All).await), Some(ErrorKind::Closed));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn two_servers_on_one_directory_are_refused() -> Result<()> {
    within_time(async {
        let data = tempfile::tempdir().expect("a directory");
        let first = server_of(data.path()).await?;
        let client = client_of(&first, 1).await?;
        let second = server_of(data.path()).await.map(drop);
        let message = second.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert_eq!(kind(second), Some(ErrorKind::Busy));
        assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
        let inside = server_of(&data.path().join("products")).await;
        assert_eq!(kind(inside.map(drop)), Some(ErrorKind::Busy));

        client.index(products(3)).await?;
        first.shutdown().await?;
        let third = server_of(data.path()).await?;
        assert_eq!(client_of(&third, 1).await?.count(Filter::All).await?, 3);
        third.shutdown().await
    })
    .await
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_answers_its_error_and_stops_no_other() -> Result<()> {
    within_time(async {
        let data = tempfile::tempdir().expect("a directory");
        let held = Db::<Product>::open(data.path().join("held"))?;
        held.index(products(2))?;
        Db::<Product>::open(data.path().join("good"))?.close()?;
        fs::write(data.path().join("notes.txt"), "not a database").expect("a file");
        fs::create_dir(data.path().join("empty")).expect("a directory");

        let server = server_of(data.path()).await?;
        let mut wire = Wire::open(&server).await?;
        let listed = wire.result("db.list", json!({})).await?;
        assert_eq!(listed["dbs"][0]["db"], "good");
        assert_eq!(listed["dbs"][1]["db"], "held");
        assert_eq!(listed["dbs"][1]["error"]["code"], "busy");
        assert_eq!(listed["dbs"].as_array().map(Vec::len), Some(2));
        let answer = wire.ask("doc.count", json!({"db": "held"})).await?;
        assert_eq!(answer["error"]["data"]["code"], "busy");
        let answer = wire.ask("db.drop", json!({"db": "held"})).await?;
        assert_eq!(answer["error"]["data"]["code"], "busy");
        assert_eq!(wire.result("doc.count", json!({"db": "good"})).await?["count"], 0);

        held.close()?;
        assert_eq!(wire.result("doc.count", json!({"db": "held"})).await?["count"], 2);
        drop(wire);
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn a_damaged_database_answers_corrupt_and_can_only_be_dropped() -> Result<()> {
    within_time(async {
        let data = tempfile::tempdir().expect("a directory");
        let damaged = data.path().join("damaged");
        Db::<Product>::open(&damaged)?.close()?;
        for file in fs::read_dir(&damaged).expect("a directory") {
            let path = file.expect("a file").path();
            fs::write(&path, [0x5a; 8192]).expect("a file that can be written");
        }

        let server = server_of(data.path()).await?;
        let mut wire = Wire::open(&server).await?;
        let answer = wire.ask("doc.count", json!({"db": "damaged"})).await?;
        assert_eq!(answer["error"]["data"]["code"], "corrupt", "{answer}");
        let schema = json!({"id": "u64"});
        let answer = wire.ask("db.create", json!({"db": "damaged", "schema": schema})).await?;
        assert_eq!(answer["error"]["data"]["code"], "corrupt", "{answer}");
        assert_eq!(client_of(&server, 2).await?.count(Filter::All).await?, 0);
        wire.result("db.drop", json!({"db": "damaged"})).await?;
        assert!(!damaged.exists());
        drop(wire);
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn a_dropped_database_stays_gone() -> Result<()> {
    within_time(async {
        let data = tempfile::tempdir().expect("a directory");
        let server = server_of(data.path()).await?;
        client_of(&server, 2).await?.index(products(5)).await?;
        let mut wire = Wire::open(&server).await?;
        assert_eq!(wire.result("db.drop", json!({"db": "products"})).await?["dropped"], true);
        let answer = wire.ask("doc.count", json!({"db": "products"})).await?;
        assert_eq!(answer["error"]["data"]["code"], "not_found");
        drop(wire);
        assert!(!data.path().join("products").exists());
        assert_eq!(client_of(&server, 3).await?.count(Filter::All).await?, 0);
        server.shutdown().await?;

        let server = server_of(data.path()).await?;
        assert_eq!(client_of(&server, 3).await?.count(Filter::All).await?, 0);
        server.shutdown().await
    })
    .await
}

// The service blocks the thread that shuts it down; its client needs another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_serves_its_database_and_keeps_using_it() -> Result<()> {
    within_time(async {
        let db = Db::<Product>::builder().shards(2).in_memory()?;
        let service = db.serve(any_port().name("products").shards(2))?;
        let client = Client::<Product>::builder(service.url()).db("products").connect().await?;
        client.index(products(5)).await?;
        db.index([product(5)])?;
        assert_eq!(client.count(Filter::All).await?, 6);

        let other = Client::<Product>::builder(service.url()).db("others").connect().await;
        assert_eq!(kind(other), Some(ErrorKind::Unsupported));

        service.shutdown()?;
        assert_eq!(kind(client.count(Filter::All).await), Some(ErrorKind::Unavailable));
        assert_eq!(db.search(&direction(0)).limit(1).run()?[0].doc, product(0));
        db.close()
    })
    .await
}

#[tokio::test]
async fn options_that_cannot_be_kept_are_refused() -> Result<()> {
    let db = Db::<Product>::in_memory()?;
    let wrong = |options: ServeOptions| {
        let refused = db.serve(options).map(drop);
        let message = refused.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert_eq!(kind(refused), Some(ErrorKind::Invalid), "{message}");
        message
    };
    assert!(wrong(any_port().shards(2)).contains("reshard(2)"));
    assert!(wrong(any_port().host("0.0.0.0")).contains("insecure"));
    assert!(wrong(any_port().name("Not a name")).contains("a-z"));
    within_time(async {
        let named = Server::start(Catalog::in_memory(1), &any_port().name("products")).await;
        assert_eq!(kind(named.map(drop)), Some(ErrorKind::Invalid));
        let open = any_port().host("0.0.0.0").insecure(true);
        Server::start(Catalog::in_memory(1), &open).await?.shutdown().await
    })
    .await
}
