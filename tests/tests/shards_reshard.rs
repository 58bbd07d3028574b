//! Promise: the number of shards changes while a database is read and written: nothing acknowledged
//! is lost, nothing is there twice, versions stay, and who follows the changes goes on or is told
//! that it cannot.

use fastrand::Rng;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};
use tempfile::tempdir;
use vectordoc::{
    Batch, Database, Document, ErrorKind, Filter, Id, Include, Query, Result, Schema, Scroll,
    native::{Change, ChangeQuery, DatabaseOptions, Durability, Residence},
    schema::IndexKind,
};
use vectordoc_tests::{random, twin::Twin};

fn in_shards(shards: usize) -> DatabaseOptions {
    DatabaseOptions { shards: Some(shards), ..DatabaseOptions::default() }
}

fn plain() -> Schema {
    let json = r#"{"id": "u64", "embedding": {"vector": 2, "metric": "l2"}}"#;
    Schema::from_json_str(json).expect("a schema")
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn point(id: u64, value: u64) -> Document {
    Document { id: Id::Int(id), vectors: vec![Some(vec![id as f32, value as f32])], values: vec![] }
}

/// All documents with their versions.
fn versioned(db: &Database) -> Result<BTreeMap<Id, (Document, u64)>> {
    let scroll = Scroll { include: Include::Everything, ..Scroll::new(10_000) };
    let ids: Vec<Id> = db.scroll(&scroll)?.docs.into_iter().map(|document| document.id).collect();
    let found = db.get_versioned(&ids, &Include::Everything)?;
    let found = ids.into_iter().zip(found);
    Ok(found.map(|(id, found)| (id, found.expect("a scroll told of it"))).collect())
}

/// The files of a database, which has so many shards and nothing else.
fn expect_files(path: &Path, shards: usize) {
    let entries = fs::read_dir(path).expect("a directory");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> = entries.map(|entry| name(entry).into_string().expect("text")).collect();
    names.sort();
    let mut expected: Vec<_> = (0..shards).map(|n| format!("shard-{n}-of-{shards}.redb")).collect();
    expected.push("lock".into());
    expected.sort();
    assert_eq!(names, expected);
}

#[test]
fn random_programs_with_resharding_in_them_do_what_a_model_does() -> Result<()> {
    for seed in 0..random::programs(4) {
        let seed = random::seed(seed);
        let mut rng = Rng::with_seed(seed);
        let kind = [IndexKind::Exact, IndexKind::Hnsw][rng.usize(..2)];
        let schema = random::schema(&mut rng, kind);
        let directory = tempdir().expect("a directory for the test");
        let residence = [Residence::Memory, Residence::Disk][rng.usize(..2)];
        let options =
            || DatabaseOptions { residence, history_bytes: Some(0), ..DatabaseOptions::default() };
        let create = DatabaseOptions { shards: Some(rng.usize(1..4)), ..options() };
        let mut db = Database::create(directory.path(), &schema, &create)?;
        let mut twin = Twin::default();
        for _ in 0..30 {
            match rng.u8(..10) {
                0..=4 => {
                    let ids: Vec<u64> = (0..rng.u64(1..40)).map(|_| rng.u64(..200)).collect();
                    let documents = ids.iter().map(|id| random::document(&mut rng, &schema, *id));
                    let documents: Vec<_> = documents.collect();
                    twin.index(&schema, &documents);
                    let durability = [Durability::Fsync, Durability::Memory][rng.usize(..2)];
                    db.with_durability(durability).index(documents)?;
                }
                5 => {
                    let ids: Vec<Id> = (0..9).map(|_| Id::Int(rng.u64(..200))).collect();
                    ids.iter().for_each(|id| drop(twin.documents.remove(id)));
                    db.delete(ids)?;
                }
                6 => {
                    let id = Id::Int(rng.u64(..200));
                    let patch = random::patch(&mut rng, &schema);
                    if twin.documents.contains_key(&id) {
                        db.patch(&id, &patch)?;
                        twin.patch(&schema, &id, &patch);
                    }
                }
                7 => {
                    db.close()?;
                    db = Database::open(directory.path(), &options())?;
                }
                _ => {
                    let before = versioned(&db)?;
                    let shards = rng.usize(1..6);
                    db.reshard(shards)?;
                    assert_eq!(db.shards(), shards, "seed {seed}");
                    assert_eq!(versioned(&db)?, before, "seed {seed}");
                    expect_files(directory.path(), shards);
                }
            }
            let found = versioned(&db)?.into_iter().map(|(id, (document, _))| (id, document));
            assert_eq!(found.collect::<BTreeMap<_, _>>(), twin.documents, "seed {seed}");
            let vector = random::vector(&mut rng, schema.vectors()[0].dim);
            let filter = random::filter(&mut rng, 2);
            let include = Include::Everything;
            let query = Query { filter, exact: true, include, ..Query::new(vector) };
            twin.check_hits(&schema, &query, &db.search(&query)?);
        }
        db.wait_indexed(&mut |_, _| {})?;
        db.check()?;
    }
    Ok(())
}

#[test]
fn readers_and_writers_go_on_and_nothing_they_were_told_is_untrue() -> Result<()> {
    const WRITERS: u64 = 3;
    for path in [Some(tempdir().expect("a directory for the test")), None] {
        let db = match &path {
            Some(path) => Database::create(path.path(), &plain(), &in_shards(2))?,
            None => Database::in_memory(&plain(), &in_shards(2))?,
        };
        db.index((0..3_000).map(|id| point(id, 0)).collect())?;
        let is_done = AtomicBool::new(false);
        let searches = AtomicU64::new(0);
        let written = std::thread::scope(|scope| -> Result<_> {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let (db, is_done) = (&db, &is_done);
                    scope.spawn(move || write_until(db, writer, WRITERS, is_done))
                })
                .collect();
            let reader = scope.spawn(|| -> Result<()> {
                while !is_done.load(Ordering::Acquire) {
                    // Those below 1,000 are only ever replaced.
                    let hits = db.search(&Query { exact: true, ..Query::new(vec![500.0, 0.0]) })?;
                    assert_eq!(hits.len(), 10);
                    let ids: Vec<Id> = (0..1_000).step_by(97).map(Id::Int).collect();
                    let found = db.get(&ids, &Include::Nothing)?;
                    assert!(found.iter().all(Option::is_some), "a document was away");
                    searches.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            });
            for shards in [5, 1, 3] {
                db.reshard(shards)?;
                assert_eq!(db.shards(), shards);
            }
            is_done.store(true, Ordering::Release);
            reader.join().expect("the reader does not panic")?;
            let written = writers.into_iter().map(|writer| writer.join().expect("no panic"));
            written.collect::<Result<Vec<_>>>()
        })?;
        assert!(searches.into_inner() > 0, "reads went on");
        assert!(written.iter().all(|written| !written.is_empty()), "writes went on");
        let judge = |db: &Database| -> Result<()> {
            db.check()?;
            let found = versioned(db)?;
            for (id, expected) in written.iter().flatten() {
                let found = found.get(&Id::Int(*id));
                assert_eq!(found.map(|(_, version)| version), expected.as_ref(), "document {id}");
            }
            assert_eq!(found.len() as u64, db.count(&Filter::All)?);
            Ok(())
        };
        judge(&db)?;
        db.close()?;
        if let Some(path) = &path {
            expect_files(path.path(), 3);
            judge(&Database::open(path.path(), &DatabaseOptions::default())?)?;
        }
    }
    Ok(())
}

/// Replaces, changes on condition and deletes until it is done. What is left, by id: the version of
/// what was written, or nothing.
fn write_until(
    db: &Database,
    writer: u64,
    writers: u64,
    is_done: &AtomicBool,
) -> Result<BTreeMap<u64, Option<u64>>> {
    let mut rng = Rng::with_seed(writer);
    let mut written = BTreeMap::new();
    while !is_done.load(Ordering::Acquire) {
        let number = rng.u64(..3_000) / writers * writers + writer;
        let id = Id::Int(number);
        if number >= 1_000 && rng.u8(..4) == 0 {
            db.delete(vec![id])?;
            written.insert(number, None);
            continue;
        }
        // Nobody else writes this document, so the condition holds whatever its shard is.
        let version = db.get_versioned(std::slice::from_ref(&id), &Include::Nothing)?[0].clone();
        let version = version.map_or(0, |(_, version)| version);
        let batch = Batch::index(vec![point(number, rng.u64(..9))]).expecting(id.clone(), version);
        let outcome = db.change(&id, batch)?;
        assert!(outcome.version > version, "{} follows {version}", outcome.version);
        written.insert(number, Some(outcome.version));
    }
    Ok(written)
}

#[test]
fn a_condition_from_before_still_holds_or_fails_as_it_would_have() -> Result<()> {
    let directory = tempdir().expect("a directory for the test");
    let db = Database::create(directory.path(), &plain(), &in_shards(3))?;
    for id in 0..50 {
        db.index(vec![point(id, 0)])?;
    }
    let before = versioned(&db)?;
    db.reshard(2)?;
    let change = |id: u64, version| {
        let id = Id::Int(id);
        let batch = Batch::index(vec![point(1, 1)]);
        let batch = if id == Id::Int(1) { batch } else { Batch::index(vec![point(2, 1)]) };
        db.change(&id, batch.expecting(id.clone(), version))
    };
    let (one, two) = (before[&Id::Int(1)].1, before[&Id::Int(2)].1);
    let outcome = change(1, one)?;
    assert!(before.values().all(|(_, version)| outcome.version > *version), "it is a new version");
    assert_eq!(change(1, one).expect_err("it changed").kind(), ErrorKind::Conflict);
    db.close()?;
    let db = Database::open(directory.path(), &DatabaseOptions::default())?;
    let id = Id::Int(2);
    let batch = Batch::delete(vec![id.clone()]).expecting(id.clone(), two);
    assert_eq!(db.change(&id, batch)?.deleted, 1, "the version outlives a restart");
    Ok(())
}

#[test]
fn who_has_read_everything_follows_on_and_who_has_not_is_told_to_begin_anew() -> Result<()> {
    let directory = tempdir().expect("a directory for the test");
    let db = Database::create(directory.path(), &plain(), &in_shards(2))?;
    db.index((0..20).map(|id| point(id, 0)).collect())?;
    let behind = db.changes(&ChangeQuery::from_now())?.cursor;
    db.index(vec![point(7, 1)])?;
    let at_the_end = db.changes(&ChangeQuery::since(&behind))?.cursor;
    db.reshard(5)?;
    db.reshard(3)?;
    db.index(vec![point(8, 1)])?;
    db.delete(vec![Id::Int(9)])?;
    let page = db.changes(&ChangeQuery::since(&at_the_end))?;
    let told = |change: &Change| match change {
        Change::Index { doc, .. } => (doc.id.clone(), "index"),
        Change::Delete { id, .. } | Change::Leave { id, .. } => (id.clone(), "delete"),
    };
    let mut ids: Vec<_> = page.changes.iter().map(told).collect();
    ids.sort();
    assert_eq!(ids, [(Id::Int(8), "index"), (Id::Int(9), "delete")]);
    let error = db.changes(&ChangeQuery::since(&behind)).expect_err("record 2 is gone");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("resharded"), "{error}");
    let new = page.cursor;
    db.close()?;
    let db = Database::open(directory.path(), &DatabaseOptions::default())?;
    assert_eq!(db.changes(&ChangeQuery::since(new))?.changes, []);
    let error = db.changes(&ChangeQuery::since(at_the_end)).expect_err("it was opened since");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    Ok(())
}

#[test]
fn a_stop_or_a_close_on_the_way_leaves_the_old_shards_and_nothing_else() -> Result<()> {
    let directory = tempdir().expect("a directory for the test");
    let json = r#"{"id": "u64", "embedding": {"vector": 2, "metric": "l2", "index": "hnsw"}}"#;
    let schema = Schema::from_json_str(json)?;
    let db = Database::create(directory.path(), &schema, &in_shards(2))?;
    db.index((0..4_000).map(|id| point(id, 0)).collect())?;
    for (kind, is_close) in [(ErrorKind::Unavailable, false), (ErrorKind::Closed, true)] {
        let stopped = std::thread::scope(|scope| {
            let resharding = scope.spawn(|| db.reshard(3));
            while db.resharding().is_none_or(|resharding| resharding.done == 0) {
                assert!(!resharding.is_finished(), "it ended before anything was done");
                std::thread::yield_now();
            }
            let now = db.resharding();
            assert!(now.is_none_or(|now| (now.from, now.to) == (2, 3)), "{now:?}");
            assert!(now.is_none_or(|now| now.done < now.total), "{now:?}");
            let busy = db.reshard(4).expect_err("one at a time");
            assert_eq!(busy.kind(), ErrorKind::Busy);
            assert!(busy.message().contains("from 2 to 3 shards"), "{busy}");
            if is_close {
                db.close().expect("it closes");
            } else {
                db.stop_resharding();
            }
            resharding.join().expect("it does not panic")
        });
        assert_eq!(stopped.expect_err("it was stopped").kind(), kind);
        assert_eq!(db.resharding(), None);
        expect_files(directory.path(), 2);
        if !is_close {
            assert_eq!((db.shards(), db.count(&Filter::All)?), (2, 4_000));
            db.index(vec![point(4_000, 0)])?;
        }
    }
    let db = Database::open(directory.path(), &DatabaseOptions::default())?;
    assert_eq!((db.shards(), db.count(&Filter::All)?), (2, 4_001));
    db.reshard(3)
}

#[test]
fn what_cannot_be_is_refused_and_the_same_number_is_nothing_to_do() -> Result<()> {
    let directory = tempdir().expect("a directory for the test");
    let options = DatabaseOptions { disk_bytes_free_min: Some(u64::MAX / 2), ..in_shards(2) };
    let db = Database::create(directory.path(), &plain(), &options)?;
    db.reshard(2)?;
    let refused = |db: &Database, shards| db.reshard(shards).expect_err("it is refused");
    assert_eq!(refused(&db, 0).kind(), ErrorKind::Invalid);
    let error = refused(&db, 257);
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.message().contains("257") && error.message().contains("256"), "{error}");
    let error = refused(&db, 3);
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(error.message().contains("the disk has"), "{error}");
    expect_files(directory.path(), 2);
    db.close()?;
    assert_eq!(refused(&db, 3).kind(), ErrorKind::Closed);

    let options = DatabaseOptions { memory_bytes_max: Some(100_000_000), ..in_shards(1) };
    let db = Database::in_memory(&plain(), &options)?;
    db.index((0..1_000).map(|id| point(id, 0)).collect())?;
    db.reshard(2)?;
    let bytes = db.stats().memory_bytes;
    let options = DatabaseOptions { memory_bytes_max: Some(bytes * 3 / 2), ..in_shards(1) };
    let db = Database::in_memory(&plain(), &options)?;
    db.index((0..1_000).map(|id| point(id, 0)).collect())?;
    let error = refused(&db, 2);
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(error.message().contains("memory_bytes_max"), "{error}");
    Ok(())
}

#[test]
fn opening_obeys_the_note_wherever_resharding_was_interrupted() -> Result<()> {
    let (old, new) = (tempdir().expect("a directory"), tempdir().expect("a directory"));
    let fill = |path: &Path, shards, count| -> Result<()> {
        let db = Database::create(path, &plain(), &in_shards(shards))?;
        db.index((0..count).map(|id| point(id, 0)).collect())?;
        db.close()
    };
    fill(old.path(), 2, 20)?;
    fill(new.path(), 3, 30)?;
    let copy = |from: &Path, to: &Path, file: &str| {
        fs::copy(from.join(file), to.join(file)).expect("it can be copied");
    };
    let old_files = ["shard-0-of-2.redb", "shard-1-of-2.redb"];
    let new_files = ["shard-0-of-3.redb", "shard-1-of-3.redb", "shard-2-of-3.redb"];
    for (note, old_count, new_count, shards) in [
        ("keep 2 drop 3\n", 2, 0, 2),
        ("keep 2 drop 3\n", 2, 2, 2),
        ("keep 2 drop 3\n", 2, 3, 2),
        ("keep 3 drop 2\n", 2, 3, 3),
        ("keep 3 drop 2\n", 1, 3, 3),
        ("keep 3 drop 2\n", 0, 3, 3),
    ] {
        let directory = tempdir().expect("a directory for the test");
        let path = directory.path();
        old_files[..old_count].iter().for_each(|file| copy(old.path(), path, file));
        new_files[..new_count].iter().for_each(|file| copy(new.path(), path, file));
        fs::write(path.join("resharding"), note).expect("it can be written");
        fs::write(path.join("resharding.new"), "keep").expect("it can be written");
        let db = Database::open(path, &DatabaseOptions::default())?;
        let count = if shards == 2 { 20 } else { 30 };
        assert_eq!((db.shards(), db.count(&Filter::All)?), (shards, count), "{note}");
        expect_files(path, shards);
    }
    fs::write(old.path().join("resharding"), "keep both").expect("it can be written");
    let error = Database::open(old.path(), &DatabaseOptions::default()).expect_err("it is no note");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().contains("keep N drop M"), "{error}");
    Ok(())
}
