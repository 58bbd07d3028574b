//! A server with keys does for each caller what its key is good for, and nothing else: every
//! operation by every role over every transport, keys by header and by `auth`, keys of some databases, revoked keys.

mod grpc_fixture;
mod server_fixture;

use grpc_fixture::messages::{RestoreRequest, SnapshotRequest};
use serde_json::{Value as Json, json};
use server_fixture::{
    Product, Wire, described::Described, http::Http, kind, product, server_of, within_time,
};
use std::collections::BTreeSet;
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

/// Every operation, with parameters that it works with, and what it is answered with when its caller
/// may do it: `None` for no error. Those that need a database come while there is one.
fn operations() -> Vec<(&'static str, Json, Option<&'static str>)> {
    let schema = Product::schema().to_json();
    let doc = json!({
        "id": "p1", "embedding": [1.0, 0.0, 0.0], "price": 1.0, "tags": [], "title": "a",
    });
    let db = "products";
    let nothing = Some("not_found");
    vec![
        ("db.create", json!({"db": db, "schema": schema}), None),
        ("db.list", json!({}), None),
        ("db.get", json!({"db": db}), None),
        ("doc.index", json!({"db": db, "docs": [doc]}), None),
        ("doc.update", json!({"db": db, "doc": doc}), None),
        ("doc.patch", json!({"db": db, "id": "p1", "set": {"price": 2.0}}), None),
        ("doc.get", json!({"db": db, "ids": ["p1"]}), None),
        ("search", json!({"db": db, "vector": [1.0, 0.0, 0.0]}), None),
        ("doc.count", json!({"db": db}), None),
        ("doc.scroll", json!({"db": db}), None),
        ("doc.facet", json!({"db": db, "field": "tags"}), None),
        ("changes", json!({"db": db}), None),
        ("db.recall", json!({"db": db}), None),
        ("doc.delete", json!({"db": db, "ids": ["p1"]}), None),
        ("db.reshard", json!({"db": db, "shards": 2}), None),
        ("db.logs", json!({"db": db}), Some("unsupported")),
        ("db.configure", json!({"db": db, "idle_ms": 60_000}), None),
        ("db.pause", json!({"db": db}), None),
        ("db.resume", json!({"db": db}), None),
        ("db.snapshot", json!({"db": db}), None),
        ("db.snapshot.read", json!({"db": db, "snapshot": "a", "offset": 0}), nothing),
        ("db.snapshot.close", json!({"db": db, "snapshot": "a"}), nothing),
        ("db.restore", json!({"db": "copy"}), None),
        (
            "db.restore.write",
            json!({"db": "copy", "restore": "a", "offset": 0, "bytes": ""}),
            nothing,
        ),
        ("db.restore.finish", json!({"db": "copy", "restore": "a"}), nothing),
        ("db.restore.close", json!({"db": "copy", "restore": "a"}), nothing),
        ("db.drop", json!({"db": db}), None),
        // This server is in no cluster, which only those are told who may ask.
        ("cluster.status", json!({}), Some("unsupported")),
        ("cluster.remove", json!({"node": 1}), Some("unsupported")),
    ]
}

/// How a server is asked.
#[derive(Clone, Copy, Debug)]
enum Transport {
    WebSocket,
    Http,
    Grpc,
}

impl Transport {
    /// The code of the error that `method` is answered with, if it is one, for who shows `key`.
    async fn code(
        self,
        server: &Server,
        key: Option<&str>,
        method: &str,
        params: &Json,
    ) -> Result<Option<String>> {
        let bearer = key.map(|key| format!("Bearer {key}"));
        match self {
            Self::WebSocket => {
                let mut wire = Wire::open_with(server, bearer.as_deref()).await?;
                Ok(code(&wire.ask(method, params.clone()).await?).map(str::to_owned))
            }
            Self::Http => {
                let http = Http::to(server);
                let http = match &bearer {
                    Some(bearer) => http.with("authorization", bearer),
                    None => http,
                };
                let (answer, _) = Described::of(http).await?.ask(method, params).await?;
                Ok(answer.json()["code"].as_str().map(str::to_owned))
            }
            Self::Grpc => {
                let mut client = grpc_fixture::client_with(server, key).await?;
                let refused = called(&mut client, method, params).await.err();
                let code = |status| grpc_fixture::error_of(&status).kind().code().to_owned();
                Ok(refused.map(code))
            }
        }
    }

    /// Whether `method` can be called here; some are a part of another call.
    fn has(self, method: &str) -> bool {
        let is_part = method.starts_with("db.snapshot.") || method.starts_with("db.restore.");
        let is_of_nodes = method.starts_with("cluster.");
        !(matches!(self, Self::Grpc) && (is_part || is_of_nodes))
    }
}

async fn called(
    client: &mut grpc_fixture::Client,
    method: &str,
    params: &Json,
) -> std::result::Result<(), tonic::Status> {
    let db = || params["db"].as_str().unwrap_or_default().to_owned();
    match method {
        "db.snapshot" => {
            let mut pieces = client.snapshot(SnapshotRequest { db: db() }).await?.into_inner();
            while pieces.message().await?.is_some() {}
        }
        "db.restore" => {
            // Of no archive no database comes, and that is said to who may restore one.
            let pieces = [RestoreRequest { db: db(), bytes: Vec::new() }];
            let refused = client.restore(futures_util::stream::iter(pieces)).await;
            let refused = refused.expect_err("there is no archive");
            if grpc_fixture::error_of(&refused).kind() != ErrorKind::Invalid {
                return Err(refused);
            }
        }
        _ => drop(grpc_fixture::ask(client, method, params).await?),
    }
    Ok(())
}

#[tokio::test]
async fn every_operation_is_refused_to_every_role_below_its_own_over_every_transport() -> Result<()>
{
    within_time(async {
        for transport in [Transport::WebSocket, Transport::Http, Transport::Grpc] {
            let data = folder();
            let callers = [
                (None, None),
                (Some(Role::Read), Some(key(&data, Role::Read, &[])?)),
                (Some(Role::Write), Some(key(&data, Role::Write, &[])?)),
                (Some(Role::Admin), Some(key(&data, Role::Admin, &[])?)),
            ];
            let server = server_of(data.path()).await?;
            let described = Described::of(Http::to(&server)).await?;
            let operations = operations();
            let named: BTreeSet<_> = operations.iter().map(|(method, ..)| *method).collect();
            assert_eq!(named, described.methods(), "some operation is not in the table");
            for (method, params, answered) in &operations {
                if !transport.has(method) {
                    continue;
                }
                // Who may read finds the database that is there; here there is none yet.
                let needed = match *method {
                    "db.create" => "admin",
                    method => described.role(method),
                };
                let needed = [Role::Read, Role::Write, Role::Admin]
                    .into_iter()
                    .find(|role| role.to_string() == needed)
                    .expect("a role");
                for (role, key) in &callers {
                    let expected = match role {
                        None => Some("unauthenticated"),
                        Some(role) if *role < needed => Some("denied"),
                        Some(_) => *answered,
                    };
                    let code = transport.code(&server, key.as_deref(), method, params).await?;
                    assert_eq!(code.as_deref(), expected, "{method} by {role:?}, {transport:?}");
                }
            }
            server.shutdown().await?;
        }
        Ok(())
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
