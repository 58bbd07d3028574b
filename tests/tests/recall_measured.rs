//! Promise: the recall a database says it has is the one a stranger would measure, on documents that
//! a seed chooses, with work that is bounded.

use fastrand::Rng;
use vectordoc::{
    Database, Document, ErrorKind, Filter, Id, Query, Result, Schema, Value,
    filter::Test,
    limits,
    native::{DatabaseOptions, RecallQuery},
};
use vectordoc_tests::random::{gaussian, seed};

fn database(rng: &mut Rng, index: &str, dim: usize, shards: usize, count: u64) -> Result<Database> {
    let schema = Schema::from_json_str(&format!(
        r#"{{"id": "u64", "embedding": {{"vector": {dim}, "metric": "l2", "index": "{index}"}},
             "side": {{"type": "bool", "filter": true}}}}"#
    ))?;
    let options = DatabaseOptions { shards: Some(shards), ..DatabaseOptions::default() };
    let database = Database::in_memory(&schema, &options)?;
    let mut document = |id| {
        let vector: Vec<f32> = (0..dim).map(|_| gaussian(rng)).collect();
        let values = vec![Value::Bool(vector[0] > 0.0)];
        Document { id: Id::Int(id), vectors: vec![Some(vector)], values }
    };
    database.index((0..count).map(&mut document).collect())?;
    database.wait_indexed(&mut |_, _| {})?;
    Ok(database)
}

/// Recall over every document, by searches of our own.
fn recall_by_hand(database: &Database, asked: &RecallQuery, count: u64) -> Result<f64> {
    let (mut found, mut wanted) = (0, 0);
    for id in 0..count {
        let id = Id::Int(id);
        let include = vectordoc::Include::Everything;
        let document = database.get(std::slice::from_ref(&id), &include)?.remove(0);
        let vector = document.and_then(|document| document.vectors[0].clone());
        let query = Query {
            limit: asked.k,
            ef: asked.ef,
            filter: asked.filter.clone(),
            except: vec![id],
            ..Query::new(vector.expect("it has one"))
        };
        let hits = database.search(&query)?;
        let nearest = database.search(&Query { exact: true, ..query })?;
        let ids: Vec<&Id> = nearest.iter().map(|hit| &hit.id).collect();
        found += hits.iter().filter(|hit| ids.contains(&&hit.id)).count();
        wanted += nearest.len();
    }
    Ok(found as f64 / wanted as f64)
}

#[test]
fn recall_is_what_searching_for_every_document_says() -> Result<()> {
    const COUNT: u64 = 900;
    let mut rng = Rng::with_seed(seed(1));
    let side = Filter::field("side", Test::Eq(Value::Bool(true)));
    for (shards, filter) in [(1, Filter::All), (3, Filter::All), (2, side)] {
        let database = database(&mut rng, "hnsw", 24, shards, COUNT)?;
        for ef in [10, 200] {
            let asked = RecallQuery {
                sample: 1_000,
                ef: Some(ef),
                filter: filter.clone(),
                ..RecallQuery::default()
            };
            let measured = database.recall(&asked)?;
            let expected = recall_by_hand(&database, &asked, COUNT)?;
            let recall = measured.recall.expect("there is something to find");
            assert!((recall - expected).abs() < 1e-9, "{recall} is not {expected} with ef {ef}");
            assert_eq!((measured.sampled, measured.k), (900, 10));
            assert!(!measured.exact.is_zero() && !measured.search.is_zero());
        }
    }
    Ok(())
}

#[test]
fn a_seed_chooses_the_documents_and_an_exact_index_misses_none() -> Result<()> {
    let mut rng = Rng::with_seed(seed(2));
    let graph = database(&mut rng, "hnsw", 32, 2, 1_500)?;
    let asked = |seed| RecallQuery { sample: 40, ef: Some(11), seed, ..RecallQuery::default() };
    let recall = |seed| -> Result<Option<f64>> { Ok(graph.recall(&asked(seed))?.recall) };
    assert_eq!(recall(7)?, recall(7)?);
    let recalls = (0..20).map(recall).collect::<Result<Vec<_>>>()?;
    assert!(recalls.iter().any(|recall| *recall != recalls[0]), "every seed chooses the same");
    let exact = database(&mut rng, "exact", 8, 1, 300)?;
    let measured = exact.recall(&RecallQuery { k: 7, sample: 50, ..RecallQuery::default() })?;
    assert_eq!((measured.recall, measured.sampled, measured.k), (Some(1.0), 50, 7));
    Ok(())
}

#[test]
fn where_there_is_nothing_to_find_recall_is_none() -> Result<()> {
    let mut rng = Rng::with_seed(seed(3));
    for count in [0, 1] {
        let database = database(&mut rng, "auto", 4, 2, count)?;
        let measured = database.recall(&RecallQuery::default())?;
        assert_eq!((measured.recall, measured.sampled), (None, 0), "{count} documents");
    }
    Ok(())
}

#[test]
fn the_work_has_its_bounds() -> Result<()> {
    const COUNT: u64 = 40_000;
    let mut rng = Rng::with_seed(seed(4));
    let database = database(&mut rng, "exact", 2, 1, COUNT)?;
    let kind = |query: &RecallQuery| database.recall(query).err().map(|error| error.kind());
    let defaults = RecallQuery::default;
    let over = limits::RECALL_SAMPLE_MAX + 1;
    assert_eq!(kind(&RecallQuery { sample: over, ..defaults() }), Some(ErrorKind::LimitExceeded));
    let over = limits::RECALL_K_MAX + 1;
    assert_eq!(kind(&RecallQuery { k: over, ..defaults() }), Some(ErrorKind::LimitExceeded));
    assert_eq!(kind(&RecallQuery { k: 0, ..defaults() }), Some(ErrorKind::Invalid));
    assert_eq!(kind(&RecallQuery { sample: 0, ..defaults() }), Some(ErrorKind::Invalid));
    let field = Some("embeding".into());
    assert_eq!(kind(&RecallQuery { field, ..defaults() }), Some(ErrorKind::Invalid));
    let most = RecallQuery { sample: limits::RECALL_SAMPLE_MAX, k: 1, ..defaults() };
    let affordable = usize::try_from(limits::RECALL_DISTANCES_MAX / COUNT).expect("small");
    assert!(affordable < limits::RECALL_SAMPLE_MAX);
    assert_eq!(database.recall(&most)?.sampled, affordable);
    Ok(())
}
