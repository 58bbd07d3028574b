//! A lease that this node has, as it is renewed, and as every write asks whether it holds.

use super::{
    head::{Contents, Head, Holds},
    inner::Inner,
    note::Note,
    objects::Tag,
};
use crate::{Name, Serving};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use vectordoc::{Error, Result, native::WriteGuard};

/// The lease of one database.
pub(crate) struct Held {
    pub(super) inner: Arc<Inner>,
    pub(super) name: Name,
    /// Where its files are, or will be.
    directory: PathBuf,
    now: Mutex<Now>,
    /// Milliseconds after `began` until which it surely holds; 0 when it does not any more.
    until_ms: AtomicU64,
    began: Instant,
    /// Whether the head says that something is written under it.
    written: AtomicBool,
    /// One change of the head at a time.
    turn: tokio::sync::Mutex<()>,
}

/// The head as this node wrote it last.
struct Now {
    head: Head,
    tag: Tag,
    /// Why it could not be renewed.
    why: Option<Error>,
}

impl Held {
    /// What was written as `head` after `asked`.
    pub(super) fn new(
        inner: &Arc<Inner>,
        name: &Name,
        directory: PathBuf,
        (head, tag): (Head, Tag),
        asked: Instant,
    ) -> Arc<Self> {
        let written = head.lease.as_ref().is_some_and(|lease| lease.written);
        let held = Self {
            inner: Arc::clone(inner),
            name: name.clone(),
            directory,
            now: Mutex::new(Now { head, tag, why: None }),
            until_ms: AtomicU64::new(0),
            began: asked,
            written: AtomicBool::new(written),
            turn: tokio::sync::Mutex::default(),
        };
        held.holds_from(asked);
        Arc::new(held)
    }

    /// Whether nobody else can have the database.
    pub(crate) fn holds(&self) -> bool {
        let passed = self.began.elapsed().as_millis();
        passed < u128::from(self.until_ms.load(Ordering::Acquire))
    }

    /// `unavailable`, with the cause, when it does not hold.
    pub(crate) fn check(&self) -> Result<()> {
        if self.holds() {
            return Ok(());
        }
        let why = self.now().why.as_ref().map_or_else(
            || "it was not renewed in time".to_owned(),
            |why| why.message().to_owned(),
        );
        Err(Error::unavailable(format!(
            "its lease in the bucket is over, and another node may have it: {why}; try again"
        )))
    }

    /// Whether something may be written that is not uploaded.
    pub(crate) fn is_written(&self) -> bool {
        self.written.load(Ordering::Acquire)
    }

    /// What was uploaded last.
    pub(super) fn contents(&self) -> Option<Contents> {
        self.now().head.contents.clone()
    }

    /// How it was served when it was uploaded last.
    pub(crate) fn serving(&self) -> Serving {
        self.now().head.serving
    }

    /// The database, of all that had this name, and the number of the lease.
    pub(super) fn place(&self) -> (String, u64) {
        let now = self.now();
        (now.head.id.clone(), now.head.epoch)
    }

    /// What is asked before and after each write.
    pub(crate) fn guard(self: &Arc<Self>) -> WriteGuard {
        let held = Arc::clone(self);
        Box::new(move || {
            held.check()?;
            if held.is_written() { Ok(()) } else { held.begin_writing() }
        })
    }

    /// Has the bucket say that this node has what nobody else has, before it has. Blocks.
    fn begin_writing(self: &Arc<Self>) -> Result<()> {
        let held = Arc::clone(self);
        self.inner.wait(async move {
            let _turn = held.turn.lock().await;
            if !held.is_written() {
                let noting = Arc::clone(&held);
                let noted = tokio::task::spawn_blocking(move || noting.note(true, true)).await;
                noted.map_err(|error| Error::internal(format!("a note: {error}")))??;
                held.amend(|head| Some(head.written())).await?;
                held.written.store(true, Ordering::Release);
            }
            Ok(())
        })?;
        self.check()
    }

    /// Notes beside the files what they are.
    pub(super) fn note(&self, written: bool, is_leased: bool) -> Result<()> {
        self.note_at(&self.directory, written, is_leased)
    }

    /// Notes beside files that were fetched what they are.
    pub(crate) fn note_in(&self, directory: &Path) -> Result<()> {
        self.note_at(directory, false, true)
    }

    fn note_at(&self, directory: &Path, written: bool, is_leased: bool) -> Result<()> {
        let note = {
            let now = self.now();
            let (id, epoch) = (now.head.id.clone(), now.head.epoch);
            Note { id, epoch, contents: now.head.contents.clone(), written, is_leased }
        };
        note.write(directory)
    }

    /// Holds it for longer; whether it still does otherwise is seen by who asks.
    pub(super) async fn renew(&self) {
        let _turn = self.turn.lock().await;
        if !self.holds() {
            return;
        }
        let (asked, now_ms) = (Instant::now(), self.inner.now_ms());
        let renewed = self.amend(|head| head.renewed(&self.inner.node, self.inner.terms, now_ms));
        match renewed.await {
            Ok(()) => self.holds_from(asked),
            Err(error) => {
                tracing::warn!(db = %self.name, %error, "a lease could not be renewed");
                self.now().why = Some(error);
            }
        }
    }

    /// Gives it back, with what was uploaded, if something was. It does not hold any more from when
    /// this is called, whatever comes of it.
    pub(super) async fn release(
        &self,
        uploaded: Option<Contents>,
        serving: Serving,
        holds: Option<Holds>,
    ) -> Result<()> {
        let _turn = self.turn.lock().await;
        self.check()?;
        if uploaded.is_none() {
            // While the bucket does not answer, the lease is kept rather than neither kept nor given.
            self.inner.head(&self.name).await?;
        }
        self.until_ms.store(0, Ordering::Release);
        self.amend(|head| {
            let released = Head { serving, ..head.released() };
            Some(match &uploaded {
                None => released,
                Some(contents) => {
                    Head { contents: Some(contents.clone()), holds: holds.clone(), ..released }
                }
            })
        })
        .await
    }

    /// Says that the database is dropped.
    pub(super) async fn bury(&self) -> Result<()> {
        let _turn = self.turn.lock().await;
        self.until_ms.store(0, Ordering::Release);
        self.amend(|head| Some(head.dropped())).await
    }

    /// Makes `change` of the head, which is nothing if the lease is not this any more. What others
    /// wrote ends the lease; what this node wrote without hearing of it does not.
    async fn amend(&self, change: impl Fn(&Head) -> Option<Head>) -> Result<()> {
        const TRIES: usize = 2;
        for _ in 0..TRIES {
            let (head, tag) = {
                let now = self.now();
                (now.head.clone(), now.tag.clone())
            };
            let Some(next) = change(&head) else { break };
            if let Some(tag) = self.inner.replace(&self.name, &next, &tag).await? {
                let mut now = self.now();
                (now.head, now.tag, now.why) = (next, tag, None);
                return Ok(());
            }
            let Some((found, tag)) = self.inner.head(&self.name).await? else { break };
            // What it wrote, and did not hear of, may be the change itself.
            let is_made = found == next;
            if !is_made && !self.is_of_this(&found, &head) {
                break;
            }
            let mut now = self.now();
            (now.head, now.tag) = (found, tag);
            if is_made {
                now.why = None;
                return Ok(());
            }
        }
        self.until_ms.store(0, Ordering::Release);
        let error = Error::unavailable("another node took it over");
        self.now().why = Some(error.clone());
        Err(error)
    }

    fn is_of_this(&self, found: &Head, known: &Head) -> bool {
        let session = |head: &Head| head.lease.as_ref().map(|lease| lease.session.clone());
        (found.epoch, &found.id) == (known.epoch, &known.id)
            && session(found).is_some_and(|session| session == self.inner.node.session)
    }

    fn holds_from(&self, asked: Instant) {
        let terms = self.inner.terms;
        let time = Duration::from_millis(terms.lease_ms.saturating_sub(terms.margin_ms));
        let until = asked.saturating_duration_since(self.began) + time;
        let until_ms = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        self.until_ms.store(until_ms, Ordering::Release);
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
