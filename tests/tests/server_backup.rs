//! Promise: a database goes out of a server as one file, and comes into it, while the server goes on;
//! what is damaged, cut off or given up leaves nothing behind.

mod server_fixture;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value as Json, json};
use server_fixture::{Wire, memory_server, product, products, server_of, within_time};
use std::{fs, path::Path};
use vectordoc::{Client, Database, Filter, Result, native::DatabaseOptions};
use vectordoc_server::Server;

type Product = server_fixture::Product;

fn code(answer: &Json) -> Option<&str> {
    answer["error"]["data"]["code"].as_str()
}

async fn client(server: &Server, db: &str) -> Result<Client<Product>> {
    Client::builder(server.url()).db(db).connect().await
}

/// The archive of a database, piece by piece.
async fn taken_out(wire: &mut Wire, db: &str, length: usize) -> Result<Vec<u8>> {
    let begun = wire.result("db.snapshot", json!({"db": db})).await?;
    read_out(wire, db, &begun["snapshot"], length).await
}

async fn read_out(wire: &mut Wire, db: &str, token: &Json, length: usize) -> Result<Vec<u8>> {
    let mut archive = Vec::new();
    loop {
        let params =
            json!({"db": db, "snapshot": token, "offset": archive.len(), "length": length});
        let piece = wire.result("db.snapshot.read", params).await?;
        let bytes = piece["bytes"].as_str().expect("base64");
        archive.extend(BASE64_STANDARD.decode(bytes).expect("base64"));
        assert_eq!(piece["offset"], archive.len());
        if piece["has_more"] == false {
            assert_eq!(piece["done"], piece["total"]);
            return Ok(archive);
        }
    }
}

/// Brings an archive in, and what the server says to its last piece or its end.
async fn brought_in(wire: &mut Wire, db: &str, archive: &[u8], length: usize) -> Result<Json> {
    let begun = wire.ask("db.restore", json!({"db": db})).await?;
    if code(&begun).is_some() {
        return Ok(begun);
    }
    let token = &begun["result"]["restore"];
    let mut offset = 0;
    for piece in archive.chunks(length) {
        let bytes = BASE64_STANDARD.encode(piece);
        let params = json!({"db": db, "restore": token, "offset": offset, "bytes": bytes});
        let answer = wire.ask("db.restore.write", params).await?;
        if code(&answer).is_some() {
            return Ok(answer);
        }
        offset += piece.len();
        assert_eq!(answer["result"]["offset"], offset);
    }
    wire.ask("db.restore.finish", json!({"db": db, "restore": token})).await
}

fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).expect("a directory");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> = entries.map(|entry| name(entry).into_string().expect("text")).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_goes_out_of_one_moment_and_comes_in_as_it_was() -> Result<()> {
    within_time(async {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let server = server_of(directory.path()).await?;
        let db = client(&server, "products").await?;
        db.index(products(300)).await?;
        let mut wire = Wire::open(&server).await?;
        let begun = wire.result("db.snapshot", json!({"db": "products"})).await?;
        db.index([product(300)]).await?;
        db.delete(["p7"]).await?;
        // More than there are pieces is asked for in pieces smaller than an entry.
        let archive = read_out(&mut wire, "products", &begun["snapshot"], 50_000).await?;
        let whole = Database::import(
            directory.path().join("elsewhere/").with_file_name("embedded"),
            &archive[..],
            &DatabaseOptions::default(),
            &mut |_, _| {},
        )?;
        assert_eq!(whole.count(&Filter::All)?, 300, "of the moment of db.snapshot");
        whole.close()?;

        let answer = brought_in(&mut wire, "copy", &archive, 30_000).await?;
        assert_eq!(answer["result"]["documents"], 300, "{answer}");
        let copy = client(&server, "copy").await?;
        assert_eq!(copy.get("p7").await?, Some(product(7)));
        assert_eq!(copy.get("p300").await?, None);
        copy.index([product(300)]).await?;
        assert_eq!(db.count(Filter::All).await?, 300);

        let answer = brought_in(&mut wire, "copy", &archive, 30_000).await?;
        assert_eq!(code(&answer), Some("conflict"), "{answer}");
        server.shutdown().await?;
        assert_eq!(names(directory.path()), [".lock", "copy", "embedded", "products"]);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_cut_off_foreign_or_given_up_leaves_nothing() -> Result<()> {
    within_time(async {
        let directory = tempfile::tempdir().expect("a directory for the test");
        fs::create_dir(directory.path().join(".importing-old")).expect("it can be made");
        let server = server_of(directory.path()).await?;
        client(&server, "products").await?.index(products(50)).await?;
        let mut wire = Wire::open(&server).await?;
        let archive = taken_out(&mut wire, "products", 1 << 20).await?;
        let mut damaged = archive.clone();
        damaged[archive.len() / 2] ^= 1;
        let foreign = b"%PDF-1.7 and so on".to_vec();
        let cut = archive[..archive.len() - 1].to_vec();
        for (archive, expected) in
            [(damaged, "corrupt"), (cut, "corrupt"), (foreign, "invalid"), (vec![], "invalid")]
        {
            let answer = brought_in(&mut wire, "copy", &archive, 20_000).await?;
            assert_eq!(code(&answer), Some(expected), "{answer}");
            assert_eq!(names(directory.path()), [".lock", "products"], "{answer}");
            let unknown = wire.ask("db.get", json!({"db": "copy"})).await?;
            assert_eq!(code(&unknown), Some("not_found"));
        }

        let begun = wire.result("db.restore", json!({"db": "copy"})).await?;
        let token = &begun["restore"];
        let write = |offset: usize, bytes: &[u8]| {
            let bytes = BASE64_STANDARD.encode(bytes);
            json!({"db": "copy", "restore": token, "offset": offset, "bytes": bytes})
        };
        wire.result("db.restore.write", write(0, &archive[..1_000])).await?;
        // A piece whose answer was lost may come again; any other place is a mistake.
        wire.result("db.restore.write", write(0, &archive[..1_000])).await?;
        let wrong = wire.ask("db.restore.write", write(2_000, &archive[2_000..3_000])).await?;
        assert_eq!(code(&wrong), Some("invalid"), "{wrong}");
        let text = wrong["error"]["message"].as_str().unwrap_or_default();
        assert!(text.contains("1000 bytes are there"), "{text}");
        let busy = wire.ask("db.get", json!({"db": "copy"})).await?;
        assert_eq!(code(&busy), Some("unavailable"), "{busy}");
        let listed = wire.result("db.list", json!({})).await?;
        assert_eq!(
            listed["dbs"].as_array().map(Vec::len),
            Some(2),
            "nobody waits for it: {listed}"
        );
        let taken = wire.ask("db.drop", json!({"db": "copy"})).await?;
        assert_eq!(code(&taken), Some("unavailable"), "{taken}");
        wire.result("db.restore.write", write(1_000, &archive[1_000..])).await?;
        let params = json!({"db": "copy", "restore": token});
        wire.result("db.restore.close", params.clone()).await?;
        assert_eq!(code(&wire.ask("db.restore.finish", params).await?), Some("not_found"));
        assert_eq!(names(directory.path()), [".lock", "products"]);

        // One that is under way when the server stops is given up too.
        let begun = wire.result("db.restore", json!({"db": "copy"})).await?;
        let bytes = BASE64_STANDARD.encode(&archive);
        let params =
            json!({"db": "copy", "restore": begun["restore"], "offset": 0, "bytes": bytes});
        wire.result("db.restore.write", params).await?;
        server.shutdown().await?;
        assert_eq!(names(directory.path()), [".lock", "products"]);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_are_open_at_a_time_and_a_dropped_database_ends_its_own() -> Result<()> {
    within_time(async {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let server = server_of(directory.path()).await?;
        client(&server, "products").await?.index(products(10)).await?;
        let mut wire = Wire::open(&server).await?;
        let mut tokens = Vec::new();
        for _ in 0..8 {
            let begun = wire.result("db.snapshot", json!({"db": "products"})).await?;
            tokens.push(begun["snapshot"].clone());
        }
        let busy = wire.ask("db.snapshot", json!({"db": "products"})).await?;
        assert_eq!(code(&busy), Some("busy"), "{busy}");
        let text = busy["error"]["message"].as_str().unwrap_or_default();
        assert!(text.contains("8 snapshots are open"), "{text}");
        let close = json!({"db": "products", "snapshot": tokens[0]});
        wire.result("db.snapshot.close", close.clone()).await?;
        assert_eq!(code(&wire.ask("db.snapshot.close", close).await?), Some("not_found"));
        wire.result("db.snapshot", json!({"db": "products"})).await?;
        for (length, expected) in [(0, "invalid"), ((4 << 20) + 1, "limit_exceeded")] {
            let params = json!({"db": "products", "snapshot": tokens[1], "offset": 0,
                                "length": length});
            let answer = wire.ask("db.snapshot.read", params).await?;
            assert_eq!(code(&answer), Some(expected), "{answer}");
        }
        wire.result("db.drop", json!({"db": "products"})).await?;
        let params = json!({"db": "products", "snapshot": tokens[1], "offset": 0});
        let ended = wire.ask("db.snapshot.read", params).await?;
        assert_eq!(code(&ended), Some("not_found"), "{ended}");

        for number in 0..4 {
            wire.result("db.restore", json!({"db": format!("r{number}")})).await?;
        }
        let busy = wire.ask("db.restore", json!({"db": "r4"})).await?;
        assert_eq!(code(&busy), Some("busy"), "{busy}");
        server.shutdown().await?;

        let server = memory_server().await?;
        client(&server, "products").await?;
        let mut wire = Wire::open(&server).await?;
        for method in ["db.snapshot", "db.restore"] {
            let db = if method == "db.restore" { "copy" } else { "products" };
            let answer = wire.ask(method, json!({"db": db})).await?;
            assert_eq!(code(&answer), Some("unsupported"), "{answer}");
        }
        Ok(())
    })
    .await
}
