//! The requests of one connection that wait for their answer.

use super::failure::Failure;
use crate::{Error, Result};
use serde_json::value::RawValue;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::Instant,
};

/// What becomes of a request.
pub(super) type Answer = Result<Box<RawValue>, Failure>;

/// Who waits for which answer.
#[derive(Default)]
pub(super) struct Pending(Mutex<Table>);

struct Table {
    last_id: u64,
    /// When the server answered last, or the connection was made.
    last_answer: Instant,
    waiting: HashMap<u64, Waiting>,
    /// Why no more requests are taken.
    refusal: Option<Error>,
}

/// What is done with an answer before anything that comes after it is read.
pub(super) type Hook = Box<dyn FnOnce(&RawValue) + Send>;
impl Default for Table {
    fn default() -> Self {
        Self { last_id: 0, last_answer: Instant::now(), waiting: HashMap::new(), refusal: None }
    }
}

struct Waiting {
    answer: oneshot::Sender<Answer>,
    hook: Option<Hook>,
    /// Given back when the server has answered, also when nobody waits for that any more.
    _slot: OwnedSemaphorePermit,
}

impl Pending {
    /// A new id and its answer to wait for; why not, if no more requests are taken.
    pub(super) fn add(
        &self,
        slot: OwnedSemaphorePermit,
        hook: Option<Hook>,
    ) -> Result<(u64, oneshot::Receiver<Answer>)> {
        let mut table = self.lock();
        if let Some(refusal) = &table.refusal {
            return Err(refusal.clone());
        }
        table.last_id += 1;
        let id = table.last_id;
        let (answer, receiver) = oneshot::channel();
        table.waiting.insert(id, Waiting { answer, hook, _slot: slot });
        Ok((id, receiver))
    }

    /// Hands the answer to whoever waits for it; a caller that gave up is none.
    pub(super) fn answer(&self, id: u64, answer: Answer) {
        let waiting = {
            let mut table = self.lock();
            table.last_answer = Instant::now();
            table.waiting.remove(&id)
        };
        if let Some(waiting) = waiting {
            if let (Some(hook), Ok(answer)) = (waiting.hook, &answer) {
                hook(answer);
            }
            let _ = waiting.answer.send(answer);
        }
    }

    /// Whether requests are taken.
    pub(super) fn takes_requests(&self) -> bool {
        self.lock().refusal.is_none()
    }

    /// Why no more requests are taken, if so.
    pub(super) fn refusal(&self) -> Option<Error> {
        self.lock().refusal.clone()
    }

    /// When the server answered last, or the connection was made.
    pub(super) fn last_answer(&self) -> Instant {
        self.lock().last_answer
    }

    /// Takes no more requests, for the first reason given. Those there are keep waiting.
    pub(super) fn refuse(&self, reason: Error) {
        self.lock().refusal.get_or_insert(reason);
    }

    /// Answers every request there is with `error`.
    pub(super) fn fail(&self, error: &Error) {
        let waiting = std::mem::take(&mut self.lock().waiting);
        for waiting in waiting.into_values() {
            let _ = waiting.answer.send(Err(Failure::unknown(error.clone())));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // No code that can panic runs under this lock, so a poisoned table is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
