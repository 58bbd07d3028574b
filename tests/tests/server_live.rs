//! Promise: who subscribes is told everything that happens, or that something was missed; a search
//! that is followed says what a new one would find; and nobody who follows costs the others more
//! than a bounded part of anything.

mod server_fixture;

use fastrand::Rng;
use serde_json::{Value as Json, json};
use server_fixture::{Product, Wire, any_port, direction, server_of, within_time};
use std::collections::BTreeMap;
use tempfile::TempDir;
use vectordoc::{Database, Result, Schema, VectorDoc, native::DatabaseOptions};
use vectordoc_server::{
    Catalog, Limits, Server,
    keys::{KeyFile, Role, Scope},
};
use vectordoc_tests::random::{programs, seed};

/// A server in memory with an empty database `d` of three shards, which looks at searches often.
async fn server() -> Result<Server> {
    let mut limits = Limits::default();
    limits.live_interval = std::time::Duration::from_millis(1);
    let server = Server::start(Catalog::in_memory(1), &any_port().limits(limits)).await?;
    let params = json!({"db": "d", "schema": Product::schema().to_json(), "shards": 3});
    Wire::open(&server).await?.result("db.create", params).await?;
    Ok(server)
}

fn doc(number: u32, price: u32) -> Json {
    json!({"id": format!("p{number}"), "embedding": direction(number), "price": price,
           "tags": [], "title": "a"})
}

fn index(docs: &[Json]) -> Json {
    json!({"db": "d", "docs": docs})
}

fn code(answer: &Json) -> Option<&str> {
    answer["error"]["data"]["code"].as_str()
}

/// The params of the next notification, which is of this method and subscription.
async fn hear(wire: &mut Wire, method: &str, subscription: &Json) -> Result<Json> {
    let mut told = wire.receive().await?;
    assert_eq!(
        (&told["method"], &told["params"]["subscription"]),
        (&json!(method), subscription),
        "{told}"
    );
    Ok(told["params"].take())
}

/// What someone knows who was told changes: by id, version and document.
#[derive(Default)]
struct Copy(BTreeMap<String, (u64, Json)>);

impl Copy {
    fn take(&mut self, changes: &Json) {
        for change in changes.as_array().expect("a list of changes") {
            let version = change["version"].as_u64().expect("a version");
            let id = change.get("id").unwrap_or(&change["doc"]["id"]);
            let id = id.as_str().expect("an id").to_owned();
            match change["op"].as_str() {
                Some("index") => drop(self.0.insert(id, (version, change["doc"].clone()))),
                _ => drop(self.0.remove(&id)),
            }
        }
    }

    fn documents(&self) -> Vec<&Json> {
        self.0.values().map(|(_, doc)| doc).collect()
    }
}

/// Everything there is that passes `filter`, in order of the ids.
async fn scrolled(wire: &mut Wire, filter: &Json) -> Result<Vec<Json>> {
    let params = json!({"db": "d", "filter": filter, "limit": 10_000, "include": "*"});
    let mut page = wire.result("doc.scroll", params).await?;
    assert_eq!(page["cursor"], Json::Null);
    let docs = page["docs"].as_array_mut().map(std::mem::take);
    Ok(docs.expect("a list of documents"))
}

/// Writes at random, some of it twice, some of it in vain.
async fn write_at_random(server: &Server, seed: u64, writes: u32) -> Result<()> {
    let (mut rng, mut wire) = (Rng::with_seed(seed), Wire::open(server).await?);
    for _ in 0..writes {
        let number = rng.u32(..40);
        let params = match rng.u32(..10) {
            0..6 => {
                let count = rng.u32(1..5);
                let docs = (0..count).map(|_| doc(rng.u32(..40), rng.u32(..9)));
                let docs: Vec<_> = docs.collect();
                ("doc.index", index(&docs))
            }
            6 => (
                "doc.patch",
                json!({"db": "d", "filter": {"price": rng.u32(..9)},
                                      "set": {"price": rng.u32(..9)}}),
            ),
            7 => ("doc.delete", json!({"db": "d", "filter": {"price": rng.u32(..9)}})),
            _ => ("doc.delete", json!({"db": "d", "ids": [format!("p{number}")]})),
        };
        wire.result(params.0, params.1).await?;
    }
    Ok(())
}

#[tokio::test]
async fn changes_are_told_as_they_happen_until_nobody_wants_them() -> Result<()> {
    within_time(async {
        let server = server().await?;
        let (mut wire, mut writer) = (Wire::open(&server).await?, Wire::open(&server).await?);
        writer.result("doc.index", index(&[doc(1, 1)])).await?;
        let params = json!({"db": "d", "filter": {"price": {"$lt": 5}}, "include": ["price"]});
        let begun = wire.result("subscribe", params).await?;
        assert!(begun["cursor"].is_string(), "{begun}");
        writer.result("doc.index", index(&[doc(2, 2)])).await?;
        let told = hear(&mut wire, "changes", &begun["subscription"]).await?;
        let written = json!([{"op": "index", "version": told["changes"][0]["version"],
                              "doc": {"id": "p2", "price": 2.0}}]);
        assert_eq!(told["changes"], written);
        writer.result("doc.index", index(&[doc(2, 7)])).await?;
        let told = hear(&mut wire, "changes", &begun["subscription"]).await?;
        assert_eq!(told["changes"][0]["op"], "leave", "{told}");

        let since = json!({"db": "d", "since": begun["cursor"], "limit": 1});
        let again = wire.result("subscribe", since).await?;
        assert_eq!(again["cursor"], begun["cursor"]);
        let first = hear(&mut wire, "changes", &again["subscription"]).await?;
        assert_eq!(first["changes"].as_array().map(Vec::len), Some(1));
        let second = hear(&mut wire, "changes", &again["subscription"]).await?;
        assert_eq!(second["changes"][0]["doc"]["price"], 7.0);

        for number in [&begun["subscription"], &again["subscription"]] {
            let params = json!({"subscription": number});
            assert_eq!(wire.result("unsubscribe", params.clone()).await?["unsubscribed"], true);
            assert_eq!(code(&wire.ask("unsubscribe", params).await?), Some("not_found"));
        }
        writer.result("doc.index", index(&[doc(3, 3)])).await?;
        // Were it told of the document, that would come before this answer or the next.
        for _ in 0..3 {
            wire.result("db.list", json!({})).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_follows_two_writers_ends_up_with_the_documents_of_the_database() -> Result<()> {
    within_time(async {
        let seed = seed(1);
        for program in 0..programs(4) {
            let server = server().await?;
            let (mut wire, mut reader) = (Wire::open(&server).await?, Wire::open(&server).await?);
            let filter = if program % 2 == 0 { json!({}) } else { json!({"price": {"$gte": 4}}) };
            let limit = [1, 3, 1_000][usize::try_from(program % 3).expect("small")];
            let params = json!({"db": "d", "filter": filter, "limit": limit, "include": "*"});
            let begun = wire.result("subscribe", params).await?;
            let (one, two) = tokio::join!(
                write_at_random(&server, seed + 2 * program, 60),
                write_at_random(&server, seed + 2 * program + 1, 60),
            );
            one.and(two)?;
            let (mut copy, mut cursor) = (Copy::default(), begun["cursor"].clone());
            // The position may be further on than what is told: of a write that changed nothing
            // there is nothing to tell.
            loop {
                let rest = json!({"db": "d", "since": cursor, "filter": filter});
                if reader.result("changes", rest).await?["changes"] == json!([]) {
                    break;
                }
                let mut told = hear(&mut wire, "changes", &begun["subscription"]).await?;
                copy.take(&told["changes"]);
                cursor = told["cursor"].take();
            }
            let there = scrolled(&mut reader, &filter).await?;
            assert_eq!(copy.documents(), there.iter().collect::<Vec<_>>(), "program {program}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_search_that_is_followed_says_what_a_new_one_finds() -> Result<()> {
    within_time(async {
        let seed = seed(100);
        for program in 0..programs(4) {
            let server = server().await?;
            let (mut wire, mut reader) = (Wire::open(&server).await?, Wire::open(&server).await?);
            let mut search = json!({"db": "d", "vector": direction(7), "limit": 5});
            if program % 2 == 1 {
                search["filter"] = json!({"price": {"$lt": 6}});
            }
            let begun = wire.result("subscribe", json!({"search": search})).await?;
            let mut told = begun["hits"].clone();
            assert_eq!(told, json!([]));
            let (one, two) = tokio::join!(
                write_at_random(&server, seed + 2 * program, 40),
                write_at_random(&server, seed + 2 * program + 1, 40),
            );
            one.and(two)?;
            let found = reader.result("search", search).await?["hits"].take();
            while told != found {
                let hits = hear(&mut wire, "hits", &begun["subscription"]).await?["hits"].take();
                assert_ne!(hits, told, "told twice in program {program}");
                told = hits;
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn hits_are_told_when_they_differ_and_not_when_something_else_does() -> Result<()> {
    within_time(async {
        let server = server().await?;
        let (mut wire, mut writer) = (Wire::open(&server).await?, Wire::open(&server).await?);
        writer.result("doc.index", index(&[doc(10, 1), doc(20, 1)])).await?;
        let search = json!({"db": "d", "vector": direction(0), "limit": 2, "include": ["price"]});
        let begun = wire.result("subscribe", json!({"search": search})).await?;
        let ids = |hits: &Json| -> Vec<Json> {
            let hits = hits.as_array().expect("a list of hits");
            hits.iter().map(|hit| hit["id"].clone()).collect()
        };
        assert_eq!(ids(&begun["hits"]), ["p10", "p20"]);
        for number in 500..520 {
            writer.result("doc.index", index(&[doc(number, 1)])).await?;
        }
        writer.result("doc.index", index(&[doc(5, 1)])).await?;
        let told = hear(&mut wire, "hits", &begun["subscription"]).await?;
        assert_eq!(ids(&told["hits"]), ["p5", "p10"]);
        writer.result("doc.patch", json!({"db": "d", "id": "p10", "set": {"price": 3}})).await?;
        let told = hear(&mut wire, "hits", &begun["subscription"]).await?;
        assert_eq!(told["hits"][1]["doc"]["price"], 3.0, "{told}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn groups_and_several_vectors_are_followed_as_one_vector_is() -> Result<()> {
    within_time(async {
        let server = server().await?;
        let (mut wire, mut writer) = (Wire::open(&server).await?, Wire::open(&server).await?);
        let vector = direction(0);
        let shapes = [
            ("groups", json!({"db": "d", "vector": vector, "group_by": "price"})),
            ("results", json!({"db": "d", "vectors": [vector, vector]})),
        ];
        for (name, search) in shapes {
            let begun = wire.result("subscribe", json!({"search": search})).await?;
            writer.result("doc.index", index(&[doc(1, 1)])).await?;
            let told = hear(&mut wire, "hits", &begun["subscription"]).await?;
            assert_eq!(told[name], writer.result("search", search).await?[name]);
            let params = json!({"subscription": begun["subscription"]});
            wire.result("unsubscribe", params).await?;
            writer.result("doc.delete", json!({"db": "d", "ids": ["p1"]})).await?;
        }
        Ok(())
    })
    .await
}

/// A database of its own, which keeps `history_bytes` of changes.
fn lent(history_bytes: u64) -> Result<Catalog> {
    let schema =
        Schema::from_json_str(r#"{"id": "u64", "embedding": {"vector": 2}, "payload": "string"}"#)?;
    let options = DatabaseOptions { history_bytes: Some(history_bytes), ..Default::default() };
    Ok(Catalog::lent(vectordoc_server::Name::parse("d")?, Database::in_memory(&schema, &options)?))
}

/// Documents with much in them, so that a socket soon holds no more.
async fn write_much(server: &Server, count: u64) -> Result<()> {
    let (mut writer, payload) = (Wire::open(server).await?, "x".repeat(200_000));
    for number in 0..count {
        let doc = json!({"id": number, "embedding": [1, number], "payload": payload});
        writer.result("doc.index", index(&[doc])).await?;
    }
    Ok(())
}

#[tokio::test]
async fn who_reads_slowly_misses_nothing_that_the_database_keeps() -> Result<()> {
    const DOCS: u64 = 150;
    within_time(async {
        let server = Server::start(lent(1 << 30)?, &any_port()).await?;
        let mut wire = Wire::open(&server).await?;
        let begun = wire.result("subscribe", json!({"db": "d", "limit": 2})).await?;
        write_much(&server, DOCS).await?;
        let mut ids = Vec::new();
        while ids.len() < 150 {
            let told = hear(&mut wire, "changes", &begun["subscription"]).await?;
            let changes = told["changes"].as_array().expect("a list of changes");
            assert!(changes.len() <= 2);
            ids.extend(changes.iter().map(|change| change["doc"]["id"].as_u64()));
        }
        assert_eq!(ids, (0..DOCS).map(Some).collect::<Vec<_>>());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_falls_behind_what_the_database_keeps_is_told_so_and_goes_on() -> Result<()> {
    const DOCS: u64 = 200;
    within_time(async {
        let server = Server::start(lent(1_000_000)?, &any_port()).await?;
        let (mut wire, mut writer) = (Wire::open(&server).await?, Wire::open(&server).await?);
        let begun = wire.result("subscribe", json!({"db": "d", "include": ["id"]})).await?;
        let heavy = wire.result("subscribe", json!({"db": "d", "limit": 1})).await?;
        write_much(&server, DOCS).await?;
        // The light subscription stands behind the heavy one on the same connection, and each
        // says by itself what it missed.
        let mut next = BTreeMap::from([("light", 0), ("heavy", 0)]);
        let mut lagged = 0;
        while next.values().any(|next| *next < DOCS) {
            let told = wire.receive().await?;
            let params = &told["params"];
            let which = match &params["subscription"] {
                number if *number == begun["subscription"] => "light",
                number => {
                    assert_eq!(*number, heavy["subscription"]);
                    "heavy"
                }
            };
            match told["method"].as_str() {
                Some("lagged") => {
                    assert_eq!(params["error"]["code"], "conflict", "{params}");
                    // Who was told this scrolls; all that is not scrolled comes later.
                    let count = writer.result("doc.count", json!({"db": "d"})).await?;
                    next.insert(which, count["count"].as_u64().expect("a count"));
                    lagged += 1;
                }
                Some("changes") => {
                    for change in params["changes"].as_array().expect("a list of changes") {
                        let id = change["doc"]["id"].as_u64().expect("an id");
                        let due = next.get_mut(which).expect("one of the two");
                        assert!(id <= *due, "{which} missed {due} to {id} and was not told");
                        *due = (*due).max(id + 1);
                    }
                }
                _ => panic!("{told}"),
            }
        }
        assert!(lagged > 0, "nobody fell behind");
        let old = json!({"db": "d", "since": begun["cursor"]});
        let mut other = Wire::open(&server).await?;
        assert_eq!(code(&other.ask("subscribe", old).await?), Some("conflict"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_database_that_is_dropped_ends_who_follows_it() -> Result<()> {
    within_time(async {
        let server = server().await?;
        let (mut wire, mut other) = (Wire::open(&server).await?, Wire::open(&server).await?);
        let changes = wire.result("subscribe", json!({"db": "d"})).await?["subscription"].take();
        let search = json!({"search": {"db": "d", "vector": direction(1)}});
        let search = wire.result("subscribe", search).await?["subscription"].take();
        other.result("db.drop", json!({"db": "d"})).await?;
        let mut ended = Vec::new();
        for _ in 0..2 {
            let told = wire.receive().await?;
            assert_eq!(told["method"], "ended", "{told}");
            assert_eq!(told["params"]["error"]["code"], "not_found", "{told}");
            ended.push(told["params"]["subscription"].clone());
        }
        ended.sort_by_key(Json::as_u64);
        assert_eq!(ended, [changes.clone(), search]);
        let answer = wire.ask("unsubscribe", json!({"subscription": changes})).await?;
        assert_eq!(code(&answer), Some("not_found"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_key_that_is_revoked_or_of_another_database_hears_nothing_more() -> Result<()> {
    within_time(async {
        let data = TempDir::new().expect("a folder");
        let keys = KeyFile::of(data.path());
        let (admin, _) = keys.create("", Role::Admin, Scope::of([])?)?;
        let (reader, listed) = keys.create("", Role::Read, Scope::of(["d"])?)?;
        let server = server_of(data.path()).await?;
        let mut admin = wire_of(&server, admin.reveal()).await?;
        for db in ["d", "e"] {
            let params = json!({"db": db, "schema": Product::schema().to_json()});
            admin.result("db.create", params).await?;
        }
        let mut wire = wire_of(&server, reader.reveal()).await?;
        let denied = [json!({"db": "e"}), json!({"search": {"db": "e", "vector": direction(1)}})];
        for params in denied {
            assert_eq!(code(&wire.ask("subscribe", params).await?), Some("denied"));
        }
        let mut nobody = Wire::open(&server).await?;
        let answer = nobody.ask("subscribe", json!({"db": "d"})).await?;
        assert_eq!(code(&answer), Some("unauthenticated"));

        let begun = wire.result("subscribe", json!({"db": "d"})).await?;
        admin.result("doc.index", index(&[doc(1, 1)])).await?;
        hear(&mut wire, "changes", &begun["subscription"]).await?;
        keys.revoke(listed.id())?;
        // The server notices within a moment; until then changes may still be told.
        let mut number = 2;
        let ended = loop {
            admin.result("doc.index", index(&[doc(number, 1)])).await?;
            number += 1;
            let told = wire.receive().await?;
            if told["method"] == "ended" {
                break told;
            }
        };
        assert_eq!(ended["params"]["error"]["code"], "unauthenticated", "{ended}");
        Ok(())
    })
    .await
}

async fn wire_of(server: &Server, key: &str) -> Result<Wire> {
    Wire::open_with(server, Some(&format!("Bearer {key}"))).await
}

#[tokio::test]
async fn a_connection_has_as_many_subscriptions_as_the_limit_and_one_more_once_one_ends()
-> Result<()> {
    within_time(async {
        let server = server().await?;
        let mut wire = Wire::open(&server).await?;
        let max = wire.hello["params"]["limits"]["subscriptions_max"].as_u64().expect("a limit");
        let mut begun = Json::Null;
        for _ in 0..max {
            begun = wire.result("subscribe", json!({"db": "d"})).await?;
        }
        let refused = wire.ask("subscribe", json!({"db": "d"})).await?;
        assert_eq!(code(&refused), Some("limit_exceeded"));
        assert!(refused["error"]["message"].to_string().contains(&max.to_string()), "{refused}");
        for _ in 0..3 {
            let params = json!({"subscription": begun["subscription"]});
            wire.result("unsubscribe", params).await?;
            begun = wire.result("subscribe", json!({"db": "d"})).await?;
        }
        Wire::open(&server).await?.result("subscribe", json!({"db": "d"})).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_cannot_be_followed_is_refused_with_what_is_wrong() -> Result<()> {
    within_time(async {
        let server = server().await?;
        let mut wire = Wire::open(&server).await?;
        let refused = [
            (json!({}), "invalid", "db"),
            (json!({"db": "nix"}), "not_found", "nix"),
            (json!({"db": "d", "sinc": "1"}), "invalid", "since"),
            (json!({"db": "d", "since": "nonsense"}), "invalid", "position"),
            (json!({"db": "d", "limit": 0}), "invalid", "limit is 0"),
            (json!({"db": "d", "limit": 10_001}), "limit_exceeded", "10000"),
            (json!({"db": "d", "filter": {"titel": 1}}), "invalid", "titel"),
            (json!({"db": "d", "search": {"db": "d"}}), "invalid", "beside"),
            (json!({"search": {"db": "d"}}), "invalid", "vector"),
            (json!({"search": {"db": "d", "vector": [1]}}), "invalid", "dimension"),
            (
                json!({"search": {"db": "d", "vector": [1, 0, 0], "explain": true}}),
                "invalid",
                "explain",
            ),
        ];
        for (params, expected, part) in refused {
            let answer = wire.ask("subscribe", params.clone()).await?;
            assert_eq!(code(&answer), Some(expected), "{params}: {answer}");
            let message = answer["error"]["message"].as_str().unwrap_or_default();
            assert!(message.contains(part), "{params}: {message}");
        }
        let batch =
            r#"[{"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": {"db": "d"}}]"#;
        wire.say(batch).await?;
        let answer = wire.receive().await?;
        assert_eq!(answer[0]["error"]["code"], -32600, "{answer}");
        let answer = wire.ask("unsubscribe", json!({"subscription": "a"})).await?;
        assert_eq!(code(&answer), Some("invalid"));
        // Nothing of it took a place.
        let max = wire.hello["params"]["limits"]["subscriptions_max"].as_u64().expect("a limit");
        for _ in 0..max {
            wire.result("subscribe", json!({"db": "d"})).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_server_that_stops_and_a_client_that_leaves_end_subscriptions() -> Result<()> {
    within_time(async {
        let server = server().await?;
        let mut wire = Wire::open(&server).await?;
        wire.result("subscribe", json!({"db": "d"})).await?;
        let mut leaving = Wire::open(&server).await?;
        leaving.result("subscribe", json!({"db": "d"})).await?;
        drop(leaving);
        let mut writer = Wire::open(&server).await?;
        writer.result("doc.index", index(&[doc(1, 1)])).await?;
        assert_eq!(wire.receive().await?["method"], "changes");
        let stopped = tokio::spawn(server.shutdown());
        assert_eq!(wire.receive().await?["method"], "goaway");
        assert!(wire.hear_close().await.is_some());
        assert!(writer.hear_close().await.is_some());
        stopped.await.expect("it does not panic")
    })
    .await
}
