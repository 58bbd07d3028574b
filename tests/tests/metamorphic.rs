//! Promise: the same answer by every road. Closing and opening, checkpoints, the order of writes that
//! do not touch each other, shards, archives, graph or scan, and the instructions of the machine
//! change nothing; and WebAssembly answers what this machine answers, on the programs of
//! `tests/corpus/answers.json`, which `wasm/test/corpus.test.mjs` runs too.

use fastrand::Rng;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use vectordoc::{
    Database, Document, Filter, Hit, Id, Include, Query, Result, Schema, TextQuery,
    native::{DatabaseOptions, Durability},
    schema::IndexKind,
};
use vectordoc_tests::random;

/// Documents and questions, both random.
struct Case {
    schema: Schema,
    documents: Vec<Document>,
    gone: Vec<Id>,
    queries: Vec<Query>,
}

impl Case {
    fn new(seed: u64, kind: IndexKind, count: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let schema = random::schema(&mut rng, kind);
        let documents = (0..count).map(|id| random::document(&mut rng, &schema, id)).collect();
        let gone = (0..count / 10).map(|_| Id::Int(rng.u64(..count))).collect();
        let queries = (0..12).map(|number| query(&mut rng, &schema, number)).collect();
        Self { schema, documents, gone, queries }
    }

    fn options(&self, shards: usize) -> DatabaseOptions {
        DatabaseOptions { shards: Some(shards), threads: Some(1), ..DatabaseOptions::default() }
    }

    fn fill(&self, database: &Database) -> Result<()> {
        for documents in self.documents.chunks(37) {
            database.index(documents.to_vec())?;
        }
        database.delete(self.gone.clone()).map(drop)
    }

    fn answers(&self, database: &Database) -> Result<Vec<Vec<Hit>>> {
        self.queries.iter().map(|query| database.search(query)).collect()
    }

    /// The same questions, to be answered by comparing with every vector.
    fn exact(mut self) -> Self {
        self.queries.iter_mut().for_each(|query| query.exact = true);
        self
    }
}

fn query(rng: &mut Rng, schema: &Schema, number: usize) -> Query {
    let filter = if rng.bool() { Filter::All } else { random::filter(rng, 2) };
    let (limit, include) = (rng.usize(1..30), Include::Everything);
    let query = match number % 4 {
        0 => {
            let field = Some(random::TEXT_PATHS[rng.usize(..3)].into());
            let text = Some(TextQuery { words: random::words(rng, 4), field });
            Query { text, ..Query::of_text("") }
        }
        _ => Query::new(random::vector(rng, schema.vectors()[0].dim)),
    };
    Query { filter, limit, include, ..query }
}

/// Asserts that two roads lead to the same hits. Distances may differ by rounding, and then hits that
/// are as near as each other may stand in another order.
fn expect_same(seed: u64, road: &str, case: &Case, one: &[Vec<Hit>], other: &[Vec<Hit>]) {
    for ((query, one), other) in case.queries.iter().zip(one).zip(other) {
        let said = || format!("SEED={seed}, {road}: {query:?}\n{one:?}\n{other:?}");
        assert_eq!(one.len(), other.len(), "{}", said());
        for (a, b) in one.iter().zip(other) {
            let near = |a: f32, b: f32| (a - b).abs() <= 1e-5 * a.abs().max(b.abs()).max(1.0);
            assert!(near(a.distance, b.distance) && near(a.score, b.score), "{}", said());
            if a.id != b.id {
                let again = other.iter().find(|hit| hit.id == a.id);
                let is_tie = again.is_none_or(|hit| near(hit.distance, a.distance));
                assert!(is_tie, "{}", said());
            } else {
                assert_eq!(a.doc, b.doc, "{}", said());
            }
        }
    }
}

fn each_case(name: &str, cases: u64, count: u64, judge: impl Fn(u64, Case) -> Result<()> + Sync) {
    let first = random::seed(1);
    let judged = random::in_parallel(first..first + random::budget(cases), |seed| {
        let kind = [IndexKind::Exact, IndexKind::Hnsw, IndexKind::Auto][(seed % 3) as usize];
        judge(seed, Case::new(seed, kind, count)).unwrap_or_else(|error| {
            panic!("SEED={seed}: {error:?}");
        });
        1
    });
    random::figure(&format!("metamorphic/{name}"), judged, "programs, 0 other answers");
}

#[test]
fn a_checkpoint_and_opening_again_change_no_answer() {
    each_case("reopened", 16, 300, |seed, case| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("db");
        let database = Database::create(&path, &case.schema, &case.options(2))?;
        case.fill(&database)?;
        database.wait_indexed(&mut |_, _| {})?;
        let before = case.answers(&database)?;
        database.checkpoint()?;
        expect_same(seed, "checkpointed", &case, &before, &case.answers(&database)?);
        database.close()?;
        let database = Database::open(&path, &DatabaseOptions::default())?;
        expect_same(seed, "opened again", &case, &before, &case.answers(&database)?);
        Ok(())
    });
}

#[test]
fn an_archive_has_all_that_was_acknowledged() {
    each_case("archived", 8, 120, |seed, case| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = |name| directory.path().join(name);
        let database = Database::create(path("one"), &case.schema, &case.options(2))?;
        case.fill(&database.with_durability(Durability::Memory))?;
        let mut archive = Vec::new();
        database.export(&mut archive, &mut |_, _| {})?;
        let options = DatabaseOptions::default();
        let copy = Database::import(path("two"), &*archive, &options, &mut |_, _| {})?;
        let case = case.exact();
        expect_same(seed, "imported", &case, &case.answers(&database)?, &case.answers(&copy)?);
        Ok(())
    });
}

#[test]
fn any_number_of_shards_gives_the_same_hits() {
    each_case("shards", 20, 200, |seed, case| {
        let case = case.exact();
        let mut answers = Vec::new();
        for shards in [1, 2, 5] {
            let database = Database::in_memory(&case.schema, &case.options(shards))?;
            case.fill(&database)?;
            answers.push(case.answers(&database)?);
        }
        expect_same(seed, "2 shards", &case, &answers[0], &answers[1]);
        expect_same(seed, "5 shards", &case, &answers[0], &answers[2]);
        let database = Database::in_memory(&case.schema, &case.options(2))?;
        case.fill(&database)?;
        database.reshard(3)?;
        expect_same(seed, "resharded", &case, &answers[0], &case.answers(&database)?);
        Ok(())
    });
}

#[test]
fn the_order_of_documents_changes_no_hit() {
    each_case("reordered", 16, 200, |seed, case| {
        let mut case = case.exact();
        let database = Database::in_memory(&case.schema, &case.options(1))?;
        case.fill(&database)?;
        let before = case.answers(&database)?;
        Rng::with_seed(seed).shuffle(&mut case.documents);
        let database = Database::in_memory(&case.schema, &case.options(1))?;
        case.fill(&database)?;
        expect_same(seed, "another order", &case, &before, &case.answers(&database)?);
        Ok(())
    });
}

/// Few enough are asked for that codes which round cannot hide one: as many candidates as there are
/// documents.
#[test]
fn a_graph_that_considers_everything_finds_what_a_scan_finds() {
    each_case("graph", 24, 250, |seed, case| {
        let database = Database::in_memory(&case.schema, &case.options(1))?;
        case.fill(&database)?;
        database.wait_indexed(&mut |_, _| {})?;
        let mut wide = case;
        wide.queries.iter_mut().for_each(|query| query.ef = Some(300));
        let walked = wide.answers(&database)?;
        let exact = wide.exact();
        expect_same(seed, "walked", &exact, &walked, &exact.answers(&database)?);
        Ok(())
    });
}

#[test]
fn a_filter_is_asked_first_and_leaves_the_nearest_of_what_passes() {
    each_case("filtered", 24, 250, |seed, case| {
        let database = Database::in_memory(&case.schema, &case.options(1))?;
        case.fill(&database)?;
        let case = case.exact();
        let filtered = case.answers(&database)?;
        for (query, hits) in case.queries.iter().zip(&filtered).filter(|(q, _)| q.text.is_none()) {
            let wide = Query { filter: Filter::All, limit: 1_000, ..query.clone() };
            let mut passing = Vec::new();
            for hit in database.search(&wide)? {
                if passing.len() < query.limit && passes(&database, &hit.id, &query.filter)? {
                    passing.push(hit);
                }
            }
            let (ids, others): (Vec<_>, Vec<_>) =
                (hits.iter().map(|h| &h.id).collect(), passing.iter().map(|h| &h.id).collect());
            assert_eq!(ids, others, "SEED={seed}: {query:?}");
        }
        Ok(())
    });
}

/// Whether one document passes, asked of a database that has no other.
fn passes(database: &Database, id: &Id, filter: &Filter) -> Result<bool> {
    let document = database.get(std::slice::from_ref(id), &Include::Everything)?.remove(0);
    let alone = Database::in_memory(database.schema(), &DatabaseOptions::default())?;
    alone.index(document.into_iter().collect())?;
    Ok(alone.count(filter)? == 1)
}

/// In an ordinary build the kernels cannot be chosen; there the unit tests of `distance` compare them.
#[cfg(feature = "planted")]
#[test]
fn the_specification_of_the_kernels_finds_what_the_machine_finds() {
    each_case("kernels", 12, 250, |seed, case| {
        let mut answers = Vec::new();
        let machine = std::env::var("VECTORDOC_PLANTED").ok();
        for kernels in [machine.as_deref(), Some("scalar_kernels")] {
            vectordoc::planted::plant(kernels);
            let database = Database::in_memory(&case.schema, &case.options(1))?;
            case.fill(&database)?;
            database.wait_indexed(&mut |_, _| {})?;
            answers.push(case.answers(&database)?);
        }
        vectordoc::planted::plant(machine.as_deref());
        let case = case.exact();
        expect_same(seed, "scalar", &case, &answers[0], &answers[1]);
        Ok(())
    });
}

fn corpus_path() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().find(|path| path.join("ARCHITECTURE.md").is_file());
    root.expect("the repository").join("tests/corpus/answers.json")
}

/// `CORPUS=write` writes the answers of this machine; else they must be those that are there.
#[test]
fn this_machine_answers_what_the_corpus_says() -> Result<()> {
    let programs: Vec<Json> = (0..24).map(program).collect::<Result<_>>()?;
    let path = corpus_path();
    let lines: Vec<String> = programs.iter().map(Json::to_string).collect();
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    if std::env::var("CORPUS").is_ok_and(|corpus| corpus == "write") {
        std::fs::write(&path, &text).expect("the corpus can be written");
    }
    let corpus = std::fs::read_to_string(&path).expect("the corpus is there");
    for (number, (expected, program)) in corpus.lines().zip(text.lines()).enumerate() {
        assert_eq!(expected, program, "line {number}");
    }
    assert_eq!(corpus.len(), text.len());
    Ok(())
}

/// A program and its answers. Its numbers are small and whole, so that there are ties and no rounding.
fn program(seed: u64) -> Result<Json> {
    let mut rng = Rng::with_seed(seed);
    let metric = ["l2", "dot"][rng.usize(..2)];
    let index = ["exact", "hnsw", "auto"][rng.usize(..3)];
    let dim = rng.usize(1..9);
    let schema = json!({
        "id": "u64",
        "embedding": {"vector": dim, "metric": metric, "index": index},
        "price": {"type": "f64", "filter": true},
        "tags": {"type": "string[]", "filter": true},
    });
    let parsed = Schema::from_json_str(&schema.to_string())?;
    let database = Database::in_memory(&parsed, &DatabaseOptions::default())?;
    let mut steps = Vec::new();
    for _ in 0..rng.usize(3..8) {
        let vector = |rng: &mut Rng| -> Vec<i8> { (0..dim).map(|_| rng.i8(-3..=3)).collect() };
        let docs: Vec<Json> = (0..rng.usize(1..25))
            .map(|_| {
                let tags: Vec<&str> = ["new", "red", "ü"][..rng.usize(..4)].to_vec();
                json!({"id": rng.u8(..60), "embedding": vector(&mut rng),
                    "price": f64::from(rng.i8(-8..8)) / 4.0, "tags": tags})
            })
            .collect();
        let ids: Vec<u8> = (0..rng.usize(..6)).map(|_| rng.u8(..60)).collect();
        let document = |doc: &Json| Document::from_json(&parsed, &doc.to_string());
        database.index(docs.iter().map(document).collect::<Result<_>>()?)?;
        database.delete(ids.iter().map(|id| Id::Int((*id).into())).collect())?;
        let filter = json_filter(&mut rng);
        let (asked, limit) = (vector(&mut rng), rng.usize(1..20));
        let query = Query {
            limit,
            exact: true,
            filter: filter.to_string().parse()?,
            ..Query::new(asked.iter().map(|number| f32::from(*number)).collect())
        };
        let hits: Vec<Json> = database
            .search(&query)?
            .iter()
            .map(|hit| match hit.id {
                Id::Int(id) => json!([id, hit.distance]),
                _ => Json::Null,
            })
            .collect();
        steps.push(json!({"index": docs, "delete": ids, "query": asked, "limit": limit,
            "filter": filter, "hits": hits, "count": database.count(&query.filter)?}));
    }
    Ok(json!({"schema": schema, "steps": steps}))
}

fn json_filter(rng: &mut Rng) -> Json {
    let price = f64::from(rng.i8(-8..8)) / 4.0;
    match rng.u8(..7) {
        0 => json!({}),
        1 => json!({"price": {"$lt": price}}),
        2 => json!({"price": {"$gte": price}, "tags": "new"}),
        3 => json!({"tags": {"$contains": "ü"}}),
        4 => json!({"$or": [{"tags": {"$size": 0}}, {"price": price}]}),
        5 => json!({"$not": {"tags": {"$in": ["red", "ü"]}}}),
        _ => json!({"tags": {"$all": ["new", "red"]}}),
    }
}
