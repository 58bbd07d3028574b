//! Promise: a database that wakes answers like one that is awake, takes writes, and finds damage.

use std::{fs, path::Path};
use vectordoc::{
    Db, ErrorKind, Filter, Id, Include, Query, Result, Scroll, VectorDoc,
    native::{Database, DatabaseOptions},
    schema::IndexKind,
};
use vectordoc_tests::random;

#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Line {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 24))]
    embedding: Vec<f32>,
    #[vectordoc(filter)]
    part: u64,
    text: String,
}

const LINES: u64 = 3_000;

fn line(id: u64) -> Line {
    let mut rng = fastrand::Rng::with_seed(id);
    let text = format!("line {id} {}", "of some length ".repeat(5));
    Line { id, embedding: random::clustered(&mut rng, 24), part: id % 7, text }
}

/// A directory with a graph, closed.
fn filled(path: &Path, shards: usize) -> Result<()> {
    let db = Db::<Line>::builder().shards(shards).open(path)?;
    for first in (0..LINES).step_by(500) {
        db.index((first..first + 500).map(line))?;
    }
    db.close()
}

/// What is asked of a database in a few ways, as text.
fn answers(database: &Database) -> Result<Vec<String>> {
    let mut answers = Vec::new();
    for number in 0..20 {
        let filter = if number % 2 == 0 { Filter::All } else { r#"{"part": 3}"#.parse()? };
        let query =
            Query { filter, exact: number % 5 == 4, ..Query::new(line(number * 97).embedding) };
        answers.push(format!("{:?}", database.search(&query)?));
        let ids = [Id::Int(number * 149), Id::Int(u64::MAX)];
        answers.push(format!("{:?}", database.get(&ids, &Include::Everything)?));
    }
    answers.push(format!(
        "{:?}",
        database.scroll(&Scroll { include: Include::Everything, ..Scroll::new(50) })?
    ));
    answers.push(database.count(&r#"{"part": {"$lt": 2}}"#.parse()?)?.to_string());
    Ok(answers)
}

fn waking() -> DatabaseOptions {
    DatabaseOptions { waking: true, ..DatabaseOptions::default() }
}

#[test]
fn a_database_that_wakes_answers_like_one_that_is_awake() -> Result<()> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for shards in [1, 3] {
        let path = directory.path().join(shards.to_string());
        filled(&path, shards)?;
        let expected = answers(&Database::open(&path, &DatabaseOptions::default())?)?;
        for _ in 0..5 {
            let database = Database::open(&path, &waking())?;
            // From not awake at all to awake, most likely.
            for _ in 0..3 {
                assert_eq!(answers(&database)?, expected);
            }
            database.close()?;
        }
    }
    Ok(())
}

#[test]
fn what_is_written_while_a_database_wakes_is_found_and_stays() -> Result<()> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    filled(directory.path(), 2)?;
    for round in 0..4 {
        let db = Db::<Line>::builder().waking(true).open(directory.path())?;
        let changed = Line { text: format!("changed {round}"), ..line(round) };
        db.update(changed.clone())?;
        db.index([line(LINES + round)])?;
        assert_eq!(db.delete([LINES - 1 - round])?.deleted, 1);
        assert_eq!(db.get(round)?, Some(changed));
        let hits = db.search(&line(LINES + round).embedding).limit(1).run()?;
        assert_eq!(hits[0].doc.id, LINES + round);
        assert_eq!(db.count(Filter::All)?, LINES);
        // As a crash would leave it: some rounds end before anything is checkpointed.
        let copy = tempfile::tempdir().expect("a temporary directory");
        for file in fs::read_dir(directory.path()).expect("a directory") {
            let file = file.expect("a file");
            if file.file_name() != "lock" {
                fs::copy(file.path(), copy.path().join(file.file_name())).expect("a copy");
            }
        }
        let crashed = Db::<Line>::builder().waking(true).open(copy.path())?;
        assert_eq!(crashed.count(Filter::All)?, LINES);
        assert_eq!(crashed.get(round)?.map(|line| line.text), Some(format!("changed {round}")));
        assert_eq!(crashed.get(LINES - 1 - round)?, None);
        drop(crashed);
        db.close()?;
    }
    Ok(())
}

#[test]
fn damage_is_found_by_who_reads_it_and_ends_writing() -> Result<()> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    filled(directory.path(), 1)?;
    let path = directory.path().join("shard-0-of-1.redb");
    let mut file = fs::read(&path).expect("a file");
    let text = b"line 1234 of some length";
    // Also where it is kept for who follows changes, and where it was before.
    let places = |file: &[u8]| file.windows(text.len()).position(|window| window == text);
    while let Some(place) = places(&file) {
        file[place] ^= 1;
    }
    fs::write(&path, file).expect("a file");

    let whole = Db::<Line>::open(directory.path()).map(|_| ());
    assert_eq!(whole.map_err(|error| error.kind()), Err(ErrorKind::Corrupt));

    let db = Db::<Line>::builder().waking(true).open(directory.path())?;
    let read = |id: u64| db.get(id).map_err(|error| error.kind());
    assert_eq!(read(1_234), Err(ErrorKind::Corrupt));
    assert_eq!(read(0), Ok(Some(line(0))));
    let written = db.index([line(LINES)]).map_err(|error| error.kind());
    assert_eq!(written, Err(ErrorKind::Corrupt));
    assert_eq!(read(1_234), Err(ErrorKind::Corrupt));
    assert_eq!(read(LINES), Ok(None));
    assert_eq!(db.count(Filter::All)?, LINES);
    assert_eq!(db.search(&line(7).embedding).limit(1).run()?[0].doc, line(7));
    Ok(())
}

#[test]
fn fields_without_codes_wake_too() -> Result<()> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut rng = fastrand::Rng::with_seed(random::seed(5));
    for kind in [IndexKind::Exact, IndexKind::Hnsw] {
        let path = directory.path().join(format!("{kind:?}"));
        let schema = random::schema(&mut rng, kind);
        let database = Database::create(&path, &schema, &DatabaseOptions::default())?;
        database.index((0..300).map(|id| random::document(&mut rng, &schema, id)).collect())?;
        let everything = Scroll { include: Include::Everything, ..Scroll::new(1_000) };
        let expected = database.scroll(&everything)?;
        database.close()?;
        let database = Database::open(&path, &waking())?;
        assert_eq!(database.scroll(&everything)?, expected);
    }
    Ok(())
}
