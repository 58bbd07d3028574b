//! Promise: real data is found at default settings, plain and under every filter, with exactly
//! `min(10, matching)` hits — embedded, and served from four shards over WebSocket.

mod cli_program;

use cli_program::{Running, run, text};
use vectordoc::{
    Database, Query, Result,
    client::{Connection, Remote},
    native::DatabaseOptions,
};
use vectordoc_tests::wordnet::{LIMIT, Question, WordNet};

fn queries<'a>(set: &'a WordNet, question: &'a Question) -> impl Iterator<Item = Query> + 'a {
    set.queries.iter().map(|vector| Query {
        filter: question.filter.clone(),
        limit: LIMIT,
        ..Query::new(vector.clone())
    })
}

fn judge_embedded(db: &Database, set: &WordNet) -> Result<()> {
    for question in &set.questions {
        let answers = queries(set, question).map(|query| db.search(&query));
        question.judge(&answers.collect::<Result<Vec<_>>>()?);
    }
    Ok(())
}

#[test]
fn embedded_it_is_found_before_and_after_reopening_which_builds_nothing() -> Result<()> {
    let set = WordNet::load();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let options = DatabaseOptions::default();
    let db = Database::create(directory.path(), &WordNet::schema(), &options)?;
    for batch in set.batches(1_000) {
        db.index(batch)?;
    }
    db.wait_indexed(&mut |_, _| {})?;
    judge_embedded(&db, &set)?;
    db.close()?;
    let db = Database::open(directory.path(), &options)?;
    assert_eq!(db.stats().unindexed, 0, "the graph was read, not built");
    judge_embedded(&db, &set)
}

/// Writes the set as the data set folder that `import` reads.
fn write_folder(set: &WordNet, folder: &std::path::Path) {
    let rows = set.batches(1).flatten().map(|document| {
        let vectordoc::Id::Int(id) = document.id else { unreachable!("ids are rows") };
        let [vectordoc::Value::Int(length), vectordoc::Value::Text(lexname)] = &document.values[..]
        else {
            unreachable!("the fields of the schema")
        };
        serde_json::json!({"id": id, "gloss_len": length, "lexname": lexname}).to_string()
    });
    let rows: Vec<String> = rows.collect();
    std::fs::write(folder.join("rows.jsonl"), rows.join("\n")).expect("it can be written");
    cli_program::npy::write_f32(&folder.join("vectors.npy"), &set.vectors);
    let schema = WordNet::schema().to_json_string();
    std::fs::write(folder.join("schema.json"), schema).expect("it can be written");
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_into_four_shards_it_is_found_over_websocket() -> Result<()> {
    let set = WordNet::load();
    let directory = tempfile::tempdir().expect("a temporary directory");
    write_folder(&set, directory.path());
    let (_server, url) = Running::serve(&directory.path().join("data"));
    let file = |name: &str| text(&directory.path().join(name)).to_owned();
    let (rows, vectors, schema) = (file("rows.jsonl"), file("vectors.npy"), file("schema.json"));
    let arguments = [
        "import",
        &rows,
        "--vectors",
        &vectors,
        "--schema",
        &schema,
        "--db",
        "wordnet",
        "--url",
        &url,
        "--shards",
        "4",
    ];
    run(arguments).succeeded();
    let remote = Remote::open(Connection::open(&url).await?, "wordnet").await?;
    assert_eq!(remote.describe().await?.shards, 4);
    assert_eq!(remote.count(&vectordoc::Filter::All).await?, set.vectors.len() as u64);
    for question in &set.questions {
        let mut answers = Vec::new();
        for query in queries(&set, question) {
            answers.push(remote.search(&query).await?);
        }
        question.judge(&answers);
    }
    Ok(())
}
