//! Promise: every answer that a filter goes into says over the wire which conditions no index
//! serves, and nothing where there is nothing to say; and a server measures its own recall.

mod server_fixture;

use serde_json::{Value as Json, json};
use server_fixture::{Product, Wire, client_of, direction, memory_server, products, within_time};
use vectordoc::{Result, VectorDoc};

#[tokio::test]
async fn every_answer_with_a_filter_warns_of_what_no_index_serves() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        client_of(&server, 2).await?.index(products(50)).await?;
        let mut wire = Wire::open(&server).await?;
        let vector = direction(1);
        let table = [
            ("search", json!({"vector": vector})),
            ("search", json!({"vector": vector, "explain": true})),
            ("search", json!({"vectors": [vector, vector]})),
            ("search", json!({"vectors": [vector, vector], "explain": true})),
            ("search", json!({"vector": vector, "group_by": "price"})),
            ("doc.count", json!({})),
            ("doc.scroll", json!({})),
            ("doc.facet", json!({"field": "price"})),
            ("doc.patch", json!({"set": {"title": "a"}})),
            ("doc.delete", json!({})),
        ];
        let slow = json!({"tags.0": "odd"});
        let quick = json!({"tags": "odd"});
        for (method, mut params) in table {
            params["db"] = json!("products");
            params["filter"] = slow.clone();
            let answer = wire.result(method, params.clone()).await?;
            let warnings = answer["warnings"].as_array().map(Vec::as_slice).unwrap_or_default();
            let [Json::String(warning)] = warnings else { panic!("{method}: {answer}") };
            assert!(
                warning.contains("\"tags.0\"") && warning.contains("25 documents"),
                "{warning}"
            );
            params["filter"] = quick.clone();
            let answer = wire.result(method, params.clone()).await?;
            assert!(answer.get("warnings").is_none(), "{method}: {answer}");
            if method == "doc.delete" {
                continue;
            }
            // And what was found is the same.
            let mut again = wire.result(method, params.clone()).await?;
            params["filter"] = slow.clone();
            let mut slow = wire.result(method, params).await?;
            for answer in [&mut again, &mut slow] {
                answer.as_object_mut().map(|answer| answer.remove("warnings"));
            }
            assert_eq!(again, slow, "{method}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_ef_less_than_the_hits_to_find_is_told() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        client_of(&server, 1).await?.index(products(50)).await?;
        let mut wire = Wire::open(&server).await?;
        let search = |ef: u32| json!({"db": "products", "vector": direction(1), "ef": ef});
        let answer = wire.result("search", search(9)).await?;
        assert!(answer["warnings"][0].to_string().contains("ef is 9"), "{answer}");
        assert!(wire.result("search", search(10)).await?.get("warnings").is_none());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_follows_a_search_is_warned_once() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client = client_of(&server, 1).await?;
        client.index(products(10)).await?;
        let mut wire = Wire::open(&server).await?;
        let search = json!({"db": "products", "vector": direction(1), "filter": {"tags.0": "odd"}});
        let begun = wire.result("subscribe", json!({"search": search})).await?;
        assert_eq!(begun["warnings"].as_array().map(Vec::len), Some(1), "{begun}");
        // It changes what the filter costs, and no hit.
        let mut unlike = server_fixture::product(1);
        (unlike.id, unlike.tags) = ("x".into(), vec!["even".into(), "odd".into()]);
        client.index([unlike]).await?;
        client.index(products(12)).await?;
        let told = wire.receive().await?;
        assert_eq!(told["params"]["hits"].as_array().map(Vec::len), Some(6), "{told}");
        assert!(told["params"].get("warnings").is_none(), "{told}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_server_measures_its_recall() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let mut wire = Wire::open(&server).await?;
        let params = json!({"db": "products", "schema": Product::schema().to_json()});
        wire.result("db.create", params).await?;
        let empty = wire.result("db.recall", json!({"db": "products"})).await?;
        assert_eq!((&empty["recall"], &empty["sampled"]), (&Json::Null, &json!(0)), "{empty}");
        client_of(&server, 1).await?.index(products(100)).await?;
        let params = json!({"db": "products", "sample": 30, "k": 5, "seed": 9,
                            "filter": {"tags": "odd"}});
        let measured = wire.result("db.recall", params).await?;
        assert_eq!(measured["recall"], 1.0, "a hundred vectors are compared: {measured}");
        assert_eq!((&measured["sampled"], &measured["k"]), (&json!(30), &json!(5)), "{measured}");
        for time in ["exact_ms", "search_ms"] {
            assert!(measured[time].as_f64().is_some_and(|time| time > 0.0), "{measured}");
        }
        assert!(measured["ef"].is_u64(), "{measured}");
        for (params, code) in [
            (json!({"db": "products", "sample": 1_001}), "limit_exceeded"),
            (json!({"db": "products", "k": 1_001}), "limit_exceeded"),
            (json!({"db": "products", "k": 0}), "invalid"),
            (json!({"db": "products", "samples": 5}), "invalid"),
            (json!({"db": "nix"}), "not_found"),
        ] {
            let answer = wire.ask("db.recall", params.clone()).await?;
            assert_eq!(answer["error"]["data"]["code"], code, "{params}: {answer}");
        }
        wire.result("db.recall", json!({"db": "products", "sample": 1_000, "k": 1_000})).await?;
        Ok(())
    })
    .await
}
