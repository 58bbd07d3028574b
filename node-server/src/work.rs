//! Where operations run: on threads that may block, as many at a time as make sense for what they
//! wait for.

use crate::{
    account::{Account, Asked},
    limits::WRITES_MAX,
    line::{self, Line},
};
use std::{
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};
use vectordoc::{Error, Result};

/// What an operation spends its time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// The processor: one per core at a time.
    Compute,
    /// The disk: many at a time, as they share one sync.
    Commit,
    /// The processor, for who follows: fewer at a time than there are cores, so that requests find
    /// one.
    Live,
    /// The processor, for so short a time that another thread's waking up would take as long: it is
    /// done where it is asked for.
    Brief,
}

impl Work {
    /// Each of them that is waited for in a line, in their order.
    pub(crate) const ALL: [Self; 3] = [Self::Compute, Self::Commit, Self::Live];
}

/// The permits to work. Who waits for one holds a slot of a connection, so waiting is bounded. A
/// connection has one request at a time in each line, so that many requests of one do not delay those
/// of others.
pub(crate) struct Workers {
    compute: Arc<Line>,
    commit: Arc<Line>,
    live: Arc<Line>,
}

impl Workers {
    /// Permits for this machine.
    pub(crate) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            compute: Line::new(cores),
            commit: Line::new(WRITES_MAX),
            live: Line::new((cores / 2).max(1)),
        }
    }

    /// Runs `job` for the connection that has `account`, on a thread that may block, once there is a
    /// permit and room for what it answers; a brief one here.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        account: &Arc<Account>,
        work: Work,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        self.permit(account, work).await?.run(job).await
    }

    /// The right to run a job for the connection that has `account`.
    pub(crate) async fn permit(&self, account: &Arc<Account>, work: Work) -> Result<Permit> {
        let line = match work {
            Work::Brief => {
                account.until_room().await;
                return Ok(Permit::Here);
            }
            Work::Compute => &self.compute,
            Work::Commit => &self.commit,
            Work::Live => &self.live,
        };
        let asked = account.ask(work);
        let _turn = account.turn(work).await?;
        loop {
            account.until_room().await;
            let permit = line.permit(asked.is_only()).await;
            // What was at work meanwhile may have taken the room.
            if account.has_room() {
                return Ok(Permit::Elsewhere { _asked: asked, _permit: permit });
            }
        }
    }
}

/// The right to run a job.
pub(crate) enum Permit {
    /// Where it is asked for.
    Here,
    /// On a thread that may block.
    Elsewhere { _asked: Asked, _permit: line::Permit },
}

impl Permit {
    /// Runs `job`.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        if matches!(self, Self::Here) {
            // What the job leaves half done when it panics is nothing that anybody sees again.
            return catch_unwind(AssertUnwindSafe(job)).map_err(|_| panicked());
        }
        // The job keeps its permit also when nobody waits for it any more.
        let job = tokio::task::spawn_blocking(move || {
            let _permit = self;
            job()
        });
        job.await.map_err(|_| panicked())
    }
}

/// The error of a job that panicked; the panic itself has been logged where it happened.
fn panicked() -> Error {
    tracing::error!("an operation panicked");
    Error::internal("the operation failed inside the server; its log has more")
}
