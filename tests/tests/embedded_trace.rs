//! Promise: the way of a search can be looked at, hop by hop, and it is the way the search took.

use fastrand::Rng;
use std::collections::BTreeSet;
use vectordoc::{
    Batch, Document, Engine, Filter, Id, Query, Result, Schema, Value, index::Indexes, query::Hop,
};
use vectordoc_tests::random::seed;

const DIM: usize = 12;
const DOCUMENTS: u64 = 3_000;

fn schema(index: &str) -> Result<Schema> {
    Schema::from_json_str(&format!(
        r#"{{"id": "u64", "embedding": {{"vector": {DIM}, "index": "{index}"}},
            "even": {{"type": "bool", "filter": true}}}}"#
    ))
}

fn vector(rng: &mut Rng) -> Vec<f32> {
    (0..DIM).map(|_| rng.f32() - 0.5).collect()
}

/// Random documents of `schema`, all of them in the index.
fn filled(schema: Schema, rng: &mut Rng) -> Result<Engine> {
    let mut engine = Engine::new(schema, &Indexes::default())?;
    let documents = (0..DOCUMENTS).map(|id| Document {
        id: Id::Int(id),
        vectors: vec![Some(vector(rng))],
        values: vec![Value::Bool(id % 2 == 0)],
    });
    apply(&mut engine, Batch::index(documents.collect()))?;
    Ok(engine)
}

fn apply(engine: &mut Engine, batch: Batch) -> Result<()> {
    let (record, _) = engine.prepare(batch)?;
    engine.apply(&record)?;
    while engine.maintain()? {}
    Ok(())
}

fn compared(path: &[Hop]) -> BTreeSet<&Id> {
    path.iter().flat_map(|hop| &hop.compared).map(|(id, _)| id).collect()
}

#[test]
fn a_path_has_every_comparison_of_its_search_and_leads_to_its_hits() -> Result<()> {
    let mut rng = Rng::with_seed(seed(9));
    let engine = filled(schema("hnsw")?, &mut rng)?;
    let even: Filter = r#"{"even": true}"#.parse()?;
    let mut walked = BTreeSet::new();
    for round in 0..40 {
        let filter = if round % 2 == 0 { Filter::All } else { even.clone() };
        let query = Query { ef: Some(16), filter, ..Query::new(vector(&mut rng)) };
        let (hits, explanation) = engine.explain(&query)?;
        let path = engine.trace(&query)?;
        assert!(hits.iter().all(|hit| compared(&path).contains(&hit.id)), "{}", explanation.plan);
        assert!(path.is_sorted_by_key(|hop| std::cmp::Reverse(hop.level)), "it only goes down");
        assert!(path.first().is_some_and(|hop| hop.level > 0), "it begins above the lowest level");
        if explanation.plan.contains("graph") && !explanation.plan.contains("codes") {
            let total: usize = path.iter().map(|hop| hop.compared.len()).sum();
            assert_eq!(total as u64, explanation.visited);
            walked.insert(explanation.plan);
        }
    }
    assert_eq!(walked, BTreeSet::from(["filtered graph", "graph"]), "both ways were looked at");
    Ok(())
}

#[test]
fn a_deleted_document_is_not_named_by_a_path() -> Result<()> {
    let mut rng = Rng::with_seed(seed(10));
    let mut engine = filled(schema("hnsw")?, &mut rng)?;
    let query = Query::new(vector(&mut rng));
    let gone = engine.search(&query)?.swap_remove(0).id;
    // Not maintained: the graph still has it.
    let (record, _) = engine.prepare(Batch::delete(vec![gone.clone()]))?;
    engine.apply(&record)?;
    let path = engine.trace(&query)?;
    assert!(!path.is_empty() && !compared(&path).contains(&gone));
    assert!(path.iter().all(|hop| hop.at.as_ref() != Some(&gone)));
    Ok(())
}

#[test]
fn where_there_is_no_graph_or_nothing_to_find_there_is_no_path() -> Result<()> {
    let mut rng = Rng::with_seed(seed(11));
    let exact = filled(schema("exact")?, &mut rng)?;
    assert_eq!(exact.trace(&Query::new(vector(&mut rng)))?, []);
    let graph = filled(schema("hnsw")?, &mut rng)?;
    let none = Query { limit: 0, ..Query::new(vector(&mut rng)) };
    assert_eq!(graph.trace(&none)?, []);
    let error = graph.trace(&Query::new(vec![0.5; DIM - 1])).expect_err("it is too short");
    assert!(error.message().contains("needs 12"), "{error}");
    Ok(())
}
