//! Promise: default settings find at least 95 of 100 of the true neighbours, filtered or not, with
//! exactly as many hits as there can be; also after every document was replaced.

use fastrand::Rng;
use vectordoc::{
    Database, Document, Filter, Hit, Id, Query, Result, Schema, Value, filter::Test,
    native::DatabaseOptions,
};
use vectordoc_tests::random;

const DIM: usize = 64;
const LIMIT: usize = 10;
const QUERIES: usize = 100;

fn schema(index: &str) -> Schema {
    Schema::from_json_str(&format!(
        r#"{{"id": "u64", "embedding": {{"vector": {DIM}, "metric": "cosine", "index": "{index}"}},
             "rank": {{"type": "u64", "filter": true}}, "side": {{"type": "bool", "filter": true}}}}"#
    ))
    .expect("the schema is well formed")
}

fn clustered(rng: &mut Rng) -> Vec<f32> {
    random::clustered(rng, DIM)
}

/// Vectors without any structure: the hardest to search.
fn unstructured(rng: &mut Rng) -> Vec<f32> {
    (0..DIM).map(|_| random::gaussian(rng)).collect()
}

fn documents(
    rng: &mut Rng,
    ids: std::ops::Range<u64>,
    vector: fn(&mut Rng) -> Vec<f32>,
) -> Vec<Document> {
    let document = |id| {
        let vector = vector(rng);
        let side = vector[0] > 0.0;
        let values = vec![Value::Int(i128::from(id)), Value::Bool(side)];
        Document { id: Id::Int(id), vectors: vec![Some(vector)], values }
    };
    ids.map(document).collect()
}

/// Recall@10 of default searches against exact ones; each must have as many hits.
fn recall(db: &Database, filter: &Filter, queries: &[Vec<f32>]) -> Result<f64> {
    let (mut found, mut wanted) = (0, 0);
    for vector in queries {
        let query = Query { filter: filter.clone(), limit: LIMIT, ..Query::new(vector.clone()) };
        let expected = db.search(&Query { exact: true, ..query.clone() })?;
        let hits = db.search(&query)?;
        assert_eq!(hits.len(), expected.len());
        let far = expected.last().map_or(f32::INFINITY, |hit: &Hit| hit.distance);
        found += hits.iter().filter(|hit| hit.distance <= far).count();
        wanted += expected.len();
    }
    Ok(found as f64 / wanted as f64)
}

fn judge(db: &Database, vector: fn(&mut Rng) -> Vec<f32>, what: &str) -> Result<()> {
    let mut rng = Rng::with_seed(99);
    let queries: Vec<_> = (0..QUERIES).map(|_| vector(&mut rng)).collect();
    let total = db.count(&Filter::All)?;
    let below = |share: f64| Filter::field("rank", Test::Lt(Value::Float(total as f64 * share)));
    let mut filters = vec![("all".to_string(), Filter::All)];
    for share in [0.5, 0.2, 0.1, 0.01, 0.001] {
        filters.push((format!("{} %", share * 100.0), below(share)));
    }
    filters.push(("one side".into(), Filter::field("side", Test::Eq(Value::Bool(true)))));
    for (name, filter) in filters {
        let recall = recall(db, &filter, &queries)?;
        eprintln!("{what}, {name}: recall {recall:.3}");
        assert!(recall >= 0.95, "{what}, {name}: recall {recall:.3}");
    }
    Ok(())
}

fn filled(index: &str, count: u64, vector: fn(&mut Rng) -> Vec<f32>) -> Result<Database> {
    let db = Database::in_memory(&schema(index), &DatabaseOptions::default())?;
    let mut rng = Rng::with_seed(random::seed(1));
    for start in (0..count).step_by(1_000) {
        db.index(documents(&mut rng, start..(start + 1_000).min(count), vector))?;
    }
    db.wait_indexed(&mut |_, _| {})?;
    Ok(db)
}

#[test]
fn clustered_vectors_are_found_at_every_selectivity() -> Result<()> {
    judge(&filled("hnsw", 12_000, clustered)?, clustered, "clustered")
}

#[test]
fn unstructured_vectors_are_found_at_every_selectivity() -> Result<()> {
    judge(&filled("auto", 20_000, unstructured)?, unstructured, "unstructured")
}

#[test]
fn documents_are_found_before_their_index_is_built() -> Result<()> {
    let db = Database::in_memory(&schema("hnsw"), &DatabaseOptions::default())?;
    let mut rng = Rng::with_seed(random::seed(1));
    let documents = documents(&mut rng, 0..5_000, clustered);
    db.index(documents.clone())?;
    let missed = documents.iter().step_by(97).filter(|document| {
        let query = Query::new(document.vectors[0].clone().unwrap_or_default());
        let hits = db.search(&query).unwrap_or_default();
        hits.first().is_none_or(|hit| hit.id != document.id)
    });
    assert_eq!(missed.count(), 0);
    Ok(())
}

#[test]
fn replacing_every_document_ten_times_keeps_recall_and_memory() -> Result<()> {
    let (count, generations) = (2_000, 10);
    let db = filled("hnsw", count, clustered)?;
    let mut rng = Rng::with_seed(5);
    let (mut memory, mut last) = (0, Vec::new());
    for generation in 0..generations {
        last.clear();
        for start in (0..count).step_by(500) {
            let documents = documents(&mut rng, start..start + 500, clustered);
            last.extend(documents.clone());
            db.index(documents)?;
        }
        db.wait_indexed(&mut |_, _| {})?;
        if generation == 0 {
            memory = db.stats().memory_bytes;
        }
    }
    // Among much else: every node of the graph can be reached.
    db.check()?;
    let after = db.stats();
    assert_eq!(after.documents, count);
    let grown = after.memory_bytes as f64 / memory as f64;
    assert!(grown < 1.1, "memory grew by {grown} after the first generation");
    judge(&db, clustered, "after ten generations")?;

    let fresh = Database::in_memory(&schema("hnsw"), &DatabaseOptions::default())?;
    fresh.index(last)?;
    fresh.wait_indexed(&mut |_, _| {})?;
    let mut rng = Rng::with_seed(98);
    let queries: Vec<_> = (0..4 * QUERIES).map(|_| clustered(&mut rng)).collect();
    let of = |db: &Database| graph_recall(db, &queries);
    let (churned, built) = (of(&db)?, of(&fresh)?);
    eprintln!("recall of walks with ef {LIMIT}: churned {churned:.3}, built anew {built:.3}");
    assert!(churned >= built - 0.01, "{churned} after ten generations, {built} built anew");
    Ok(())
}

/// Recall@10 of walks with the smallest `ef` there is, which show best what a graph is worth.
fn graph_recall(db: &Database, queries: &[Vec<f32>]) -> Result<f64> {
    let mut found = 0;
    for vector in queries {
        let query = Query { limit: LIMIT, ef: Some(LIMIT), ..Query::new(vector.clone()) };
        let expected = db.search(&Query { exact: true, ..query.clone() })?;
        let (hits, explanation) = db.explain(&query)?;
        assert_eq!(explanation.plan, "graph");
        let far = expected.last().map_or(f32::INFINITY, |hit: &Hit| hit.distance);
        found += hits.iter().filter(|hit| hit.distance <= far).count();
    }
    Ok(found as f64 / (LIMIT * queries.len()) as f64)
}
