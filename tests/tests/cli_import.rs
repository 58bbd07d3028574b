//! `vectordoc import` and `search`: files in, answers out, with and without a server.

mod cli_program;

use cli_program::{PROGRAM, Run, Running, npy, paste, run, text};
use serde_json::{Value as Json, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// Documents around a circle: document `n` of `count` lies at `n / count` of the way round.
fn circle(count: usize) -> Vec<Vec<f32>> {
    let point = |n: usize| {
        let angle = std::f32::consts::TAU * n as f32 / count as f32;
        vec![angle.cos(), angle.sin()]
    };
    (0..count).map(point).collect()
}

/// A folder with files, and arguments that name a data directory in it.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn jsonl(&self, name: &str, rows: impl IntoIterator<Item = Json>) -> PathBuf {
        let lines: String = rows.into_iter().map(|row| format!("{row}\n")).collect();
        let path = self.path(name);
        fs::write(&path, lines).expect("the file is written");
        path
    }

    fn data(&self) -> [String; 2] {
        ["--data".into(), text(&self.path("data")).into()]
    }
}

fn import(file: &Path, at: &[String], more: &[&str]) -> Run {
    let mut arguments = vec!["import", text(file), "--db", "things"];
    arguments.extend(at.iter().map(String::as_str));
    arguments.extend(more);
    run(arguments)
}

fn search(at: &[String], more: &[&str]) -> Run {
    let mut arguments = vec!["search", "--db", "things"];
    arguments.extend(at.iter().map(String::as_str));
    arguments.extend(more);
    run(arguments)
}

fn ids(answer: &Json) -> Vec<&Json> {
    answer["hits"].as_array().expect("hits").iter().map(|hit| &hit["id"]).collect()
}

fn things(count: usize) -> Vec<Json> {
    let colours = ["red", "green", "blue"];
    let row = |(n, vector): (usize, Vec<f32>)| {
        json!({"id": format!("t{n}"), "embedding": vector, "n": n, "even": n % 2 == 0,
               "colour": colours[n % 3]})
    };
    circle(count).into_iter().enumerate().map(row).collect()
}

#[test]
fn lines_with_vectors_inside_go_into_a_data_directory_and_are_found_there() {
    let files = Files::new();
    let told = import(&files.jsonl("rows.jsonl", things(90)), &files.data(), &[]).succeeded();
    assert!(told.contains("imported 90 documents in "), "{told}");
    let answer = search(&files.data(), &["--like", "t0", "--limit", "2", "--json"]).json();
    let mut found = ids(&answer);
    found.sort_by_key(|id| id.to_string());
    assert_eq!(found, [&json!("t1"), &json!("t89")]);
    let filter = r#"{"colour": "blue", "n": {"$gte": 40}, "even": true}"#;
    let answer =
        search(&files.data(), &["--like", "t50", "--limit", "1", "--filter", filter, "--json"])
            .json();
    assert_eq!(answer["hits"][0]["doc"]["colour"], "blue");
    assert_eq!(answer["hits"][0]["doc"]["even"], true);
}

/// What a search that considers fewer candidates than it wants hits is warned of.
fn warned(at: &[String]) {
    let told = search(at, &["--like", "t0", "--limit", "9", "--ef", "5"]);
    assert!(told.stderr.contains("warning: ef is 5, less than the 10 hits"), "{}", told.stderr);
    assert!(told.succeeded().contains("9 hits in "));
    let answer = search(at, &["--like", "t0", "--limit", "9", "--ef", "5", "--json"]);
    assert_eq!(answer.stderr, "");
    assert!(answer.json()["warnings"][0].to_string().contains("ef is 5"));
    let quiet = search(at, &["--like", "t0", "--limit", "9"]);
    assert_eq!(quiet.stderr, "");
    assert!(search(at, &["--like", "t0", "--json"]).json().get("warnings").is_none());
}

#[test]
fn a_search_shows_what_its_answer_warns_of() {
    let files = Files::new();
    import(&files.jsonl("rows.jsonl", things(90)), &files.data(), &[]).succeeded();
    warned(&files.data());
    let (_server, url) = Running::serve(&files.path("data"));
    warned(&["--url".to_owned(), url]);
}

#[test]
fn the_guessed_schema_is_printed_and_fits_every_row() {
    let files = Files::new();
    let rows = [
        json!({"sku": 7, "embedding": [1, 0], "price": 3, "note": "x".repeat(100), "tags": ["a"]}),
        json!({"sku": 8, "embedding": [0, 1], "price": 2.5, "note": null, "maker": {"at": "NL"}}),
    ];
    let file = files.jsonl("rows.jsonl", rows);
    let told = import(&file, &files.data(), &["--id-field", "sku", "--metric", "l2"]).succeeded();
    let (start, end) = (told.find('{').expect("a schema"), told.rfind('}').expect("its end"));
    let schema: Json = serde_json::from_str(&told[start..=end]).expect("it is JSON");
    assert_eq!(schema["sku"], json!({"type": "u64", "id": true}));
    assert_eq!(schema["embedding"], json!({"vector": 2, "metric": "l2"}));
    assert_eq!(schema["price"], json!({"type": "number", "filter": true}));
    assert_eq!(schema["note"], json!({"type": "string", "optional": true}));
    assert_eq!(schema["tags"], json!({"type": "string[]", "filter": true, "optional": true}));
    assert_eq!(schema["maker"]["fields"]["at"], json!({"type": "string", "filter": true}));
}

#[test]
fn an_array_beside_lines_goes_into_a_sharded_served_database() {
    let files = Files::new();
    let (server, url) = Running::serve(&files.path("data"));
    let at = ["--url".to_owned(), url];
    let lines = files.jsonl("meta.jsonl", (0..200).map(|n| json!({"id": n, "third": n % 3})));
    let array = files.path("vectors.npy");
    npy::write_f32(&array, &circle(200));
    let more = ["--vectors", text(&array), "--shards", "3", "--batch", "7", "--json"];
    let outcome = import(&lines, &at, &more).json();
    assert_eq!(outcome["documents"], 200);

    let answer = search(&at, &["--like", "100", "--limit", "4", "--json", "--explain"]).json();
    let mut found: Vec<u64> = ids(&answer).into_iter().filter_map(Json::as_u64).collect();
    found.sort_unstable();
    assert_eq!(found, [98, 99, 101, 102]);
    assert!(answer["explain"]["plan"].is_string(), "{answer}");

    let (said, code) = server.terminate();
    assert_eq!(code, Some(0), "{said:?}");
    let filter = r#"{"third": 1}"#;
    let kept =
        search(&files.data(), &["--like", "100", "--limit", "2", "--filter", filter, "--json"]);
    let kept = kept.json();
    assert_eq!(ids(&kept).len(), 2, "served documents are there without the server: {kept}");
}

#[test]
fn an_array_of_float16_alone_is_imported_under_its_row_numbers() {
    let files = Files::new();
    let array = files.path("vectors.npy");
    npy::write_f16(&array, &[vec![1.0, 0.0], vec![1.0, 0.5], vec![-1.0, 2.0]]);
    import(&array, &files.data(), &[]).succeeded();
    let vector = files.jsonl("query.json", [json!([1.0, 0.5])]);
    let answer = search(&files.data(), &["--vector", text(&vector), "--json"]).json();
    assert_eq!(ids(&answer), [&json!(1), &json!(0), &json!(2)]);
    assert_eq!(answer["hits"][0]["score"], 1.0);
}

#[test]
fn a_bad_line_is_named_and_nothing_after_it_is_imported() {
    let files = Files::new();
    import(&files.jsonl("first.jsonl", things(10)), &files.data(), &[]).succeeded();
    let mut rows = things(60);
    rows[42]["embedding"] = json!([1.0, 2.0, 3.0]);
    let bad = files.jsonl("bad.jsonl", rows);
    let told = import(&bad, &files.data(), &["--batch", "20"]).failed(1);
    assert!(told.contains("bad.jsonl line 43"), "{told}");
    assert!(told.contains(r#"vector has 3 dimensions, field "embedding" needs 2"#), "{told}");
    assert!(told.contains("42 documents before it are imported"), "{told}");
    search(&files.data(), &["--like", "t41"]).succeeded();
    let told = search(&files.data(), &["--like", "t43"]).failed(1);
    assert!(told.contains("there is no document t43"), "{told}");
}

#[test]
fn a_bad_line_in_front_of_a_served_database_is_named_too() {
    let files = Files::new();
    let (_server, url) = Running::serve(&files.path("data"));
    let at = ["--url".to_owned(), url];
    import(&files.jsonl("first.jsonl", things(3)), &at, &[]).succeeded();
    let bad = files.jsonl("bad.jsonl", things(30));
    let cut = fs::read_to_string(&bad).expect("read").replace("\"t17\"", "\"t17");
    fs::write(&bad, cut).expect("written");
    let told = import(&bad, &at, &["--batch", "5"]).failed(1);
    assert!(told.contains("bad.jsonl line 18 column "), "{told}");
    assert!(told.contains("17 documents before it are imported"), "{told}");
}

#[test]
fn a_field_that_changes_its_type_is_named_before_a_database_is_made() {
    let files = Files::new();
    let mut rows = things(5);
    rows[3]["n"] = json!("three");
    let told = import(&files.jsonl("rows.jsonl", rows), &files.data(), &[]).failed(1);
    assert!(told.contains("rows.jsonl line 4: field \"n\""), "{told}");
    assert!(!files.path("data/things").exists());
}

#[test]
fn as_many_vectors_as_lines_are_demanded() {
    let files = Files::new();
    let array = files.path("vectors.npy");
    npy::write_f32(&array, &circle(9));
    let lines = files.jsonl("meta.jsonl", (0..10).map(|n| json!({"id": n})));
    let told = import(&lines, &files.data(), &["--vectors", text(&array)]).failed(1);
    assert!(told.contains("9 vectors") && told.contains("10"), "{told}");
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let files = Files::new();
    import(&files.jsonl("rows.jsonl", things(50)), &files.data(), &[]).succeeded();
    let at = files.data().join(" ");
    let run = paste(&format!("{PROGRAM} search --db things --like t1 {at} | head -n 1"));
    assert_eq!(run.stderr, "");
    assert!(run.succeeded().contains("score"));
}
