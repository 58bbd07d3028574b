//! Power cuts: what each of them leaves of a simulated disk.

use super::{
    disk::{Event, FileNumber, SimulatedDisk},
    image::Image,
};
use fastrand::Rng;
use std::{collections::BTreeMap, path::PathBuf};

/// Bytes that a disk writes whole or not at all.
const GRAIN_BYTES: usize = 64;

/// What becomes of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    /// All of it is lost.
    Nothing,
    /// None of it.
    Everything,
    /// Of each call all or nothing.
    Calls,
    /// Of each write some grains, and of each other call all or nothing.
    Grains,
}

impl Survival {
    /// Every way.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Everything, Self::Calls, Self::Grains];
}

/// A disk on its way through what was noted of another.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    names: BTreeMap<PathBuf, FileNumber>,
    files: Vec<Image>,
    unsynced: Vec<Event>,
}

impl Replay {
    /// From these files on.
    pub fn of(disk: &SimulatedDisk) -> Self {
        let state = disk.state();
        Self { names: state.names.clone(), files: state.files.clone(), unsynced: Vec::new() }
    }

    /// One call more.
    pub fn take(&mut self, event: &Event) {
        let of_file = |event: &Event, number| match event {
            Event::Write(file, ..) | Event::Length(file, _) => *file == number,
            _ => false,
        };
        match event {
            Event::Note(_) => {}
            Event::SyncFailed(number) => self.unsynced.retain(|event| !of_file(event, *number)),
            Event::Sync(number) => self.settle(|event| of_file(event, *number)),
            Event::SyncNames => self.settle(|event| {
                matches!(event, Event::Create(..) | Event::Rename(..) | Event::Remove(_))
            }),
            event => self.unsynced.push(event.clone()),
        }
    }

    fn settle(&mut self, is_synced: impl Fn(&Event) -> bool) {
        let (synced, rest) = std::mem::take(&mut self.unsynced).into_iter().partition(is_synced);
        self.unsynced = rest;
        let synced: Vec<Event> = synced;
        synced.iter().for_each(|event| act(&mut self.names, &mut self.files, event));
    }

    /// Whether a power cut now leaves other files than one a call ago, when it leaves nothing or
    /// everything of what was not synced.
    pub fn is_worth(survival: Survival, last: &Event) -> bool {
        let is_sync = matches!(
            last,
            Event::Sync(_) | Event::SyncNames | Event::SyncFailed(_) | Event::Note(_)
        );
        match survival {
            Survival::Nothing => is_sync,
            _ => !is_sync,
        }
    }

    /// What a power cut leaves now.
    pub fn cut(&self, survival: Survival, rng: &mut Rng) -> SimulatedDisk {
        let (mut names, mut files) = (self.names.clone(), self.files.clone());
        for event in &self.unsynced {
            match (survival, event) {
                (Survival::Nothing, _) => {}
                (Survival::Everything, event) => act(&mut names, &mut files, event),
                (Survival::Grains, Event::Write(number, offset, bytes)) => {
                    ensure(&mut files, *number);
                    for (place, grain) in bytes.chunks(GRAIN_BYTES).enumerate() {
                        if rng.bool() {
                            files[*number].write(offset + (place * GRAIN_BYTES) as u64, grain);
                        }
                    }
                }
                (Survival::Calls | Survival::Grains, event) => {
                    if rng.bool() {
                        act(&mut names, &mut files, event);
                    }
                }
            }
        }
        SimulatedDisk::of(names, files)
    }
}

fn ensure(files: &mut Vec<Image>, number: FileNumber) {
    if files.len() <= number {
        files.resize_with(number + 1, Image::default);
    }
}

fn act(names: &mut BTreeMap<PathBuf, FileNumber>, files: &mut Vec<Image>, event: &Event) {
    match event {
        Event::Write(number, offset, bytes) => {
            ensure(files, *number);
            files[*number].write(*offset, bytes);
        }
        Event::Length(number, bytes) => {
            ensure(files, *number);
            files[*number].set_len(*bytes);
        }
        Event::Create(path, number) => {
            ensure(files, *number);
            names.insert(path.clone(), *number);
        }
        Event::Rename(from, to, number) => {
            ensure(files, *number);
            if names.get(from) == Some(number) {
                names.remove(from);
            }
            names.insert(to.clone(), *number);
        }
        Event::Remove(path) => {
            names.remove(path);
        }
        Event::Sync(_) | Event::SyncFailed(_) | Event::SyncNames | Event::Note(_) => {}
    }
}
