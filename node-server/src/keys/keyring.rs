//! The keys of a running server, which follow their file.

use super::{Caller, Key, KeyFile, Token, file::Stamp};
use crate::limits::{KEYS_CHECK_INTERVAL, KEYS_RECHECK_INTERVAL};
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Mutex;
use vectordoc::{Error, ErrorKind, Result};

/// Says who shows a key. It looks whether the file has changed when somebody asks and the last look
/// is a quarter of a second ago, or a hundredth when the key is unknown: so a new key works at once,
/// a revoked one ends soon, and neither costs requests a look at the disk each.
pub struct Keyring {
    file: Option<KeyFile>,
    known: RwLock<Known>,
    /// Held by whoever looks at the file.
    turn: Mutex<()>,
    started: Instant,
    /// When the file was last looked at, in microseconds after `started`.
    checked_us: AtomicU64,
}

/// Keys by id.
type Keys = Arc<HashMap<String, Arc<Key>>>;

/// What the file said.
struct Known {
    stamp: Option<Stamp>,
    /// The keys; `None` when nobody needs one.
    keys: Option<Keys>,
}

impl Keyring {
    /// No keys: everyone may do everything.
    pub fn none() -> Self {
        Self::new(None, Known { stamp: None, keys: None })
    }

    /// The keys of `file`, followed from now on. Blocks. A file that cannot be read is an error now,
    /// and later keeps the keys that were known.
    pub fn open(file: KeyFile) -> Result<Self> {
        let stamp = file.stamp();
        let stamp = stamp
            .map_err(|error| crate::fault::os("cannot read", file.path().display(), &error))?;
        let keys = file.read()?;
        file.expect(keys.as_deref())?;
        let keys = keys.map(by_id);
        Ok(Self::new(Some(file), Known { stamp, keys }))
    }

    fn new(file: Option<KeyFile>, known: Known) -> Self {
        let (started, checked_us) = (Instant::now(), AtomicU64::new(0));
        Self { file, known: RwLock::new(known), turn: Mutex::new(()), started, checked_us }
    }

    /// Whether callers need a key.
    pub fn is_required(&self) -> bool {
        self.keys().is_some()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys().map_or(0, |keys| keys.len())
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Who shows `key`; `unauthenticated` when there is no such key. Without a key it is
    /// [`Caller::Unknown`], who may do nothing, or, where there are no keys, [`Caller::Anyone`].
    pub async fn identify(&self, key: Option<&str>) -> Result<Caller> {
        self.refresh(KEYS_CHECK_INTERVAL).await;
        let Some(key) = key else {
            return Ok(if self.is_required() { Caller::Unknown } else { Caller::Anyone });
        };
        if let Some(keys) = self.keys()
            && let Some(caller) = find(&keys, &Token::parse(key)?)
        {
            return Ok(caller);
        }
        // It may have been created a moment ago, as the first one too.
        self.wait_for_refresh().await;
        match self.keys() {
            Some(keys) => find(&keys, &Token::parse(key)?).ok_or_else(unknown),
            None => Ok(Caller::Anyone),
        }
    }

    /// The caller of an earlier request once more: `unauthenticated` when the key was revoked
    /// meanwhile. Who needed no key needs one once there are some.
    pub async fn renew(&self, caller: &Caller) -> Result<Caller> {
        self.refresh(KEYS_CHECK_INTERVAL).await;
        let keys = self.keys();
        match (caller, keys) {
            (_, None) => Ok(Caller::Anyone),
            (Caller::Holder(key), Some(keys)) => match keys.get(key.id()) {
                Some(known) if known == key => Ok(Caller::Holder(Arc::clone(known))),
                _ => Err(unknown()),
            },
            (_, Some(_)) => Ok(Caller::Unknown),
        }
    }

    fn keys(&self) -> Option<Keys> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.keys.clone()
    }

    /// Looks at the file after this moment, waiting until that is due.
    async fn wait_for_refresh(&self) {
        let due = KEYS_RECHECK_INTERVAL.saturating_sub(self.since_check());
        tokio::time::sleep(due).await;
        self.refresh(KEYS_RECHECK_INTERVAL).await;
    }

    /// Looks whether the file has changed, if the last look is so long ago.
    async fn refresh(&self, interval: Duration) {
        if self.file.is_none() || self.since_check() < interval {
            return;
        }
        let _turn = self.turn.lock().await;
        let Some(file) = self.file.clone().filter(|_| self.since_check() >= interval) else {
            return;
        };
        let begun = self.started.elapsed();
        let before = self.known.read().unwrap_or_else(PoisonError::into_inner).stamp;
        let change = tokio::task::spawn_blocking(move || read_change(&file, before)).await;
        if let Ok(Some((stamp, keys))) = change {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.stamp = stamp;
            if let Some(keys) = keys {
                known.keys = Some(keys);
            }
        }
        let checked_us = u64::try_from(begun.as_micros()).unwrap_or(u64::MAX);
        self.checked_us.store(checked_us, Ordering::Release);
    }

    fn since_check(&self) -> Duration {
        let checked = Duration::from_micros(self.checked_us.load(Ordering::Acquire));
        self.started.elapsed().saturating_sub(checked)
    }
}

/// The file's stamp and keys, if it has changed; no keys, when those known are to be kept.
fn read_change(file: &KeyFile, before: Option<Stamp>) -> Option<(Option<Stamp>, Option<Keys>)> {
    let path = file.path();
    let stamp = file.stamp().inspect_err(|error| {
        tracing::warn!(%error, path = %path.display(), "the key file cannot be looked at");
    });
    let stamp = stamp.ok().filter(|stamp| *stamp != before)?;
    match file.read() {
        Ok(Some(keys)) => {
            tracing::info!(keys = keys.len(), "the keys have changed");
            Some((stamp, Some(by_id(keys))))
        }
        // What is gone by accident must not open the server.
        Ok(None) => {
            tracing::warn!(path = %path.display(), "the key file is gone; its keys stay until a restart");
            Some((stamp, None))
        }
        Err(error) => {
            tracing::error!(%error, "the key file cannot be read; the keys known so far stay");
            Some((stamp, None))
        }
    }
}

fn by_id(keys: Vec<Key>) -> Keys {
    Arc::new(keys.into_iter().map(|key| (key.id().to_owned(), Arc::new(key))).collect())
}

fn find(keys: &HashMap<String, Arc<Key>>, token: &Token) -> Option<Caller> {
    let key = keys.get(token.id()).filter(|key| key.is_opened_by(token))?;
    Some(Caller::Holder(Arc::clone(key)))
}

fn unknown() -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        "the server does not know this key: it was revoked, or is of another server",
    )
}
