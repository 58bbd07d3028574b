//! Why a request has no result, and whether it may be made again.

use crate::{Error, ErrorKind};
use std::time::Duration;

/// The first pause before a request is made once more after that did not help at once; each is twice
/// as long as the one before.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// When a request may be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// When nothing of it was done.
    WhenUndone,
    /// Always: done twice is the same as done once.
    Always,
}

/// A request without a result.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    /// What became of the request.
    fate: Fate,
    /// How long the server wants to be left alone.
    pub(super) retry_after: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nothing of it was done: it was not sent, or refused before it ran.
    Undone,
    /// It may have been done, or not, or in part.
    Unknown,
}

impl Failure {
    /// Nothing of the request was done.
    pub(super) fn undone(error: Error) -> Self {
        Self { error, fate: Fate::Undone, retry_after: None }
    }

    /// The request may have been done, or not.
    pub(super) fn unknown(error: Error) -> Self {
        Self { error, fate: Fate::Unknown, retry_after: None }
    }

    /// The server's answer to a request, on a connection that the server is leaving or not. It says
    /// `busy` before it runs anything, but a database may turn out to be `unavailable` only when it
    /// is written to.
    pub(super) fn answered(
        error: Error,
        retry_after: Option<Duration>,
        server_is_leaving: bool,
    ) -> Self {
        let fate = match error.kind() {
            ErrorKind::Unavailable if !server_is_leaving => Fate::Unknown,
            _ => Fate::Undone,
        };
        Self { error, fate, retry_after }
    }

    /// Whether the request may be made again.
    pub(super) fn allows(&self, repeat: Repeat) -> bool {
        self.error.kind().is_retryable() && (repeat == Repeat::Always || self.fate == Fate::Undone)
    }

    /// The error for the caller, who may have to look what became of the request.
    pub(super) fn told(self) -> Error {
        let Self { error, fate, .. } = self;
        match (error.kind(), fate) {
            (ErrorKind::Unavailable, Fate::Unknown) => Error::unavailable(format!(
                "{}; whether the request was done is not known",
                error.message()
            )),
            _ => error,
        }
    }
}

/// How long to wait after so many attempts that failed the same way: not at all after the first, then
/// longer and longer, never all at once, and not less than the server asked for.
pub(super) fn pause(attempts: u32, retry_after: Option<Duration>) -> Duration {
    let longest = match attempts {
        0 => Duration::ZERO,
        _ => PAUSE_MIN.saturating_mul(1 << (attempts - 1).min(16)).min(PAUSE_MAX),
    };
    let spread = fastrand::f64();
    let backoff = longest.mul_f64(0.5 + spread / 2.0);
    backoff.max(retry_after.unwrap_or_default().min(PAUSE_MAX).mul_f64(1.0 + spread / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_respect_the_server() {
        assert_eq!(pause(0, None), Duration::ZERO);
        for attempts in 1..1_000 {
            let pause = pause(attempts, None);
            let longest = PAUSE_MIN.saturating_mul(1 << (attempts - 1).min(16)).min(PAUSE_MAX);
            assert!(longest / 2 <= pause && pause <= longest, "{attempts}: {pause:?}");
        }
        let asked = Duration::from_millis(250);
        assert!((0..100).all(|_| pause(0, Some(asked)) >= asked));
        assert!(pause(0, Some(Duration::MAX)) <= PAUSE_MAX * 2);
    }

    #[test]
    fn only_what_was_not_done_or_may_be_done_twice_is_made_again() {
        let check = |failure: Failure, when_undone, always| {
            assert_eq!(failure.allows(Repeat::WhenUndone), when_undone, "{failure:?}");
            assert_eq!(failure.allows(Repeat::Always), always, "{failure:?}");
        };
        let (busy, unavailable) = (|| Error::busy("b"), || Error::unavailable("u"));
        check(Failure::undone(unavailable()), true, true);
        check(Failure::unknown(unavailable()), false, true);
        check(Failure::undone(Error::closed("c")), false, false);
        check(Failure::answered(busy(), None, false), true, true);
        check(Failure::answered(unavailable(), None, false), false, true);
        check(Failure::answered(unavailable(), None, true), true, true);
        check(Failure::answered(Error::conflict("c"), None, true), false, false);
    }
}
