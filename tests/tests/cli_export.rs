//! Promise: `vectordoc export` writes what a database holds, so that what is imported from it is the
//! same to the last bit, and writes a file as a whole or not at all.

mod cli_program;

use cli_program::{Run, Running, paste, run, text};
use fastrand::Rng;
use serde_json::{Value as Json, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use vectordoc::{
    Database, Document, Filter, Include, Result, Schema, Scroll, native::DatabaseOptions,
    schema::IndexKind,
};
use vectordoc_tests::random;

const NAME: &str = "things";

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn database(&self, schema: &Schema) -> Result<Database> {
        let path = self.path("data").join(NAME);
        fs::create_dir_all(&path).expect("a folder");
        let options = DatabaseOptions { shards: Some(2), ..DatabaseOptions::default() };
        Database::create(path, schema, &options)
    }

    /// Documents of every type a schema can have, and their schema.
    fn filled(&self, rng: &mut Rng, count: u64) -> Result<(Schema, Vec<Document>)> {
        let schema = random::schema(rng, IndexKind::Exact);
        let database = self.database(&schema)?;
        let documents = (0..count).map(|id| random::document(rng, &schema, id));
        database.index(documents.collect())?;
        let documents = all(&database)?;
        database.close()?;
        Ok((schema, documents))
    }

    fn at(&self) -> [String; 2] {
        ["--data".into(), text(&self.path("data")).into()]
    }
}

fn all(database: &Database) -> Result<Vec<Document>> {
    let mut scroll = Scroll { include: Include::Everything, ..Scroll::new(100) };
    let mut documents = Vec::new();
    loop {
        let page = database.scroll(&scroll)?;
        documents.extend(page.docs);
        scroll.cursor = page.cursor;
        if scroll.cursor.is_none() {
            return Ok(documents);
        }
    }
}

fn command(verb: &str, file: &Path, at: &[String], more: &[&str]) -> Run {
    let mut arguments = vec![verb, text(file), "--db", NAME];
    arguments.extend(at.iter().map(String::as_str));
    arguments.extend(more);
    run(arguments)
}

/// The bits of every vector, which comparing numbers would not tell apart.
fn bits(documents: &[Document]) -> Vec<u32> {
    let vectors = documents.iter().flat_map(|document| document.vectors.iter().flatten());
    vectors.flatten().map(|number| number.to_bits()).collect()
}

#[test]
fn what_is_imported_from_an_export_is_the_same_to_the_last_bit() -> Result<()> {
    let first = random::seed(1);
    for seed in first..first + random::programs(4) {
        let mut rng = Rng::with_seed(seed);
        let (here, there) = (Place::new(), Place::new());
        let (schema, documents) = here.filled(&mut rng, 150)?;
        let (file, shape) = (here.path("out.jsonl"), here.path("schema.json"));
        let told = command("export", &file, &here.at(), &[]).succeeded();
        assert!(told.contains("exported 150 documents in "), "{told}");
        fs::write(&shape, Json::Object(schema.to_json()).to_string()).expect("written");
        command("import", &file, &there.at(), &["--schema", text(&shape)]).succeeded();
        let database = Database::open(there.path("data").join(NAME), &DatabaseOptions::default())?;
        assert_eq!(*database.schema(), schema, "seed {seed}");
        let imported = all(&database)?;
        assert_eq!(imported, documents, "seed {seed}");
        assert_eq!(bits(&imported), bits(&documents), "seed {seed}");
    }
    Ok(())
}

#[test]
fn a_served_database_gives_the_same_file_as_its_directory() -> Result<()> {
    let place = Place::new();
    let mut rng = Rng::with_seed(random::seed(1));
    place.filled(&mut rng, 2_500)?;
    let (near, far) = (place.path("near.jsonl"), place.path("far.jsonl"));
    let outcome = command("export", &near, &place.at(), &["--json"]).json();
    assert_eq!(outcome["documents"], 2_500);
    let (_server, url) = Running::serve(&place.path("data"));
    command("export", &far, &["--url".into(), url], &[]).succeeded();
    let (near, far) = (fs::read(near).expect("written"), fs::read(far).expect("written"));
    assert!(near == far, "the files differ");
    Ok(())
}

#[test]
fn a_filter_and_names_of_fields_say_what_is_written() -> Result<()> {
    let place = Place::new();
    let rows = (0..30).map(|n| json!({"id": n, "embedding": [1.0, n], "n": n, "note": "x"}));
    let lines: String = rows.map(|row| format!("{row}\n")).collect();
    fs::write(place.path("in.jsonl"), lines).expect("written");
    command("import", &place.path("in.jsonl"), &place.at(), &[]).succeeded();
    let more = ["--filter", r#"{"n": {"$gte": 28}}"#, "--include", "n"];
    let told = command("export", Path::new("-"), &place.at(), &more);
    assert!(told.stderr.contains("exported 2 documents"), "{}", told.stderr);
    assert_eq!(told.succeeded(), "{\"id\":28,\"n\":28}\n{\"id\":29,\"n\":29}\n");

    let told = command("export", Path::new("-"), &place.at(), &["--include", "nota"]).failed(1);
    assert!(told.contains("unknown field \"nota\"") && told.contains("\"note\""), "{told}");
    let told =
        command("export", Path::new("-"), &place.at(), &["--filter", r#"{"m": 1}"#]).failed(1);
    assert!(told.contains("\"m\""), "{told}");
    Ok(())
}

#[test]
fn a_file_is_never_replaced_and_never_half_there() -> Result<()> {
    let place = Place::new();
    let mut rng = Rng::with_seed(random::seed(1));
    place.filled(&mut rng, 3)?;
    let file = place.path("out.jsonl");
    fs::write(&file, "mine").expect("written");
    let told = command("export", &file, &place.at(), &[]).failed(1);
    assert!(told.contains("is there already"), "{told}");
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "mine");

    fs::create_dir(place.path("empty")).expect("a folder");
    let gone = place.path("empty/out.jsonl");
    let data = place.path("data");
    let arguments = ["export", text(&gone), "--db", "other", "--data", text(&data)];
    let told = run(arguments).failed(1);
    assert!(told.contains("other"), "{told}");
    assert_eq!(fs::read_dir(place.path("empty")).expect("it is there").count(), 0);
    Ok(())
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() -> Result<()> {
    let place = Place::new();
    let mut rng = Rng::with_seed(random::seed(1));
    place.filled(&mut rng, 3_000)?;
    let at = place.at().join(" ");
    let program = cli_program::PROGRAM;
    let run = paste(&format!("{program} export - --db {NAME} {at} | head -n 1"));
    assert_eq!(run.stderr, "");
    assert_eq!(run.succeeded().lines().count(), 1);
    Ok(())
}

#[test]
fn documents_too_long_for_one_answer_come_in_smaller_ones() -> Result<()> {
    let place = Place::new();
    let lines: String = (0..100)
        .map(|n| json!({"id": n, "embedding": [1.0, n], "note": "x".repeat(50_000)}))
        .map(|row| format!("{row}\n"))
        .collect();
    fs::write(place.path("in.jsonl"), &lines).expect("written");
    command("import", &place.path("in.jsonl"), &place.at(), &[]).succeeded();
    let data = place.path("data");
    let arguments = ["serve", "--data", text(&data), "--listen", "127.0.0.1:0"];
    let mut server = Running::start(arguments.iter().chain(&["--answer-bytes-max", "200000"]));
    let url = cli_program::address(&server.line_with("ws://"));
    let file = place.path("out.jsonl");
    command("export", &file, &["--url".into(), url], &[]).succeeded();
    let database = Database::open(place.path("data").join(NAME), &DatabaseOptions::default());
    assert!(database.is_err(), "the server has it");
    let written = fs::read_to_string(&file).expect("written");
    assert_eq!(written.lines().count(), 100);
    let first: Json = serde_json::from_str(written.lines().next().expect("one")).expect("JSON");
    assert_eq!(first["note"].as_str().map(str::len), Some(50_000));
    drop(server);
    let database = Database::open(place.path("data").join(NAME), &DatabaseOptions::default())?;
    assert_eq!(database.count(&Filter::All)?, 100);
    Ok(())
}
