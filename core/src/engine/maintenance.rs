//! The work that records leave behind: adding vectors to indexes, taking dead ones out, changing
//! from scan to graph, measuring. It is planned while the engine is only read and committed in a
//! moment, so that searches hardly wait; and it is done in slices, so that writes hardly wait.

use super::{Engine, field::Field, tuning::Tally};
use crate::{
    Result,
    index::{BATCH_SLOTS_MAX, Change, Plan},
};
use alloc::vec::Vec;

/// A slice of work that was thought out, to be committed with
/// [`Engine::commit_maintenance`] before anything else is planned or applied.
pub struct Maintenance {
    field: usize,
    job: Job,
}

enum Job {
    SwitchToGraph,
    Change { change: Change, plan: Plan },
    Measure { tally: Tally },
}

impl Engine {
    /// Does one slice of work; false when there is none left. It fails only where vectors rest
    /// on a disk and cannot be read.
    pub fn maintain(&mut self) -> Result<bool> {
        let maintenance = self.plan_maintenance(1)?;
        let is_some = maintenance.is_some();
        maintenance.into_iter().for_each(|maintenance| self.commit_maintenance(maintenance));
        Ok(is_some)
    }

    /// Thinks out the next slice of work on up to `threads` threads; see
    /// [`maintain`](Self::maintain).
    pub fn plan_maintenance(&self, threads: usize) -> Result<Option<Maintenance>> {
        for (number, field) in self.fields.iter().enumerate() {
            if let Some(job) = field.plan(threads)? {
                return Ok(Some(Maintenance { field: number, job }));
            }
        }
        Ok(None)
    }

    /// Whether there is anything to plan, which takes no time to tell.
    pub fn needs_maintenance(&self) -> bool {
        self.fields.iter().any(Field::needs_maintenance)
    }

    /// Makes the change a slice of work comes down to.
    pub fn commit_maintenance(&mut self, maintenance: Maintenance) {
        let field = &mut self.fields[maintenance.field];
        match maintenance.job {
            Job::SwitchToGraph => field.switch_to_graph(),
            Job::Measure { tally } => {
                let indexed = field.indexed();
                field.tuning.add(&tally, indexed);
            }
            Job::Change { change, plan } => {
                field.commit(&change, plan);
                for slot in change.remove {
                    self.release(slot);
                }
            }
        }
    }
}

impl Field {
    fn needs_maintenance(&self) -> bool {
        self.outgrew_scan() || self.next_change().is_some() || self.tuning.due(self).is_some()
    }

    fn plan(&self, threads: usize) -> Result<Option<Job>> {
        if self.outgrew_scan() {
            return Ok(Some(Job::SwitchToGraph));
        }
        if let Some(change) = self.next_change() {
            let plan = self.index.plan(&change, &self.vectors, threads)?;
            return Ok(Some(Job::Change { change, plan }));
        }
        let Some(samples) = self.tuning.due(self) else { return Ok(None) };
        Ok(Some(Job::Measure { tally: Tally::of(self, &samples)? }))
    }

    /// Dead slots first when they are many, as every search passes them in vain; else new ones;
    /// then the remaining dead.
    fn next_change(&self) -> Option<Change> {
        const DEAD_SHARE: u64 = 8;
        let dead_are_many = self.dead.len() * DEAD_SHARE > self.indexed();
        if !self.dead.is_empty() && (dead_are_many || self.unindexed.is_empty()) {
            let remove = self.dead.iter().take(BATCH_SLOTS_MAX).collect();
            return Some(Change { insert: Vec::new(), remove });
        }
        if self.tuning.due(self).is_some() || self.unindexed.is_empty() {
            return None;
        }
        let insert = self.unindexed.iter().take(BATCH_SLOTS_MAX).collect();
        Some(Change { insert, remove: Vec::new() })
    }

    fn commit(&mut self, change: &Change, plan: Plan) {
        self.index.commit(change, plan, &self.vectors);
        for slot in &change.insert {
            self.unindexed.remove(*slot);
        }
        for slot in &change.remove {
            self.dead.remove(*slot);
        }
    }
}
