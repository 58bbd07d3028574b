//! The requests that wait for the worker of one shard: so many, and no more.

use super::{durability::WhenBusy, shard::closed};
use crate::{Error, Result};
use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

/// Requests in the order they came. Who has a [`Place`] can send one without waiting, so that what
/// goes to several shards is sent to all of them or to none.
pub(super) struct Mailbox<R> {
    state: Mutex<State<R>>,
    places: usize,
    /// A request came, or the mailbox was closed.
    arrived: Condvar,
    /// A place is free, or the mailbox was closed.
    left: Condvar,
    /// Does the work of a worker without a thread.
    driver: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

struct State<R> {
    /// Taken before all others; they need no place, as who sends one waits for its answer.
    urgent: VecDeque<R>,
    requests: VecDeque<R>,
    /// Places that are taken, by requests and by who is about to send one.
    taken: usize,
    is_closed: bool,
}

impl<R> Mailbox<R> {
    /// An empty mailbox of so many places.
    pub(super) fn new(places: usize) -> Self {
        let (urgent, requests) = (VecDeque::new(), VecDeque::new());
        let state = State { urgent, requests, taken: 0, is_closed: false };
        let (arrived, left) = (Condvar::new(), Condvar::new());
        Self { state: Mutex::new(state), places, arrived, left, driver: OnceLock::new() }
    }

    /// Has `driver` called whenever a request has come.
    pub(super) fn drive(&self, driver: Box<dyn Fn() + Send + Sync>) {
        // There is one worker for each mailbox.
        let _ = self.driver.set(driver);
    }

    fn announce(&self) {
        self.arrived.notify_one();
        if let Some(driver) = self.driver.get() {
            driver();
        }
    }

    /// Whether a request is there to be taken; an urgent one, if only that would be.
    pub(super) fn has_request(&self, is_urgent: bool) -> bool {
        let state = self.lock();
        !state.urgent.is_empty() || (!is_urgent && !state.requests.is_empty())
    }

    /// A place for one request. When all are taken, waits for one or answers `busy`.
    pub(super) fn place(&self, when_busy: WhenBusy) -> Result<Place<'_, R>> {
        let mut state = self.lock();
        while state.taken >= self.places && !state.is_closed {
            if when_busy == WhenBusy::Refuse {
                return Err(Error::busy(format!(
                    "{} writes wait for this shard already, which is the limit; try again in a \
                     moment, or write more documents per request",
                    self.places
                )));
            }
            state = self.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.is_closed {
            return Err(closed());
        }
        state.taken += 1;
        Ok(Place { mailbox: self })
    }

    /// Sends a request that goes before those with a place; false, and it is dropped, when the
    /// mailbox was closed.
    pub(super) fn push(&self, request: R) -> bool {
        let mut state = self.lock();
        if state.is_closed {
            return false;
        }
        state.urgent.push_back(request);
        drop(state);
        self.announce();
        true
    }

    /// The next urgent request, waiting for it as long as is said, or for ever.
    pub(super) fn next_urgent(&self, time: Option<Duration>) -> Option<R> {
        self.wait(time, |state| state.urgent.is_empty()).urgent.pop_front()
    }

    /// The next request, if one is there.
    pub(super) fn next(&self) -> Option<R> {
        self.take(&mut self.lock())
    }

    /// The next request, waiting for it as long as is said, or for ever.
    pub(super) fn next_within(&self, time: Option<Duration>) -> Option<R> {
        let is_empty = |state: &State<R>| state.urgent.is_empty() && state.requests.is_empty();
        self.take(&mut self.wait(time, is_empty))
    }

    fn wait(
        &self,
        time: Option<Duration>,
        is_empty: impl Fn(&State<R>) -> bool,
    ) -> MutexGuard<'_, State<R>> {
        let is_empty = |state: &mut State<R>| is_empty(state);
        match time {
            Some(time) => {
                let waited = self.arrived.wait_timeout_while(self.lock(), time, is_empty);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => {
                let waited = self.arrived.wait_while(self.lock(), is_empty);
                waited.unwrap_or_else(PoisonError::into_inner)
            }
        }
    }

    /// Refuses what comes from now on, and drops what waits.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        let dropped = (std::mem::take(&mut state.urgent), std::mem::take(&mut state.requests));
        drop(state);
        drop(dropped);
        self.left.notify_all();
    }

    fn take(&self, state: &mut State<R>) -> Option<R> {
        if let Some(request) = state.urgent.pop_front() {
            return Some(request);
        }
        let request = state.requests.pop_front()?;
        state.taken -= 1;
        self.left.notify_one();
        Some(request)
    }

    fn lock(&self) -> MutexGuard<'_, State<R>> {
        // Nothing that can panic runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in a mailbox, given back when it is dropped unused.
pub(super) struct Place<'a, R> {
    mailbox: &'a Mailbox<R>,
}

impl<R> Place<'_, R> {
    /// Puts a request there; false, and it is dropped, when the mailbox was closed meanwhile.
    pub(super) fn send(self, request: R) -> bool {
        let mut state = self.mailbox.lock();
        if state.is_closed {
            return false;
        }
        state.requests.push_back(request);
        drop(state);
        let mailbox = self.mailbox;
        // The request has the place now.
        std::mem::forget(self);
        mailbox.announce();
        true
    }
}

impl<R> Drop for Place<'_, R> {
    fn drop(&mut self) {
        self.mailbox.lock().taken -= 1;
        self.mailbox.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::{Mailbox, WhenBusy};
    use crate::ErrorKind;

    #[test]
    fn a_full_mailbox_refuses_and_names_its_limit_until_a_request_leaves() {
        let mailbox = Mailbox::new(2);
        let place = || mailbox.place(WhenBusy::Refuse);
        assert!(place().expect("a place").send(1));
        let reserved = place().expect("a place");
        let refused = place().map(drop).expect_err("a third");
        assert_eq!(refused.kind(), ErrorKind::Busy);
        assert!(refused.message().starts_with("2 writes wait"), "{refused}");
        drop(reserved);
        assert!(place().expect("what was given back").send(2));
        assert!(place().is_err());
        assert_eq!((mailbox.next(), mailbox.next(), mailbox.next()), (Some(1), Some(2), None));
        mailbox.close();
        assert_eq!(place().map(drop).expect_err("closed").kind(), ErrorKind::Closed);
    }

    #[test]
    fn who_waits_for_a_place_gets_the_one_that_becomes_free() {
        let mailbox = Mailbox::new(1);
        assert!(mailbox.place(WhenBusy::Wait).expect("a place").send(0));
        std::thread::scope(|scope| {
            scope
                .spawn(|| (1..100).all(|n| mailbox.place(WhenBusy::Wait).is_ok_and(|p| p.send(n))));
            for expected in 0..100 {
                assert_eq!(mailbox.next_within(None), Some(expected));
            }
        });
    }
}
