//! Promise: an acknowledged write survives power loss; a batch is whole or absent; and what is left
//! opens, answers and goes on.
//!
//! Random programs run on a simulated disk that notes every call. Then the power fails at every one
//! of them, with all, none or some of what was not synced, to 64 bytes; and in a part of the
//! recoveries it fails once more.

use fastrand::Rng;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use vectordoc::schema::IndexKind;
use vectordoc_tests::{
    cut::{Replay, Survival},
    disk::{Event, SimulatedDisk},
    random,
    trial::{Kind, Trial},
};

/// One in so many recoveries is cut off itself.
const TWICE: usize = 40;
/// One in so many goes on to be written to, closed and opened again.
const GOES_ON: usize = 6;

/// How far a program had come.
#[derive(Clone, Copy, Default)]
struct Progress {
    acknowledged: usize,
    asked: usize,
}

impl Progress {
    fn take(&mut self, note: u64) {
        let step = usize::try_from(note / 2).expect("a step");
        match note % 2 {
            0 => self.asked = step + 1,
            _ => self.acknowledged = step + 1,
        }
    }
}

/// Cuts the power at every call of a program; returns how often.
fn cut_everywhere(seed: u64, kind: Kind) -> u64 {
    let trial = Trial::new(seed, kind);
    let disk = SimulatedDisk::default();
    disk.record();
    trial.run(&disk).expect("no call fails");
    let mut rng = Rng::with_seed(seed);
    let (mut replay, mut progress, mut cuts) = (Replay::default(), Progress::default(), 0);
    for (at, event) in disk.events().iter().enumerate() {
        replay.take(event);
        if let Event::Note(note) = event {
            progress.take(*note);
        }
        for survival in Survival::ALL {
            if Replay::is_worth(survival, event) {
                let place = format!("SEED={seed}, call {at} {survival:?}");
                let twice = rng.usize(..TWICE) == 0;
                let left = replay.cut(survival, &mut rng);
                cuts += recover(&trial, &left, progress, &place, twice, &mut rng);
            }
        }
    }
    cuts
}

/// Opens what a cut left, and judges it; returns how many cuts were judged.
fn recover(
    trial: &Trial,
    disk: &SimulatedDisk,
    progress: Progress,
    place: &str,
    is_cut_again: bool,
    rng: &mut Rng,
) -> u64 {
    let Progress { acknowledged, asked } = progress;
    let before = is_cut_again.then(|| Replay::of(disk));
    before.iter().for_each(|_| disk.record());
    let database = match trial.create(disk) {
        Ok(database) => database,
        Err(error) => panic!("{place}: {error:?}"),
    };
    let shown = Shown(place);
    let found = trial.judge(&database, acknowledged, asked);
    if rng.usize(..GOES_ON) == 0 {
        trial.judge_goes_on(disk, &database, &found);
    }
    disk.cut_power();
    drop(database);
    let mut cuts = 1;
    if let Some(mut replay) = before {
        for event in disk.events() {
            replay.take(&event);
            if matches!(event, Event::Note(_)) {
                continue;
            }
            let survival = Survival::ALL[rng.usize(..4)];
            let left = replay.cut(survival, rng);
            let database = trial.create(&left);
            let database = database.unwrap_or_else(|error| panic!("{place}, again: {error:?}"));
            // The second time there is a document more, if the first had come to writing it.
            let found = trial.found(&database).expect("all can be read");
            trial.judge_answers(&database, &found);
            left.cut_power();
            cuts += 1;
        }
    }
    drop(shown);
    cuts
}

/// Says where it was, should what follows panic.
struct Shown<'a>(&'a str);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}

/// Runs programs of one kind in as many threads as there are cores.
fn run(what: &str, programs: u64, kind: Kind) {
    let first = random::seed(1);
    let cuts = random::in_parallel(first..first + random::budget(programs), |seed| {
        cut_everywhere(seed, kind)
    });
    random::figure(&format!("power_loss/{what}"), cuts, "power cuts, 0 lost, 0 half");
}

#[test]
fn what_was_synced_survives_a_power_cut_at_any_call() {
    run("synced", 12, Kind { steps: 8, defers: false, reshards: false });
}

#[test]
fn what_was_written_in_memory_is_lost_from_its_end_only() {
    run("deferred", 8, Kind { steps: 10, defers: true, reshards: false });
}

#[test]
fn resharding_survives_a_power_cut_at_any_call() {
    run("resharded", 6, Kind { steps: 6, defers: false, reshards: true });
}

#[test]
fn a_seed_gives_the_whole_run() {
    let kind = Kind { steps: 5, defers: false, reshards: false };
    let calls_of = |seed| {
        let disk = SimulatedDisk::default();
        disk.record();
        Trial::new(seed, kind).run(&disk).expect("no call fails");
        let mut hasher = DefaultHasher::new();
        for event in disk.events() {
            // The identity of a stream of changes is drawn, and so bytes differ; places do not.
            match event {
                Event::Write(file, offset, bytes) => (file, offset, bytes.len()).hash(&mut hasher),
                event => format!("{event:?}").hash(&mut hasher),
            }
        }
        hasher.finish()
    };
    // A machine that stands still for half a second has the database checkpoint by itself.
    let is_same = |seed| (0..5).any(|_| calls_of(seed) == calls_of(seed));
    // A graph is built between two requests, as far as it comes, and two shards write side by side.
    let is_in_order = |seed: &u64| {
        let trial = Trial::new(*seed, kind);
        trial.shards == 1 && trial.schema.vectors()[0].index.kind == IndexKind::Exact
    };
    for seed in (0..40).filter(is_in_order) {
        assert!(is_same(seed), "SEED={seed}: twice the same program, and other calls");
    }
}
