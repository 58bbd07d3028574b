//! The worker of a replicated shard: what it prepares, it applies only once that is agreed on.
//!
//! One group of writes is on its way at a time, so that each is prepared on all that was agreed on
//! before it. While it is, the worker does what is urgent only: it applies what was agreed on, its own
//! records among that, and hears what became of its group.

use super::{
    replication::{Committed, Replication},
    worker::{COMMIT_BYTES_MAX, Prepared, Reply, Request, Worker, Write, bytes_of},
};
use crate::{
    Error, ErrorKind, Record, Result,
    engine::{Group, Outcome},
    key::Key,
    planted::{self, Plant},
};
use std::sync::{Arc, PoisonError};

/// Writes that wait for their records to be agreed on.
pub(super) struct OnItsWay {
    prepared: Vec<Prepared>,
    /// Writes that were refused for what the documents are like, which is only true if this replica
    /// leads.
    refused: Vec<(Reply<Outcome>, Error)>,
}

impl Worker {
    /// Prepares a write and every one that is waiting behind it, as far as one group goes, and has
    /// them agreed on; or hands them to the replica that leads.
    pub(super) fn propose_waiting(&mut self, replication: &Arc<dyn Replication>, write: Write) {
        let Some(term) = replication.term() else {
            return forward(&**replication, write);
        };
        let mut group = Group::default();
        let (mut records, mut bytes) = (Vec::new(), 0);
        let mut on_its_way = OnItsWay { prepared: Vec::new(), refused: Vec::new() };
        let mut waiting = Some(write);
        while let Some(write) = waiting.take() {
            if !group.is_empty() && write.batch.has_filter() {
                self.put_off = Some(Request::Write(write));
                break;
            }
            match self.prepare_held(&mut group, write) {
                Ok(prepared) => {
                    let record = prepared.record.to_bytes();
                    bytes += record.len();
                    records.push(record);
                    on_its_way.prepared.push(prepared);
                }
                Err((reply, error)) if is_of_the_state(&error) => {
                    on_its_way.refused.push((reply, error));
                }
                Err((reply, error)) => reply(Err(error)),
            }
            if bytes < COMMIT_BYTES_MAX {
                waiting = self.next_waiting();
            }
        }
        let mailbox = Arc::clone(&self.mailbox);
        let decided = Box::new(move |result| {
            // Nobody is left to be told when the mailbox is closed.
            mailbox.push(Request::Decided(result));
        });
        match (records.is_empty(), on_its_way.refused.is_empty()) {
            (true, true) => return,
            (true, false) => replication.confirm(term, decided),
            (false, _) => replication.propose(term, records, decided),
        }
        self.on_its_way = Some(on_its_way);
    }

    /// Answers the writes of the group that was on its way.
    pub(super) fn decided(&mut self, result: &Result<()>) {
        let Some(OnItsWay { prepared, refused }) = self.on_its_way.take() else { return };
        for Prepared { outcome, reply, .. } in prepared {
            reply(result.clone().map(|()| outcome));
        }
        for (reply, error) in refused {
            reply(Err(result.clone().err().unwrap_or(error)));
        }
    }

    /// Applies what was agreed on. It rests in the log, so it may wait to be stored.
    pub(super) fn commit_agreed(&mut self, entries: Vec<Committed>) -> Result<Vec<bool>> {
        // Nothing is applied to a part only: where not all could be taken into memory, or nothing can
        // be stored, this replica fails as it is.
        self.revive()?;
        let applied = entries.into_iter().map(|entry| self.commit_entry(entry));
        let applied = applied.collect::<Result<Vec<bool>>>()?;
        self.publish();
        Ok(applied)
    }

    fn commit_entry(&mut self, Committed { mark, records }: Committed) -> Result<bool> {
        let (schema, next) = {
            let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
            (engine.schema().clone(), engine.record_number() + 1)
        };
        let read = records.iter().map(|bytes| Record::from_bytes(bytes, &schema));
        let read = read.collect::<Result<Vec<Record>>>()?;
        let is_next = read.first().is_some_and(|record| record.number == next);
        let is_next = is_next || (planted::is(Plant::OtherTermApplied) && !read.is_empty());
        if is_next {
            for record in &read {
                self.apply(record)?;
            }
            let sizes = records.iter().map(|record| record.len() as u64);
            read.iter().zip(sizes.clone()).for_each(|(r, size)| self.history.add(r.number, size));
            self.budget.written(sizes.sum());
            let numbers = read.iter().map(|record| Key::Record(record.number));
            let stored: Vec<_> = numbers.zip(records).collect();
            self.replay_bytes += bytes_of(&stored) as u64;
            self.defer(stored)?;
        }
        self.unsynced.mark(mark);
        Ok(is_next)
    }
}

fn forward(replication: &dyn Replication, write: Write) {
    let Write { batch, may_forward, reply, .. } = write;
    if may_forward {
        replication.forward(batch, reply);
    } else {
        reply(Err(Error::unavailable(
            "this replica does not lead; nothing was written, try again",
        )));
    }
}

/// Whether another state of the documents could have had the write pass.
fn is_of_the_state(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::LimitExceeded | ErrorKind::Full
    )
}
