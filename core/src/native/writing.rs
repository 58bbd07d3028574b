//! Writes: each goes to the shards whose documents it changes.

use super::{
    Database,
    durability::{Durability, Writes},
    shard::closed,
    worker::{Reply, Request, Write},
};
use crate::{
    Batch, Deleted, Document, Error, Filter, Id, Operation, Patch, Result,
    engine::{Outcome, check_document},
    limits,
};
use std::sync::{
    PoisonError,
    mpsc::{Receiver, sync_channel},
};

impl Database {
    /// Inserts or replaces documents; returns how many. They are durable (see
    /// [`with_durability`](Self::with_durability)) and can be found when this returns. All are
    /// checked before any is written; each shard writes its own all or none.
    pub fn index(&self, documents: Vec<Document>) -> Result<usize> {
        self.check_documents(&documents)?;
        let outcomes = self.write(|shards| by_shard(shards, documents, |d| &d.id, Batch::index))?;
        Ok(count(outcomes.iter().map(|outcome| outcome.indexed)))
    }

    /// Replaces documents; `not_found`, and nothing is written, when one of them is not there.
    pub fn update(&self, documents: Vec<Document>) -> Result<usize> {
        self.check_documents(&documents)?;
        // One shard sees by itself that one is missing before it writes any; and of replicas only the
        // one that leads knows.
        if self.shards() > 1 {
            self.expect_all(&documents)?;
        }
        let outcomes =
            self.write(|shards| by_shard(shards, documents, |d| &d.id, Batch::update))?;
        Ok(count(outcomes.iter().map(|outcome| outcome.indexed)))
    }

    /// Makes the changes of one batch about the document `id` alone, all or none: indexing,
    /// updating, patching or deleting it, perhaps on a condition (see [`Batch::expecting`]).
    /// Returns what was done; the version of the document is then [`Outcome::version`].
    pub fn change(&self, id: &Id, batch: Batch) -> Result<Outcome> {
        let is_about = |operation: &Operation| match operation {
            Operation::Index(document) | Operation::Update(document) => document.id == *id,
            Operation::Delete(about) | Operation::Patch(about, _) | Operation::Expect(about, _) => {
                about == id
            }
            Operation::DeleteWhere(_) | Operation::PatchWhere(..) => false,
        };
        if !batch.operations.iter().all(is_about) {
            return Err(Error::invalid(format!("the batch changes more than document {id:?}")));
        }
        let outcomes = self.write(|shards| {
            let mut batches = vec![Batch::default(); shards];
            batches[id.shard(shards)] = batch;
            batches
        })?;
        Ok(outcomes.into_iter().next().unwrap_or_default())
    }

    /// Changes fields of the document `id`; `not_found` when there is none.
    pub fn patch(&self, id: &Id, patch: &Patch) -> Result<Outcome> {
        self.change(id, Batch::patch(id.clone(), patch.clone()))
    }

    /// Changes fields of every document that passes; returns how many.
    pub fn patch_where(&self, filter: &Filter, patch: &Patch) -> Result<usize> {
        patch.check(&self.inner.schema)?;
        self.count(filter)?;
        let batch = Batch::patch_where(filter.clone(), patch.clone());
        let outcomes = self.write(|shards| vec![batch; shards])?;
        Ok(count(outcomes.iter().map(|outcome| outcome.indexed)))
    }

    /// Deletes documents by id, and says which ids no document had.
    pub fn delete(&self, ids: Vec<Id>) -> Result<Deleted> {
        let outcomes = self.write(|shards| by_shard(shards, ids, |id| id, Batch::delete))?;
        let deleted = count(outcomes.iter().map(|outcome| outcome.deleted));
        let missing = outcomes.into_iter().flat_map(|outcome| outcome.missing).collect();
        Ok(Deleted { deleted, missing })
    }

    /// Deletes every document that passes; returns how many.
    pub fn delete_where(&self, filter: &Filter) -> Result<usize> {
        self.count(filter)?;
        let batch = Batch::delete_where(filter.clone());
        let outcomes = self.write(|shards| vec![batch; shards])?;
        Ok(count(outcomes.iter().map(|outcome| outcome.deleted)))
    }

    fn check_documents(&self, documents: &[Document]) -> Result<()> {
        self.check_open()?;
        let max = limits::BATCH_OPERATIONS_MAX;
        limits::at_most(documents.len(), max, "number of documents in a batch")?;
        documents.iter().try_for_each(|document| check_document(&self.inner.schema, document))
    }

    /// Refuses to go on when one of them is not there.
    fn expect_all(&self, documents: &[Document]) -> Result<()> {
        let ids: Vec<Id> = documents.iter().map(|document| document.id.clone()).collect();
        let is_there: Vec<bool> = match self.spread() {
            Some(spread) => spread.contain(&ids)?,
            None => {
                let shards = self.shards_now();
                let is_there = ids.iter().map(|id| shards.of(id).engine().contains(id));
                is_there.collect::<Result<_>>()?
            }
        };
        match ids.iter().zip(is_there).find(|(_, is_there)| !is_there) {
            Some((id, _)) => Err(Error::not_found(format!(
                "there is no document {id:?} to update; index it instead"
            ))),
            None => Ok(()),
        }
    }

    /// Hands each shard its batch, all of them or none, then waits for the answers; empty batches
    /// are left out.
    fn write(&self, batches: impl FnOnce(usize) -> Vec<Batch>) -> Result<Vec<Outcome>> {
        if let Some(spread) = self.spread() {
            self.check_open()?;
            return spread.write(batches(self.shards()), self.writes.when_busy);
        }
        self.ask_guard()?;
        let results: Vec<_> = self
            .send(batches)?
            .into_iter()
            .map(|answer| answer.recv().unwrap_or_else(|_| Err(closed())))
            .collect();
        let outcomes = results.into_iter().collect::<Result<_>>()?;
        self.ask_guard()?;
        Ok(outcomes)
    }

    /// Hands each shard its batch, and returns who will hear the answers.
    fn send(
        &self,
        batches: impl FnOnce(usize) -> Vec<Batch>,
    ) -> Result<Vec<Receiver<Result<Outcome>>>> {
        // Closed for the moment in which resharding puts other shards in the place of these.
        let _gate = self.inner.gate.read().unwrap_or_else(PoisonError::into_inner);
        self.check_open()?;
        let shards = self.shards_now();
        let Writes { durability, when_busy } = self.writes;
        if durability == Durability::Quorum && !self.is_replicated() {
            return Err(Error::unsupported(
                "the database has no replicas, and so no durability \"quorum\"; it has \"fsync\" and \
                 \"memory\"",
            ));
        }
        let places = shards
            .iter()
            .zip(batches(shards.len()))
            .filter(|(_, batch)| !batch.operations.is_empty())
            .map(|(shard, batch)| Ok((shard.place(when_busy)?, batch)));
        let places = places.collect::<Result<Vec<_>>>()?;
        let sent = places.into_iter().map(|(place, batch)| {
            let (send, receive) = sync_channel(1);
            let reply: Reply<Outcome> = Box::new(move |result| {
                let _ = send.send(result);
            });
            place.send(Request::Write(Write { batch, durability, may_forward: true, reply }));
            receive
        });
        Ok(sent.collect())
    }
}

/// What each shard is asked to do with its items, in their order.
fn by_shard<I>(
    shards: usize,
    items: Vec<I>,
    id: impl Fn(&I) -> &Id,
    batch: impl Fn(Vec<I>) -> Batch,
) -> Vec<Batch> {
    if shards == 1 {
        return vec![batch(items)];
    }
    let mut parts: Vec<Vec<I>> = (0..shards).map(|_| Vec::new()).collect();
    for item in items {
        let shard = id(&item).shard(shards);
        parts[shard].push(item);
    }
    parts.into_iter().map(batch).collect()
}

fn count(counts: impl Iterator<Item = u64>) -> usize {
    usize::try_from(counts.sum::<u64>()).unwrap_or(usize::MAX)
}
