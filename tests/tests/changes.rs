//! Promise: who follows a database by its changes has the same documents, whatever happens to
//! either; what cannot be told any more is said; and nobody who follows slowly holds up a writer.
//!
//! The kill test starts itself as the process to be killed.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};
use vectordoc::{
    Database, Db, ErrorKind, Filter, Include, Patch, Result, Scroll, VectorDoc,
    native::{Change, ChangePage, ChangeQuery, DatabaseOptions, Durability},
};
use vectordoc_tests::random;

const DIRECTORY: &str = "VECTORDOC_CHANGES_DIRECTORY";
const SEED: &str = "VECTORDOC_CHANGES_SEED";
/// No test waits so long.
const LONG: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Note {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 2))]
    embedding: [f32; 2],
    #[vectordoc(filter)]
    stars: u16,
    title: String,
}

fn note(id: u64, stars: u16) -> Note {
    Note { id, embedding: [1.0, f32::from(stars)], stars, title: format!("{id} at {stars}") }
}

/// Who follows: a database of its own, and how far it has come.
struct Follower {
    db: Db<Note>,
    cursor: String,
    filter: Filter,
}

impl Follower {
    /// Begins where `db` is, with what it has by now.
    fn of(db: &Db<Note>, filter: Filter) -> Result<Self> {
        let cursor = db.changes(ChangeQuery::from_now())?.cursor;
        let follower = Self { db: Db::in_memory()?, cursor, filter: filter.clone() };
        follower.db.index(db.scroll(filter, None, 10_000)?.docs)?;
        Ok(follower)
    }

    fn take(&mut self, page: ChangePage<Note>) -> Result<()> {
        for change in page.changes {
            match change {
                Change::Index { doc, .. } => self.db.index([doc]).map(drop)?,
                Change::Delete { id, .. } | Change::Leave { id, .. } => {
                    self.db.delete(id).map(drop)?;
                }
            }
        }
        self.cursor = page.cursor;
        Ok(())
    }

    /// Takes what there is by now, so many changes at a time.
    fn catch_up(&mut self, db: &Db<Note>, limit: usize) -> Result<()> {
        loop {
            let filter = self.filter.clone();
            let query = ChangeQuery { limit, filter, ..ChangeQuery::since(&self.cursor) };
            let page = db.changes(query)?;
            assert!(page.changes.len() <= limit);
            let has_more = page.has_more;
            self.take(page)?;
            if !has_more {
                return Ok(());
            }
        }
    }

    fn check_same(&self, db: &Db<Note>, context: &str) -> Result<()> {
        let theirs = db.scroll(self.filter.clone(), None, 10_000)?.docs;
        assert_eq!(self.db.scroll(Filter::All, None, 10_000)?.docs, theirs, "{context}");
        Ok(())
    }
}

/// One write of a random program.
fn write(db: &Db<Note>, rng: &mut fastrand::Rng) -> Result<()> {
    let durability = if rng.bool() { Durability::Memory } else { Durability::Fsync };
    let db = db.with_durability(durability);
    let (id, stars) = (rng.u64(..40), rng.u16(..5));
    match rng.u8(..8) {
        0 => db.delete([id, id + 1, id]).map(drop),
        1 if rng.u8(..6) == 0 => db.delete_where(Note::stars().eq(stars)).map(drop),
        2 => db.patch_where(Note::stars().eq(stars), Patch::new().increment("stars", 1)).map(drop),
        3 => db.index((0..rng.u64(1..60)).map(|n| note((id + n) % 45, stars))).map(drop),
        _ => db.index([note(id, stars), note(id + 1, stars), note(id, stars + 1)]).map(drop),
    }
}

#[test]
fn who_replays_the_changes_has_the_same_documents() -> Result<()> {
    let seed = random::seed(1);
    for program in 0..random::programs(20) {
        let mut rng = fastrand::Rng::with_seed(seed.wrapping_add(program));
        let directory = tempfile::tempdir().expect("a temporary directory");
        let shards = rng.usize(1..4);
        let is_on_disk = rng.bool();
        let open = || match is_on_disk {
            true => Db::<Note>::builder().shards(shards).open(directory.path()),
            false => Db::builder().shards(shards).in_memory(),
        };
        let mut db = open()?;
        write(&db, &mut rng)?;
        let filters = [Filter::All, Note::stars().gte(2_u16)];
        let followers = filters.into_iter().map(|filter| Follower::of(&db, filter));
        let mut followers = followers.collect::<Result<Vec<_>>>()?;
        for step in 0..60 {
            write(&db, &mut rng)?;
            match rng.u8(..12) {
                0 => db.database().checkpoint()?,
                1 if is_on_disk => {
                    db.close()?;
                    db = open()?;
                }
                2..6 => {
                    let limit = rng.usize(1..20);
                    followers.iter_mut().try_for_each(|f| f.catch_up(&db, limit))?;
                }
                _ => {}
            }
            if step == 59 {
                // What was written in memory is told once it is committed.
                db.database().checkpoint()?;
            }
        }
        for follower in &mut followers {
            follower.catch_up(&db, 7)?;
            let context = format!("program {program} of seed {seed}, {shards} shards");
            follower.check_same(&db, &context)?;
        }
    }
    Ok(())
}

#[test]
fn changes_come_with_versions_in_order_and_a_filter_says_what_leaves() -> Result<()> {
    let db = Db::<Note>::in_memory()?;
    let cursor = db.changes(ChangeQuery::from_now())?.cursor;
    db.index([note(1, 5), note(2, 1)])?;
    db.index([note(1, 0)])?;
    db.delete(2)?;
    let told = |filter| {
        let query = ChangeQuery { filter, ..ChangeQuery::since(&cursor) };
        db.changes(query).map(|page| page.changes)
    };
    let index = |doc, version| Change::Index { doc, version };
    let gone = Change::Delete { id: 2.into(), version: 3 };
    let all = vec![index(note(1, 5), 1), index(note(2, 1), 1), index(note(1, 0), 2), gone.clone()];
    assert_eq!(told(Filter::All)?, all);
    let leave = |id: u64, version| Change::Leave { id: id.into(), version };
    let good = vec![index(note(1, 5), 1), leave(2, 1), leave(1, 2), gone];
    assert_eq!(told(Note::stars().gte(4_u16))?, good);
    let bare = ChangeQuery { include: Include::Nothing, ..ChangeQuery::since(&cursor) };
    match &db.database().changes(&bare)?.changes[0] {
        Change::Index { doc, .. } => assert!(doc.vectors[0].is_none() && doc.values[0].is_null()),
        other => panic!("{other:?}"),
    }
    Ok(())
}

#[test]
fn a_position_that_is_too_old_is_said_with_the_way_out() -> Result<()> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let small = || Db::<Note>::builder().history_bytes(2_000);
    for db in [small().open(directory.path())?, small().in_memory()?] {
        let mut early = Follower::of(&db, Filter::All)?;
        (0..200).try_for_each(|id| db.index([note(id, 1)]).map(drop))?;
        let mut late = Follower::of(&db, Filter::All)?;
        db.database().checkpoint()?;
        db.index([note(7, 2)])?;
        late.catch_up(&db, 100)?;
        late.check_same(&db, "within the history")?;
        let refused = early.catch_up(&db, 100).expect_err("it is too old");
        assert_eq!(refused.kind(), ErrorKind::Conflict);
        assert!(refused.message().contains("does not remember that far"), "{refused}");
        assert!(refused.message().contains("scroll"), "{refused}");
        let mut anew = Follower::of(&db, Filter::All)?;
        db.delete(7)?;
        anew.catch_up(&db, 100)?;
        anew.check_same(&db, "begun anew")?;
    }
    Ok(())
}

#[test]
fn a_position_survives_reopening_but_not_an_import_and_is_of_one_database() -> Result<()> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let place = directory.path().join("db");
    let db = Db::<Note>::builder().shards(2).open(&place)?;
    db.index((0..50).map(|id| note(id, 1)))?;
    let mut follower = Follower::of(&db, Filter::All)?;
    db.index((0..9).map(|id| note(id, 2)))?;
    db.close()?;
    let db = Db::<Note>::open(&place)?;
    follower.catch_up(&db, 4)?;
    follower.check_same(&db, "after reopening")?;

    let mut archive = Vec::new();
    db.database().export(&mut archive, &mut |_, _| {})?;
    let copy = directory.path().join("copy");
    let options = DatabaseOptions::default();
    let copy = Database::import(copy, &archive[..], &options, &mut |_, _| {})?;
    assert_eq!(copy.scroll(&Scroll::new(100))?, db.database().scroll(&Scroll::new(100))?);
    for stranger in [copy, Db::<Note>::builder().shards(2).in_memory()?.database().clone()] {
        let refused = stranger.changes(&ChangeQuery::since(&follower.cursor)).expect_err("it");
        assert_eq!(refused.kind(), ErrorKind::Conflict);
        assert!(refused.message().contains("another database"), "{refused}");
    }
    Ok(())
}

#[test]
fn what_cannot_be_asked_is_refused() -> Result<()> {
    let db = Db::<Note>::in_memory()?;
    let kind = |query: ChangeQuery| db.changes(query).expect_err("a refusal").kind();
    let query = |limit| ChangeQuery { limit, ..ChangeQuery::from_now() };
    assert_eq!(kind(query(0)), ErrorKind::Invalid);
    assert!(db.changes(query(10_000)).is_ok());
    assert_eq!(kind(query(10_001)), ErrorKind::LimitExceeded);
    assert_eq!(kind(ChangeQuery::since("nonsense")), ErrorKind::Invalid);
    let wrong = Filter::field("starz", vectordoc::filter::Test::Exists(true));
    assert_eq!(kind(ChangeQuery { filter: wrong, ..ChangeQuery::from_now() }), ErrorKind::Invalid);
    let without = Db::<Note>::builder().history_bytes(0).in_memory()?;
    let refused = without.changes(ChangeQuery::from_now()).expect_err("no history");
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    db.close()?;
    assert_eq!(kind(ChangeQuery::from_now()), ErrorKind::Closed);
    Ok(())
}

#[test]
fn a_listener_is_called_after_each_change_until_it_is_dropped_and_a_waiter_wakes() -> Result<()> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let db = Db::<Note>::open(directory.path())?;
    let cursor = db.changes(ChangeQuery::from_now())?.cursor;
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    let subscription = db.database().on_change(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    })?;
    thread::scope(|scope| {
        let waiter = scope.spawn(|| db.changes_within(ChangeQuery::since(&cursor), LONG));
        // It is told of durable changes only, so this one is not before its commit.
        db.with_durability(Durability::Memory).index([note(1, 1)])?;
        let page = waiter.join().expect("no panic")?;
        assert_eq!(page.changes, [Change::Index { doc: note(1, 1), version: 1 }]);
        Ok::<_, vectordoc::Error>(())
    })?;
    assert!(calls.load(Ordering::SeqCst) > 0);
    drop(subscription);
    let before = calls.load(Ordering::SeqCst);
    db.index([note(2, 2)])?;
    assert_eq!(calls.load(Ordering::SeqCst), before);
    let at_end = db.changes(ChangeQuery::from_now())?.cursor;
    let nothing = db.changes_within(ChangeQuery::since(&at_end), Duration::from_millis(1))?;
    assert!(nothing.changes.is_empty() && !nothing.has_more);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| db.changes_within(ChangeQuery::since(&at_end), LONG));
        db.close()?;
        assert_eq!(waiter.join().expect("no panic").expect_err("closed").kind(), ErrorKind::Closed);
        Ok(())
    })
}

#[test]
fn many_follow_while_many_write_and_all_see_every_change() -> Result<()> {
    const WRITERS: u64 = 4;
    const WRITES: u64 = 100;
    let db = Db::<Note>::builder().shards(2).in_memory()?;
    let cursor = db.changes(ChangeQuery::from_now())?.cursor;
    thread::scope(|scope| {
        let followers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let (mut seen, mut at) = (BTreeSet::new(), cursor.clone());
                    while (seen.len() as u64) < WRITERS * WRITES {
                        let query = ChangeQuery { limit: 17, ..ChangeQuery::since(&at) };
                        let page = db.changes_within(query, LONG)?;
                        assert!(!page.changes.is_empty(), "a change was not announced");
                        for change in page.changes {
                            let Change::Index { doc, .. } = change else { panic!("{change:?}") };
                            assert!(seen.insert(doc.id), "{} came twice", doc.id);
                        }
                        at = page.cursor;
                    }
                    Ok::<_, vectordoc::Error>(())
                })
            })
            .collect();
        for writer in 0..WRITERS {
            let db = &db;
            scope.spawn(move || {
                let ids = (0..WRITES).map(|write| writer * WRITES + write);
                ids.for_each(|id| db.index([note(id, 1)]).map(drop).expect("a write"));
            });
        }
        followers.into_iter().try_for_each(|follower| follower.join().expect("no panic"))
    })
}

/// What the child does; in an ordinary run there is no directory and nothing to do.
#[test]
fn child_that_writes_until_it_is_killed() -> Result<()> {
    let (Ok(directory), Ok(seed)) = (std::env::var(DIRECTORY), std::env::var(SEED)) else {
        return Ok(());
    };
    let db = Db::<Note>::open(directory)?;
    let mut rng = fastrand::Rng::with_seed(seed.parse().expect("a number"));
    let mut out = std::io::stdout();
    loop {
        write(&db, &mut rng)?;
        writeln!(out, "wrote").and_then(|()| out.flush()).expect("the judge reads");
    }
}

fn run_and_kill(directory: &Path, rng: &mut fastrand::Rng) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["child_that_writes_until_it_is_killed", "--exact", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(SEED, rng.u64(..).to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the child starts");
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let writes = rng.usize(1..200);
    let mut lines = output.lines().map_while(std::result::Result::ok);
    let wrote = lines.by_ref().filter(|line| line.ends_with("wrote")).take(writes).count();
    assert_eq!(wrote, writes, "the child ended by itself");
    // Its output is read from as long as it lives, or it would end otherwise than by being killed.
    child.kill().expect("the child can be killed");
    drop(lines);
    child.wait().expect("the child ends");
}

#[test]
fn who_follows_over_kills_has_what_the_database_has_after_each() -> Result<()> {
    let mut rng = fastrand::Rng::with_seed(random::seed(1));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("db");
    let db = Db::<Note>::builder().shards(2).open(&path)?;
    let mut follower = Follower::of(&db, Filter::All)?;
    db.close()?;
    for kill in 0..random::programs(20) {
        run_and_kill(&path, &mut rng);
        let db = Db::<Note>::open(&path)?;
        follower.catch_up(&db, 50)?;
        follower.check_same(&db, &format!("after kill {kill}"))?;
        db.database().check()?;
        db.close()?;
    }
    Ok(())
}
