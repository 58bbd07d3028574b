//! The sockets of one connection.

use super::{
    failure::{Failure, pause},
    link::{Link, ServerLimits},
    way::Way,
};
use crate::Error;
use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::{Mutex as AsyncMutex, watch},
    time::Instant,
};

/// Up to so many links to a server: one more is opened when all there are have something to do.
pub(super) struct Pool {
    way: Way,
    links_max: usize,
    table: Mutex<Table>,
    /// Held by who opens a link.
    opening: AsyncMutex<Opening>,
    closed: watch::Sender<bool>,
}

#[derive(Default)]
struct Table {
    links: Vec<Arc<Link>>,
    /// What the last link was told.
    limits: ServerLimits,
}

/// How opening links went.
#[derive(Default)]
struct Opening {
    /// Attempts that failed since one succeeded.
    failures: u32,
    /// The last of them, and when it ended.
    last: Option<(Instant, Failure)>,
}

impl Pool {
    pub(super) fn new(way: Way, links_max: usize) -> Self {
        Self {
            way,
            links_max: links_max.max(1),
            table: Mutex::default(),
            opening: AsyncMutex::default(),
            closed: watch::Sender::new(false),
        }
    }

    pub(super) fn limits(&self) -> ServerLimits {
        self.lock().limits.clone()
    }

    /// The link to send a request over.
    pub(super) async fn link(&self) -> Result<Arc<Link>, Failure> {
        let asked = Instant::now();
        let Some((link, may_grow)) = self.least_busy() else {
            let mut opening = self.opening.lock().await;
            if let Some((link, _)) = self.least_busy() {
                return Ok(link);
            }
            // Who waited for an attempt that failed need not make the same one again.
            return match &opening.last {
                Some((ended, failure)) if *ended > asked => Err(failure.clone()),
                _ => self.open(&mut opening).await,
            };
        };
        if may_grow
            && let Ok(mut opening) = self.opening.try_lock()
            && opening.may_try_again()
        {
            return Ok(self.open(&mut opening).await.unwrap_or(link));
        }
        Ok(link)
    }

    /// Says goodbye on every link.
    pub(super) async fn close(&self) {
        self.closed.send_replace(true);
        let links = mem::take(&mut self.lock().links);
        let mut leaving = tokio::task::JoinSet::new();
        for link in links {
            leaving.spawn(async move { link.close().await });
        }
        leaving.join_all().await;
    }

    /// Waits until [`close`](Self::close).
    pub(super) async fn closed(&self) {
        // The sender is here, so it is not gone.
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    /// The link with the fewest requests under way, and whether another is better.
    fn least_busy(&self) -> Option<(Arc<Link>, bool)> {
        let mut table = self.lock();
        table.links.retain(|link| link.takes_requests());
        let least = table.links.iter().min_by_key(|link| link.in_flight())?;
        Some((Arc::clone(least), least.in_flight() > 0 && table.links.len() < self.links_max))
    }

    async fn open(&self, opening: &mut Opening) -> Result<Arc<Link>, Failure> {
        let opened = tokio::select! {
            opened = Link::open(&self.way) => opened,
            () = self.closed() => Err(closed()),
        };
        match opened {
            Ok(link) => {
                *opening = Opening::default();
                self.add(Arc::new(link)).await
            }
            Err(failure) => {
                opening.failures = opening.failures.saturating_add(1);
                opening.last = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    async fn add(&self, link: Arc<Link>) -> Result<Arc<Link>, Failure> {
        {
            let mut table = self.lock();
            table.limits = link.limits().clone();
            table.links.push(Arc::clone(&link));
        }
        // Closing may have missed it.
        if *self.closed.borrow() {
            link.close().await;
            return Err(closed());
        }
        Ok(link)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // No code that can panic runs under this lock, so a poisoned table is whole.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Opening {
    /// Whether the last failure is long enough ago.
    fn may_try_again(&self) -> bool {
        let waited = |(ended, failure): &(Instant, Failure)| {
            ended.elapsed() >= pause(self.failures, failure.retry_after)
        };
        self.last.as_ref().is_none_or(waited)
    }
}

fn closed() -> Failure {
    Failure::undone(Error::closed("this connection was closed"))
}
