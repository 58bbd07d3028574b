//! Promise: the graph of the crate `hnsw_rs` behind our trait finds what ours does, through
//! filters, deletes and opening.

use fastrand::Rng;
use vectordoc::{
    Database, Document, Filter, Id, Query, Result, Schema, Value, filter::Test,
    native::DatabaseOptions,
};
use vectordoc_tests::random;

const DIM: usize = 24;
const COUNT: u64 = 8_000;
/// Candidates so few that the graph is asked rather than every vector compared.
const EF: usize = 24;

fn schema(metric: &str) -> Schema {
    let json = format!(
        r#"{{"id": "u64", "rank": {{"type": "u64", "filter": true}},
             "embedding": {{"vector": {DIM}, "metric": "{metric}", "index": "hnsw_rs"}}}}"#
    );
    Schema::from_json_str(&json).expect("the schema is well formed")
}

fn document(rng: &mut Rng, id: u64) -> Document {
    let vectors = vec![Some(random::clustered(rng, DIM))];
    Document { id: Id::Int(id), vectors, values: vec![Value::Int(id.into())] }
}

fn fill(db: &Database) -> Result<()> {
    let mut rng = Rng::with_seed(1);
    db.index((0..COUNT).map(|id| document(&mut rng, id)).collect())?;
    db.wait_indexed(&mut |_, _| {})
}

fn below(share: f64) -> Filter {
    Filter::field("rank", Test::Lt(Value::Float(COUNT as f64 * share)))
}

/// Recall@10, with as many hits as there can be at the distances they have, and how they were
/// found.
fn recall(db: &Database, filter: &Filter, ef: Option<usize>) -> Result<(f64, &'static str)> {
    let (mut rng, mut found, mut wanted, mut plan) = (Rng::with_seed(9), 0, 0, "");
    for _ in 0..50 {
        let vector = random::clustered(&mut rng, DIM);
        let query = Query { filter: filter.clone(), ef, ..Query::new(vector) };
        let truth = db.search(&Query { exact: true, limit: 1_000, ..query.clone() })?;
        let (hits, explanation) = db.explain(&query)?;
        let wanted_here = truth.len().min(query.limit);
        assert_eq!(hits.len(), wanted_here);
        for hit in &hits {
            let exact = truth.iter().find(|other| other.id == hit.id);
            assert!(exact.is_none_or(|exact| exact.distance == hit.distance), "{:?}", hit.id);
        }
        let far = truth.get(wanted_here - 1).map_or(0.0, |hit| hit.distance);
        found += hits.iter().filter(|hit| hit.distance <= far).count();
        wanted += wanted_here;
        plan = explanation.plan;
    }
    Ok((found as f64 / wanted as f64, plan))
}

#[test]
fn it_finds_near_vectors_under_every_metric_and_filter() -> Result<()> {
    for metric in ["cosine", "l2", "dot"] {
        let db = Database::in_memory(&schema(metric), &DatabaseOptions::default())?;
        fill(&db)?;
        let mut plans = Vec::new();
        for share in [1.0, 0.9, 0.3, 0.1, 0.01, 0.001] {
            let filter = if share == 1.0 { Filter::All } else { below(share) };
            for ef in [None, Some(EF)] {
                let (recall, plan) = recall(&db, &filter, ef)?;
                eprintln!("{metric}, {share}, ef {ef:?}: recall {recall:.3} by {plan}");
                assert!(recall >= 0.95, "{metric}, {share}: recall {recall:.3} by {plan}");
                plans.push(plan);
            }
        }
        assert_eq!([plans[1], plans[3], plans[5]], ["graph", "filtered graph", "filtered graph"]);
    }
    Ok(())
}

#[test]
fn what_is_deleted_or_replaced_is_gone_and_opening_builds_the_graph_again() -> Result<()> {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let options = DatabaseOptions::default();
    let db = Database::create(directory.path(), &schema("cosine"), &options)?;
    fill(&db)?;
    let mut rng = Rng::with_seed(2);
    let memory = db.stats().memory_bytes;
    for share in [20, 3] {
        db.delete((0..COUNT).step_by(share).map(Id::Int).collect())?;
        db.index((1..COUNT).step_by(share).map(|id| document(&mut rng, id)).collect())?;
        db.wait_indexed(&mut |_, _| {})?;
        db.check()?;
        for filter in [Filter::All, below(0.5)] {
            let (recall, plan) = recall(&db, &filter, Some(EF))?;
            eprintln!("one in {share} deleted: recall {recall:.3} by {plan}");
            assert!(recall >= 0.95, "one in {share} deleted: recall {recall:.3} by {plan}");
        }
    }
    assert!(db.stats().memory_bytes < memory * 3 / 2, "tombstones are cleared away");
    let left = db.count(&Filter::All)?;
    db.close()?;
    drop(db);

    let db = Database::open(directory.path(), &options)?;
    assert_eq!(db.count(&Filter::All)?, left);
    let (early, _) = recall(&db, &Filter::All, Some(EF))?;
    assert!(early >= 0.95, "recall {early:.3} while it is built again");
    db.wait_indexed(&mut |_, _| {})?;
    db.check()?;
    let (recall, plan) = recall(&db, &Filter::All, Some(EF))?;
    assert!(recall >= 0.95 && plan == "graph", "recall {recall:.3} by {plan}");
    Ok(())
}

#[test]
fn searches_go_on_while_it_is_built() -> Result<()> {
    let db = Database::in_memory(&schema("l2"), &DatabaseOptions::default())?;
    let mut rng = Rng::with_seed(4);
    db.index((0..COUNT / 2).map(|id| document(&mut rng, id)).collect())?;
    let mut searches = 0;
    while db.stats().unindexed > 0 || searches == 0 {
        let query = Query { ef: Some(EF), ..Query::new(random::clustered(&mut rng, DIM)) };
        let hits = db.search(&query)?;
        let ids: std::collections::BTreeSet<_> = hits.iter().map(|hit| &hit.id).collect();
        assert_eq!(ids.len(), query.limit, "no document is a hit twice");
        searches += 1;
    }
    eprintln!("{searches} searches while it was built");
    db.check()
}

#[test]
fn deleting_everything_leaves_nothing_and_takes_new_documents() -> Result<()> {
    let db = Database::in_memory(&schema("dot"), &DatabaseOptions::default())?;
    let mut rng = Rng::with_seed(3);
    let documents: Vec<_> = (0..300).map(|id| document(&mut rng, id)).collect();
    for _ in 0..3 {
        db.index(documents.clone())?;
        db.wait_indexed(&mut |_, _| {})?;
        db.delete((0..300).map(Id::Int).collect())?;
        db.wait_indexed(&mut |_, _| {})?;
        db.check()?;
        assert_eq!(db.search(&Query::new(vec![1.0; DIM]))?.len(), 0);
    }
    Ok(())
}
