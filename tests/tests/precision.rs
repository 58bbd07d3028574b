//! Promise: vectors kept in less take less room, in memory and at rest, and are found all the same;
//! what is read is what was kept, distances are of that, and writing it again changes nothing.

use fastrand::Rng;
use tempfile::tempdir;
use vectordoc::{
    Batch, Database, Document, Engine, ErrorKind, Id, Include, Metric, Patch, Query, Result,
    Schema, Value,
    index::Indexes,
    native::{DatabaseOptions, Residence},
    schema::{
        FieldType, IdField, IdKind, IndexKind, IndexSpec, Precision, Quantization, ValueField,
        VectorField,
    },
};
use vectordoc_tests::{
    random, twin,
    wordnet::{LIMIT, WordNet},
};

const INDEX: IndexSpec =
    IndexSpec { kind: IndexKind::Hnsw, m: 16, ef_construction: 200, ef: None, quantization: None };

fn field(precision: Precision, metric: Metric, dim: usize, index: IndexSpec) -> VectorField {
    VectorField { name: "embedding".into(), dim, metric, precision, optional: false, index }
}

fn schema(field: VectorField) -> Schema {
    let id = IdField { name: "id".into(), kind: IdKind::Int };
    let ty = FieldType::Float64;
    let price = ValueField { name: "price".into(), ty, optional: true, filter: true, text: false };
    Schema::new(id, vec![field], vec![price]).expect("the schema is well formed")
}

fn document(id: u64, vector: Vec<f32>) -> Document {
    Document { id: Id::Int(id), vectors: vec![Some(vector)], values: vec![Value::Null] }
}

fn vector(document: &Document) -> &[f32] {
    document.vectors[0].as_deref().expect("it has a vector")
}

/// The engine that has all of a data set, settled.
fn filled(set: &WordNet, precision: Precision) -> Result<Engine> {
    let dim = set.vectors[0].len();
    let schema = schema(field(precision, Metric::Cosine, dim, INDEX));
    let mut engine = Engine::new(schema, &Indexes::default())?;
    let documents: Vec<_> = (0..).zip(set.vectors.iter().cloned()).collect();
    for batch in documents.chunks(1_000) {
        let batch = batch.iter().map(|(id, vector)| document(*id, vector.clone())).collect();
        let (record, _) = engine.prepare(Batch::index(batch))?;
        engine.apply(&record)?;
    }
    while engine.maintain()? {}
    Ok(engine)
}

fn recall(engine: &Engine, set: &WordNet) -> Result<f64> {
    let mut found = 0;
    for (vector, nearest) in set.queries.iter().zip(&set.questions[0].nearest) {
        let hits = engine.search(&Query { limit: LIMIT, ..Query::new(vector.clone()) })?;
        found +=
            hits.iter().filter(|hit| nearest.iter().any(|row| hit.id == Id::Int(*row))).count();
    }
    Ok(found as f64 / (LIMIT * set.queries.len()) as f64)
}

/// Bytes of every page of a checkpoint.
fn stored_bytes(engine: &Engine) -> Result<usize> {
    let checkpoint = engine.checkpoint();
    let bytes = checkpoint.pages.iter().map(|key| Ok(engine.page(&checkpoint, key)?.len()));
    bytes.sum()
}

#[test]
fn real_vectors_kept_in_less_are_found_and_take_less_room() -> Result<()> {
    let set = WordNet::load();
    // Memory is taken in pieces of 2 MiB, which are a part of what the sample needs.
    let raw = (set.vectors.len() * set.vectors[0].len() * size_of::<f32>()) as f64;
    for (precision, recall_min, stored_max, memory_max) in [
        (Precision::F32, 0.95, 1.3, 1.5),
        (Precision::F16, 0.99, 0.8, 1.2),
        (Precision::I8, 0.95, 0.6, 0.8),
    ] {
        let engine = filled(&set, precision)?;
        let recall = recall(&engine, &set)?;
        let stored = stored_bytes(&engine)? as f64 / raw;
        let memory = engine.memory_bytes() as f64 / raw;
        eprintln!(
            "{}: recall@10 {recall:.4}, of the bytes of the vectors {stored:.3} stored, \
             {memory:.3} in memory",
            precision.name()
        );
        assert!(recall >= recall_min, "{precision:?}: recall@10 {recall}");
        assert!(stored <= stored_max, "{precision:?}: {stored} stored");
        assert!(memory <= memory_max, "{precision:?}: {memory} in memory");
    }
    Ok(())
}

/// Judges what a database says of documents: their vectors are `kept`, and searches, exact ones and
/// others, give distances of those.
fn judge(db: &Database, metric: Metric, kept: &[Vec<f32>], what: &str) -> Result<()> {
    let ids: Vec<Id> = (0..kept.len() as u64).map(Id::Int).collect();
    let found = db.get(&ids, &Include::Everything)?;
    for (document, kept) in found.iter().zip(kept) {
        assert_eq!(vector(document.as_ref().expect("it is there")), kept, "{what}");
    }
    let mut rng = Rng::with_seed(2);
    let mut recall = (0, 0);
    for _ in 0..20 {
        let query = Query::new(random::clustered(&mut rng, kept[0].len()));
        let exact = db.search(&Query { exact: true, ..query.clone() })?;
        let far = exact.last().expect("there are hits").distance;
        let hits = db.search(&query)?;
        assert_eq!(hits.len(), exact.len());
        for hit in hits.iter().chain(&exact) {
            let Id::Int(id) = hit.id else { unreachable!("ids are numbers") };
            let vector = query.vector.as_ref().expect("it is a search by vector");
            let own = twin::distance(metric, vector, &kept[id as usize]);
            let error = (f64::from(hit.distance) - own).abs();
            assert!(error < 1e-5 * (1.0 + own.abs()), "{what}: {own} is {}", hit.distance);
        }
        recall.0 += hits.iter().filter(|hit| hit.distance <= far).count();
        recall.1 += hits.len();
    }
    assert!(recall.0 as f64 >= 0.95 * f64::from(recall.1 as u32), "{what}: {recall:?} found");
    Ok(())
}

/// Every way to keep and search vectors in less, each with a name.
fn ways() -> impl Iterator<Item = (String, VectorField)> {
    let indexes = [
        (IndexKind::Exact, None),
        (IndexKind::Auto, None),
        (IndexKind::Hnsw, None),
        (IndexKind::Hnsw, Some(Quantization::I8)),
        (IndexKind::Hnsw, Some(Quantization::I4)),
        (IndexKind::HnswRs, None),
    ];
    let precisions = [Precision::F16, Precision::I8];
    let all = precisions.into_iter().flat_map(move |precision| {
        let metrics = Metric::NAMES.map(|(_, metric)| metric).into_iter();
        metrics.flat_map(move |metric| {
            indexes.map(|(kind, quantization)| {
                let index = IndexSpec { kind, quantization, ..INDEX };
                field(precision, metric, 50, index)
            })
        })
    });
    all.map(|field| {
        let (index, precision, metric) = (field.index, field.precision.name(), field.metric.name());
        let quantization = index.quantization(field.dim, field.precision).name();
        let kind = index.kind.name();
        (format!("{precision} {metric} {kind} {quantization}"), field)
    })
}

#[test]
fn what_is_read_is_what_was_kept_however_it_is_kept_and_searched() -> Result<()> {
    const DOCUMENTS: u64 = 1_500;
    for (what, field) in ways() {
        let directory = tempdir().expect("a directory for the test");
        let schema = schema(field.clone());
        let disk = DatabaseOptions { residence: Residence::Disk, ..DatabaseOptions::default() };
        let db = Database::create(directory.path(), &schema, &DatabaseOptions::default())?;
        let mut rng = Rng::with_seed(1);
        let given: Vec<_> =
            (0..DOCUMENTS).map(|_| random::clustered(&mut rng, field.dim)).collect();
        db.index((0..).zip(given.clone()).map(|(id, vector)| document(id, vector)).collect())?;
        let ids: Vec<Id> = (0..DOCUMENTS).map(Id::Int).collect();
        let kept: Vec<Document> =
            db.get(&ids, &Include::Everything)?.into_iter().flatten().collect();
        let vectors: Vec<Vec<f32>> = kept.iter().map(|found| vector(found).to_vec()).collect();
        assert_ne!(vectors, given, "{what}: nothing was left out");
        judge(&db, field.metric, &vectors, &format!("{what}, waiting"))?;
        db.wait_indexed(&mut |_, _| {})?;
        judge(&db, field.metric, &vectors, &format!("{what}, indexed"))?;
        // What was kept is written again, whole and by a patch of something else.
        db.index(kept[..100].to_vec())?;
        db.patch(&Id::Int(100), &Patch::new().set("price", 1.0))?;
        assert_eq!(db.stats().unindexed, 0, "{what}: the index has these vectors already");
        judge(&db, field.metric, &vectors, &format!("{what}, written again"))?;
        db.close()?;
        for options in [DatabaseOptions::default(), disk] {
            let db = Database::open(directory.path(), &options)?;
            db.wait_indexed(&mut |_, _| {})?;
            judge(&db, field.metric, &vectors, &format!("{what}, {:?}", options.residence))?;
            db.check()?;
        }
    }
    Ok(())
}

#[test]
fn a_record_says_a_vector_in_the_bytes_that_are_kept() -> Result<()> {
    let dim = 384;
    let mut rng = Rng::with_seed(3);
    let given = random::clustered(&mut rng, dim);
    for (precision, bytes) in
        [(Precision::F32, 4 * dim), (Precision::F16, 4 + 2 * dim), (Precision::I8, 4 + dim)]
    {
        let schema = schema(field(precision, Metric::Cosine, dim, INDEX));
        let engine = Engine::new(schema, &Indexes::default())?;
        let length = |batch| Ok::<_, vectordoc::Error>(engine.prepare(batch)?.0.to_bytes().len());
        let all = length(Batch::index(vec![document(1, given.clone())]))?;
        let rest = all - bytes;
        assert!(rest < 40, "{precision:?}: {rest} bytes besides the vector");
    }
    Ok(())
}

#[test]
fn vectors_of_any_length_are_kept_and_those_that_rounding_makes_too_long_refused() -> Result<()> {
    for precision in [Precision::F16, Precision::I8] {
        for metric in Metric::NAMES.map(|(_, metric)| metric) {
            let schema = schema(field(precision, metric, 2, INDEX));
            let db = Database::in_memory(&schema, &DatabaseOptions::default())?;
            let lengths = [1e-18, 1e-10, 1e-3, 1.0, 7e4, 1e10, 6e18];
            let vectors = lengths.map(|length| vec![length, -length / 3.0]);
            db.index((0..).zip(vectors.clone()).map(|(id, v)| document(id, v)).collect())?;
            for (id, given) in (0..).zip(&vectors) {
                let found = db.get(&[Id::Int(id)], &Include::Everything)?;
                let found = found[0].as_ref().expect("it is there");
                for (given, kept) in given.iter().zip(vector(found)) {
                    let error = (given - kept).abs() / vectors[id as usize][0];
                    assert!(error <= 1.0 / 250.0, "{precision:?}: {given} is {kept}");
                }
                assert_eq!(db.search(&Query::new(given.clone()))?.len(), lengths.len());
            }
            let error = db.index(vec![document(9, vec![1e19, 0.0])]).expect_err("it is too long");
            assert!(error.message().contains("scale it down"), "{error}");
        }
    }
    Ok(())
}

#[test]
fn a_precision_stays_and_an_index_may_change() -> Result<()> {
    let directory = tempdir().expect("a directory for the test");
    let kept = field(Precision::I8, Metric::Cosine, 8, INDEX);
    let plain = DatabaseOptions::default();
    let db = Database::create(directory.path(), &schema(kept.clone()), &plain)?;
    let mut rng = Rng::with_seed(4);
    db.index((0..300).map(|id| document(id, random::clustered(&mut rng, 8))).collect())?;
    let before = db.get(&[Id::Int(7)], &Include::Everything)?;
    db.close()?;
    let evolve = DatabaseOptions { evolve: true, ..DatabaseOptions::default() };
    let other = schema(VectorField { precision: Precision::F16, ..kept.clone() });
    let error = Database::create(directory.path(), &other, &evolve).expect_err("it is kept in i8");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("its precision is i8, not f16"), "{error}");
    let index = IndexSpec { quantization: Some(Quantization::I4), ..INDEX };
    let other = schema(VectorField { index, ..kept });
    let db = Database::create(directory.path(), &other, &evolve)?;
    assert_eq!(db.schema_changes(), ["field \"embedding\" has another index, which is built anew"]);
    assert_eq!(db.get(&[Id::Int(7)], &Include::Everything)?, before);
    db.check()
}

#[test]
fn a_schema_with_a_precision_comes_back_from_its_json() -> Result<()> {
    for (name, precision) in Precision::NAMES {
        let given = schema(field(precision, Metric::L2, 8, INDEX));
        let said = given.to_json()["embedding"].get("precision").cloned();
        assert_eq!(said, (precision != Precision::F32).then(|| name.into()));
        assert_eq!(Schema::from_json_str(&given.to_json_string())?, given);
        let full = schema(field(Precision::F32, Metric::L2, 8, INDEX));
        assert_eq!(given.to_json_schema(), full.to_json_schema(), "documents are written alike");
        assert_eq!(given.to_typescript("Document"), full.to_typescript("Document"));
    }
    for (options, message) in [
        (r#""precision": "int8""#, "it is one of f32, f16, i8"),
        (r#""precision": 8"#, "precision is a string"),
        (r#""precision": "i8", "quantization": "f16""#, "finer than the precision \"i8\""),
        (r#""precision": "f16", "quantization": "f32""#, "finer than the precision \"f16\""),
    ] {
        let json = format!(r#"{{"id": "u64", "embedding": {{"vector": 8, {options}}}}}"#);
        let error = Schema::from_json_str(&json).expect_err(options).to_string();
        assert!(error.contains(message), "{options}: {error}");
    }
    Ok(())
}
