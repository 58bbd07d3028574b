//! Promise: a search by words means the same through the service, the client and the command line
//! as embedded, and what would be ignored is refused.

mod cli_program;
mod server_fixture;

use cli_program::{Running, run, text};
use serde_json::{Value as Json, json};
use server_fixture::{memory_server, within_time};
use vectordoc::{
    Database, Document, Examples, Fusion, Hit, Id, Query, Result, Schema,
    client::{Connection, Remote},
    native::DatabaseOptions,
};

const TEXTS: [&str; 5] = ["a wild cat", "the dog", "a cat", "wild geese", "cats"];

fn schema() -> Schema {
    let json = r#"{"id": "u64", "place": {"vector": 2, "metric": "l2"},
        "gloss": {"type": "string", "text": true}}"#;
    Schema::from_json_str(json).expect("the schema is well formed")
}

fn documents() -> Vec<Document> {
    let document = |(id, text): (u16, &str)| {
        let vector = vec![f32::from(id), 0.0];
        Document { id: Id::Int(id.into()), vectors: vec![Some(vector)], values: vec![text.into()] }
    };
    (0..).zip(TEXTS).map(document).collect()
}

fn queries() -> Vec<Query> {
    let by_text = Query::of_text("wild cat");
    let by_both = Query { vector: Some(vec![2.2, 0.0]), ..by_text.clone() };
    let weighted = Query { fusion: Fusion::Weighted { text: 0.25 }, ..by_both.clone() };
    let filter = r#"{"gloss": {"$text": "cat"}}"#.parse().expect("it is a filter");
    vec![Query { filter, ..by_text.clone() }, by_text, by_both, weighted]
}

#[tokio::test]
async fn the_client_answers_as_an_embedded_database() -> Result<()> {
    within_time(async {
        let embedded = Database::in_memory(&schema(), &DatabaseOptions::default())?;
        embedded.index(documents())?;
        let server = memory_server().await?;
        let connection = Connection::open(&server.url()).await?;
        let remote = Remote::create(connection, "notes", schema(), Some(3)).await?;
        remote.index(&documents()).await?;
        for query in queries() {
            let expected: Vec<Hit> = embedded.search(&query)?;
            assert!(!expected.is_empty());
            assert_eq!(remote.search(&query).await?, expected, "{query:?}");
        }
        let query = Query::of_text("wild cat");
        let vectors = [vec![2.2, 0.0], vec![4.0, 0.0]];
        for (vector, hits) in vectors.iter().zip(remote.search_batch(&vectors, &query).await?) {
            let query = Query { vector: Some(vector.clone()), ..query.clone() };
            assert_eq!(hits, embedded.search(&query)?);
        }
        let examples = Examples { like: vec![Id::Int(2)], unlike: vec![Id::Int(4)] };
        let expected = embedded.search(&embedded.like(&examples, query.clone())?)?;
        assert_eq!(remote.search_like(&examples, &query).await?, expected);
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn the_service_refuses_what_it_would_ignore() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let connection = Connection::open(&server.url()).await?;
        Remote::create(connection.clone(), "notes", schema(), None).await?;
        for (params, part) in [
            (json!({}), "or \"text\" alone"),
            (json!({"vector": [0, 0], "text_field": "gloss"}), "\"text\" is, which is missing"),
            (json!({"text": "cat", "fusion": "rrf"}), "give both"),
            (
                json!({"text": "cat", "vector": [0, 0], "fusion": "sum"}),
                "fusion: a fusion is \"rrf\"",
            ),
            (json!({"text": "cat", "vector": [0, 0], "fusion": {"weighted": 2}}), "from 0 to 1"),
            (json!({"text": "cat", "text_field": "glos"}), "did you mean \"gloss\"?"),
            (json!({"text": 5}), "text: invalid type"),
        ] {
            let mut params = params;
            params["db"] = json!("notes");
            let refused = connection.request("search", &params).await;
            let error = refused.expect_err("it is wrong").to_string();
            assert!(error.contains(part), "{params}: {error}");
        }
        server.shutdown().await
    })
    .await
}

fn ids(answer: &Json) -> Vec<u64> {
    let hits = answer["hits"].as_array().expect("an answer has hits");
    hits.iter().filter_map(|hit| hit["id"].as_u64()).collect()
}

#[test]
fn the_command_line_searches_by_words_with_and_without_a_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let rows = documents().into_iter().zip(TEXTS).map(|(document, text)| {
        let vector = document.vectors[0].clone();
        json!({"id": document.id, "place": vector, "gloss": text}).to_string()
    });
    let rows: Vec<String> = rows.collect();
    std::fs::write(path("rows.jsonl"), rows.join("\n")).expect("it can be written");
    std::fs::write(path("schema.json"), schema().to_json_string()).expect("it can be written");
    let data = path("data");
    run([
        "import",
        text(&path("rows.jsonl")),
        "--schema",
        text(&path("schema.json")),
        "--db",
        "notes",
        "--data",
        text(&data),
    ])
    .succeeded();
    let judge = |place: [&str; 2]| {
        let search = |more: &[&str]| {
            run(["search", "--db", "notes", "--json"].iter().chain(&place).chain(more))
        };
        assert_eq!(ids(&search(&["--text", "wild cat"]).json()), [0, 2, 3]);
        let both = ["--text", "wild cat", "--text-field", "gloss", "--like", "1"];
        assert_eq!(ids(&search(&both).json())[..2], [0, 2], "near to 1, and has a word");
        let by_vector = [&both[..], &["--fusion", "0"]].concat();
        assert_eq!(ids(&search(&by_vector).json()), [0, 2, 3, 4], "by distance alone");
        let refused = search(&["--text", "cat", "--fusion", "rrf"]).failed(2);
        assert!(refused.contains("--like") || refused.contains("--vector"), "{refused}");
        let refused = search(&[&both[..], &["--fusion", "2"]].concat()).failed(2);
        assert!(refused.contains("a number from 0 to 1"), "{refused}");
    };
    judge(["--data", text(&data)]);
    let (server, url) = Running::serve(&data);
    judge(["--url", &url]);
    server.terminate();
}
