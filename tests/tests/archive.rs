//! Promise: a database is one file and comes out of it as it went in, while it serves and is
//! written to; a file that is not whole is refused, says why, and leaves nothing behind.

mod cli_program;

use cli_program::{Running, run, text};
use fastrand::Rng;
use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};
use tempfile::tempdir;
use vectordoc::{
    Database, Document, ErrorKind, Filter, Id, Include, Query, Result, Schema, Scroll,
    archive::{ArchivePart, ArchiveReader, ArchiveWriter},
    client::{Connection, Remote},
    key::{Key, PageKey},
    native::DatabaseOptions,
    schema::IndexKind,
};
use vectordoc_tests::random;

fn in_shards(shards: usize) -> DatabaseOptions {
    DatabaseOptions { shards: Some(shards), ..DatabaseOptions::default() }
}

fn exported(db: &Database) -> Result<Vec<u8>> {
    let (mut archive, mut last) = (Vec::new(), (0, 0));
    db.export(&mut archive, &mut |done, total| last = (done, total))?;
    assert_eq!(last.0, last.1, "progress ends with all entries");
    Ok(archive)
}

fn imported(path: &Path, archive: &[u8]) -> Result<Database> {
    Database::import(path, archive, &DatabaseOptions::default(), &mut |_, _| {})
}

/// All documents in order.
fn documents(db: &Database) -> Result<Vec<Document>> {
    let scroll = Scroll { include: Include::Everything, ..Scroll::new(10_000) };
    Ok(db.scroll(&scroll)?.docs)
}

/// A database with every kind of field, some of it checkpointed and some in records.
fn filled(path: &Path, seed: u64, shards: usize, count: u64) -> Result<Database> {
    let mut rng = Rng::with_seed(seed);
    let schema = random::schema(&mut rng, IndexKind::Hnsw);
    let db = Database::create(path, &schema, &in_shards(shards))?;
    let mut index = |ids: std::ops::Range<u64>| {
        db.index(ids.map(|id| random::document(&mut rng, &schema, id)).collect())
    };
    index(0..count)?;
    db.wait_indexed(&mut |_, _| {})?;
    index(count - 1..count + 5)?;
    db.delete(vec![Id::Int(1)])?;
    Ok(db)
}

#[test]
fn a_database_of_any_shards_and_fields_comes_back_as_it_was() -> Result<()> {
    for (seed, shards) in [(1, 1), (2, 2), (3, 5), (4, 16)] {
        let directory = tempdir().expect("a directory for the test");
        let db = filled(&directory.path().join("one"), seed, shards, 400)?;
        let archive = exported(&db)?;
        let copy = imported(&directory.path().join("two"), &archive)?;
        assert_eq!(copy.shards(), shards);
        assert_eq!(copy.schema(), db.schema());
        assert_eq!(documents(&copy)?, documents(&db)?);
        let mut rng = Rng::with_seed(seed);
        for _ in 0..20 {
            let vector = random::vector(&mut rng, db.schema().vectors()[0].dim);
            let filter = random::filter(&mut rng, 2);
            let query = Query { filter, exact: true, ..Query::new(vector) };
            assert_eq!(copy.search(&query)?, db.search(&query)?, "{query:?}");
        }
        copy.wait_indexed(&mut |_, _| {})?;
        copy.check()?;
        let names = fs::read_dir(directory.path()).expect("it can be read");
        assert_eq!(names.count(), 2, "nothing else is there");
    }
    Ok(())
}

#[test]
fn nothing_is_overwritten_and_shards_are_kept() -> Result<()> {
    let directory = tempdir().expect("a directory for the test");
    let (one, two) = (directory.path().join("one"), directory.path().join("two"));
    let archive = exported(&filled(&one, 1, 2, 20)?)?;
    for there in [&one, &directory.path().to_path_buf()] {
        let error = imported(there, &archive).expect_err("something is there");
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    }
    let error = Database::import(&two, &archive[..], &in_shards(3), &mut |_, _| {});
    let error = error.expect_err("it has two shards");
    assert!(error.message().contains("2 shards, not 3"), "{error}");
    assert!(!Database::is_database(&two));
    imported(&two, &archive)?.close()
}

/// Refused, for a reason that the message has, and nothing is left.
fn refused(archive: &[u8], kind: ErrorKind, reason: &str) {
    let directory = tempdir().expect("a directory for the test");
    let error = imported(&directory.path().join("db"), archive).expect_err(reason);
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(reason), "{error}");
    let left = fs::read_dir(directory.path()).expect("it can be read").count();
    assert_eq!(left, 0, "{error}: something is left behind");
}

#[test]
fn files_that_are_foreign_newer_cut_or_damaged_are_told_apart() -> Result<()> {
    let directory = tempdir().expect("a directory for the test");
    let archive = exported(&filled(&directory.path().join("db"), 1, 2, 20)?)?;
    refused(&[], ErrorKind::Invalid, "empty");
    refused(b"%PDF-1.7 and so on", ErrorKind::Invalid, "no archive");
    let changed = |at: usize, to: u8| {
        let mut changed = archive.clone();
        changed[at] = to;
        changed
    };
    refused(&changed(4, 2), ErrorKind::Unsupported, "use a newer build");
    refused(&archive[..20], ErrorKind::Corrupt, "ends within its header");
    refused(&archive[..archive.len() / 2], ErrorKind::Corrupt, "ends early");
    refused(&archive[..archive.len() - 1], ErrorKind::Corrupt, "ends early");
    let middle = archive.len() / 2;
    refused(&changed(middle, !archive[middle]), ErrorKind::Corrupt, "damaged");
    refused(&[&archive[..], b"x"].concat(), ErrorKind::Corrupt, "goes on after its end");
    let mut empty = Vec::new();
    ArchiveWriter::new(&[0], &mut empty)?.finish(&mut empty)?;
    refused(&empty, ErrorKind::Corrupt, "never finished being created");
    Ok(())
}

/// What a reader makes of an archive that is pushed in pieces of this size.
fn read(archive: &[u8], piece: usize) -> Result<Vec<ArchivePart>> {
    let (mut reader, mut parts) = (ArchiveReader::default(), Vec::new());
    for piece in archive.chunks(piece) {
        reader.push(piece);
        while let Some(part) = reader.part()? {
            parts.push(part);
        }
    }
    reader.finish()?;
    Ok(parts)
}

/// A small archive, and what is in it.
fn small() -> Result<(Vec<u8>, Vec<ArchivePart>)> {
    let page = |page| Key::Page(PageKey { section: 1, page, generation: 3 });
    let entries = [
        (0, Key::Meta, b"meta".to_vec()),
        (0, page(0), vec![7; 40]),
        (0, page(1), Vec::new()),
        (0, Key::Record(5), b"record".to_vec()),
        (2, Key::Meta, b"another".to_vec()),
    ];
    let mut archive = Vec::new();
    let mut writer = ArchiveWriter::new(&[4, 0, 1], &mut archive)?;
    let mut parts = vec![ArchivePart::Header(vec![4, 0, 1])];
    for (shard, key, value) in entries {
        writer.entry(key, &value, &mut archive)?;
        parts.push(ArchivePart::Entry { shard, key, value });
    }
    writer.finish(&mut archive)?;
    parts.push(ArchivePart::End);
    Ok((archive, parts))
}

#[test]
fn every_truncation_and_every_flipped_byte_is_refused() -> Result<()> {
    let (archive, parts) = small()?;
    for piece in [1, 2, 3, 7, 64, archive.len()] {
        assert_eq!(read(&archive, piece)?, parts);
        for length in 0..archive.len() {
            assert!(read(&archive[..length], piece).is_err(), "{length} bytes are enough");
        }
        for at in 0..archive.len() {
            for bit in 0..8 {
                let mut damaged = archive.clone();
                damaged[at] ^= 1 << bit;
                assert!(read(&damaged, piece).is_err(), "bit {bit} of byte {at} does not matter");
            }
        }
    }
    Ok(())
}

#[test]
fn every_truncation_and_flipped_byte_of_a_real_file_leaves_nothing_behind() -> Result<()> {
    let directory = tempdir().expect("a directory for the test");
    let json = r#"{"id": "u64", "embedding": {"vector": 1, "metric": "l2"}}"#;
    let schema = Schema::from_json_str(json)?;
    let db = Database::create(directory.path().join("db"), &schema, &DatabaseOptions::default())?;
    let vectors = vec![Some(vec![1.0])];
    db.index(vec![Document { id: Id::Int(1), vectors, values: Vec::new() }])?;
    let archive = exported(&db)?;
    imported(&directory.path().join("copy"), &archive)?.close()?;
    let target = tempdir().expect("a directory for the test");
    let refused = |archive: &[u8], what: &str| {
        assert!(imported(&target.path().join("db"), archive).is_err(), "{what}");
        let left = fs::read_dir(target.path()).expect("it can be read").count();
        assert_eq!(left, 0, "{what}: something is left behind");
    };
    // A store is made for each that has a whole header: a few hundred of them.
    let step = archive.len() / 150 + 1;
    for at in (0..archive.len()).step_by(step) {
        refused(&archive[..at], &format!("cut at {at}"));
        let mut damaged = archive.clone();
        damaged[at] ^= 0x10;
        refused(&damaged, &format!("damaged at {at}"));
    }
    Ok(())
}

#[test]
fn a_writer_refuses_entries_out_of_order_and_a_reader_lengths_that_cannot_be() -> Result<()> {
    let mut out = Vec::new();
    let mut writer = ArchiveWriter::new(&[2], &mut out)?;
    writer.entry(Key::Record(1), b"", &mut out)?;
    assert!(writer.entry(Key::Meta, b"", &mut out).is_err(), "keys are in order");
    assert!(writer.finish(&mut out).is_err(), "an entry is missing");
    assert!(ArchiveWriter::new(&[0; 257], &mut out).is_err(), "so many shards there are not");
    let (archive, _) = small()?;
    let header = 4 + 4 + 4 + 3 * 8 + 8;
    let mut hostile = archive[..header + 6].to_vec();
    hostile[header + 2..].fill(0xff);
    let mut reader = ArchiveReader::default();
    reader.push(&hostile);
    assert_eq!(reader.part()?, Some(ArchivePart::Header(vec![4, 0, 1])));
    assert!(reader.part().is_err(), "4 GiB are not waited for");
    Ok(())
}

#[test]
fn an_archive_is_of_one_moment_while_writes_go_on() -> Result<()> {
    let directory = tempdir().expect("a directory for the test");
    let db = filled(&directory.path().join("db"), 7, 3, 2_000)?;
    let is_done = AtomicBool::new(false);
    let schema = db.schema().clone();
    let archives = std::thread::scope(|scope| -> Result<_> {
        let writing = scope.spawn(|| -> Result<u64> {
            let (mut rng, mut next) = (Rng::with_seed(8), 10_000);
            while !is_done.load(Ordering::Acquire) {
                db.index(vec![random::document(&mut rng, &schema, next)])?;
                next += 1;
            }
            Ok(next)
        });
        let archives = (0..10).map(|_| {
            let acknowledged = db.count(&Filter::All)?;
            Ok((acknowledged, exported(&db)?))
        });
        let archives = archives.collect::<Result<Vec<_>>>();
        is_done.store(true, Ordering::Release);
        let next = writing.join().expect("it does not panic")?;
        assert!(next > 10_000, "documents were written meanwhile");
        archives
    })?;
    for (number, (acknowledged, archive)) in archives.iter().enumerate() {
        let copy = imported(&directory.path().join(format!("copy{number}")), archive)?;
        let found = documents(&copy)?;
        assert!(found.len() as u64 >= *acknowledged, "what was acknowledged is there");
        let ids = found.iter().map(|document| &document.id).filter(|id| **id >= Id::Int(10_000));
        let ids: Vec<_> = ids.cloned().collect();
        let expected: Vec<_> = (10_000..).map(Id::Int).take(ids.len()).collect();
        assert_eq!(ids, expected, "of the documents written one by one, the first are there");
        copy.check()?;
    }
    Ok(())
}

#[test]
fn a_database_in_memory_says_that_it_has_no_bytes_at_rest() -> Result<()> {
    let schema = Schema::from_json_str(r#"{"id": "u64", "embedding": {"vector": 1}}"#)?;
    let db = Database::in_memory(&schema, &DatabaseOptions::default())?;
    let error = exported(&db).expect_err("there is nothing to copy");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_made_embedded_is_restored_and_served() -> Result<()> {
    let directory = tempdir().expect("a directory for the test");
    let file = directory.path().join("products.vectordoc");
    let db = filled(&directory.path().join("embedded"), 5, 3, 300)?;
    fs::write(&file, exported(&db)?).expect("it can be written");
    let data = directory.path().join("data");
    let at = ["--data", text(&data)];
    let told = run([&["restore", text(&file)][..], &at].concat()).succeeded();
    assert!(told.contains("as products"), "{told}");
    let again = run([&["restore", text(&file)][..], &at].concat()).failed(1);
    assert!(again.contains("another name"), "{again}");
    let copy = [&["restore", text(&file), "--db", "copy", "--json"][..], &at].concat();
    let outcome = run(copy).json();
    let count = db.count(&Filter::All)?;
    assert_eq!((&outcome["documents"], &outcome["shards"]), (&count.into(), &3.into()));

    let several = directory.path().join("several.vectordoc");
    let told = run([&["backup", text(&several)][..], &at].concat()).failed(1);
    assert!(told.contains("copy, products"), "{told}");
    let backup = [&["backup", text(&several), "--db", "copy", "--json"][..], &at].concat();
    let outcome = run(backup.clone()).json();
    let bytes = fs::metadata(&several).expect("it is there").len();
    assert_eq!((&outcome["documents"], &outcome["bytes"]), (&count.into(), &bytes.into()));
    let again = run(backup).failed(1);
    assert!(again.contains("is there already"), "{again}");
    let piped = format!(
        "'{0}' backup - --data '{1}' --db copy | '{0}' restore - --data '{1}2' --db piped",
        cli_program::PROGRAM,
        text(&data)
    );
    cli_program::paste(&piped).succeeded();
    fs::write(&several, b"no archive").expect("it can be written");
    let told = run([&["restore", text(&several)][..], &at].concat()).failed(1);
    assert!(told.contains("several.vectordoc") && told.contains("no archive"), "{told}");

    let expected = documents(&db)?;
    for (data, name) in [(data.clone(), "products"), (data.with_file_name("data2"), "piped")] {
        let (_server, url) = Running::serve(&data);
        let remote = Remote::open(Connection::open(&url).await?, name).await?;
        let scroll = Scroll { include: Include::Everything, ..Scroll::new(10_000) };
        assert_eq!(remote.scroll(&scroll).await?.docs, expected, "{name}");
    }
    Ok(())
}
