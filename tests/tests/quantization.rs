//! Promise: whatever vectors are compared by on the way, default settings find at least 95 of 100
//! of the true neighbours, every distance reported is the exact one, and opening changes neither.

use fastrand::Rng;
use std::collections::BTreeMap;
use vectordoc::{
    Database, Document, Hit, Id, Include, Metric, Query, Result, Schema, limits,
    native::DatabaseOptions,
    schema::{IdField, IdKind, IndexKind, IndexSpec, Precision, Quantization, VectorField},
};
use vectordoc_tests::random;

/// So few that a search scans codes more often than it walks a graph.
const DOCUMENTS: u64 = 2_000;
/// So many that every search walks.
const DOCUMENTS_TO_WALK: u64 = 10_000;
const QUERIES: usize = 50;
const LIMIT: usize = 10;

fn schema(metric: Metric, quantization: Option<Quantization>, dim: usize) -> Schema {
    let index = IndexSpec { kind: IndexKind::Hnsw, quantization, ..IndexSpec::default() };
    let name = "embedding".into();
    let vector =
        VectorField { name, dim, metric, precision: Precision::F32, optional: false, index };
    let id = IdField { name: "id".into(), kind: IdKind::Int };
    Schema::new(id, vec![vector], Vec::new()).expect("the schema is well formed")
}

fn documents(rng: &mut Rng, count: u64, dim: usize) -> Vec<Document> {
    let mut vector = || Some(random::clustered(rng, dim));
    let document = |id| Document { id: Id::Int(id), vectors: vec![vector()], values: Vec::new() };
    (0..count).map(document).collect()
}

/// The exact answer: every document with its distance.
struct Truth {
    vector: Vec<f32>,
    distances: BTreeMap<Id, f32>,
    /// The distance of the last that is wanted.
    farthest: f32,
}

impl Truth {
    fn of(db: &Database, vector: Vec<f32>) -> Result<Self> {
        let query = Query { limit: limits::LIMIT_MAX, exact: true, ..Self::query(&vector) };
        let hits = db.search(&query)?;
        let farthest = hits[LIMIT - 1].distance;
        let distances = hits.into_iter().map(|hit| (hit.id, hit.distance)).collect();
        Ok(Self { vector, distances, farthest })
    }

    fn query(vector: &[f32]) -> Query {
        Query { limit: LIMIT, include: Include::Nothing, ..Query::new(vector.to_vec()) }
    }

    /// How many of the hits of a default search are among the nearest.
    fn found(&self, db: &Database) -> Result<usize> {
        let hits = db.search(&Self::query(&self.vector))?;
        assert_eq!(hits.len(), LIMIT);
        for hit in &hits {
            assert_eq!(hit.distance, self.distances[&hit.id], "distance of {:?}", hit.id);
        }
        Ok(hits.iter().filter(|hit: &&Hit| hit.distance <= self.farthest).count())
    }
}

fn recall(db: &Database, truths: &[Truth]) -> Result<f64> {
    let found = truths.iter().map(|truth| truth.found(db)).sum::<Result<usize>>()?;
    Ok(found as f64 / (truths.len() * LIMIT) as f64)
}

/// Recall of a new database, and of the same opened again.
fn judge(metric: Metric, quantization: Quantization, dim: usize) -> Result<[f64; 2]> {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let schema = schema(metric, Some(quantization), dim);
    let db = Database::create(directory.path(), &schema, &DatabaseOptions::default())?;
    let mut rng = Rng::with_seed(1);
    db.index(documents(&mut rng, DOCUMENTS, dim))?;
    db.wait_indexed(&mut |_, _| {})?;
    let vectors = (0..QUERIES).map(|_| random::clustered(&mut rng, dim));
    let truths = vectors.map(|vector| Truth::of(&db, vector)).collect::<Result<Vec<_>>>()?;
    let before = recall(&db, &truths)?;
    db.close()?;
    drop(db);
    let db = Database::open(directory.path(), &DatabaseOptions::default())?;
    assert_eq!(db.stats().unindexed, 0, "opening finds the index built");
    Ok([before, recall(&db, &truths)?])
}

fn judge_all(metric: Metric) -> Result<()> {
    let mut poor = Vec::new();
    for (name, quantization) in Quantization::NAMES {
        for dim in [3, 16, 100, 384] {
            let [before, after] = judge(metric, quantization, dim)?;
            let what = format!("{} {name} {dim}: recall {before:.3}", metric.name());
            eprintln!("{what}");
            assert_eq!(before, after, "{what}: opening changes answers");
            if before < 0.95 {
                poor.push(what);
            }
        }
    }
    assert!(poor.is_empty(), "{poor:#?}");
    Ok(())
}

#[test]
fn every_quantization_finds_near_vectors_under_cosine() -> Result<()> {
    judge_all(Metric::Cosine)
}

#[test]
fn every_quantization_finds_near_vectors_under_l2() -> Result<()> {
    judge_all(Metric::L2)
}

#[test]
fn every_quantization_finds_near_vectors_under_dot() -> Result<()> {
    judge_all(Metric::Dot)
}

#[test]
fn a_graph_of_any_quantization_is_walked_to_the_near_vectors() -> Result<()> {
    let dim = 64;
    for (name, quantization) in Quantization::NAMES {
        let schema = schema(Metric::L2, Some(quantization), dim);
        let db = Database::in_memory(&schema, &DatabaseOptions::default())?;
        let mut rng = Rng::with_seed(2);
        db.index(documents(&mut rng, DOCUMENTS_TO_WALK, dim))?;
        db.wait_indexed(&mut |_, _| {})?;
        let vectors = (0..QUERIES).map(|_| random::clustered(&mut rng, dim));
        let truths = vectors.map(|vector| Truth::of(&db, vector)).collect::<Result<Vec<_>>>()?;
        let (_, explanation) = db.explain(&Truth::query(&truths[0].vector))?;
        let recall = recall(&db, &truths)?;
        eprintln!("{name}: recall {recall:.3}, {explanation:?}");
        assert_eq!(explanation.plan, "graph", "{name}");
        assert!(recall >= 0.95, "{name}: recall {recall:.3}");
    }
    Ok(())
}

#[test]
fn a_schema_with_a_quantization_comes_back_from_its_json() -> Result<()> {
    for (name, quantization) in Quantization::NAMES {
        let given = schema(Metric::L2, Some(quantization), 8);
        assert_eq!(given.to_json()["embedding"]["quantization"], name);
        assert_eq!(Schema::from_json_str(&given.to_json_string())?, given);
    }
    let unset = schema(Metric::L2, None, 8);
    assert_eq!(unset.to_json()["embedding"].get("quantization"), None);
    assert_eq!(Schema::from_json_str(&unset.to_json_string())?, unset);
    let json = r#"{"id": "u64", "embedding": {"vector": 8, "quantization": "int8"}}"#;
    let error = Schema::from_json_str(json).expect_err("there is no such quantization");
    assert!(error.message().contains("f32, f16, i8, i4, binary"), "{error}");
    Ok(())
}

#[test]
fn a_quantization_left_open_follows_from_dimension_and_precision() {
    use Quantization::{F16, F32, I4, I8};
    let kinds = [IndexKind::Auto, IndexKind::Exact];
    for (precision, auto, exact) in [
        (Precision::F32, [I8, I4], F32),
        (Precision::F16, [I8, I4], F16),
        (Precision::I8, [I8, I8], I8),
    ] {
        let chosen =
            |kind, dim| IndexSpec { kind, ..IndexSpec::default() }.quantization(dim, precision);
        assert_eq!([95, 96].map(|dim| chosen(kinds[0], dim)), auto, "{precision:?}");
        assert_eq!(chosen(kinds[1], 384), exact, "what is never asked is not kept");
    }
}
