//! Promise: a database keeps to the memory and the disk it is given: writes are refused with `full`
//! and named figures, reading and deleting go on, and what is deleted makes room.

use vectordoc::{Db, ErrorKind, Filter, Patch, Result, VectorDoc};

#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Row {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(dim = 256))]
    embedding: Vec<f32>,
    #[vectordoc(filter)]
    number: u64,
}

fn row(id: u64) -> Row {
    let mut rng = fastrand::Rng::with_seed(id);
    Row { id, embedding: (0..256).map(|_| rng.f32() - 0.5).collect(), number: id }
}

#[test]
fn a_full_memory_budget_refuses_what_adds_and_deleting_makes_room() -> Result<()> {
    const BUDGET_BYTES: u64 = 16_000_000;
    const BATCH: u64 = 200;
    let directory = tempfile::tempdir().expect("a temporary directory");
    for shards in [1, 2] {
        let path = directory.path().join(shards.to_string());
        let open = || Db::builder().shards(shards).memory_bytes_max(BUDGET_BYTES).open(&path);
        let db: Db<Row> = open()?;
        let mut written = 0;
        let refused = loop {
            match db.index((written..written + BATCH).map(row)) {
                Ok(_) => written += BATCH,
                Err(error) => break error,
            }
            assert!(written < 100_000, "nothing is refused");
        };
        assert_eq!(refused.kind(), ErrorKind::Full);
        // A refusal leaves nothing to wait for.
        db.database().wait_indexed(&mut |_, _| {})?;
        // Until there is no room for one more either.
        while db.index([row(written)]).is_ok() {
            written += 1;
            assert!(written < 100_000, "nothing is refused");
        }
        let share = (BUDGET_BYTES / shards as u64).to_string();
        assert!(refused.message().contains("memory_bytes_max"), "{refused}");
        assert!(refused.message().contains(&share), "{refused}");
        let held = db.database().stats().memory_bytes;
        let bounds = BUDGET_BYTES / 2..BUDGET_BYTES * 5 / 4;
        assert!(bounds.contains(&held), "{held} bytes are held when the budget is full");

        assert!(db.count(Filter::All)? >= written);
        assert_eq!(db.search(&row(3).embedding).limit(1).run()?[0].doc, row(3));
        let patch = db.patch(3_u64, Patch::new().set("number", 9));
        assert_eq!(patch.expect_err("it adds").kind(), ErrorKind::Full);
        db.delete_where(Row::number().lt(written / 2))?;
        db.database().checkpoint()?;
        db.index((0..BATCH).map(row))?;
        assert_eq!(db.get(3)?, Some(row(3)));
        db.database().check()?;

        db.close()?;
        let db = open()?;
        let more = (0..500).map(|batch| 1_000_000 + batch * BATCH);
        let refused = more.map(|first| db.index((first..first + BATCH).map(row)));
        let refused = refused.filter_map(Result::err).next();
        assert_eq!(refused.expect("a refusal").kind(), ErrorKind::Full);
    }
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_with_less_free_than_asked_for_takes_no_documents_and_gives_all_it_has() -> Result<()> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let open = |min| Db::<Row>::builder().disk_bytes_free_min(min).open(directory.path());
    let db = open(1)?;
    db.index((0..20).map(row))?;
    db.close()?;
    let db = open(u64::MAX)?;
    let refused = db.index([row(20)]).expect_err("no disk has so much");
    assert_eq!(refused.kind(), ErrorKind::Full);
    let figure = u64::MAX.to_string();
    assert!(refused.message().contains("disk_bytes_free_min"), "{refused}");
    assert!(refused.message().contains(&figure), "{refused}");
    assert_eq!(db.get(7)?, Some(row(7)));
    assert_eq!(db.delete([7, 8])?.deleted, 2);
    assert_eq!(db.count(Filter::All)?, 18);
    let nowhere = Db::<Row>::builder().disk_bytes_free_min(1).in_memory();
    assert_eq!(nowhere.expect_err("no disk").kind(), ErrorKind::Invalid);
    Ok(())
}
