//! Promise: an index the user brings serves as ours do: complete answers, filters, deletes,
//! checkpoints; and a database that has one does not open without it.

#[path = "../../core/examples/own_index.rs"]
mod example;

use example::{Ivf, IvfCells};
use fastrand::Rng;
use std::path::Path;
use vectordoc::{
    Database, Document, Error, ErrorKind, Filter, Id, Query, Result, Schema, Value,
    filter::Test,
    index::{
        Change, Found, IndexFactory, Indexes, Plan, Probe, Search, Section, Sections, VectorIndex,
        Vectors,
    },
    limits,
    native::DatabaseOptions,
    schema::VectorField,
};
use vectordoc_tests::random;

const DIM: usize = 24;
/// So many that at default settings the index is asked rather than every code compared.
const COUNT_TO_ASK: u64 = 10_000;
const COUNT: u64 = 3_000;
/// Candidates so few that the index is asked of them too.
const EF: usize = 64;

fn schema(metric: &str) -> Schema {
    let json = format!(
        r#"{{"id": "u64", "rank": {{"type": "u64", "filter": true}},
             "embedding": {{"vector": {DIM}, "metric": "{metric}", "index": "custom"}}}}"#
    );
    Schema::from_json_str(&json).expect("the schema is well formed")
}

fn with(factory: impl IndexFactory + 'static) -> DatabaseOptions {
    let indexes = Indexes::default().with("embedding", factory);
    DatabaseOptions { indexes, ..DatabaseOptions::default() }
}

fn document(rng: &mut Rng, id: u64) -> Document {
    let vectors = vec![Some(random::clustered(rng, DIM))];
    Document { id: Id::Int(id), vectors, values: vec![Value::Int(id.into())] }
}

fn fill(db: &Database, count: u64) -> Result<()> {
    let mut rng = Rng::with_seed(1);
    db.index((0..count).map(|id| document(&mut rng, id)).collect())?;
    db.wait_indexed(&mut |_, _| {})
}

/// Recall@10, with as many hits as there can be, and how they were found.
fn recall(db: &Database, filter: &Filter, ef: Option<usize>) -> Result<(f64, &'static str)> {
    let (mut rng, mut found, mut wanted, mut plan) = (Rng::with_seed(9), 0, 0, "");
    for _ in 0..50 {
        let vector = random::clustered(&mut rng, DIM);
        let query = Query { filter: filter.clone(), ef, ..Query::new(vector) };
        let truth = db.search(&Query { exact: true, ..query.clone() })?;
        let (hits, explanation) = db.explain(&query)?;
        assert_eq!(hits.len(), truth.len());
        let far = truth.last().map_or(0.0, |hit| hit.distance);
        found += hits.iter().filter(|hit| hit.distance <= far).count();
        wanted += truth.len();
        plan = explanation.plan;
    }
    Ok((found as f64 / wanted as f64, plan))
}

/// Opens the database in `path`, expecting it to be refused.
#[track_caller]
fn refused(path: &Path, options: &DatabaseOptions) -> Error {
    Database::open(path, options).expect_err("the database is not opened")
}

#[test]
fn the_example_runs() -> Result<()> {
    example::main()
}

#[test]
fn it_finds_near_vectors_under_every_metric_and_filter() -> Result<()> {
    for metric in ["cosine", "l2", "dot"] {
        let db = Database::in_memory(&schema(metric), &with(IvfCells))?;
        fill(&db, COUNT_TO_ASK)?;
        let mut filters = vec![Filter::All];
        for share in [0.9, 0.5, 0.1, 0.01, 0.001] {
            let below = Value::Float(COUNT_TO_ASK as f64 * share);
            filters.push(Filter::field("rank", Test::Lt(below)));
        }
        let mut plans = Vec::new();
        for filter in &filters {
            let (recall, plan) = recall(&db, filter, None)?;
            eprintln!("{metric}, {filter:?}: recall {recall:.3} by {plan}");
            assert!(recall >= 0.95, "{metric}, {filter:?}: recall {recall:.3} by {plan}");
            plans.push(plan);
        }
        assert_eq!(plans[..2], ["own index", "filtered own index"], "{metric}");
    }
    Ok(())
}

#[test]
fn it_follows_deletes_and_updates_and_is_there_after_opening() -> Result<()> {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let options = DatabaseOptions { shards: Some(2), ..with(IvfCells) };
    let db = Database::create(directory.path(), &schema("l2"), &options)?;
    fill(&db, COUNT)?;
    let mut rng = Rng::with_seed(2);
    db.delete((0..COUNT).step_by(3).map(Id::Int).collect())?;
    db.index((1..COUNT).step_by(3).map(|id| document(&mut rng, id)).collect())?;
    db.wait_indexed(&mut |_, _| {})?;
    db.check()?;
    let before = recall(&db, &Filter::All, Some(EF))?;
    assert!(before.0 >= 0.9 && before.1 == "own index", "{before:?}");
    db.close()?;
    drop(db);

    let db = Database::open(directory.path(), &with(IvfCells))?;
    assert_eq!(db.stats().unindexed, 0, "the cells were read, not built");
    db.check()?;
    assert_eq!(recall(&db, &Filter::All, Some(EF))?, before);
    Ok(())
}

#[test]
fn one_that_cannot_be_read_is_built_again() -> Result<()> {
    struct Unreadable;
    impl IndexFactory for Unreadable {
        fn create(&self, field: &VectorField) -> Box<dyn VectorIndex> {
            Box::new(Ivf::new(field))
        }
        fn open(&self, _: &VectorField, _: &dyn Sections) -> Result<Option<Box<dyn VectorIndex>>> {
            Err(Error::corrupt("these are the bytes of another algorithm"))
        }
    }
    let directory = tempfile::tempdir().expect("a directory for the test");
    let db = Database::create(directory.path(), &schema("l2"), &with(Ivf::new))?;
    fill(&db, COUNT)?;
    let before = recall(&db, &Filter::All, Some(EF))?;
    db.close()?;
    for options in [with(Ivf::new), with(Unreadable)] {
        let db = Database::open(directory.path(), &options)?;
        assert_eq!(db.count(&Filter::All)?, COUNT);
        db.wait_indexed(&mut |_, _| {})?;
        db.check()?;
        assert_eq!(recall(&db, &Filter::All, Some(EF))?, before);
        db.close()?;
    }
    Ok(())
}

#[test]
fn a_database_does_not_open_without_it_and_is_whole_afterwards() -> Result<()> {
    let folder = tempfile::tempdir().expect("a directory for the test");
    let path = folder.path().join("db");
    let without = DatabaseOptions::default();
    let error = Database::create(&path, &schema("l2"), &without).expect_err("it is not created");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(!path.exists(), "nothing is left behind");
    let error = Database::in_memory(&schema("l2"), &without).expect_err("it is not created");
    assert_eq!(error.kind(), ErrorKind::Unsupported);

    let db = Database::create(&path, &schema("l2"), &with(IvfCells))?;
    fill(&db, COUNT)?;
    db.close()?;
    let error = refused(&path, &without);
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    for part in [r#"field "embedding""#, "Db::builder().index", "DatabaseOptions::indexes"] {
        assert!(error.message().contains(part), "{error}");
    }
    let db = Database::open(&path, &with(IvfCells))?;
    assert_eq!(db.stats().unindexed, 0);
    Ok(())
}

#[test]
fn one_for_a_field_that_does_not_ask_for_it_is_refused() {
    let text = r#"{"id": "u64", "embedding": {"vector": 2, "index": "hnsw"}}"#;
    let schema = Schema::from_json_str(text).expect("the schema is well formed");
    let error = Database::in_memory(&schema, &with(IvfCells)).expect_err("the schema says hnsw");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains(r#"has the index "hnsw""#), "{error}");

    let indexes = Indexes::default().with("embeding", IvfCells);
    let options = DatabaseOptions { indexes, ..DatabaseOptions::default() };
    let error = Database::in_memory(&schema, &options).expect_err("there is no such field");
    assert!(error.message().contains(r#"did you mean "embedding"?"#), "{error}");
}

/// Contains what it is given and finds none of it, whatever `ef` says.
#[derive(Default)]
struct Blind {
    slots: std::collections::BTreeSet<u32>,
    sections: usize,
}

impl VectorIndex for Blind {
    fn contains(&self, slot: u32) -> bool {
        self.slots.contains(&slot)
    }
    fn search(&self, _: &Probe, _: &Vectors, _: &Search<'_>) -> Result<Found> {
        Ok(Found::default())
    }
    fn plan(&self, _: &Change, _: &Vectors, _: usize) -> Result<Plan> {
        Ok(Box::new(()))
    }
    fn commit(&mut self, change: &Change, _: Plan, _: &Vectors) {
        self.slots.extend(&change.insert);
        self.slots.retain(|slot| !change.remove.contains(slot));
    }
    fn memory_bytes(&self) -> usize {
        0
    }
    fn sections(&self) -> Vec<&dyn Section> {
        (0..self.sections).map(|_| self as &dyn Section).collect()
    }
    fn mark_clean(&mut self) {}
}

impl Section for Blind {
    fn header(&self) -> u64 {
        0
    }
    fn pages(&self) -> usize {
        0
    }
    fn is_dirty(&self, _: usize) -> bool {
        false
    }
    fn page(&self, _: usize) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

#[test]
fn answers_are_complete_whatever_it_misses_and_measuring_ends() -> Result<()> {
    let db = Database::in_memory(&schema("l2"), &with(|_: &VectorField| Blind::default()))?;
    fill(&db, COUNT)?;
    let (recall, plan) = recall(&db, &Filter::All, Some(EF))?;
    assert_eq!(plan, "own index, then codes");
    assert!(recall >= 0.95, "recall {recall:.3}");
    db.check()
}

#[test]
fn it_has_as_many_sections_as_a_field_has_room_for() {
    let has = |sections| move |_: &VectorField| Blind { sections, ..Blind::default() };
    let most = limits::INDEX_SECTIONS_MAX;
    assert!(Database::in_memory(&schema("l2"), &with(has(most))).is_ok());
    let error = Database::in_memory(&schema("l2"), &with(has(most + 1))).expect_err("too many");
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.message().contains(r#"field "embedding""#), "{error}");
}
