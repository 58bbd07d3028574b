//! Real data with known answers: WordNet definitions and their MiniLM vectors.
//!
//! The set is the folder that `VECTORDOC_DATASET` names, or the 50,000 documents of
//! `../shared/data/wordnet50k` where they are at hand, or else what the sample in this repository
//! gives: most of it as documents, the rest as queries, the answers computed here.

use half::f16;
use serde_json::{Value as Json, json};
use std::{
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
};
use vectordoc::{Document, Filter, Hit, Id, Schema, Value};

/// The true neighbours judged.
pub const LIMIT: usize = 10;
const SAMPLE_QUERIES: usize = 100;

/// Documents, queries and the true neighbours of each query.
pub struct WordNet {
    /// By row, which is the id.
    pub vectors: Vec<Vec<f32>>,
    /// By row: `gloss_len` and `lexname`.
    fields: Vec<(i128, String)>,
    /// To search for.
    pub queries: Vec<Vec<f32>>,
    /// What is asked; the first asks without a filter.
    pub questions: Vec<Question>,
}

/// A filter and the true neighbours under it.
pub struct Question {
    /// What it is called.
    pub name: String,
    /// Which documents may be hits.
    pub filter: Filter,
    /// By query: the nearest rows, nearest first, fewer than [`LIMIT`] where fewer match.
    pub nearest: Vec<Vec<u64>>,
}

impl WordNet {
    /// The set at hand; says which.
    pub fn load() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folder = std::env::var("VECTORDOC_DATASET")
            .map_or_else(|_| root.join("../shared/data/wordnet50k"), PathBuf::from);
        if folder.join("dataset.json").exists() {
            eprintln!("judged on {}", folder.display());
            return Self::of_folder(&folder);
        }
        eprintln!("judged on the sample in this repository, as there is no {}", folder.display());
        Self::of_sample(&root.join("node-server/sample"))
    }

    fn of_folder(folder: &Path) -> Self {
        let filters: Json = read_json(&folder.join("filters.json"));
        let mut questions = vec![question(folder, "all", &json!({}), "gt_ids.npy")];
        for (name, filter) in filters.as_object().expect("filters.json is an object") {
            questions.push(question(
                folder,
                name,
                &filter["filter"],
                &format!("gt_{name}_ids.npy"),
            ));
        }
        Self {
            vectors: vectors(&folder.join("base.npy")),
            fields: fields(&folder.join("base_meta.jsonl")),
            queries: vectors(&folder.join("queries.npy")),
            questions,
        }
    }

    fn of_sample(folder: &Path) -> Self {
        let mut vectors = vectors(&folder.join("vectors.npy"));
        let mut fields = fields(&folder.join("documents.jsonl"));
        let queries = vectors.split_off(vectors.len() - SAMPLE_QUERIES);
        fields.truncate(vectors.len());
        let mut set = Self { vectors, fields, queries, questions: Vec::new() };
        let asked = [
            ("all", json!({})),
            ("len50", json!({"gloss_len": {"$lte": 66}})),
            ("len1", json!({"gloss_len": {"$gte": 150, "$lte": 155}})),
            ("lex10", json!({"lexname": {"$in": ["noun.artifact"]}})),
        ];
        set.questions = asked.map(|(name, filter)| set.ask(name, filter)).into();
        set
    }

    /// The question, answered by looking at every document.
    fn ask(&self, name: &str, filter: Json) -> Question {
        let passes = |row: &usize| {
            let (length, lexname) = &self.fields[*row];
            let length_is = |operator: &str, holds: fn(&i128, &i128) -> bool| {
                let bound = filter["gloss_len"][operator].as_i64();
                bound.is_none_or(|bound| holds(length, &bound.into()))
            };
            let lexname_is = filter["lexname"]["$in"].as_array();
            length_is("$lte", i128::le)
                && length_is("$gte", i128::ge)
                && lexname_is.is_none_or(|names| names.iter().any(|name| name == lexname))
        };
        let rows: Vec<usize> = (0..self.vectors.len()).filter(passes).collect();
        let nearest = |query: &Vec<f32>| {
            let metric = vectordoc::Metric::Cosine;
            let distance = |row: usize| crate::twin::distance(metric, query, &self.vectors[row]);
            let mut near: Vec<_> = rows.iter().map(|row| (distance(*row), *row as u64)).collect();
            near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            near.into_iter().take(LIMIT).map(|(_, row)| row).collect()
        };
        let nearest = self.queries.iter().map(nearest).collect();
        let filter = Filter::from_value(&serde_json::from_value(filter).expect("a value"));
        Question { name: name.into(), filter: filter.expect("a filter"), nearest }
    }

    /// The shape of its documents.
    pub fn schema() -> Schema {
        let schema = r#"{"id": "u64", "embedding": {"vector": 384, "metric": "cosine"},
            "gloss_len": {"type": "u32", "filter": true},
            "lexname": {"type": "string", "filter": true}}"#;
        Schema::from_json_str(schema).expect("the schema is well formed")
    }

    /// The document of a row.
    pub fn document(&self, row: usize) -> Document {
        let (length, lexname) = &self.fields[row];
        Document {
            id: Id::Int(row as u64),
            vectors: vec![Some(self.vectors[row].clone())],
            values: vec![Value::Int(*length), Value::Text(lexname.clone())],
        }
    }

    /// All documents, in batches of `size`.
    pub fn batches(&self, size: usize) -> impl Iterator<Item = Vec<Document>> {
        let rows: Vec<usize> = (0..self.vectors.len()).collect();
        let batches: Vec<Vec<usize>> = rows.chunks(size).map(<[usize]>::to_vec).collect();
        batches.into_iter().map(|rows| rows.into_iter().map(|row| self.document(row)).collect())
    }
}

impl Question {
    /// Judges what each query found: exactly as many hits as there can be, best first; and returns
    /// which part of the true neighbours is among them.
    pub fn judge(&self, answers: &[Vec<Hit>]) -> f64 {
        let (mut found, mut wanted) = (0, 0);
        for (hits, nearest) in answers.iter().zip(&self.nearest) {
            assert_eq!(hits.len(), nearest.len(), "{}: hits", self.name);
            assert!(hits.windows(2).all(|pair| pair[0].distance <= pair[1].distance));
            let is_true = |hit: &&Hit| nearest.iter().any(|row| hit.id == Id::Int(*row));
            found += hits.iter().filter(is_true).count();
            wanted += nearest.len();
        }
        let recall = found as f64 / wanted as f64;
        eprintln!("{:>8}: recall@10 {recall:.4}", self.name);
        assert!(recall >= 0.95, "{}: recall@10 {recall}", self.name);
        recall
    }
}

fn question(folder: &Path, name: &str, filter: &Json, truth: &str) -> Question {
    let filter = serde_json::from_value(filter.clone()).expect("a value");
    let filter = Filter::from_value(&filter).expect("a filter");
    Question { name: name.into(), filter, nearest: rows(&folder.join(truth)) }
}

fn vectors(path: &Path) -> Vec<Vec<f32>> {
    let file = npyz::NpyFile::new(open(path)).expect("an .npy file");
    let dim = usize::try_from(file.shape()[1]).expect("a small dimension");
    let numbers: Vec<f16> = file.into_vec().expect("float16");
    numbers.chunks(dim).map(|row| row.iter().map(|number| number.to_f32()).collect()).collect()
}

/// The first rows of each query; −1 stands where there is none.
fn rows(path: &Path) -> Vec<Vec<u64>> {
    let file = npyz::NpyFile::new(open(path)).expect("an .npy file");
    let count = usize::try_from(file.shape()[1]).expect("a small number");
    let rows: Vec<i32> = file.into_vec().expect("int32");
    let first =
        |rows: &[i32]| rows.iter().take(LIMIT).flat_map(|row| u64::try_from(*row)).collect();
    rows.chunks(count).map(first).collect()
}

fn fields(path: &Path) -> Vec<(i128, String)> {
    let text = fs::read_to_string(path).expect("it can be read");
    let fields = |line: &str| {
        let row: Json = serde_json::from_str(line).expect("each line is JSON");
        let lexname = row["lexname"].as_str().expect("a string").to_owned();
        (row["gloss_len"].as_i64().expect("an integer").into(), lexname)
    };
    text.lines().map(fields).collect()
}

fn read_json(path: &Path) -> Json {
    serde_json::from_reader(open(path)).expect("it is JSON")
}

fn open(path: &Path) -> BufReader<File> {
    BufReader::new(File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}
