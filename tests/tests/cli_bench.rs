//! `vectordoc bench`: figures of any data set folder, in one JSON object.

mod cli_program;

use cli_program::{npy, run, text};
use serde_json::{Value as Json, json};
use std::{fs, path::Path};
use tempfile::TempDir;

const DOCUMENTS: usize = 600;
const QUERIES: usize = 20;
const DIM: usize = 16;
const TRUTH: usize = 100;

/// A data set of random vectors whose documents have a `number` and a `kind`, with its truth by
/// comparing everything.
struct Sample {
    folder: TempDir,
    base: Vec<Vec<f32>>,
    queries: Vec<Vec<f32>>,
}

impl Sample {
    fn new() -> Self {
        let mut random = fastrand::Rng::with_seed(7);
        let mut vectors = |count: usize| -> Vec<Vec<f32>> {
            let vector =
                |random: &mut fastrand::Rng| (0..DIM).map(|_| random.f32() - 0.5).collect();
            (0..count).map(|_| vector(&mut random)).collect()
        };
        let (base, queries) = (vectors(DOCUMENTS), vectors(QUERIES));
        Self { folder: tempfile::tempdir().expect("a folder"), base, queries }
    }

    fn write(&self, metric: &str) {
        let description = json!({"name": "sample", "metric": metric, "dim": DIM,
                                 "documents": DOCUMENTS, "queries": QUERIES});
        self.write_json("dataset.json", &description);
        npy::write_f32(&self.path("base.npy"), &self.base);
        npy::write_f32(&self.path("queries.npy"), &self.queries);
        npy::write_i32(&self.path("gt_ids.npy"), &self.truth(metric, TRUTH, |_| true));
    }

    fn write_filters(&self, metric: &str) {
        let meta = (0..DOCUMENTS).map(|row| {
            format!("{}\n", json!({"id": row, "number": row, "kind": format!("kind {}", row % 7)}))
        });
        fs::write(self.path("base_meta.jsonl"), meta.collect::<String>()).expect("written");
        let filters = json!({
            "few": {"filter": {"number": {"$lt": 4}}, "matching": 4, "selectivity": 4.0 / 600.0},
            "kind": {"filter": {"kind": "kind 3"}},
        });
        self.write_json("filters.json", &filters);
        npy::write_i32(&self.path("gt_few_ids.npy"), &self.truth(metric, 10, |row| row < 4));
        npy::write_i32(&self.path("gt_kind_ids.npy"), &self.truth(metric, 10, |row| row % 7 == 3));
    }

    fn truth(&self, metric: &str, width: usize, allowed: impl Fn(usize) -> bool) -> Vec<Vec<i32>> {
        let nearest = |query: &Vec<f32>| {
            let rows = (0..DOCUMENTS).filter(|row| allowed(*row));
            let mut rows: Vec<_> =
                rows.map(|row| (distance(metric, query, &self.base[row]), row)).collect();
            rows.sort_by(|a, b| a.0.total_cmp(&b.0));
            let ids = rows.into_iter().map(|(_, row)| i32::try_from(row).expect("a small row"));
            ids.chain(std::iter::repeat(-1)).take(width).collect()
        };
        self.queries.iter().map(nearest).collect()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write_json(&self, name: &str, json: &Json) {
        fs::write(self.path(name), json.to_string()).expect("the file is written");
    }
}

fn distance(metric: &str, a: &[f32], b: &[f32]) -> f64 {
    let pairs = || a.iter().zip(b).map(|(a, b)| (f64::from(*a), f64::from(*b)));
    let dot: f64 = pairs().map(|(a, b)| a * b).sum();
    let length = |v: &[f32]| v.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    match metric {
        "cosine" => 1.0 - dot / (length(a) * length(b)),
        "l2" => pairs().map(|(a, b)| (a - b).powi(2)).sum(),
        _ => -dot,
    }
}

fn bench(folder: &Path, more: &[&str]) -> Json {
    let arguments = ["bench", text(folder), "--json"].into_iter().chain(more.iter().copied());
    run(arguments).json()
}

#[track_caller]
fn assert_numbers(object: &Json, names: &[&str]) {
    for name in names {
        assert!(object[*name].as_f64().is_some_and(|n| n >= 0.0), "{name} in {object}");
    }
}

#[test]
fn a_report_has_every_figure_and_exact_answers_are_exact() {
    let sample = Sample::new();
    sample.write("cosine");
    sample.write_filters("cosine");
    let report = bench(sample.folder.path(), &["--ef", "10,40"]);

    assert_eq!(report["dataset"], "sample");
    assert_eq!(report["documents"], 600);
    assert_eq!((&report["dim"], &report["metric"]), (&json!(16), &json!("cosine")));
    assert_eq!((&report["index"], &report["quantization"]), (&json!("auto"), &json!("i8")));
    assert_eq!((&report["threads"], &report["limit"]), (&json!(1), &json!(10)));
    assert_eq!(report["rounds"], 1);
    assert!(report["others"].as_f64().is_none_or(|share| (0.0..=1.0).contains(&share)));
    assert_numbers(&report["build"], &["seconds", "documents_per_second"]);
    assert_eq!(report["memory"]["raw_vector_bytes"], 64);
    assert_eq!(report["memory"]["after"], "building");
    assert_numbers(&report["open"], &["seconds"]);
    assert_numbers(&report["open"]["warm"], &["seconds", "read_seconds", "ratio"]);
    let figures = ["ef", "recall", "qps", "p50_us", "p99_us"];
    assert_numbers(&report["default"], &figures);
    let ingest = &report["during_ingest"];
    assert_numbers(ingest, &["searches", "p50_us", "p99_us", "ratio", "wait_p99_us"]);
    assert!(ingest["max_us"].as_f64() >= ingest["p99_us"].as_f64(), "{ingest}");
    assert!(ingest["wait_max_us"].as_f64() >= ingest["wait_p99_us"].as_f64(), "{ingest}");
    let search = report["search"].as_array().expect("an array");
    assert_eq!(search.iter().map(|row| &row["ef"]).collect::<Vec<_>>(), [10, 40]);
    search.iter().for_each(|row| assert_numbers(row, &figures));
    let scanned = ["qps", "bytes_per_second", "bandwidth_bytes_per_second", "ratio"];
    assert_numbers(&report["exact"], &scanned);
    assert_eq!(report["exact"]["recall"], 1.0);
}

#[test]
fn a_precision_is_measured_and_one_unknown_refused() {
    let sample = Sample::new();
    sample.write("cosine");
    let report = bench(sample.folder.path(), &["--ef", "10", "--precision", "i8"]);
    assert_eq!((&report["precision"], &report["quantization"]), (&json!("i8"), &json!("i8")));
    let told = run(["bench", text(sample.folder.path()), "--precision", "int8"]).failed(2);
    assert!(told.contains("f32, f16, i8"), "{told}");
}

#[test]
fn a_quantization_is_measured_and_one_unknown_refused() {
    let sample = Sample::new();
    sample.write("l2");
    let report = bench(sample.folder.path(), &["--ef", "10", "--quantization", "binary"]);
    assert_eq!(report["quantization"], "binary");
    let told = run(["bench", text(sample.folder.path()), "--quantization", "int8"]).failed(2);
    assert!(told.contains("f32, f16, i8, i4, binary"), "{told}");
}

#[test]
fn filters_are_measured_each_with_the_hits_it_can_have() {
    let sample = Sample::new();
    sample.write("cosine");
    sample.write_filters("cosine");
    let report = bench(sample.folder.path(), &["--ef", "10"]);
    let filtered = report["filtered"].as_array().expect("an array");
    assert_eq!(filtered.iter().map(|row| &row["name"]).collect::<Vec<_>>(), ["few", "kind"]);
    for row in filtered {
        assert_numbers(row, &["selectivity", "recall", "qps", "ratio"]);
        assert_eq!((&row["recall"], &row["short"]), (&json!(1.0), &json!(0)), "{row}");
    }
}

#[test]
fn a_data_set_of_vectors_alone_is_measured_for_every_metric() {
    for metric in ["cosine", "l2", "dot"] {
        let sample = Sample::new();
        sample.write(metric);
        let report =
            bench(sample.folder.path(), &["--index", "exact", "--ef", "10", "--threads", "2"]);
        assert_eq!(report["default"]["recall"], 1.0, "{metric}");
        assert_eq!(report["quantization"], "f32", "an exact scan has no codes");
        assert_eq!(report["filtered"], json!([]));
    }
}

#[test]
fn people_get_tables() {
    let sample = Sample::new();
    sample.write("cosine");
    let told = run(["bench", text(sample.folder.path()), "--ef", "10"]).succeeded();
    assert!(told.contains("recall@10") && told.contains("bytes per document"), "{told}");
    assert!(told.contains("for their turn"), "{told}");
}

#[test]
fn a_sweep_tells_rates_at_the_recalls_it_reaches() {
    let sample = Sample::new();
    sample.write("cosine");
    let report = bench(sample.folder.path(), &["--index", "exact", "--ef", "10", "--rounds", "2"]);
    assert_eq!(report["rounds"], 2);
    let at = report["at_recall"].as_array().expect("an array");
    assert_eq!(at.iter().map(|at| &at["recall"]).collect::<Vec<_>>(), [0.9, 0.95, 0.99, 0.999]);
    at.iter().for_each(|at| assert_eq!(at["qps"], report["search"][0]["qps"]));
}

#[test]
fn a_database_is_built_once_and_measured_again() {
    let sample = Sample::new();
    sample.write("cosine");
    let place = tempfile::tempdir().expect("a folder");
    let database = place.path().join("kept");
    let again = ["--ef", "10", "--database", text(&database)];
    let first = bench(sample.folder.path(), &again);
    assert!(first["build"].is_object());
    let second = bench(sample.folder.path(), &again);
    assert!(second["build"].is_null());
    assert_eq!(second["memory"]["after"], "opening");
    assert_eq!(first["search"][0]["recall"], second["search"][0]["recall"]);
}

#[test]
fn a_database_of_something_else_is_refused() {
    let sample = Sample::new();
    sample.write("cosine");
    let refused = |place: &Path, more: &[&str]| {
        let arguments = ["bench", text(sample.folder.path()), "--database", text(place)];
        run(arguments.into_iter().chain(more.iter().copied())).failed(1)
    };
    let told = refused(sample.folder.path(), &[]);
    assert!(told.contains("has files but no database"), "{told}");

    let place = tempfile::tempdir().expect("a folder");
    bench(sample.folder.path(), &["--ef", "10", "--database", text(place.path())]);
    let told = refused(place.path(), &["--index", "hnsw"]);
    assert!(told.contains("was built from other data or with other options"), "{told}");

    let smaller = json!({"name": "sample", "metric": "cosine", "dim": DIM, "documents": 500});
    sample.write_json("dataset.json", &smaller);
    npy::write_f32(&sample.path("base.npy"), &sample.base[..500]);
    let told = refused(place.path(), &[]);
    assert!(told.contains("has 600 documents, sample has 500; delete the folder"), "{told}");
}

#[test]
fn a_malformed_folder_is_told_what_is_wrong() {
    let sample = Sample::new();
    let told = run(["bench", text(sample.folder.path())]).failed(1);
    assert!(told.contains("dataset.json"), "{told}");

    sample.write("cosine");
    npy::write_f32(&sample.path("queries.npy"), &[vec![1.0; DIM + 1]]);
    let told = run(["bench", text(sample.folder.path())]).failed(1);
    assert!(told.contains("queries.npy has 17 numbers in a row"), "{told}");

    npy::write_f32(&sample.path("queries.npy"), &sample.queries[..3]);
    let told = run(["bench", text(sample.folder.path())]).failed(1);
    assert!(told.contains("gt_ids.npy has answers for 20 queries, queries.npy has 3"), "{told}");

    npy::write_f32(&sample.path("base.npy"), &sample.base[..5]);
    let told = run(["bench", text(sample.folder.path())]).failed(1);
    assert!(told.contains("base.npy has 5 rows, dataset.json says 600 documents"), "{told}");

    sample.write_json(
        "dataset.json",
        &json!({"name": "x", "metric": "cosin", "dim": 1, "documents": 1}),
    );
    let told = run(["bench", text(sample.folder.path())]).failed(1);
    assert!(told.contains("unknown metric \"cosin\""), "{told}");
}
