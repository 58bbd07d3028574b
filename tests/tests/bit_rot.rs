//! Promise: what a disk changes behind our back is noticed, or it does no harm. It is never served,
//! and nothing panics.
//!
//! That is so with `DatabaseOptions::verify`, which has every byte of the files checked when they are
//! opened. Without it, damage of records and pages is noticed all the same, as `damage.rs` judges, but
//! what is around them belongs to redb, which trusts it.
//!
//! Bits of the files of a database are flipped, blocks stand in the place of others, and blocks are
//! what they were before. Where the database opens then, it must answer as it did, take a write, and
//! answer the same once it was opened again; or say `corrupt`.

use fastrand::Rng;
use std::path::{Path, PathBuf};
use vectordoc::{Database, ErrorKind, Result};
use vectordoc_tests::{
    disk::{Event, FileNumber, SimulatedDisk},
    image::{BLOCK_BYTES, Image},
    random,
    trial::{Kind, Trial},
    twin::Twin,
};

/// A database at rest.
struct Resting {
    trial: Trial,
    disk: SimulatedDisk,
    expected: Twin,
}

/// What became of some damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Noticed,
    Harmless,
}

impl Resting {
    fn new(seed: u64, steps: usize) -> Self {
        let mut trial = Trial::new(seed, Kind { steps, defers: false, reshards: false });
        trial.verify = true;
        let disk = SimulatedDisk::default();
        disk.record();
        trial.run(&disk).expect("no call fails");
        let expected = trial.states[steps].clone();
        Self { trial, disk, expected }
    }

    fn files(&self) -> Vec<PathBuf> {
        self.disk.paths()
    }

    /// Opens a copy with other bytes in the place of a file, and judges what is found.
    fn judge(&self, path: &Path, image: Image) -> Outcome {
        let disk = self.disk.copy();
        disk.set_image(path, image);
        let outcome = self.try_judge(&disk);
        disk.cut_power();
        match outcome {
            Ok(()) => Outcome::Harmless,
            Err(error) => {
                let kinds = [ErrorKind::Corrupt, ErrorKind::Unsupported];
                assert!(kinds.contains(&error.kind()), "{error:?}");
                Outcome::Noticed
            }
        }
    }

    fn try_judge(&self, disk: &SimulatedDisk) -> Result<()> {
        let database = self.trial.create(disk)?;
        self.judge_documents(&database, &self.expected)?;
        let mut expected = self.expected.clone();
        let document = random::document(&mut Rng::with_seed(1), &self.trial.schema, 9_999);
        expected.index(&self.trial.schema, std::slice::from_ref(&document));
        database.index(vec![document])?;
        self.judge_documents(&database, &expected)?;
        database.close()?;
        self.judge_documents(&self.trial.create(disk)?, &expected)
    }

    fn judge_documents(&self, database: &Database, expected: &Twin) -> Result<()> {
        let found = self.trial.found(database)?;
        assert_eq!(found.documents, expected.documents, "other documents are served");
        self.trial.try_judge_answers(database, &found)
    }
}

/// Says where it was, should what follows panic.
struct Shown(String);

impl Drop for Shown {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}

#[test]
fn a_flipped_bit_is_noticed_or_harmless() {
    let first = random::seed(1);
    let flips = random::in_parallel(first..first + random::budget(2), |seed| {
        let resting = Resting::new(seed, 6);
        let mut rng = Rng::with_seed(seed);
        let mut noticed = 0;
        const FLIPS: u64 = 1_500;
        for _ in 0..FLIPS {
            let files = resting.files();
            let path = &files[rng.usize(..files.len())];
            let mut image = resting.disk.image(path);
            let used = image.used();
            let block = used[rng.usize(..used.len())];
            let offset = block * BLOCK_BYTES as u64 + rng.u64(..BLOCK_BYTES as u64);
            let bit = rng.u8(..8);
            let shown = Shown(format!("SEED={seed}: bit {bit} of byte {offset} of {path:?}"));
            image.flip(offset, bit);
            noticed += u64::from(resting.judge(path, image) == Outcome::Noticed);
            drop(shown);
        }
        assert!(noticed > 0, "no flipped bit was ever noticed");
        FLIPS
    });
    random::figure("bit_rot/flips", flips, "bits flipped, 0 served, 0 panics");
}

#[test]
fn a_block_in_the_place_of_another_is_noticed_or_harmless() {
    let first = random::seed(2);
    let blocks = random::in_parallel(first..first + random::budget(2), |seed| {
        let resting = Resting::new(seed, 6);
        let mut rng = Rng::with_seed(seed);
        const BLOCKS: u64 = 400;
        for _ in 0..BLOCKS {
            let files = resting.files();
            let path = &files[rng.usize(..files.len())];
            let mut image = resting.disk.image(path);
            let used = image.used();
            let [to, from] = [0; 2].map(|_| used[rng.usize(..used.len())]);
            let shown =
                Shown(format!("SEED={seed}: block {from} in the place of {to} of {path:?}"));
            let source = image.clone();
            image.replace(to, &source, from);
            resting.judge(path, image);
            drop(shown);
        }
        BLOCKS
    });
    random::figure("bit_rot/misdirected", blocks, "blocks misdirected, 0 served, 0 panics");
}

/// A block as it was before some of the last writes, which the disk said it had made.
#[test]
fn a_block_that_is_stale_is_noticed_or_harmless() {
    let first = random::seed(3);
    let blocks = random::in_parallel(first..first + random::budget(2), |seed| {
        let resting = Resting::new(seed, 6);
        let mut rng = Rng::with_seed(seed);
        const BLOCKS: u64 = 400;
        let events = resting.disk.events();
        let mut judged = 0;
        for _ in 0..BLOCKS {
            let until = rng.usize(..events.len());
            let files = resting.files();
            let path = &files[rng.usize(..files.len())];
            let stale = written(&events[..until], resting.disk.number(path));
            // The block with the roots makes a whole older state of the file, which nothing in the file
            // can tell from the last one.
            let used: Vec<u64> = stale.used().into_iter().filter(|block| *block > 0).collect();
            if used.is_empty() {
                continue;
            }
            let block = used[rng.usize(..used.len())];
            let mut image = resting.disk.image(path);
            let shown = Shown(format!("SEED={seed}: block {block} of {path:?} as of call {until}"));
            image.replace(block, &stale, block);
            resting.judge(path, image);
            judged += 1;
            drop(shown);
        }
        assert!(judged > 0, "no block was ever stale");
        judged
    });
    random::figure("bit_rot/stale", blocks, "blocks stale, 0 served, 0 panics");
}

/// A file as it was after these calls.
fn written(events: &[Event], number: FileNumber) -> Image {
    let mut image = Image::default();
    for event in events {
        match event {
            Event::Write(file, offset, bytes) if *file == number => image.write(*offset, bytes),
            Event::Length(file, bytes) if *file == number => image.set_len(*bytes),
            _ => {}
        }
    }
    image
}
