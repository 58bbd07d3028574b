//! What a server told of the subscriptions of one connection and nobody has taken yet. Whoever takes
//! it slowly keeps the connection from nothing: of changes, so many notifications are kept and then
//! none, as they can be asked for again; of hits, the last.

use crate::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Notifications of changes that are kept.
const NOTIFICATIONS_MAX: usize = 4;

/// One notification: its method and its params.
pub(super) type Told = (String, Box<RawValue>);

/// What was told of one subscription.
#[derive(Default)]
pub(super) struct Inbox {
    contents: Mutex<Contents>,
    /// Told when there is something.
    arrived: Notify,
}

#[derive(Default)]
struct Contents {
    told: VecDeque<Told>,
    /// Whether there was no room for something.
    is_missing_some: bool,
    /// Why nothing more will come.
    end: Option<Error>,
}

/// What is next for who takes.
pub(super) enum Next {
    /// This was told.
    Told(Told),
    /// What comes next was not kept.
    Missing,
    /// Nothing more will come.
    Ended(Error),
}

impl Inbox {
    /// What is next, once there is something.
    pub(super) async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.arrived.notified().await;
        }
    }

    fn take(&self) -> Option<Next> {
        let mut contents = self.contents();
        if let Some(told) = contents.told.pop_front() {
            return Some(Next::Told(told));
        }
        if contents.is_missing_some && contents.end.is_none() {
            return Some(Next::Missing);
        }
        contents.end.clone().map(Next::Ended)
    }

    fn put(&self, (method, params): Told) {
        let mut contents = self.contents();
        match method.as_str() {
            "ended" => contents.end = Some(reason(&params)),
            // Every notification of hits has all of them.
            "hits" => contents.told = VecDeque::from([(method, params)]),
            _ if contents.is_missing_some => {}
            _ if contents.told.len() == NOTIFICATIONS_MAX => contents.is_missing_some = true,
            _ => contents.told.push_back((method, params)),
        }
        self.arrived.notify_one();
    }

    fn end(&self, error: &Error) {
        self.contents().end.get_or_insert_with(|| error.clone());
        self.arrived.notify_one();
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a server ended a subscription.
fn reason(params: &RawValue) -> Error {
    #[derive(Deserialize)]
    struct Ended {
        error: Reason,
    }
    match super::message::decode::<Ended>(params.get()) {
        Ok(Ended { error }) => error.into(),
        Err(error) => error,
    }
}

/// An error as part of a notification.
#[derive(Deserialize)]
pub(super) struct Reason {
    code: String,
    message: String,
}

impl From<Reason> for Error {
    fn from(Reason { code, message }: Reason) -> Self {
        let kind = ErrorKind::from_code(&code).unwrap_or(ErrorKind::Internal);
        Self::new(kind, message)
    }
}

/// The subscriptions of one connection.
#[derive(Default)]
pub(super) struct Inboxes(Mutex<HashMap<u64, Arc<Inbox>>>);

/// What answers and notifications say of which subscription they are.
#[derive(Deserialize)]
pub(super) struct Of {
    pub(super) subscription: u64,
}

impl Inboxes {
    /// What `answer` began is told into `inbox` from now on.
    pub(super) fn open(&self, answer: &RawValue, inbox: Arc<Inbox>) {
        if let Ok(Of { subscription }) = super::message::decode(answer.get()) {
            self.lock().insert(subscription, inbox);
        }
    }

    /// Nobody takes any more what is told of this subscription.
    pub(super) fn close(&self, subscription: u64) {
        self.lock().remove(&subscription);
    }

    /// Hands a notification to who takes it; one of a subscription that nobody has is none.
    pub(super) fn put(&self, told: Told) -> Result<()> {
        let Of { subscription } = super::message::decode(told.1.get())?;
        let inbox = self.lock().get(&subscription).cloned();
        if let Some(inbox) = inbox {
            inbox.put(told);
        }
        Ok(())
    }

    /// Nothing will be told any more, of any.
    pub(super) fn end(&self, error: &Error) {
        let inboxes: Vec<_> = self.lock().drain().collect();
        inboxes.iter().for_each(|(_, inbox)| inbox.end(error));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Inbox>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
