//! Promise: `vectordoc import` reads Parquet files of other writers, types and vectors as they are in
//! them, and says what is wrong with a bad one. The files are made by `tests/parquet/make.py`.

mod cli_program;

use cli_program::{Run, npy, run, text};
use fastrand::Rng;
use serde_json::{Value as Json, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use vectordoc_tests::random;

const ROWS: usize = 60;

fn made(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("parquet").join(name)
}

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

    fn import(&self, file: &Path, more: &[&str]) -> Run {
        let data = self.path("data");
        let arguments = ["import", text(file), "--db", "things", "--data", text(&data)];
        run(arguments.iter().chain(more))
    }

    /// Every document, by the order of the ids.
    fn documents(&self) -> Vec<Json> {
        let data = self.path("data");
        let told = run(["export", "-", "--db", "things", "--data", text(&data)]).succeeded();
        told.lines().map(|line| serde_json::from_str(line).expect("a document")).collect()
    }
}

fn document(row: usize) -> Json {
    let mut vector = vec![json!(1.0), json!(row as f64 / 64.0)];
    vector.resize(8, json!(0.0));
    let tags = [format!("t{}", row % 4), "all".to_owned()];
    let sizes = [row, row + 1];
    let colours = ["red", "green", "blue"];
    let mut document = json!({
        "id": format!("p{row}"),
        "embedding": vector,
        "n": row,
        "big": u64::MAX - row as u64,
        "price": row as f64 / 3.0,
        "weight": row as f64 / 3.0,
        "even": row.is_multiple_of(2),
        "colour": colours[row % 3],
        "tags": tags[..row % 3],
        "sizes": sizes[..2 * (row % 2)],
        "raw": [row, 255],
        "seen": format!("2024-01-01T00:{row:02}:00Z"),
        "day": format!("2024-01-{:02}T00:00:00Z", 1 + row % 28),
        "cost": row as f64 / 4.0,
        "maker": {"name": format!("m{}", row % 5), "since": 1990 + row % 5},
        "extra": {"k": row},
    });
    if !row.is_multiple_of(7) {
        document["note"] = json!(format!("note {row} {}", "x".repeat(100)));
    }
    document
}

/// The number that is of the type `f32` in the database, as that type sees it.
fn as_stored(mut document: Json) -> Json {
    let weight = document["weight"].as_f64().expect("a number");
    #[expect(clippy::cast_possible_truncation)]
    let weight = f64::from(weight as f32);
    document["weight"] = json!(weight);
    document
}

#[test]
fn every_codec_and_every_way_to_write_vectors_gives_the_same_documents() {
    let mut expected: Vec<_> = (0..ROWS).map(|row| as_stored(document(row))).collect();
    expected.sort_by_key(|document| document["id"].as_str().map(str::to_owned));
    for name in ["snappy", "zstd", "gzip", "lz4", "none"] {
        let place = Place::new();
        let told = place.import(&made(&format!("{name}.parquet")), &[]).succeeded();
        assert!(told.contains("imported 60 documents in "), "{name}: {told}");
        for (found, expected) in place.documents().iter().zip(&expected) {
            assert_eq!(as_stored(found.clone()), *expected, "{name}");
        }
        assert_eq!(place.documents().len(), ROWS, "{name}");
    }
}

#[test]
fn the_schema_has_the_types_of_the_file() {
    let place = Place::new();
    let told = place.import(&made("snappy.parquet"), &["--metric", "l2"]).succeeded();
    let (start, end) = (told.find('{').expect("a schema"), told.rfind('}').expect("its end"));
    let schema: Json = serde_json::from_str(&told[start..=end]).expect("it is JSON");
    for (field, expected) in [
        ("id", json!("string")),
        ("embedding", json!({"vector": 8, "metric": "l2"})),
        ("n", json!({"type": "i16", "filter": true})),
        ("big", json!({"type": "u64", "filter": true})),
        ("price", json!({"type": "number", "filter": true})),
        ("weight", json!({"type": "f32", "filter": true})),
        ("even", json!({"type": "boolean", "filter": true})),
        ("colour", json!({"type": "string", "filter": true})),
        ("note", json!({"type": "string", "optional": true})),
        ("tags", json!({"type": "string[]", "filter": true})),
        ("sizes", json!({"type": "i32[]", "filter": true})),
        ("raw", json!("bytes")),
        ("seen", json!({"type": "timestamp", "filter": true})),
        ("day", json!({"type": "timestamp", "filter": true})),
        ("cost", json!({"type": "number", "filter": true})),
        ("extra", json!("json")),
        ("nothing", json!({"type": "i32", "filter": true, "optional": true})),
    ] {
        assert_eq!(schema[field], expected, "{field}");
    }
    assert_eq!(schema["maker"]["fields"]["since"], json!({"type": "integer", "filter": true}));
}

#[test]
fn ids_may_be_uuids_and_vectors_may_stand_beside() {
    let place = Place::new();
    place.import(&made("uuid.parquet"), &[]).succeeded();
    let last = &place.documents()[2];
    assert_eq!(last["id"], "00000000-0000-0000-0000-000000000002");

    let place = Place::new();
    let vectors = place.path("vectors.npy");
    let rows: Vec<_> = (0u8..60).map(|row| vec![f32::from(row), 1.0]).collect();
    npy::write_f32(&vectors, &rows);
    let more = ["--vectors", text(&vectors), "--vector-field", "beside"];
    place.import(&made("snappy.parquet"), &more).succeeded();
    let documents = place.documents();
    let seventh = documents.iter().find(|document| document["id"] == "p7").expect("it is there");
    assert_eq!(seventh["beside"], json!([7.0, 1.0]));
    assert_eq!(seventh["embedding"][1], 7.0 / 64.0, "it is a field like others");
}

#[test]
fn a_row_that_is_wrong_is_named_and_nothing_after_it_is_imported() {
    for (name, wrong) in [
        (
            "nan",
            "row 30 (from 0): document 30: vector for field \"embedding\" has NaN at position 0",
        ),
        (
            "ragged",
            "row 30 (from 0): document 30: vector has 7 dimensions, field \"embedding\" needs 8",
        ),
        ("hole", "row 30 (from 0): column \"embedding\": an array has an element that is null"),
    ] {
        let place = Place::new();
        let schema = place.path("schema.json");
        let fields = r#"{"id": "u64", "embedding": {"vector": 8, "metric": "cosine"}}"#;
        fs::write(&schema, fields).expect("written");
        let file = made(&format!("{name}.parquet"));
        let more = ["--schema", text(&schema), "--batch", "7"];
        let told = place.import(&file, &more).failed(1);
        assert!(told.contains(wrong), "{name}: {told}");
        assert!(told.contains("30 documents before it are imported"), "{name}: {told}");
        assert_eq!(place.documents().len(), 30, "{name}");
        assert!(!made(&format!("{name}.parquet.import")).exists(), "nothing to go on with");
    }
}

#[test]
fn vectors_of_several_lengths_make_no_database() {
    let place = Place::new();
    let told = place.import(&made("ragged.parquet"), &[]).failed(1);
    assert!(told.contains("it has 7 to 8 elements"), "{told}");
    let told = place.import(&made("empty.parquet"), &[]).failed(1);
    assert!(told.contains("there are no documents to guess a schema from"), "{told}");
    assert!(!place.path("data/things").exists());
}

#[test]
fn files_of_several_formats_are_imported_one_after_the_other() {
    let place = Place::new();
    let lines = place.path("rows.jsonl");
    fs::write(&lines, "{}").expect("written");
    let told = place.import(&lines, &[text(&made("snappy.parquet"))]).failed(1);
    assert!(told.contains("one after the other"), "{told}");
    let twice = [text(&made("zstd.parquet")).to_owned()];
    let more: Vec<&str> = twice.iter().map(String::as_str).collect();
    let told = place.import(&made("snappy.parquet"), &more).succeeded();
    assert!(told.contains("imported 120 documents"), "{told}");
    assert_eq!(place.documents().len(), ROWS);
}

#[test]
fn a_file_that_is_cut_off_is_refused_as_a_whole() {
    let whole = fs::read(made("zstd.parquet")).expect("it is there");
    for part in 0..12 {
        let place = Place::new();
        let file = place.path("cut.parquet");
        fs::write(&file, &whole[..whole.len() * part / 12]).expect("written");
        let told = place.import(&file, &[]).failed(1);
        assert!(told.contains("cut.parquet is no whole Parquet file"), "{part}: {told}");
        assert!(!place.path("data/things").exists());
    }
}

#[test]
fn a_damaged_file_is_an_error_and_never_a_crash() {
    let seed = random::seed(1);
    let mut rng = Rng::with_seed(seed);
    for name in ["snappy", "zstd", "none", "gzip", "lz4"] {
        let whole = fs::read(made(&format!("{name}.parquet"))).expect("it is there");
        for _ in 0..random::programs(8) {
            let place = Place::new();
            let file = place.path("damaged.parquet");
            let mut bytes = whole.clone();
            for _ in 0..rng.usize(1..4) {
                let at = rng.usize(..bytes.len());
                bytes[at] ^= 1 << rng.u8(..8);
            }
            fs::write(&file, &bytes).expect("written");
            let Run { stderr, code, .. } = place.import(&file, &[]);
            assert!(matches!(code, Some(0 | 1)), "seed {seed}, {name}: {code:?} {stderr}");
            assert!(!stderr.contains("panicked"), "seed {seed}, {name}: {stderr}");
            assert_eq!(code == Some(1), stderr.contains("error: "), "seed {seed}: {stderr}");
        }
    }
}
