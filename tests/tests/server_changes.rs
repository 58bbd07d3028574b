//! Promise: a served database can be followed over the wire as an embedded one.

mod server_fixture;

use serde_json::{Value as Json, json};
use server_fixture::{Wire, memory_server, within_time};
use vectordoc::Result;

#[tokio::test]
async fn changes_are_told_from_a_position_on_and_a_filter_says_what_leaves() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut wire = Wire::open(&server).await?;
        let schema = json!({"id": "string", "embedding": {"vector": 2},
                            "price": {"type": "number", "filter": true}});
        wire.result("db.create", json!({"db": "d", "schema": schema})).await?;
        let now = wire.result("changes", json!({"db": "d"})).await?;
        assert_eq!(now["changes"], json!([]));
        let doc = |id: &str, price: u8| json!({"id": id, "embedding": [1, 0], "price": price});
        let docs = json!({"db": "d", "docs": [doc("a", 1), doc("b", 9)]});
        wire.result("doc.index", docs).await?;
        wire.result("doc.delete", json!({"db": "d", "ids": ["b"]})).await?;

        let params = json!({"db": "d", "since": now["cursor"], "include": "*"});
        let told = wire.result("changes", params).await?;
        let number = |price: u8| f64::from(price);
        let whole =
            |id: &str, price| json!({"id": id, "embedding": [1.0, 0.0], "price": number(price)});
        let gone = json!({"op": "delete", "id": "b", "version": 2});
        assert_eq!(
            told["changes"],
            json!([
                {"op": "index", "doc": whole("a", 1), "version": 1},
                {"op": "index", "doc": whole("b", 9), "version": 1},
                gone,
            ])
        );
        assert_eq!(told["has_more"], false);

        let params = json!({"db": "d", "since": now["cursor"], "limit": 2,
                            "filter": {"price": {"$lt": 5}}});
        let told = wire.result("changes", params).await?;
        assert_eq!(
            told["changes"],
            json!([
                {"op": "index", "doc": {"id": "a", "price": 1.0}, "version": 1},
                {"op": "leave", "id": "b", "version": 1},
            ])
        );
        assert_eq!(told["has_more"], true);
        let rest = wire.result("changes", json!({"db": "d", "since": told["cursor"]})).await?;
        assert_eq!(rest["changes"], json!([gone]));
        let end = wire.result("changes", json!({"db": "d", "since": rest["cursor"]})).await?;
        assert_eq!((&end["changes"], &end["cursor"]), (&json!([]), &rest["cursor"]));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn positions_of_other_databases_and_nonsense_are_refused() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut wire = Wire::open(&server).await?;
        let schema = json!({"id": "string", "embedding": {"vector": 2}});
        for db in ["d", "e"] {
            wire.result("db.create", json!({"db": db, "schema": schema})).await?;
        }
        let foreign = wire.result("changes", json!({"db": "e"})).await?["cursor"].take();
        let refused = [(foreign, "conflict"), (json!("nonsense"), "invalid")];
        for (since, code) in refused {
            let answer: Json = wire.ask("changes", json!({"db": "d", "since": since})).await?;
            assert_eq!(answer["error"]["data"]["code"], code, "{answer}");
        }
        let answer = wire.ask("changes", json!({"db": "d", "limit": 10_001})).await?;
        assert_eq!(answer["error"]["data"]["code"], "limit_exceeded", "{answer}");
        Ok(())
    })
    .await
}
