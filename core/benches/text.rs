//! What full text costs on glosses of WordNet, and how fast it answers.
//!
//! `cargo bench -p vectordoc --bench text [-- [FILE] [--json]]`. The file has one JSON object in
//! each line, with the texts `lemma` and `gloss`; without one, it is the sample of `vectordoc demo`.
//! Everything is in memory and on one thread. Figures are medians over the rounds; in each round
//! every kind of question is asked for a while.

#![expect(clippy::print_stdout, reason = "the figures are what this program is for")]

use std::{
    fmt::Write as _,
    hint::black_box,
    time::{Duration, Instant},
};
use vectordoc::{
    Database, Document, Filter, Id, Include, Query, Schema, Value, filter::Test,
    native::DatabaseOptions,
};

const ROUNDS: usize = 5;
const ROUND_TIME: Duration = Duration::from_millis(500);
const QUESTIONS: usize = 1_000;
const BATCH: usize = 1_000;
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../node-server/sample/documents.jsonl");

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let as_json = arguments.iter().any(|argument| argument == "--json");
    let file = arguments.iter().find(|argument| !argument.starts_with("--"));
    let rows = Rows::read(file.map_or(SAMPLE, String::as_str));
    let (without, _) = median((0..ROUNDS).map(|_| ingest(&rows, false)));
    let (with, db) = median((0..ROUNDS).map(|_| ingest(&rows, true)));
    let memory = |text| ingest(&rows, text).1.stats().memory_bytes / rows.glosses.len() as u64;
    let index_bytes = memory(true).saturating_sub(memory(false));
    let count = rows.glosses.len() as f64;
    let mut figures = vec![
        ("documents".to_owned(), count),
        ("ingest per second, gloss stored".to_owned(), count / without),
        ("ingest per second, gloss indexed".to_owned(), count / with),
        ("bytes per document of the index".to_owned(), index_bytes as f64),
    ];
    for (name, questions) in rows.questions() {
        let queries: Vec<Query> = questions
            .iter()
            .map(|words| Query { include: Include::Nothing, ..Query::of_text(words) })
            .collect();
        let search = |number: usize| db.search(&queries[number]).map(|hits| hits.len() as u64);
        figures.push((format!("{name}, searches per second"), rate(questions.len(), search)));
        let filters: Vec<Filter> = questions
            .iter()
            .map(|words| Filter::field("gloss", Test::Text(words.clone())))
            .collect();
        figures.push((
            format!("{name}, counts by $text per second"),
            rate(questions.len(), |n| db.count(&filters[n])),
        ));
    }
    print(&figures, as_json);
}

/// The texts of a file.
struct Rows {
    lemmas: Vec<String>,
    glosses: Vec<String>,
}

impl Rows {
    fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(path).expect("the file can be read");
        let (mut lemmas, mut glosses) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let row: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
            lemmas.push(row["lemma"].as_str().expect("a row has a lemma").to_owned());
            glosses.push(row["gloss"].as_str().expect("a row has a gloss").to_owned());
        }
        Self { lemmas, glosses }
    }

    /// Questions of every kind, of rows at equal distances.
    fn questions(&self) -> [(&'static str, Vec<String>); 3] {
        let step = (self.glosses.len() / QUESTIONS).max(1);
        let every =
            |texts: &[String]| texts.iter().step_by(step).take(QUESTIONS).cloned().collect();
        let glosses: Vec<String> = every(&self.glosses);
        let start = |gloss: &String| gloss.split(' ').take(3).collect::<Vec<_>>().join(" ");
        let starts = glosses.iter().map(start).collect();
        [("lemma", every(&self.lemmas)), ("three words", starts), ("whole gloss", glosses)]
    }
}

/// A database of all glosses, and the seconds it took.
fn ingest(rows: &Rows, text: bool) -> (f64, Database) {
    let schema = format!(r#"{{"id": "u64", "gloss": {{"type": "string", "text": {text}}}}}"#);
    let schema = Schema::from_json_str(&schema).expect("the schema is well formed");
    let options = DatabaseOptions { threads: Some(1), ..DatabaseOptions::default() };
    let db = Database::in_memory(&schema, &options).expect("it is in memory");
    let document = |(id, gloss): (u64, &String)| Document {
        id: Id::Int(id),
        vectors: Vec::new(),
        values: vec![Value::Text(gloss.clone())],
    };
    let documents: Vec<Document> = (0..).zip(&rows.glosses).map(document).collect();
    let start = Instant::now();
    for batch in documents.chunks(BATCH) {
        db.index(batch.to_vec()).expect("the documents fit the schema");
    }
    (start.elapsed().as_secs_f64(), db)
}

/// How often per second `ask` is answered, asked for each question by turns.
fn rate(questions: usize, ask: impl Fn(usize) -> vectordoc::Result<u64>) -> f64 {
    let round = || {
        let (start, mut asked) = (Instant::now(), 0);
        while start.elapsed() < ROUND_TIME {
            black_box(ask(asked % questions).expect("the question is short"));
            asked += 1;
        }
        (asked as f64 / start.elapsed().as_secs_f64(), ())
    };
    median((0..ROUNDS).map(|_| round())).0
}

fn median<T>(rounds: impl Iterator<Item = (f64, T)>) -> (f64, T) {
    let mut rounds: Vec<(f64, T)> = rounds.collect();
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    rounds.swap_remove(rounds.len() / 2)
}

fn print(figures: &[(String, f64)], as_json: bool) {
    let mut text = String::new();
    for (name, figure) in figures {
        let written = match as_json {
            true => writeln!(
                text,
                "{}\"{name}\": {figure:.0}",
                if text.is_empty() { "{" } else { ", " }
            ),
            false => writeln!(text, "{figure:>12.0}  {name}"),
        };
        written.expect("a text takes any text");
    }
    println!("{text}{}", if as_json { "}" } else { "" });
}
