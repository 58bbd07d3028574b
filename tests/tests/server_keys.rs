//! A server with keys does for each caller what its key is good for, and nothing else: every
//! operation by every role, keys by header and by `auth`, keys of some databases, revoked keys.

mod server_fixture;

use serde_json::{Value as Json, json};
use server_fixture::{Product, Wire, kind, product, server_of, within_time};
use tempfile::TempDir;
use vectordoc::{Client, ErrorKind, Filter, Result, VectorDoc};
use vectordoc_server::{
    Catalog, ServeOptions, Server,
    keys::{KeyFile, Role, Scope},
};

fn key(data: &TempDir, role: Role, dbs: &[&str]) -> Result<String> {
    let (token, _) = KeyFile::of(data.path()).create("", role, Scope::of(dbs.iter().copied())?)?;
    Ok(token.reveal().to_owned())
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

async fn wire_of(server: &Server, key: &str) -> Result<Wire> {
    Wire::open_with(server, Some(&format!("Bearer {key}"))).await
}

fn code(answer: &Json) -> Option<&str> {
    answer["error"]["data"]["code"].as_str()
}

/// Every operation with the weakest role that may do it, and parameters it works with. Those that
/// need a database come while there is one.
fn operations() -> Vec<(&'static str, Role, Json)> {
    let schema = Product::schema().to_json();
    let doc = json!({
        "id": "p1", "embedding": [1.0, 0.0, 0.0], "price": 1.0, "tags": [], "title": "a",
    });
    let db = "products";
    vec![
        ("db.create", Role::Admin, json!({"db": db, "schema": schema})),
        ("db.list", Role::Read, json!({})),
        ("db.get", Role::Read, json!({"db": db})),
        ("doc.index", Role::Write, json!({"db": db, "docs": [doc]})),
        ("doc.update", Role::Write, json!({"db": db, "doc": doc})),
        ("doc.patch", Role::Write, json!({"db": db, "id": "p1", "set": {"price": 2.0}})),
        ("doc.get", Role::Read, json!({"db": db, "ids": ["p1"]})),
        ("search", Role::Read, json!({"db": db, "vector": [1.0, 0.0, 0.0]})),
        ("doc.count", Role::Read, json!({"db": db})),
        ("doc.scroll", Role::Read, json!({"db": db})),
        ("doc.facet", Role::Read, json!({"db": db, "field": "tags"})),
        ("changes", Role::Read, json!({"db": db})),
        ("db.recall", Role::Read, json!({"db": db})),
        ("doc.delete", Role::Write, json!({"db": db, "ids": ["p1"]})),
        ("db.reshard", Role::Admin, json!({"db": db, "shards": 2})),
        ("db.snapshot", Role::Admin, json!({"db": db})),
        ("db.restore", Role::Admin, json!({"db": "copy"})),
        ("db.drop", Role::Admin, json!({"db": db})),
    ]
}

#[tokio::test]
async fn every_operation_is_refused_to_every_role_below_its_own() -> Result<()> {
    within_time(async {
        let data = folder();
        let admin = key(&data, Role::Admin, &[])?;
        let weaker = [
            (Role::Read, key(&data, Role::Read, &[])?),
            (Role::Write, key(&data, Role::Write, &[])?),
        ];
        let server = server_of(data.path()).await?;
        let mut nobody = Wire::open(&server).await?;
        let mut admin = wire_of(&server, &admin).await?;
        for (method, needed, params) in operations() {
            let answer = nobody.ask(method, params.clone()).await?;
            assert_eq!(code(&answer), Some("unauthenticated"), "{method}: {answer}");
            for (role, key) in &weaker {
                let answer = wire_of(&server, key).await?.ask(method, params.clone()).await?;
                let refused = (*role < needed).then_some("denied");
                assert_eq!(code(&answer), refused, "{method} by {role}: {answer}");
            }
            let answer = admin.ask(method, params).await?;
            assert!(answer["error"].is_null(), "{method} by admin: {answer}");
        }
        for method in [
            "db.snapshot.read",
            "db.snapshot.close",
            "db.restore.write",
            "db.restore.finish",
            "db.restore.close",
        ] {
            let all =
                json!({"db": "copy", "snapshot": "a", "restore": "a", "offset": 0, "bytes": ""});
            let names: &[&str] = match method {
                "db.snapshot.read" => &["db", "snapshot", "offset"],
                "db.snapshot.close" => &["db", "snapshot"],
                "db.restore.write" => &["db", "restore", "offset", "bytes"],
                _ => &["db", "restore"],
            };
            let params: Json = names.iter().map(|name| (*name, all[name].clone())).collect();
            for (role, key) in &weaker {
                let answer = wire_of(&server, key).await?.ask(method, params.clone()).await?;
                assert_eq!(code(&answer), Some("denied"), "{method} by {role}: {answer}");
            }
            let answer = admin.ask(method, params).await?;
            assert_eq!(code(&answer), Some("not_found"), "{method} by admin: {answer}");
        }
        drop((nobody, admin));
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn a_reader_finds_the_database_that_an_admin_creates() -> Result<()> {
    within_time(async {
        let data = folder();
        let admin = key(&data, Role::Admin, &[])?;
        let reader = key(&data, Role::Read, &[])?;
        let server = server_of(data.path()).await?;
        let (mut admin, mut reader) =
            (wire_of(&server, &admin).await?, wire_of(&server, &reader).await?);
        let params = json!({"db": "products", "schema": Product::schema().to_json()});
        assert_eq!(code(&reader.ask("db.create", params.clone()).await?), Some("denied"));
        let created = admin.result("db.create", params.clone()).await?;
        assert_eq!(reader.result("db.create", params).await?["schema"], created["schema"]);
        let other = json!({"db": "products", "schema": {"id": "u64", "e": {"vector": 2}}});
        assert_eq!(code(&reader.ask("db.create", other).await?), Some("conflict"));
        drop((admin, reader));
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn a_client_that_cannot_send_a_header_authenticates_first() -> Result<()> {
    within_time(async {
        let data = folder();
        let admin = key(&data, Role::Admin, &[])?;
        let reader = key(&data, Role::Read, &["a", "b"])?;
        let server = server_of(data.path()).await?;
        let mut wire = Wire::open(&server).await?;
        let known = wire.result("auth", json!({"key": reader})).await?;
        assert_eq!(known, json!({"role": "read", "dbs": ["a", "b"]}));
        let wrong = wire.ask("auth", json!({"key": "vd_nobody"})).await?;
        assert_eq!(code(&wrong), Some("unauthenticated"));
        assert!(!wrong.to_string().contains("vd_nobody"), "{wrong}");
        let mistake = wire.ask("auth", json!({"kee": admin})).await?;
        assert_eq!(code(&mistake), Some("invalid"));
        assert!(!mistake.to_string().contains(&admin), "{mistake}");
        assert_eq!(code(&wire.ask("doc.count", json!({"db": "c"})).await?), Some("denied"));
        assert_eq!(wire.result("db.list", json!({})).await?["dbs"], json!([]));
        let known = wire.result("auth", json!({"key": admin})).await?;
        assert_eq!(known, json!({"role": "admin", "dbs": null}));
        assert_eq!(code(&wire.ask("doc.count", json!({"db": "c"})).await?), Some("not_found"));

        wire.say(r#"[{"jsonrpc": "2.0", "id": 1, "method": "auth", "params": {"key": "x"}}]"#)
            .await?;
        assert_eq!(wire.receive().await?[0]["error"]["code"], -32600);
        drop(wire);
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn a_key_sees_its_databases_only() -> Result<()> {
    within_time(async {
        let data = folder();
        let admin = key(&data, Role::Admin, &[])?;
        let scoped = key(&data, Role::Admin, &["products"])?;
        let server = server_of(data.path()).await?;
        let client = |key: &str, db: &str| {
            Client::<Product>::builder(server.url()).key(key).db(db).connect()
        };
        client(&admin, "others").await?.index([product(1)]).await?;
        client(&scoped, "products").await?.index([product(1)]).await?;
        assert_eq!(kind(client(&scoped, "others").await), Some(ErrorKind::Denied));
        assert_eq!(kind(client("vd_0", "products").await), Some(ErrorKind::Unauthenticated));
        let mut wire = wire_of(&server, &scoped).await?;
        let listed = wire.result("db.list", json!({})).await?;
        assert_eq!(listed["dbs"].as_array().map(Vec::len), Some(1));
        assert_eq!(listed["dbs"][0]["db"], "products");
        drop(wire);
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn a_revoked_key_ends_on_open_connections_too() -> Result<()> {
    within_time(async {
        let data = folder();
        let admin = key(&data, Role::Admin, &[])?;
        let server = server_of(data.path()).await?;
        let client = Client::<Product>::builder(server.url()).key(&admin).connect().await?;
        client.index([product(1)]).await?;
        let id = KeyFile::of(data.path()).read()?.unwrap_or_default()[0].id().to_owned();
        KeyFile::of(data.path()).revoke(&id)?;
        // The server looks at the file a few times a second.
        while client.count(Filter::All).await.is_ok() {}
        assert_eq!(kind(client.count(Filter::All).await), Some(ErrorKind::Unauthenticated));
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn an_address_of_other_machines_takes_a_key_and_tls() -> Result<()> {
    within_time(async {
        let data = folder();
        let open = ServeOptions::default().port(0).host("0.0.0.0");
        let refusal = async |options: &ServeOptions| {
            let refused = Server::start(Catalog::open(data.path(), 1)?, options).await.map(drop);
            assert_eq!(kind(refused.clone()), Some(ErrorKind::Invalid));
            Ok::<_, vectordoc::Error>(
                refused.err().map(|error| error.to_string()).unwrap_or_default(),
            )
        };
        assert!(refusal(&open).await?.contains("neither a key"));
        key(&data, Role::Admin, &[])?;
        assert!(refusal(&open).await?.contains("no TLS"));
        let missing = data.path().join("missing.pem");
        let refused =
            Server::start(Catalog::open(data.path(), 1)?, &open.tls(&missing, &missing)).await;
        assert!(refused.is_err_and(|error| error.to_string().contains("missing.pem")));
        let half = ServeOptions::default().port(0).tls("", &missing);
        let refused = Server::start(Catalog::open(data.path(), 1)?, &half).await;
        assert!(refused.is_err_and(|error| error.to_string().contains("both files")));
        Ok(())
    })
    .await
}
