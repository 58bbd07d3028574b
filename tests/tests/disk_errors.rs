//! Promise: any error of the disk leaves a clean state. What was acknowledged stays, what failed is
//! whole or absent, reading goes on, no write is acknowledged after a sync that failed, and after a
//! full disk writing goes on once there is space.
//!
//! Of random programs on a simulated disk, every single call fails once, in each way it can.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use vectordoc::{
    Database, Document, Error, ErrorKind, Id, Result, Schema,
    native::{Durability, Residence},
};
use vectordoc_tests::{
    cut::{Replay, Survival},
    disk::{Fault, SimulatedDisk},
    random,
    trial::{Kind, Step, Trial, part},
    twin::Twin,
};

type Documents = BTreeMap<Id, Document>;

/// What one shard may have.
struct Known {
    shard: usize,
    shards: usize,
    /// What reads may find.
    applied: Vec<Twin>,
    /// What may be there besides, after the next opening.
    pending: Vec<Twin>,
}

impl Known {
    fn with(&self, twin: &Twin, step: &Step, schema: &Schema) -> Twin {
        let mut twin = twin.clone();
        step.take(&mut twin, schema);
        Twin { documents: part(&twin, self.shard, self.shards) }
    }

    fn acknowledged(&mut self, step: &Step, schema: &Schema) {
        let before = std::mem::take(&mut self.applied);
        self.applied = before.iter().map(|twin| self.with(twin, step, schema)).collect();
        // A shard that was not written to still has what failed in it before.
        let is_here = |document: &Document| document.id.shard(self.shards) == self.shard;
        let is_indexed = matches!(step, Step::Index(documents, _) if documents.iter().any(is_here));
        let has_changed = before.iter().zip(&self.applied).any(|(a, b)| a.documents != b.documents);
        if is_indexed || has_changed {
            self.pending.clear();
        }
    }

    fn failed(&mut self, step: &Step, schema: &Schema) {
        let more: Vec<_> = self.applied.iter().map(|twin| self.with(twin, step, schema)).collect();
        self.pending.extend(more.iter().cloned());
        self.applied.extend(more);
    }

    /// What reads find says which it is.
    fn look(&mut self, found: &Documents) -> bool {
        let is_it = |twin: &Twin| twin.documents == *found;
        if !self.applied.iter().any(is_it) {
            return false;
        }
        let applied = std::mem::take(&mut self.applied);
        let (is, is_not): (Vec<_>, Vec<_>) = applied.into_iter().partition(is_it);
        self.applied = is.into_iter().take(1).collect();
        self.pending.extend(is_not);
        true
    }

    /// What was not there may be there now; reads say whether it is.
    fn reopened(&mut self) {
        self.applied.append(&mut self.pending);
    }

    fn may_have(&self, found: &Documents) -> bool {
        self.applied.iter().chain(&self.pending).any(|twin| twin.documents == *found)
    }
}

/// A program of which a call fails.
struct Failing<'t> {
    trial: &'t Trial,
    disk: SimulatedDisk,
    fault: Fault,
    known: Vec<Known>,
}

/// What an error of a disk is to who asked.
fn expect_kind(error: &Error, fault: Fault) {
    let kinds: &[ErrorKind] = match fault {
        Fault::Full => &[ErrorKind::Full, ErrorKind::Unavailable],
        _ => &[ErrorKind::Unavailable],
    };
    assert!(kinds.contains(&error.kind()), "{error:?}");
}

impl Failing<'_> {
    fn run(&mut self) {
        let mut failed = 0;
        if let Some(mut database) = self.opened() {
            for step in &self.trial.steps {
                if matches!(step, Step::Reopen) {
                    let _ = database.close();
                    // What the disk has after that nobody knows until the machine starts anew.
                    if self.disk.sync_failures() > 0 {
                        return self.judge_after();
                    }
                    drop(database);
                    match self.opened() {
                        Some(opened) => database = opened,
                        None => return self.judge_after(),
                    }
                    // Of a write that was refused for want of space nothing was written.
                    if self.fault != Fault::Full {
                        self.known.iter_mut().for_each(Known::reopened);
                    }
                    self.judge_reads(&database);
                    continue;
                }
                failed += usize::from(self.ask(&database, step));
                self.judge_reads(&database);
                if failed == 2 && self.fault == Fault::Full {
                    self.disk.heal();
                    self.judge_has_space(&database);
                    failed += 1;
                }
            }
            let _ = database.close();
        }
        self.judge_after();
    }

    /// Opens the database; where that fails, nothing has changed.
    fn opened(&self) -> Option<Database> {
        match self.trial.create(&self.disk) {
            Ok(database) => Some(database),
            Err(error) => {
                expect_kind(&error, self.fault);
                None
            }
        }
    }

    /// Asks a step; whether it failed.
    fn ask(&mut self, database: &Database, step: &Step) -> bool {
        let failures = self.disk.sync_failures();
        let asked = step.ask(database);
        let schema = &self.trial.schema;
        match &asked {
            Ok(()) if step.is_write() => {
                // Of two shards the other one goes on.
                if self.trial.shards == 1 {
                    assert_eq!(failures, 0, "a write was acknowledged after a sync had failed");
                }
                self.known.iter_mut().for_each(|known| known.acknowledged(step, schema));
            }
            Ok(()) => {}
            Err(error) => {
                expect_kind(error, self.fault);
                self.known.iter_mut().for_each(|known| known.failed(step, schema));
            }
        }
        asked.is_err()
    }

    /// Reading goes on, in memory whatever the disk does.
    fn judge_reads(&mut self, database: &Database) {
        let read = self.trial.found(database).and_then(|found| {
            self.trial.try_judge_answers(database, &found)?;
            Ok(found)
        });
        match read {
            Ok(found) => {
                for known in &mut self.known {
                    let found = part(&found, known.shard, known.shards);
                    assert!(known.look(&found), "shard {} answers {found:?}", known.shard);
                }
            }
            Err(error) => {
                let is_at_rest = self.trial.residence == Residence::Disk;
                assert!(is_at_rest, "reading what is in memory failed: {error:?}");
                expect_kind(&error, self.fault);
            }
        }
    }

    /// Writing goes on too.
    fn judge_has_space(&mut self, database: &Database) {
        let documents = self.trial.steps.iter().find_map(|step| match step {
            Step::Index(documents, _) => Some(documents.clone()),
            _ => None,
        });
        let step = Step::Index(documents.unwrap_or_default(), Durability::Fsync);
        let is_refused = self.ask(database, &step);
        assert!(!is_refused, "there is space again, and a write is refused");
        // What was refused for want of space is gone for good, also in a shard this did not go to.
        self.known.iter_mut().for_each(|known| known.pending.clear());
        self.judge_reads(database);
    }

    /// The disk works again; or the power went.
    fn judge_after(&self) {
        let mut replay = Replay::default();
        self.disk.events().iter().for_each(|event| replay.take(event));
        let mut rng = fastrand::Rng::with_seed(1);
        self.disk.heal();
        for disk in [self.disk.copy(), replay.cut(Survival::Nothing, &mut rng)] {
            let database = self.trial.create(&disk).expect("the database opens");
            let found = self.trial.found(&database).expect("all can be read");
            for known in &self.known {
                let found = part(&found, known.shard, known.shards);
                assert!(known.may_have(&found), "shard {} has {found:?}", known.shard);
            }
            self.trial.judge_goes_on(&disk, &database, &found);
        }
    }
}

/// Lets each call of a program fail in each way; returns how many did.
fn fail_everywhere(seed: u64, kind: Kind, faults: &[Fault]) -> u64 {
    let trial = Trial::new(seed, kind);
    let disk = SimulatedDisk::default();
    trial.run(&disk).expect("no call fails");
    let mut failures = 0;
    for (number, call) in disk.calls().into_iter().enumerate() {
        for fault in faults.iter().copied().filter(|fault| fault.concerns(call)) {
            let shown = Shown { seed, number, fault };
            let known = |shard| Known {
                shard,
                shards: trial.shards,
                applied: vec![Twin::default()],
                pending: Vec::new(),
            };
            let known = (0..trial.shards).map(known).collect();
            let disk = SimulatedDisk::default();
            disk.record();
            disk.fail_after(number, fault);
            Failing { trial: &trial, disk, fault, known }.run();
            failures += 1;
            drop(shown);
        }
    }
    failures
}

/// Says where it was, should what follows panic.
struct Shown {
    seed: u64,
    number: usize,
    fault: Fault,
}

impl Drop for Shown {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { seed, number, fault } = self;
            eprintln!("SEED={seed}, call {number} fails: {fault:?}");
        }
    }
}

fn run(what: &str, programs: u64, faults: &[Fault]) {
    let kind = Kind { steps: 5, defers: false, reshards: false };
    let first = random::seed(1);
    let failures = random::in_parallel(first..first + random::budget(programs), |seed| {
        fail_everywhere(seed, kind, faults)
    });
    random::figure(&format!("disk_errors/{what}"), failures, "calls failed, 0 lost, 0 panics");
}

#[test]
fn any_call_may_fail_and_what_was_acknowledged_stays() {
    run("errors", 3, &[Fault::Once, Fault::Dead, Fault::Short]);
}

#[test]
fn no_write_is_acknowledged_after_a_sync_failed() {
    run("syncs", 4, &[Fault::Sync]);
}

#[test]
fn a_disk_may_be_full_at_any_call_and_writing_goes_on_once_it_is_not() {
    run("full", 3, &[Fault::Full]);
}

/// Story: a checkpoint that failed while nobody asked for one was taken for made, and who asked for one
/// then was told that it was there.
#[test]
fn a_checkpoint_that_failed_is_made_when_it_is_asked_for() -> Result<()> {
    let trial = Trial::new(1, Kind { steps: 1, defers: false, reshards: false });
    let disk = SimulatedDisk::default();
    let database = trial.create(&disk)?;
    database.index(vec![random::document(&mut fastrand::Rng::with_seed(1), &trial.schema, 1)])?;
    disk.fail_after(disk.calls().len(), Fault::Full);
    let deadline = Instant::now() + Duration::from_secs(60);
    while !disk.has_failed() {
        assert!(Instant::now() < deadline, "nothing was checkpointed");
        std::thread::yield_now();
    }
    assert_eq!(database.checkpoint().expect_err("the disk is full").kind(), ErrorKind::Full);
    disk.heal();
    let before = database.stats().commits;
    database.checkpoint()?;
    assert!(database.stats().commits > before, "no checkpoint was made");
    Ok(())
}

#[test]
fn the_kind_of_an_error_says_whether_space_helps() -> Result<()> {
    let trial = Trial::new(1, Kind { steps: 1, defers: false, reshards: false });
    let disk = SimulatedDisk::default();
    let database = trial.create(&disk)?;
    disk.fail_after(disk.calls().len(), Fault::Full);
    let document = random::document(&mut fastrand::Rng::with_seed(1), &trial.schema, 1);
    let refused = database.index(vec![document.clone()]).expect_err("the disk is full");
    assert_eq!(refused.kind(), ErrorKind::Full);
    assert!(refused.message().contains("free some space"), "{refused}");
    disk.heal();
    database.index(vec![document.clone()])?;
    disk.fail_after(disk.calls().len(), Fault::Dead);
    let refused = database.index(vec![document]).expect_err("the disk is dead");
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    Ok(())
}
