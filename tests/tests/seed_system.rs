//! Each way in which the system we succeed gave wrong results without an error, as a promise that
//! holds here. The numbers W1–W17 are those of its report; what concerns the wire is judged in
//! `server_*.rs`.

use std::{io::Write, process::Command};
use vectordoc::{
    Database, Db, Document, ErrorKind, Filter, Id, Metric, Query, Result, Schema, Value, VectorDoc,
    native::DatabaseOptions, schema::IndexKind,
};
use vectordoc_tests::twin::distance;

#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Toy {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(vector(dim = 8, metric = "l2", index = "hnsw", m = 6, ef = 77))]
    embedding: Vec<f32>,
    #[vectordoc(filter)]
    stamp_ms: i64,
}

fn toy(number: u64) -> Toy {
    let mut rng = fastrand::Rng::with_seed(number);
    let embedding = (0..8).map(|_| rng.f32() - 0.5).collect();
    Toy {
        id: format!("d{number}"),
        embedding,
        stamp_ms: 1_700_000_000_000 + i64::try_from(number).unwrap_or(0),
    }
}

fn toys(count: u64) -> Vec<Toy> {
    (0..count).map(toy).collect()
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// A database of vectors under `metric`, in `shards` shards.
fn of_metric(
    metric: Metric,
    kind: IndexKind,
    shards: usize,
    vectors: &[Vec<f32>],
) -> Result<Database> {
    let schema = Schema::from_json_str(&format!(
        r#"{{"id": "u64", "v": {{"vector": {}, "metric": "{}", "index": "{}"}}}}"#,
        vectors[0].len(),
        metric.name(),
        kind.name()
    ))?;
    let options = DatabaseOptions { shards: Some(shards), ..DatabaseOptions::default() };
    let db = Database::in_memory(&schema, &options)?;
    let document = |(id, vector): (u64, &Vec<f32>)| Document {
        id: Id::Int(id),
        vectors: vec![Some(vector.clone())],
        values: vec![],
    };
    for chunk in (0..).zip(vectors).collect::<Vec<_>>().chunks(1_000) {
        db.index(chunk.iter().copied().map(document).collect())?;
    }
    db.wait_indexed(&mut |_, _| {})?;
    Ok(db)
}

/// A sum of twelve even numbers is nearly normal.
fn normal(rng: &mut fastrand::Rng, dim: usize) -> Vec<f32> {
    (0..dim).map(|_| (0..12).map(|_| rng.f32()).sum::<f32>() - 6.0).collect()
}

#[test]
fn w1_w2_w15_the_best_hit_is_first_for_every_metric_index_and_number_of_shards() -> Result<()> {
    let mut rng = fastrand::Rng::with_seed(1);
    let vectors: Vec<_> = (0..500).map(|_| normal(&mut rng, 16)).collect();
    for (_, metric) in Metric::NAMES {
        let wanted = normal(&mut rng, 16);
        let query = Query { limit: 20, ..Query::new(wanted.clone()) };
        let mut ranked: Vec<(f64, u64)> = (0..)
            .zip(&vectors)
            .map(|(id, vector)| (distance(metric, &wanted, vector), id))
            .collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        let expected: Vec<Id> = ranked.iter().take(20).map(|(_, id)| Id::Int(*id)).collect();
        for kind in [IndexKind::Auto, IndexKind::Exact, IndexKind::Hnsw] {
            for shards in [1, 3] {
                let hits = of_metric(metric, kind, shards, &vectors)?.search(&query)?;
                let ids: Vec<Id> = hits.iter().map(|hit| hit.id.clone()).collect();
                assert_eq!(ids, expected, "{metric:?}, {kind:?}, {shards} shards");
                assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score), "{metric:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn w3_a_deleted_document_is_no_ghost_after_a_restart() -> Result<()> {
    let directory = directory();
    let db = Db::<Toy>::open(directory.path())?;
    db.index(toys(300))?;
    db.database().wait_indexed(&mut |_, _| {})?;
    let query = toy(140).embedding;
    let before = db.search(&query).limit(10).run()?;
    db.delete("d140")?;
    db.close()?;
    let db = Db::<Toy>::open(directory.path())?;
    let after = db.search(&query).limit(10).run()?;
    assert_eq!(after.len(), 10);
    assert_eq!(after[..9], before[1..], "scores stay with their documents");
    Ok(())
}

#[test]
fn w4_settings_survive_a_restart() -> Result<()> {
    let directory = directory();
    Db::<Toy>::open(directory.path())?.index(toys(50))?;
    let db = Database::open(directory.path(), &DatabaseOptions::default())?;
    assert_eq!(*db.schema(), Toy::schema());
    assert_eq!(db.schema().vectors()[0].index.ef, Some(77));
    Ok(())
}

#[test]
fn w5_a_search_over_shards_returns_limit_hits() -> Result<()> {
    let db = Db::<Toy>::builder().shards(3).in_memory()?;
    db.index(toys(100))?;
    assert_eq!(db.search(&toy(1).embedding).limit(5).run()?.len(), 5);
    Ok(())
}

#[test]
fn w6_w7_w8_w14_updates_and_deletes_reach_their_shard_and_make_no_duplicates() -> Result<()> {
    let db = Db::<Toy>::builder().shards(3).in_memory()?;
    db.index(toys(200))?;
    db.index(toys(200))?;
    let updates = [3, 150, 160].map(|number| Toy { stamp_ms: 7, ..toy(number) }.to_document());
    assert_eq!(db.database().update(updates.into_iter().collect::<Result<_>>()?)?, 3);
    assert_eq!(db.count(Filter::All)?, 200);
    assert_eq!(db.count(Toy::stamp_ms().eq(7))?, 3);
    let all = db.search(&toy(1).embedding).limit(300).run()?;
    let mut ids: Vec<_> = all.iter().map(|hit| &hit.doc.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((all.len(), ids.len()), (200, 200));
    let missing_one = vec![toy(5).to_document()?, toy(999).to_document()?];
    assert_eq!(db.database().update(missing_one).expect_err("d999").kind(), ErrorKind::NotFound);
    assert_eq!(db.get("d5")?, Some(toy(5)), "nothing was half done");
    Ok(())
}

#[test]
fn w9_deleting_an_unknown_id_says_so_and_deletes_the_others() -> Result<()> {
    let db = Db::<Toy>::builder().shards(2).in_memory()?;
    db.index(toys(20))?;
    let deleted = db.delete(["d1", "unknown", "d2"])?;
    assert_eq!((deleted.deleted, deleted.missing), (2, vec![Id::from("unknown")]));
    assert_eq!(db.count(Filter::All)?, 18);
    Ok(())
}

#[test]
fn w12_a_query_without_direction_is_refused() -> Result<()> {
    let db = of_metric(Metric::Cosine, IndexKind::Auto, 1, &[vec![1.0, 0.0]])?;
    for vector in [vec![0.0, 0.0], vec![f32::NAN, 1.0], vec![f32::INFINITY, 1.0]] {
        let error = db.search(&Query::new(vector)).expect_err("it has no direction");
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    Ok(())
}

const DIRECTORY: &str = "VECTORDOC_SECOND_PROCESS_DIRECTORY";

/// What the second process does; in an ordinary run there is no directory and nothing to do.
#[test]
fn w13_second_process() {
    let Ok(path) = std::env::var(DIRECTORY) else { return };
    let error = Db::<Toy>::open(path).expect_err("the first process has it");
    let said = format!("refused: {} {}\n", error.kind(), error.message());
    std::io::stdout().write_all(said.as_bytes()).expect("the first process listens");
}

#[test]
fn w13_two_processes_do_not_open_one_directory() -> Result<()> {
    let directory = directory();
    let db = Db::<Toy>::open(directory.path())?;
    db.index(toys(5))?;
    let second = Command::new(std::env::current_exe().expect("this program"))
        .args(["w13_second_process", "--exact", "--nocapture"])
        .env(DIRECTORY, directory.path())
        .output()
        .expect("the second process runs");
    let said = String::from_utf8_lossy(&second.stdout);
    let expected = format!("opened by process {}", std::process::id());
    assert!(said.contains("refused: busy") && said.contains(&expected), "{said}");
    assert_eq!(db.count(Filter::All)?, 5);
    Ok(())
}

#[test]
fn w16_default_settings_find_random_vectors() -> Result<()> {
    let mut rng = fastrand::Rng::with_seed(16);
    let vectors: Vec<_> = (0..10_000).map(|_| normal(&mut rng, 128)).collect();
    for kind in [IndexKind::Auto, IndexKind::Hnsw] {
        let db = of_metric(Metric::Cosine, kind, 1, &vectors)?;
        let (mut found, queries) = (0, 100);
        for _ in 0..queries {
            let query = Query::new(normal(&mut rng, 128));
            let exact = db.search(&Query { exact: true, ..query.clone() })?;
            let hits = db.search(&query)?;
            found += hits.iter().filter(|hit| exact.iter().any(|other| other.id == hit.id)).count();
        }
        let recall = found as f64 / (queries * 10) as f64;
        assert!(recall >= 0.95, "{kind:?}: recall {recall}");
    }
    Ok(())
}

#[test]
fn w17_whole_numbers_of_64_bits_stay_whole() -> Result<()> {
    let directory = directory();
    let schema = Schema::from_json_str(
        r#"{"id": "u64", "v": {"vector": 1, "metric": "l2"},
            "low": {"type": "i64", "filter": true}, "high": {"type": "u64", "filter": true}}"#,
    )?;
    let document = Document {
        id: Id::Int(u64::MAX),
        vectors: vec![Some(vec![0.0])],
        values: vec![Value::Int(u64::MAX.into()), Value::Int(i64::MIN.into())],
    };
    Database::create(directory.path(), &schema, &DatabaseOptions::default())?
        .index(vec![document.clone()])?;
    let db = Database::open(directory.path(), &DatabaseOptions::default())?;
    let include = vectordoc::Include::Everything;
    let page = db.scroll(&vectordoc::Scroll { include, ..vectordoc::Scroll::new(10) })?;
    assert_eq!(page.docs, [document]);
    assert_eq!(db.count(&r#"{"high": 18446744073709551615}"#.parse()?)?, 1);
    Ok(())
}
