//! Databases at rest that the bucket does not have yet as they are.

use super::Name;
use crate::limits::{UPLOAD_RETRY_MAX, UPLOAD_RETRY_MIN};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use vectordoc::Error;

/// Uploads that are to be made.
#[derive(Default)]
pub(super) struct Uploads(Mutex<BTreeMap<Name, Waiting>>);

struct Waiting {
    /// Set once the database is not at rest any more.
    is_cancelled: Arc<AtomicBool>,
    next_try: Instant,
    pause: Duration,
    why: Option<Error>,
}

impl Uploads {
    /// Has `name` uploaded as it is at rest now.
    pub(super) fn add(&self, name: &Name) {
        let waiting = Waiting {
            is_cancelled: Arc::default(),
            next_try: Instant::now(),
            pause: UPLOAD_RETRY_MIN,
            why: None,
        };
        if let Some(before) = self.lock().insert(name.clone(), waiting) {
            before.is_cancelled.store(true, Ordering::Release);
        }
    }

    /// Ends the upload of `name`, as it is woken, dropped or uploaded.
    pub(super) fn end(&self, name: &Name) {
        if let Some(waiting) = self.lock().remove(name) {
            waiting.is_cancelled.store(true, Ordering::Release);
        }
    }

    /// Those to be made now, or all, with what says that one is cancelled.
    pub(super) fn due(&self, all: bool) -> Vec<(Name, Arc<AtomicBool>)> {
        let now = Instant::now();
        let table = self.lock();
        let due = table.iter().filter(|(_, waiting)| all || waiting.next_try <= now);
        due.map(|(name, waiting)| (name.clone(), Arc::clone(&waiting.is_cancelled))).collect()
    }

    /// Has the upload of `name`, which failed, tried again later.
    pub(super) fn failed(&self, name: &Name, error: Error) {
        if let Some(waiting) = self.lock().get_mut(name) {
            waiting.next_try = Instant::now() + waiting.pause;
            waiting.pause = (waiting.pause * 2).min(UPLOAD_RETRY_MAX);
            waiting.why = Some(error);
        }
    }

    /// Whether `name` is to be uploaded, and why that failed, if it did.
    pub(super) fn waiting(&self, name: &Name) -> Option<Option<Error>> {
        self.lock().get(name).map(|waiting| waiting.why.clone())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
