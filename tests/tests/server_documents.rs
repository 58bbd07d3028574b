//! Promise: what is done to documents and asked of them means the same embedded and served.

mod server_fixture;

use serde_json::json;
use server_fixture::{
    Product, Wire, client_of, direction, kind, memory_server, product, products, within_time,
};
use std::collections::BTreeSet;
use vectordoc::{
    Client, Db, ErrorKind, Filter, Hit, HitGroup, Include, Order, Patch, Result, Scroll, Value,
};

const SHARDS: usize = 3;
const COUNT: u32 = 60;

/// The same products in an embedded database and in a served one.
async fn both() -> Result<(vectordoc_server::Server, Db<Product>, Client<Product>)> {
    let server = memory_server().await?;
    let client = client_of(&server, SHARDS).await?;
    let db = Db::builder().shards(SHARDS).in_memory()?;
    client.index(products(COUNT)).await?;
    db.index(products(COUNT))?;
    Ok((server, db, client))
}

/// Asserts that both databases hold the same documents.
async fn check_same(db: &Db<Product>, client: &Client<Product>) -> Result<()> {
    let scroll = Scroll::new(1_000);
    assert_eq!(client.scroll_by(scroll.clone()).await?, db.scroll_by(scroll)?);
    Ok(())
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_nothing_else() -> Result<()> {
    within_time(async {
        let (_server, db, client) = both().await?;
        let patch = || {
            Patch::new()
                .set("title", "changed")
                .set_vector("embedding", &direction(500))
                .increment("price", -0.5)
        };
        let version = client.patch("p3", patch()).await?;
        db.patch("p3", patch())?;
        let expected = Product {
            title: "changed".into(),
            embedding: direction(500),
            price: 2.5,
            ..product(3)
        };
        assert_eq!(client.get_versioned("p3").await?, Some((expected, version)));
        check_same(&db, &client).await?;

        let even = || Product::tags().contains("even");
        let cheaper = || Patch::new().increment("price", -10).set("tags", Value::Array(Vec::new()));
        assert_eq!(client.patch_where(even(), cheaper()).await?, 30);
        assert_eq!(db.patch_where(even(), cheaper())?, 30);
        assert_eq!(client.count(even()).await?, 0);
        check_same(&db, &client).await
    })
    .await
}

#[tokio::test]
async fn a_patch_that_cannot_be_made_changes_nothing_and_says_the_same() -> Result<()> {
    within_time(async {
        let (_server, db, client) = both().await?;
        for patch in [
            Patch::new().set("prise", 5.0),
            Patch::new().set("id", "other"),
            Patch::new().set("price", "cheap"),
            Patch::new().unset("title"),
            Patch::new().increment("title", 1),
            Patch::new().set("price", 1.0).increment("price", 1),
            Patch::new().set_vector("embedding", &[1.0]),
        ] {
            let embedded = db.patch("p1", patch.clone()).expect_err("it cannot be made");
            assert_eq!(client.patch("p1", patch).await, Err(embedded));
        }
        let nan = || Patch::new().set("price", f64::NAN);
        assert_eq!(kind(client.patch("p1", nan()).await), Some(ErrorKind::Invalid));
        assert_eq!(kind(db.patch("p1", nan())), Some(ErrorKind::Invalid));
        let price = || Patch::new().set("price", 1.0);
        assert_eq!(client.patch("nobody", price()).await, db.patch("nobody", price()));
        assert_eq!(client.get("p1").await?, Some(product(1)));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_write_on_a_condition_happens_once() -> Result<()> {
    within_time(async {
        let (_server, db, client) = both().await?;
        let named = |title: &str| Product { title: title.into(), ..product(1) };
        let (_, version) = client.get_versioned("p1").await?.expect("it is there");
        let next = client.index_if(named("mine"), version).await?;
        assert!(next > version);
        for refused in [
            client.index_if(named("theirs"), version).await.map(drop),
            client.patch_if("p1", Patch::new().set("price", 0), version).await.map(drop),
            client.delete_if("p1", version).await,
            client.index_if(named("new"), 0).await.map(drop),
        ] {
            assert_eq!(kind(refused), Some(ErrorKind::Conflict));
        }
        assert_eq!(client.get_versioned("p1").await?, Some((named("mine"), next)));
        let last = client.patch_if("p1", Patch::new().set("price", 7), next).await?;
        client.delete_if("p1", last).await?;
        assert_eq!(client.get_versioned("p1").await?, None);
        assert_eq!(kind(client.index_if(named("late"), last).await), Some(ErrorKind::Conflict));
        client.index_if(product(1), 0).await?;
        check_same(&db, &client).await
    })
    .await
}

#[tokio::test]
async fn several_that_count_up_on_a_condition_lose_no_count() -> Result<()> {
    const WRITERS: u32 = 8;
    const TIMES: u32 = 20;
    within_time(async {
        let (_server, _, client) = both().await?;
        client.index([Product { price: 0.0, ..product(0) }]).await?;
        let writers = (0..WRITERS).map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..TIMES {
                    loop {
                        let found = client.get_versioned("p0").await?;
                        let (found, version) = found.expect("nobody deletes it");
                        let next = Product { price: found.price + 1.0, ..found };
                        match client.index_if(next, version).await {
                            Err(error) if error.kind() == ErrorKind::Conflict => {}
                            written => break written.map(drop)?,
                        }
                    }
                }
                Ok::<_, vectordoc::Error>(())
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.expect("a writer")?;
        }
        let counted = client.get("p0").await?.map(|found| found.price);
        assert_eq!(counted, Some(f64::from(WRITERS * TIMES)));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn orders_and_facets_are_those_of_an_embedded_database() -> Result<()> {
    within_time(async {
        let (_server, db, client) = both().await?;
        for order in [Order::ascending("price"), Order::descending("price")] {
            let filter = Product::tags().contains("odd");
            let mut scroll = Scroll { order: Some(order), filter, ..Scroll::new(7) };
            loop {
                let page = client.scroll_by(scroll.clone()).await?;
                assert_eq!(page, db.scroll_by(scroll.clone())?);
                let Some(cursor) = page.cursor else { break };
                scroll.cursor = Some(cursor);
            }
        }
        let cheap = || Product::price().lt(21.0);
        let facet = client.facet("tags", cheap(), 10).await?;
        assert_eq!(facet, [(Value::from("even"), 11), (Value::from("odd"), 10)]);
        assert_eq!(facet, db.facet("tags", cheap(), 10)?);
        assert_eq!(client.facet("price", cheap(), 3).await?, db.facet("price", cheap(), 3)?);
        assert_eq!(
            client.facet("title", Filter::All, 3).await,
            db.facet("title", Filter::All, 3),
            "it is not filterable"
        );
        Ok(())
    })
    .await
}

fn shown<T: Clone>(hits: &[Hit<T>]) -> Vec<(T, f32)> {
    hits.iter().map(|hit| (hit.doc.clone(), hit.distance)).collect()
}

fn shown_groups(groups: &[HitGroup<Product>]) -> Vec<(Value, Vec<(Product, f32)>)> {
    groups.iter().map(|group| (group.value.clone(), shown(&group.hits))).collect()
}

#[tokio::test]
async fn examples_and_groups_find_what_they_find_embedded() -> Result<()> {
    within_time(async {
        let (_server, db, client) = both().await?;
        let like = || client.search_like("p30").with(|search| search.limit(2));
        let hits = like().run().await?;
        assert_eq!(shown(&hits), shown(&db.search_like("p30").with(|s| s.limit(2)).run()?));
        let near: BTreeSet<_> = hits.iter().map(|hit| hit.doc.id.as_str()).collect();
        assert_eq!(near, ["p29", "p31"].into());
        let hits = like().unlike(["p29", "p10"]).run().await?;
        assert!(hits.iter().all(|hit| hit.doc.price > 30.0), "away from those below");
        let nobody = client.search_like("nobody").run().await;
        assert_eq!(nobody.map(|_| ()), db.search_like("nobody").run().map(|_| ()));

        let query = direction(17);
        let groups = client.search(&query).limit(5).offset(2).groups("price", 2).await?;
        let embedded = db.search(&query).limit(5).offset(2).groups("price", 2)?;
        assert_eq!(groups.len(), 5);
        assert_eq!(shown_groups(&groups), shown_groups(&embedded));
        let refused = client.search(&query).groups("tags", 2).await;
        assert_eq!(kind(refused), Some(ErrorKind::Invalid), "a group has one value");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_a_query_excepts_is_no_hit_over_the_wire_either() -> Result<()> {
    within_time(async {
        let (_server, _, client) = both().await?;
        let query = vectordoc::Query {
            except: vec!["p5".into(), "p6".into()],
            include: Include::Nothing,
            limit: 2,
            ..vectordoc::Query::new(direction(5))
        };
        let hits = client.remote().search(&query).await?;
        assert_eq!(hits.iter().map(|hit| hit.id.to_string()).collect::<Vec<_>>(), ["p4", "p7"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn answers_of_writes_carry_the_version() -> Result<()> {
    within_time(async {
        let (server, _, _client) = both().await?;
        let mut wire = Wire::open(&server).await?;
        let doc = json!({"id": "new", "embedding": [1, 0, 0], "price": 1, "tags": [], "title": ""});
        let params = json!({"db": "products", "docs": [doc], "if_version": 0});
        let indexed = wire.result("doc.index", params).await?;
        let params = json!({"db": "products", "doc": doc, "if_version": indexed["version"]});
        let updated = wire.result("doc.update", params).await?;
        let set = json!({"price": 2, "tags": ["a", "b"]});
        let params = json!({
            "db": "products", "id": "new", "set": set, "if_version": updated["version"],
        });
        let patched = wire.result("doc.patch", params).await?;
        let params = json!({"db": "products", "ids": ["nobody", "new"], "include": ["price"]});
        let got = wire.result("doc.get", params).await?;
        assert_eq!(got["docs"], json!([null, {"id": "new", "price": 2.0}]));
        assert_eq!(got["versions"], json!([null, patched["version"]]));
        let params = json!({"db": "products", "filter": {"id": {"$exists": true}}});
        assert!(wire.ask("doc.patch", params).await?["error"].is_object());
        Ok(())
    })
    .await
}
