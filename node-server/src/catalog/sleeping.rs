//! Databases that leave memory while they are idle and come back when they are asked for, and those
//! that are paused.
//!
//! **Invariant:** a database goes to sleep only while its entry has the only handle of it and is
//! reserved, so that nobody holds one that is closed: who asks meanwhile waits, and opens it again.

use super::{
    Catalog, Described, Home, Name, Serving,
    entries::{Change, Entry, Place, Served},
    within,
};
use std::{
    thread,
    time::{Duration, Instant},
};
use vectordoc::{Database, Error, ErrorKind, Result, native::give_back_memory};

/// How often who wakes a database makes room for it before it gives up.
const ROOM_TRIES: usize = 16;
/// How long it waits in between, where every database is in use.
const ROOM_WAIT: Duration = Duration::from_millis(20);

impl Catalog {
    /// Puts to sleep what was idle for long enough. A database that is used, followed, copied or
    /// resharded, or whose vectors wait for an index, stays awake.
    pub(crate) fn let_sleep(&self) {
        self.let_lapsed_rest();
        let idle = self.entries.idle();
        let mut slept = 0;
        for (name, served) in idle {
            let is_indexed = served.database.stats().unindexed == 0;
            drop(served);
            slept += usize::from(is_indexed && self.put_to_sleep(&name, Served::is_idle));
        }
        if slept > 0 {
            give_back_memory();
        }
    }

    /// Puts `name` to sleep if nobody uses it and it is as it `must` be; whether that was done.
    fn put_to_sleep(&self, name: &Name, must: impl Fn(&Served) -> bool) -> bool {
        let may_sleep = |entry: &Entry| match entry {
            Entry::Open(served) => {
                served.is_serverless && must(served) && served.database.is_unused()
            }
            _ => false,
        };
        let Some(mut change) = self.entries.change_if(name, may_sleep) else { return false };
        let Some(Entry::Open(served)) = &change.entry else { return false };
        if let Err(error) = served.database.rest() {
            tracing::warn!(db = %name, %error, "a database stays awake as it cannot be stored");
            served.touch();
            return false;
        }
        let serving = served.serving;
        change.entry = Some(Entry::Resting(serving));
        self.upload_later(name);
        drop(change);
        tracing::info!(db = %name, "asleep");
        true
    }

    /// Brings `name` into memory, once; who asks meanwhile waits for that.
    pub(super) fn wake(&self, name: &Name) -> Result<Database> {
        let mut change = self.entries.change(name);
        let serving = match &change.entry {
            None | Some(Entry::Resting(_)) if self.has_bucket() => {
                let known = self.newest_serving(name, &change);
                match known.map_err(|error| within(name, error))? {
                    Some(serving) if !serving.paused => serving,
                    other => return self.opened(name, other.map(Entry::Resting)),
                }
            }
            Some(Entry::Resting(serving)) if !serving.paused => *serving,
            // Somebody else was first.
            entry => return self.opened(name, entry.clone()),
        };
        let _place = match serving.is_serverless(&self.serverless) {
            true => Some(self.make_room().map_err(|error| within(name, error))?),
            false => None,
        };
        let began = Instant::now();
        match self.bring(name, serving) {
            Ok(entry) => {
                let took_ms = began.elapsed().as_secs_f64() * 1e3;
                tracing::info!(db = %name, took_ms, "awake");
                change.entry = Some(entry.clone());
                self.opened(name, Some(entry))
            }
            Err(error) => {
                match error.kind() {
                    // Another node has it, or nobody: that is no trouble of this one.
                    ErrorKind::Busy | ErrorKind::NotFound => {
                        tracing::info!(db = %name, %error, "a database cannot be had here");
                    }
                    _ => tracing::error!(db = %name, %error, "a database cannot be served"),
                }
                // Whatever else was in the way may be gone when it is asked for again.
                if error.kind() == ErrorKind::NotFound && self.has_bucket() {
                    change.entry = None;
                    return Err(error);
                }
                if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported)
                    && !self.has_bucket()
                {
                    change.entry = Some(Entry::Broken(error.clone()));
                }
                Err(within(name, error))
            }
        }
    }

    /// A place in memory for one more serverless database, for which another may have to go.
    pub(super) fn make_room(&self) -> Result<Place<'_>> {
        for _ in 0..ROOM_TRIES {
            if let Some(place) = self.entries.place(self.serverless.awake_max) {
                return Ok(place);
            }
            let unused = self.entries.unused();
            if !unused.iter().any(|name| self.put_to_sleep(name, |_| true)) {
                // Most requests, and who looks at a database, are done with it in a moment.
                thread::sleep(ROOM_WAIT);
            }
        }
        Err(Error::busy(format!(
            "{} serverless databases are awake and in use, which is the limit \
             (serverless.awake_max); try again in a moment",
            self.serverless.awake_max
        )))
    }

    /// The entry of a database that was opened.
    pub(super) fn entry_of(&self, database: Database, serving: Serving) -> Entry {
        Entry::Open(Served::new(database, serving, &self.serverless))
    }

    /// Refuses requests about `name` until it is [resumed](Self::resume), and takes it out of memory.
    /// What it accepted is durable when this returns; requests at work may be answered `closed`.
    pub fn pause(&self, name: &str) -> Result<Described> {
        self.expect_no_cluster("pause databases, which have replicas on others")?;
        let name = Name::parse(name)?;
        let mut change = self.entries.change(&name);
        self.bring_files(&name, &mut change, false)?;
        match change.entry.clone() {
            Some(Entry::Open(served)) => {
                let paused = Serving { paused: true, ..served.serving };
                self.home.keep_serving(&name, paused)?;
                self.transfers.forget(&name);
                if let Err(error) = served.database.rest() {
                    self.home.keep_serving(&name, served.serving)?;
                    return Err(within(&name, error));
                }
                change.entry = Some(Entry::Resting(paused));
                self.upload_later(&name);
            }
            Some(Entry::Resting(serving)) => {
                let paused = Serving { paused: true, ..serving };
                self.home.keep_serving(&name, paused)?;
                change.entry = Some(Entry::Resting(paused));
            }
            Some(Entry::Lent(_)) => return Err(Home::cannot("pause")),
            other => return Err(self.refusal(&name, other)),
        }
        tracing::info!(db = %name, "paused");
        self.look(&name, &mut change)
    }

    /// Serves `name` again, which was [paused](Self::pause); nothing to do if it was not.
    pub fn resume(&self, name: &str) -> Result<Described> {
        self.resume_forced(name, false)
    }

    /// The same; with `gives_up`, also a database that rests in a bucket and was awake at a node that
    /// is lost, as of its last upload: what was written there since is given up.
    pub fn resume_forced(&self, name: &str, gives_up: bool) -> Result<Described> {
        self.expect_no_cluster("resume databases, which have replicas on others")?;
        let name = Name::parse(name)?;
        let mut change = self.entries.change(&name);
        self.bring_files(&name, &mut change, gives_up)?;
        if let Some(Entry::Resting(serving)) = change.entry
            && serving.paused
        {
            let serving = Serving { paused: false, ..serving };
            self.home.keep_serving(&name, serving)?;
            change.entry = Some(Entry::Resting(serving));
            tracing::info!(db = %name, "resumed");
        }
        self.settle_in(&name, &mut change)?;
        self.look(&name, &mut change)
    }

    /// Changes how `name` is served, as far as `serving` says something, from now on.
    pub fn configure(&self, name: &str, serving: Serving) -> Result<Described> {
        if self.cluster.is_some() {
            super::clustered::expect_awake(serving)?;
            return self.describe(name);
        }
        let name = Name::parse(name)?;
        let mut change = self.entries.change(&name);
        self.bring_files(&name, &mut change, false)?;
        match change.entry.clone() {
            Some(Entry::Open(served)) => {
                let serving = served.serving.with(serving);
                self.home.keep_serving(&name, serving)?;
                let Served { database, held, .. } = served;
                let served = Served::new(database, serving, &self.serverless).leased(held);
                change.entry = Some(Entry::Open(served));
            }
            Some(Entry::Resting(before)) => {
                let serving = before.with(serving);
                self.home.keep_serving(&name, serving)?;
                change.entry = Some(Entry::Resting(serving));
                self.settle_in(&name, &mut change)?;
            }
            Some(Entry::Lent(_)) => return Err(Home::cannot("configure")),
            other => return Err(self.refusal(&name, other)),
        }
        self.look(&name, &mut change)
    }

    /// Opens what is neither paused nor to be opened by who asks for it.
    fn settle_in(&self, name: &Name, change: &mut Change<'_>) -> Result<()> {
        let Some(Entry::Resting(serving)) = change.entry else { return Ok(()) };
        if serving.paused || serving.is_serverless(&self.serverless) {
            return Ok(());
        }
        change.entry = Some(self.bring(name, serving).map_err(|error| within(name, error))?);
        Ok(())
    }
}
