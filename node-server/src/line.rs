//! A line of connections that wait to work, a bounded number of which does at a time.
//!
//! Who has nothing else at work goes before who has, so that a client which asks for one thing at a
//! time does not wait for everything that others ask at once. Of [`AHEAD_MAX`] + 1 permits one goes to
//! the others if they wait, so that they come to their turn whoever else asks.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// Permits in a row that go to those who have nothing else at work, while others wait.
const AHEAD_MAX: usize = 4;

/// Who waits, and the permits that are left.
pub(crate) struct Line {
    state: Mutex<State>,
}

struct State {
    free: usize,
    /// Those who have nothing else at work.
    light: VecDeque<oneshot::Sender<()>>,
    heavy: VecDeque<oneshot::Sender<()>>,
    /// Permits in a row that went to `light`.
    ahead: usize,
}

impl State {
    /// Who is next.
    fn next(&mut self) -> Option<oneshot::Sender<()>> {
        if self.heavy.is_empty() || (self.ahead < AHEAD_MAX && !self.light.is_empty()) {
            self.ahead += 1;
            return self.light.pop_front();
        }
        self.ahead = 0;
        self.heavy.pop_front()
    }
}

impl Line {
    /// With so many permits.
    pub(crate) fn new(permits: usize) -> Arc<Self> {
        let (light, heavy) = (VecDeque::new(), VecDeque::new());
        Arc::new(Self { state: Mutex::new(State { free: permits, light, heavy, ahead: 0 }) })
    }

    /// Waits for a permit; `is_light` for who has nothing else at work.
    pub(crate) async fn permit(self: &Arc<Self>, is_light: bool) -> Permit {
        let waiting = {
            let mut state = self.lock();
            if state.free > 0 {
                state.free -= 1;
                None
            } else {
                let (called, call) = oneshot::channel();
                let place = if is_light { &mut state.light } else { &mut state.heavy };
                place.push_back(called);
                Some(Waiting { line: self, call })
            }
        };
        if let Some(mut waiting) = waiting {
            // The other end is in the line until it is called.
            let _ = (&mut waiting.call).await;
            waiting.call.close();
        }
        Permit { line: Arc::clone(self) }
    }

    /// Hands a permit on.
    fn release(&self) {
        let mut state = self.lock();
        while let Some(next) = state.next() {
            if next.send(()).is_ok() {
                return;
            }
        }
        state.free += 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the line.
struct Waiting<'a> {
    line: &'a Line,
    call: oneshot::Receiver<()>,
}

impl Drop for Waiting<'_> {
    /// Who leaves the line just when it is called hands the permit on.
    fn drop(&mut self) {
        self.call.close();
        if self.call.try_recv().is_ok() {
            self.line.release();
        }
    }
}

/// The right to work, of the next one in the line once this is dropped.
pub(crate) struct Permit {
    line: Arc<Line>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.line.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn who_has_nothing_at_work_goes_first_and_the_others_come_to_their_turn() {
        let line = Line::new(1);
        let mut held = line.permit(true).now_or_never();
        assert!(held.is_some());
        let mut waiting: Vec<_> = (0..10)
            .flat_map(|_| [false, true])
            .map(|is_light| (is_light, Box::pin(line.permit(is_light))))
            .collect();
        for (_, waiting) in &mut waiting {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        let mut order = String::new();
        while !waiting.is_empty() {
            drop(held.take());
            let called = waiting.iter_mut().enumerate().find_map(|(place, (is_light, waiting))| {
                waiting.as_mut().now_or_never().map(|permit| (place, *is_light, permit))
            });
            let (place, is_light, permit) = called.expect("somebody is called");
            drop(waiting.remove(place));
            order.push(if is_light { 'l' } else { 'h' });
            held = Some(permit);
        }
        assert_eq!(order, "llllhllllhllhhhhhhhh");
    }

    #[test]
    fn who_leaves_the_line_takes_no_permit_with_it() {
        let line = Line::new(1);
        let held = line.permit(true).now_or_never();
        let mut early = Box::pin(line.permit(true));
        let mut late = Box::pin(line.permit(true));
        let mut last = Box::pin(line.permit(false));
        for waiting in [&mut early, &mut late, &mut last] {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        drop(early);
        drop(held);
        // It was called and has not heard of it.
        drop(late);
        assert!(last.now_or_never().is_some());
        assert!(line.permit(true).now_or_never().is_some());
    }
}
